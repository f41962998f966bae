"""The records in object storage that Label Studio refused: `refused_records` lists them, `retry_record` sends one again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import PurePosixPath

from langchain_label_studio.delivery.rejected import Rejected, read_rejected
from langchain_label_studio.fleet.targets import FleetTarget
from langchain_label_studio.object_store.batch_names import REJECTED, WAITING, again, batch_name
from langchain_label_studio.object_store.store import ObjectStore

_READERS = 8


def refused_records(store: ObjectStore, target: FleetTarget) -> Iterator[Rejected]:
    """Yield the refused records of a target, the oldest first.

    Raises:
        ObjectStoreError: The store could not be asked.
    """
    found = sorted(store.objects(f"{target.folder}/{REJECTED}"), key=lambda each: each.modified)
    paths = [each.path for each in found if each.path.endswith(".json")]
    with ThreadPoolExecutor(_READERS) as readers:
        for path, content in zip(paths, readers.map(store.get, paths), strict=True):
            if content is not None:
                yield read_rejected(content, PurePosixPath(path))


def retry_record(store: ObjectStore, target: FleetTarget, refused: Rejected, body: bytes) -> None:
    """Let the relay send a refused record again. No selection sees it.

    If this ends in the middle, the record is in both places. So the relay asks Label Studio for it first.

    Args:
        store: The store.
        target: Its target.
        refused: The record.
        body: The record as it is sent.

    Raises:
        ObjectStoreError: The store did not take it.
    """
    content = body + b"\n"
    name = again(batch_name(content, recorded_at=f"{datetime.now(UTC):%Y%m%d%H%M%S%f}"))
    store.put(f"{target.folder}/{WAITING}/{name}", content)
    store.delete([str(refused.path)])
