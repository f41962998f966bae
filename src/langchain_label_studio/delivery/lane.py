"""`Lane`: a lane that this process owns. It appends records, and marks the batches that it sends."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from langchain_label_studio.delivery.lane_files import (
    LOCK,
    NOTE,
    NOTE_SIZE,
    SENDING,
    UNBORN,
    UNSENT,
    VERSION,
    BatchFile,
    scan,
)
from langchain_label_studio.support.process_lock import ProcessLock


class Lane:
    """A lane of this process.

    Attributes:
        path: Its directory.
        files: Its batches, the oldest first. New records go to the last batch while it is open.
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
        """Make a new lane.

        Args:
            lanes: The directory of all lanes.
            max_records: The maximum number of records in a batch.
            max_bytes: The maximum size of a batch. A larger record is a batch of its own.
            power: Whether a record must survive a loss of power.

        Raises:
            OSError: The directory cannot be written, or its file system has no locks.
        """
        lanes.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        unborn = lanes / f"{UNBORN}{name}"
        unborn.mkdir(mode=0o700)
        lock = ProcessLock.take(unborn / LOCK, create=True)
        if lock is None:
            raise OSError(errno.ENOLCK, "the file system has no locks", str(lanes))
        path = unborn.rename(lanes / f"{VERSION}{name}")
        lane = cls(path, lock, recovered=False, max_records=max_records, max_bytes=max_bytes, power=power)
        lane._sync_directory(lanes)
        return lane

    @classmethod
    def recover(cls, path: Path) -> Self | None:
        """Take over the lane of a process that ended.

        Returns:
            The lane. None if its owner lives.

        Raises:
            OSError: The lane cannot be read.
        """
        lock = ProcessLock.take(path / LOCK, create=True)
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
        """Leave the lane to other processes. Its batches stay."""
        self.seal()
        self._lock.release()

    @property
    def records(self) -> int:
        """The number of its records."""
        return sum(file.records for file in self.files)

    @property
    def next_file(self) -> BatchFile | None:
        """The batch that comes next. None if there is none."""
        return next((file for file in self.files if not file.deferred), None)

    @property
    def size(self) -> int:
        """The size of its batches in bytes."""
        return sum(file.size for file in self.files)

    def seconds_since_sending(self) -> float | None:
        """Return the seconds since the newest request in doubt began. None without such a request."""
        # `mark_sending` renames the file. A rename changes this time of a file, and no other.
        begun = [file.path.stat().st_ctime for file in self.files if file.sending]
        return time.time() - max(begun) if begun else None

    def append(self, line: bytes) -> None:
        """Append a line to the open batch, or to a new batch if that one is full.

        Raises:
            OSError: The disk does not take the line. Nothing was appended.
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
        """Close the open batch. The next record begins a new batch."""
        descriptor, self._open = self._open, None
        if descriptor is not None:
            os.close(descriptor)

    def mark_sending(self, file: BatchFile, *, note: str) -> None:
        """Note that a request with a batch begins.

        Args:
            file: The batch.
            note: The destination's note about the request.

        Raises:
            OSError: The batch could not be marked, so it must not be sent.
        """
        self.write_note(file, note)
        self._mark(file, sending=True)

    def mark_unsent(self, file: BatchFile) -> None:
        """Note that no record of a batch is stored.

        Raises:
            OSError: The batch could not be marked.
        """
        self._mark(file, sending=False)
        self.write_note(file, "")

    def write_note(self, file: BatchFile, note: str) -> None:
        """Replace the note beside a batch. A disk that does not take the note has none afterwards.

        Raises:
            OSError: An old note could not be deleted.
        """
        path = file.path.with_suffix(NOTE)
        with suppress(OSError):
            if note:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
                try:
                    if os.write(descriptor, note.encode().ljust(NOTE_SIZE)) == NOTE_SIZE:
                        if self._power:
                            os.fsync(descriptor)
                        return
                finally:
                    os.close(descriptor)
        path.unlink(missing_ok=True)

    def read_note(self, file: BatchFile) -> str:
        """Return the note beside a batch. Empty without one."""
        with suppress(OSError, ValueError):
            return file.path.with_suffix(NOTE).read_text().strip()
        return ""

    def take_in(self, path: Path) -> None:
        """Move a file with one record into the lane, as its last batch.

        Raises:
            OSError: The file could not be moved. It is still where it was.
        """
        self.seal()
        self._last_number += 1
        size = path.stat().st_size
        moved = path.rename(self.path / f"{self._last_number:012d}{UNSENT}")
        self.files.append(BatchFile(moved, records=1, size=size, since=time.monotonic()))
        self._sync_directory(self.path)

    def delete(self) -> None:
        """Delete the lane. It has to be empty."""
        self.seal()
        # The directory may hold files of other people. Then it stays.
        with suppress(OSError):
            (self.path / LOCK).unlink(missing_ok=True)
            self.path.rmdir()
        self._lock.release()

    def disown(self) -> None:
        """Leave the lane to the parent of this forked process."""
        self.seal()
        self._lock.disown()

    def _begin_batch(self) -> tuple[BatchFile, int]:
        self._last_number += 1
        path = self.path / f"{self._last_number:012d}{UNSENT}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        file = BatchFile(path, records=0, size=0, since=time.monotonic())
        self.files.append(file)
        self._open = descriptor
        self._sync_directory(self.path)
        return file, descriptor

    def _take_back(self, file: BatchFile, descriptor: int) -> None:
        """Cut off a half-written line. If that fails, close the batch: no record may follow the half line."""
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
            file.path = file.path.rename(file.path.with_suffix(SENDING if sending else UNSENT))
            file.sending = sending
            self._sync_directory(self.path)

    def _sync_directory(self, path: Path) -> None:
        if self._power and os.name == "posix":
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
