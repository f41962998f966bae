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

from langchain_label_studio.delivery.lane_directory import LaneDirectory, read_open_file, sync_directory
from langchain_label_studio.delivery.lane_files import (
    NOTE,
    NOTE_SIZE,
    SENDING,
    UNBORN,
    UNSENT,
    VERSION,
    BatchFile,
    delete_unborn,
    scan,
)
from langchain_label_studio.support.atomic_files import make_directory

_LOOK_EVERY = 0.05
"""Seconds between two looks whether the open batch is still there. A look with each record would cost too much."""


class Lane:
    """A lane of this process.

    Attributes:
        files: Its batches, the oldest first. New records go to the last batch while it is open.
        recovered: Whether it is an orphaned lane of another process.
        appended: The number of records that were ever appended here.
    """

    def __init__(
        self,
        directory: LaneDirectory,
        *,
        recovered: bool,
        max_records: int = 1,
        max_bytes: int = 0,
        power: bool = False,
    ) -> None:
        self._directory = directory
        self.files: deque[BatchFile] = deque()
        self.recovered = recovered
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._power = power
        self._last_number = 0
        self._look_at = 0.0
        self.appended = 0

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
        make_directory(lanes)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        unborn = lanes / f"{UNBORN}{name}"
        unborn.mkdir(mode=0o700)
        directory = None
        try:
            directory = LaneDirectory.take_new(unborn)
            directory.rename_to(lanes / f"{VERSION}{name}")
            if power:
                sync_directory(lanes)
        except BaseException:
            if directory:
                directory.delete()
            else:
                delete_unborn(unborn)
            raise
        return cls(directory, recovered=False, max_records=max_records, max_bytes=max_bytes, power=power)

    @classmethod
    def recover(cls, path: Path) -> Self | None:
        """Take over the lane of a process that ended.

        Returns:
            The lane. None if its owner lives.

        Raises:
            OSError: The lane cannot be read.
        """
        directory = LaneDirectory.take(path)
        if directory is None:
            return None
        lane = cls(directory, recovered=True)
        try:
            lane.files.extend(scan(path))
        except OSError:
            directory.release()
            raise
        return lane

    def let_go(self) -> None:
        """Leave the lane to other processes. Its batches stay."""
        self.seal()
        self._directory.release()

    @property
    def path(self) -> Path:
        """Its directory, where it was made or found."""
        return self._directory.path

    @property
    def since(self) -> float | None:
        """`time.monotonic()` of its oldest record. None without records."""
        try:
            return self.files[0].since
        except IndexError:  # not asked before: another thread may remove the last batch meanwhile
            return None

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

    def sending_since(self, file: BatchFile) -> float:
        """Return `time.time()` at the beginning of the last request with a batch that is marked as sending.

        Raises:
            OSError: The file cannot be found.
        """
        # `mark_sending` renames the file. A rename changes this time of a file, and no other.
        return self._directory.changed_at(file.path.name)

    def append(self, lines: bytes, *, records: int = 1) -> float:
        """Append lines to the open batch, or to a new batch if that one is full. All lines are appended, or none.

        Args:
            lines: The records, each with a line break.
            records: Their number. At most as many as a batch may hold.

        Returns:
            The seconds that it took.

        Raises:
            FileNotFoundError: Somebody deleted or moved the lane, or deleted its open batch.
            OSError: The disk does not take the lines.
        """
        # All in one place, with few calls: the caller waits for this code with every run.
        file = self.files[-1] if self.files else None
        descriptor = None if file is None else file.descriptor
        size = len(lines)
        now = time.monotonic()
        if descriptor is not None and now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            if not os.fstat(descriptor).st_nlink:
                raise self._gone()
        if (
            descriptor is None
            or file is None
            or file.records + records > self._max_records
            or file.size + size > self._max_bytes
        ):
            file, descriptor = self._begin_batch()
        failure: BaseException | None = None
        try:
            if os.write(descriptor, lines) != size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file.path))  # noqa: TRY301 (see above)
            if self._power:
                os.fsync(descriptor)
        except BaseException as error:
            if not self._keeps(file, descriptor, size, error):
                raise
            failure = error
        # No calls from here on: Ctrl-C and signal handlers come in between them.
        file.records += records
        file.size += size
        self.appended += records
        if failure is not None and not isinstance(failure, OSError):
            raise failure
        return time.monotonic() - now

    def seal(self) -> None:
        """Close the open batch. The next record begins a new batch."""
        file = self.files[-1] if self.files else None
        if file is None:
            return
        # First of all it is closed for others: a signal handler may record a run in the middle of this.
        descriptor, file.descriptor = file.descriptor, None
        if descriptor is not None:
            try:
                # Who has moved the directory may delete it next.
                if not (self._directory.is_in_place() and self._directory.has(file.path.name, descriptor)):
                    file.content = read_open_file(descriptor)
            finally:
                os.close(descriptor)

    def is_intact(self) -> bool:
        """Return whether its directory and its open batch are where they were. Else somebody moved or deleted them."""
        file = self.files[-1] if self.files else None
        if not self._directory.is_in_place():
            return False
        if file is None or file.descriptor is None:
            return True
        return self._directory.has(file.path.name, file.descriptor)

    def read(self, file: BatchFile) -> bytes:
        """Return the records of a batch that is closed.

        Raises:
            FileNotFoundError: Somebody deleted the file after it was closed.
            OSError: The file cannot be read.
        """
        return self._directory.read(file.path.name) if file.content is None else file.content

    def remove(self, file: BatchFile) -> None:
        """Delete a batch and its note. It is not one of `files` any more.

        Raises:
            OSError: Its file cannot be deleted.
        """
        self._directory.unlink(file.path.name)
        self.write_note(file, "")

    def mark_sending(self, file: BatchFile, *, note: str) -> None:
        """Note that a request with a batch begins.

        Args:
            file: The batch.
            note: The destination's note about the request.

        Raises:
            FileNotFoundError: Somebody deleted the file.
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
        name = file.path.with_suffix(NOTE).name
        with suppress(OSError):
            if note:
                self._directory.overwrite(name, note.encode().ljust(NOTE_SIZE), sync=self._power)
                return
        self._directory.unlink(name)

    def read_note(self, file: BatchFile) -> str:
        """Return the note beside a batch. Empty without one."""
        with suppress(OSError, ValueError):
            return self._directory.read(file.path.with_suffix(NOTE).name).decode().strip()
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
        with suppress(OSError):  # after a loss of power, the file is in one of the two places
            self._sync()

    def delete(self) -> None:
        """Delete the lane. It has to be empty."""
        self.seal()
        self._directory.delete()

    def disown(self) -> None:
        """Leave the lane to the parent of this forked process."""
        if self.files:
            self._close(self.files[-1])
        self._directory.disown()

    def _begin_batch(self) -> tuple[BatchFile, int]:
        # An open batch stays open then: its records come into another lane.
        if not self._directory.is_in_place():
            raise self._gone()
        self.seal()
        self._last_number += 1
        path = self.path / f"{self._last_number:012d}{UNSENT}"
        descriptor = self._directory.create(path.name)
        file = BatchFile(path, records=0, size=0, since=time.monotonic(), descriptor=descriptor)
        self.files.append(file)
        try:
            self._sync()
        except OSError:
            self._drop(file)
            raise
        return file, descriptor

    def _keeps(self, file: BatchFile, descriptor: int, size: int, error: BaseException) -> bool:
        """Return whether the open batch holds lines whose writing failed or was interrupted. Close it.

        Args:
            file: The batch.
            descriptor: Its open file.
            size: The size of the lines.
            error: The failure. After an OSError the lines are taken back, so that they can be kept elsewhere.
        """
        try:
            if isinstance(error, OSError) or os.fstat(descriptor).st_size != file.size + size:
                with suppress(OSError):
                    os.ftruncate(descriptor, file.size)
            kept = os.fstat(descriptor).st_size == file.size + size
        finally:
            self._close(file)
        if not kept and not file.records:
            self._drop(file)
        return kept

    def _drop(self, file: BatchFile) -> None:
        """Forget a batch without records."""
        self._close(file)
        self.files.remove(file)
        with suppress(OSError):
            self.remove(file)

    def _gone(self) -> FileNotFoundError:
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))

    @staticmethod
    def _close(file: BatchFile) -> None:
        descriptor, file.descriptor = file.descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _mark(self, file: BatchFile, *, sending: bool) -> None:
        path = file.path.with_suffix(SENDING if sending else UNSENT)
        # Also if this is its name already: somebody may have deleted the file.
        self._directory.rename(file.path.name, path.name)
        file.path = path
        file.sending = sending
        self._sync()

    def _sync(self) -> None:
        if self._power:
            self._directory.sync()
