"""`Sources`: the objects of one target that wait for the relay."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from langchain_label_studio.delivery.outbox import MAX_BATCH_BYTES
from langchain_label_studio.object_store.batch_names import (
    NEW,
    WAITING,
    is_again,
    moment_of,
    plain,
    records_in,
)
from langchain_label_studio.object_store.store import ObjectStore, StoredObject
from langchain_label_studio.support.bounded_dict import BoundedDict

AT_ONCE = 10_000
"""The number of objects that one look finds at most. The next look finds more."""

_READERS = 8
_REMEMBERED = 100_000


@dataclass(slots=True, eq=False)
class StoredBatch:
    """A batch as a worker handed it over: an object with records.

    Attributes:
        path: Its path.
        records: The number of its records, by its name.
        size: Its size in bytes.
        since: `time.monotonic()` when it was put there.
        in_doubt: Whether Label Studio may have its records.
        chosen: Whether its records were chosen before, so that no selection sees them again.
        users: The number of those that need it: the one that reads it, and the batches that hold its records.
        claimed: The keys of its records that are in requests of a relay that ended.
        manifests: The paths of the manifests that name it.
    """

    path: str
    records: int
    size: int
    since: float
    in_doubt: bool
    chosen: bool
    users: int = 1
    claimed: set[str] = field(default_factory=set)
    manifests: set[str] = field(default_factory=set)

    @property
    def paths(self) -> list[str]:
        """The paths of all objects with these records: it may have been put under two names."""
        return [self.path, plain(self.path)] if is_again(self.path) else [self.path]


class Sources:
    """The objects of one target. Those that are read stay known until they are deleted.

    Attributes:
        more: Whether the last look left some objects for later.
    """

    def __init__(self, store: ObjectStore, folder: str) -> None:
        """Begin without a look.

        Args:
            store: The store.
            folder: The folder of the target.
        """
        self._store = store
        self._folder = folder
        self._known: dict[str, StoredBatch] = {}
        self._unread: dict[str, StoredBatch] = {}
        self._settled: list[StoredBatch] = []
        self._named_by: dict[str, set[str]] = {}
        self._deleted: BoundedDict[str, None] = BoundedDict(_REMEMBERED)
        self.more = False

    def look(self) -> None:
        """Find the objects that came since the last look.

        Raises:
            ObjectStoreError: The store could not be asked.
        """
        limit = AT_ONCE + len(self._known)
        found = self._store.objects(f"{self._folder}/{NEW}", limit=limit)
        self.more = len(found) == limit
        for each in found:
            self._add(each, chosen=False)
        now = f"{datetime.now(UTC):%Y%m%d%H%M%S%f}"
        for each in self._store.objects(f"{self._folder}/{WAITING}", limit=AT_ONCE):
            if moment_of(_name(each.path)) <= now:
                self._add(each, chosen=True)

    def add_due(self, path: str, *, records: int, size: int) -> None:
        """Add an object of this relay whose time has come."""
        if path not in self._known:
            source = StoredBatch(path, records, size, time.monotonic(), in_doubt=False, chosen=True)
            self._known[path] = self._unread[path] = source

    def find(self, path: str) -> StoredBatch | None:
        """Return the object with a path, if it is there.

        Raises:
            ObjectStoreError: The store could not be asked.
        """
        if path not in self._known and (content := self._store.get(path)) is not None:
            self._add(
                StoredObject(path=path, size=len(content), modified=datetime.now(UTC)),
                chosen=f"/{WAITING}/" in path,
            )
        return self._known.get(path)

    def next(self, batch_size: int) -> list[StoredBatch]:
        """Return the next objects that are read together, the oldest first. They stay unread."""
        chosen: list[StoredBatch] = []
        records = size = 0
        for source in self._unread.values():
            if chosen and (source.in_doubt, source.chosen) != (chosen[0].in_doubt, chosen[0].chosen):
                continue
            records += source.records
            size += source.size
            if chosen and (records > batch_size or size > MAX_BATCH_BYTES):
                break
            chosen.append(source)
        return chosen

    def read(self, sources: Sequence[StoredBatch]) -> list[list[bytes]]:
        """Return the lines of some objects. Those of an object that is gone are none.

        Raises:
            ObjectStoreError: An object could not be read.
        """
        if len(sources) == 1:
            contents = [self._store.get(sources[0].path)]
        else:
            with ThreadPoolExecutor(min(_READERS, len(sources) or 1)) as readers:
                contents = list(readers.map(self._store.get, [source.path for source in sources]))
        return [[line for line in (content or b"").split(b"\n") if line] for content in contents]

    def done_reading(self, sources: Sequence[StoredBatch]) -> None:
        """Note that some objects were read."""
        for source in sources:
            self._unread.pop(source.path, None)

    def delete(self, sources: Sequence[StoredBatch]) -> None:
        """Delete objects, and then the manifests that name no others.

        Raises:
            ObjectStoreError: Some may be left. They are deleted with the next ones.
        """
        self._settled += sources
        if not self._settled:
            return
        self._store.delete([path for source in self._settled for path in source.paths])
        free = []
        for source in self._settled:
            self._known.pop(source.path, None)
            self._deleted[plain(source.path)] = None
            for name in source.manifests:
                self._named_by[name].discard(source.path)
                if not self._named_by[name]:
                    free.append(name)
                    del self._named_by[name]
        self._settled = []
        self._store.delete(free)

    def name(self, manifest: str, sources: Sequence[StoredBatch]) -> None:
        """Note that a manifest names some objects. It is deleted with the last of them."""
        self._named_by[manifest] = {source.path for source in sources}
        for source in sources:
            source.manifests.add(manifest)

    def is_named_by(self, manifest: str) -> bool:
        """Return whether a manifest is known."""
        return manifest in self._named_by

    def forget(self, manifest: str) -> None:
        """Forget a manifest that was deleted."""
        for path in self._named_by.pop(manifest, ()):
            if source := self._known.get(path):
                source.manifests.discard(manifest)

    @property
    def unread(self) -> int:
        """The number of records that were not read yet."""
        return sum(source.records for source in list(self._unread.values()))

    @property
    def oldest(self) -> float | None:
        """`time.monotonic()` when the oldest object was put there. None without objects."""
        return min((source.since for source in list(self._known.values())), default=None)

    def _add(self, found: StoredObject, *, chosen: bool) -> None:
        path = found.path
        if path in self._known:
            return
        age = (datetime.now(UTC) - found.modified).total_seconds()
        source = StoredBatch(
            path,
            # Somebody may have put an object there by hand.
            records_in(_name(path)) or 1,
            found.size,
            time.monotonic() - max(0.0, age),
            # An object that was deleted and is here again: a request of its worker was late, or somebody copied it.
            in_doubt=is_again(path) or plain(path) in self._deleted,
            chosen=chosen,
        )
        self._known[path] = self._unread[path] = source

    def __iter__(self) -> Iterator[StoredBatch]:
        return iter(list(self._known.values()))


def _name(path: str) -> str:
    return path.rpartition("/")[2]
