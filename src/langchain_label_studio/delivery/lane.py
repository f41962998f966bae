"""`Lane`: a directory of batches that one process owns.

    v1-20261121T090213-4711-9f2c/
        lock               locked by the owner for as long as it lives
        000000000001.sending   a request with these records was made, and nobody knows how it ended
        000000000002.jsonl     surely not sent; the last one grows by a line for each record

The version stands for the names, and for the records: one line of JSON each.
"""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from langchain_label_studio.support.process_lock import ProcessLock

VERSION = "v1-"
"""What the names of lanes begin with that this version can read."""

_UNSENT, _SENDING, _LOCK = ".jsonl", ".sending", "lock"
# A name that nobody looks at until the lock is taken: else another process could recover the lane before.
_UNBORN = ".new-"
_LONG_AGO = 3600.0


@dataclass(slots=True)
class BatchFile:
    """One batch on the disk.

    Attributes:
        path: Its file.
        records: How many records are in it.
        size: Its size in bytes.
        since: `time.monotonic()` of its oldest record.
        sending: Whether a request with it was begun.
    """

    path: Path
    records: int
    size: int
    since: float
    sending: bool = False


class Lane:
    """One lane, owned by this process.

    Attributes:
        path: Its directory.
        files: Its batches, the oldest first; records are appended to the last one while it is open.
        recovered: Whether it is an orphaned lane of another process.
    """

    def __init__(
        self,
        path: Path,
        lock: ProcessLock,
        *,
        recovered: bool,
        max_records: int = 1,
        max_bytes: int = 0,
        power: bool = False,
    ) -> None:
        self.path = path
        self.files: deque[BatchFile] = deque()
        self.recovered = recovered
        self._lock = lock
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._power = power
        self._open: int | None = None
        self._last_number = 0

    @classmethod
    def create(cls, lanes: Path, *, max_records: int = 1, max_bytes: int = 0, power: bool = False) -> Self:
        """Make a lane of this process's own.

        Args:
            lanes: Directory of all lanes.
            max_records: Records in a batch, at most.
            max_bytes: Bytes in a batch, at most, but for a record that is larger by itself.
            power: Whether a record must survive a loss of power.

        Raises:
            OSError: The directory cannot be written, or its file system knows no locks.
        """
        lanes.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        unborn = lanes / f"{_UNBORN}{name}"
        unborn.mkdir(mode=0o700)
        lock = ProcessLock.take(unborn / _LOCK, create=True)
        if lock is None:
            raise OSError(errno.ENOLCK, "the file system has no locks", str(lanes))
        path = unborn.rename(lanes / f"{VERSION}{name}")
        lane = cls(path, lock, recovered=False, max_records=max_records, max_bytes=max_bytes, power=power)
        lane._sync_directory(lanes)
        return lane

    @classmethod
    def recover(cls, path: Path) -> Self | None:
        """Recover a lane: its process ended.

        Returns:
            The lane; None where its owner lives.

        Raises:
            OSError: It cannot be read.
        """
        lock = ProcessLock.take(path / _LOCK, create=True)
        if lock is None:
            return None
        lane = cls(path, lock, recovered=True)
        try:
            lane.files.extend(scan(path))
        except OSError:
            lock.release()
            raise
        return lane

    def let_go(self) -> None:
        """Leave the lane to other processes, as it is."""
        self.seal()
        self._lock.release()

    @property
    def records(self) -> int:
        """How many records are in it."""
        return sum(file.records for file in self.files)

    @property
    def size(self) -> int:
        """How many bytes it has on the disk."""
        return sum(file.size for file in self.files)

    def seconds_since_sending(self) -> float | None:
        """Return how long ago its newest request was begun; None where none is in doubt."""
        # A new name changes no other time of a file than this one.
        begun = [file.path.stat().st_ctime for file in self.files if file.sending]
        return time.time() - max(begun) if begun else None

    def append(self, line: bytes) -> None:
        """Append a line to the open batch, or to a new one where it is full.

        Raises:
            OSError: The disk does not take it; nothing was appended.
        """
        file = self.files[-1] if self.files else None
        descriptor = self._open
        if (
            descriptor is None
            or file is None
            or file.records >= self._max_records
            or file.size + len(line) > self._max_bytes
        ):
            self.seal()
            file, descriptor = self._begin_batch()
        written = os.write(descriptor, line)
        if written != len(line):
            self._take_back(file, descriptor)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file.path))
        if self._power:
            os.fsync(descriptor)
        file.records += 1
        file.size += written

    def seal(self) -> None:
        """Close the open batch. The next record begins a new one."""
        descriptor, self._open = self._open, None
        if descriptor is not None:
            os.close(descriptor)

    def mark_sending(self, file: BatchFile) -> None:
        """Note that a request with a batch begins.

        Raises:
            OSError: It could not be marked, so it must not be sent.
        """
        self._mark(file, sending=True)

    def mark_unsent(self, file: BatchFile) -> None:
        """Note that no record of a batch is stored.

        Raises:
            OSError: It could not be marked.
        """
        self._mark(file, sending=False)

    def take_in(self, path: Path) -> None:
        """Move a file with one record into the lane, as its last batch.

        Raises:
            OSError: It could not be moved; it is where it was.
        """
        self.seal()
        self._last_number += 1
        size = path.stat().st_size
        moved = path.rename(self.path / f"{self._last_number:012d}{_UNSENT}")
        self.files.append(BatchFile(moved, records=1, size=size, since=time.monotonic()))
        self._sync_directory(self.path)

    def delete(self) -> None:
        """Delete the lane, once it is empty."""
        self.seal()
        # Whatever else somebody put there is theirs: then the directory stays.
        with suppress(OSError):
            (self.path / _LOCK).unlink(missing_ok=True)
            self.path.rmdir()
        self._lock.release()

    def disown(self) -> None:
        """Leave the lane to the parent of this forked process."""
        self.seal()
        self._lock.disown()

    def _begin_batch(self) -> tuple[BatchFile, int]:
        self._last_number += 1
        path = self.path / f"{self._last_number:012d}{_UNSENT}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        file = BatchFile(path, records=0, size=0, since=time.monotonic())
        self.files.append(file)
        self._open = descriptor
        self._sync_directory(self.path)
        return file, descriptor

    def _take_back(self, file: BatchFile, descriptor: int) -> None:
        """Cut off half a line. If that fails, no record is appended behind it."""
        try:
            os.ftruncate(descriptor, file.size)
        except OSError:
            self.seal()
        if not file.records:
            self.seal()
            self.files.remove(file)
            file.path.unlink(missing_ok=True)

    def _mark(self, file: BatchFile, *, sending: bool) -> None:
        if file.sending != sending:
            file.path = file.path.rename(file.path.with_suffix(_SENDING if sending else _UNSENT))
            file.sending = sending
            self._sync_directory(self.path)

    def _sync_directory(self, path: Path) -> None:
        if self._power and os.name == "posix":
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def sweep(directory: Path) -> None:
    """Delete unfinished lanes: the process that made them was killed meanwhile."""
    for path in directory.glob(f"{_UNBORN}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _LONG_AGO:
                (path / _LOCK).unlink(missing_ok=True)
                path.rmdir()


def lanes_in(directory: Path) -> list[Path]:
    """Return the lanes of a directory that this version can read, the oldest first."""
    with suppress(FileNotFoundError):
        return sorted(path for path in directory.iterdir() if path.name.startswith(VERSION))
    return []


def owner_lives(path: Path) -> bool:
    """Return whether the owner of a lane lives. Nothing is changed.

    Raises:
        OSError: It cannot be read.
    """
    lock = ProcessLock.take(path / _LOCK)
    if lock is None:
        return (path / _LOCK).exists()  # a lane without a lock is nobody's
    lock.release()
    return False


def scan(path: Path) -> Iterator[BatchFile]:
    """Yield the batches of a lane, the oldest first. Another process may own it.

    Raises:
        OSError: It cannot be read.
    """
    for file in sorted(path.iterdir()):
        if file.suffix in {_UNSENT, _SENDING}:
            with suppress(FileNotFoundError):  # its owner may have sent it meanwhile
                content = file.read_bytes()
                age = max(0.0, time.time() - file.stat().st_mtime)
                yield BatchFile(
                    file,
                    records=content.count(b"\n"),
                    size=len(content),
                    since=time.monotonic() - age,
                    sending=file.suffix == _SENDING,
                )
