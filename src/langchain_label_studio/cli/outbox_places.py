"""The places of outboxes: `open_place` returns the directory of this user, or object storage. They print nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from langchain_label_studio.cli.outbox_operations import (
    AnyTarget,
    TargetStatus,
    checked_record,
    choose_targets,
    look_at,
    rejected_runs,
    retry,
    select_targets,
)
from langchain_label_studio.delivery.rejected import Rejected
from langchain_label_studio.delivery.settings import resolve_outbox_dir
from langchain_label_studio.errors import ObjectStoreError
from langchain_label_studio.fleet.manifest import Manifest
from langchain_label_studio.fleet.refused import refused_records, retry_record
from langchain_label_studio.fleet.targets import FleetTarget, find_targets
from langchain_label_studio.label_studio.project_outboxes import ProjectOutbox
from langchain_label_studio.object_store.batch_names import NEW, REJECTED, SENDING, WAITING, records_in
from langchain_label_studio.object_store.store import ObjectStore, StoredObject
from langchain_label_studio.object_store.url import check_store_url

Refused = list[tuple[AnyTarget, Rejected]]


class Place(Protocol):
    """The outboxes of many targets.

    Attributes:
        address: The directory, or the address of the storage.
        is_storage: Whether a relay sends what is there.
    """

    @property
    def address(self) -> str: ...  # noqa: D102 (see above)

    @property
    def is_storage(self) -> bool: ...  # noqa: D102

    def select(self, wanted: str | None) -> tuple[Sequence[AnyTarget], list[str]]:
        """Return the targets that a person names, and the problems with those that cannot be read."""

    def look_at(self, target: AnyTarget) -> TargetStatus:
        """Count the runs of a target."""

    def rejected(self, targets: Iterable[AnyTarget]) -> Refused:
        """Return the rejected runs of some targets."""

    def content(self, item: Rejected) -> bytes:
        """Return the file of a rejected run."""

    def retry(self, target: AnyTarget, refused: Sequence[Rejected]) -> tuple[int, list[str]]:
        """Put rejected runs back. Return their number, and the problems with the others."""


def open_place(outbox_dir: str | None) -> Place:
    """Return the place that a person names.

    Args:
        outbox_dir: A directory, or the address of object storage. None takes the environment variable, else the default.

    Raises:
        SettingError: It cannot be one.
        ObjectStoreError: The storage cannot be opened.
    """
    if outbox_dir and "://" in outbox_dir:
        return _Storage(ObjectStore(check_store_url(outbox_dir, setting="--outbox-dir")))
    return _Directory(resolve_outbox_dir(outbox_dir))


class _Directory:
    is_storage = False

    def __init__(self, directory: Path) -> None:
        self.address = str(directory)
        self._directory = directory

    def select(self, wanted: str | None) -> tuple[Sequence[AnyTarget], list[str]]:
        return select_targets(self._directory, wanted)

    def look_at(self, target: AnyTarget) -> TargetStatus:
        return look_at(_of_directory(target))

    def rejected(self, targets: Iterable[AnyTarget]) -> Refused:
        return [*rejected_runs(map(_of_directory, targets))]

    def content(self, item: Rejected) -> bytes:
        return Path(item.path).read_bytes()

    def retry(self, target: AnyTarget, refused: Sequence[Rejected]) -> tuple[int, list[str]]:
        return retry(_of_directory(target), refused)


class _Storage:
    is_storage = True

    def __init__(self, store: ObjectStore) -> None:
        self.address = store.url
        self._store = store

    def select(self, wanted: str | None) -> tuple[Sequence[AnyTarget], list[str]]:
        return choose_targets(*find_targets(self._store), wanted)

    def look_at(self, target: AnyTarget) -> TargetStatus:
        folder = _of_storage(target).folder
        waiting = [each for name in (NEW, WAITING) for each in self._store.objects(f"{folder}/{name}")]
        in_doubt, problems = self._in_doubt(folder)
        oldest = min((each.modified for each in waiting), default=None)
        return TargetStatus(
            waiting=sum(map(_records, waiting)),
            orphaned=0,
            in_doubt=in_doubt,
            bytes=sum(each.size for each in waiting),
            oldest_seconds=None
            if oldest is None
            else max(0.0, round((datetime.now(UTC) - oldest).total_seconds(), 1)),
            rejected=len(self._store.objects(f"{folder}/{REJECTED}")),
            rejected_deleted=0,
            newer_lanes=0,
            problems=tuple(problems),
        )

    def _in_doubt(self, folder: str) -> tuple[int, list[str]]:
        """Return the number of records in requests without a known end."""
        records, problems = 0, []
        for each in self._store.objects(f"{folder}/{SENDING}"):
            if (content := self._store.get(each.path)) is None:
                continue  # it has ended meanwhile
            try:
                records += len(Manifest.decode(content).keys)
            except ValueError:
                problems.append(f"{self.address}/{each.path} cannot be read.")
        return records, problems

    def rejected(self, targets: Iterable[AnyTarget]) -> Refused:
        return [
            (target, replace(item, key=item.key or item.path.stem))
            for target in targets
            for item in refused_records(self._store, _of_storage(target))
        ]

    def content(self, item: Rejected) -> bytes:
        return self._store.get(str(item.path)) or b""

    def retry(self, target: AnyTarget, refused: Sequence[Rejected]) -> tuple[int, list[str]]:
        problems: list[str] = []
        done = 0
        for item in refused:
            place = f"{self.address}/{item.path}"
            content = self._store.get(str(item.path))
            if content is None:
                problems.append(f"{place} is gone.")
                continue
            try:
                body = checked_record(content, target.holds)
                retry_record(self._store, _of_storage(target), item, body)
                done += 1
            except ObjectStoreError as error:
                problems.append(str(error))
            except ValueError as error:
                problems.append(f"{place} cannot be retried: {error}. Repair it, and try again.")
        return done, problems


def _of_directory(target: AnyTarget) -> ProjectOutbox:
    assert isinstance(target, ProjectOutbox)  # noqa: S101 (a place takes its own targets)
    return target


def _of_storage(target: AnyTarget) -> FleetTarget:
    assert isinstance(target, FleetTarget)  # noqa: S101 (as above)
    return target


def _records(found: StoredObject) -> int:
    return records_in(found.path.rpartition("/")[2]) or 1
