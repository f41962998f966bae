"""`LaneDirectory`: the locked directory of a lane. Its methods work on the files in it."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from langchain_label_studio.delivery.lane_files import LOCK, NOTE, SENDING, UNSENT
from langchain_label_studio.support.process_lock import DirectoryLock

_BINARY = getattr(os, "O_BINARY", 0)  # without it, Windows writes other line ends


class LaneDirectory:
    """The directory of a lane that this process owns.

    It stays the same directory when somebody moves it. (Windows moves no directory with open files.) When a copy stands
    in its place, it locks the copy, too: others would send the records of the copy once more.

    Attributes:
        path: The directory, where it was made or found.
    """

    def __init__(self, path: Path, lock: DirectoryLock) -> None:
        self.path = path
        self._lock = lock
        self._copy: LaneDirectory | None = None

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Take the lock of a directory.

        Returns:
            The directory. None if another process owns it, or it is gone.

        Raises:
            OSError: The directory cannot be used, or its file system has no locks.
        """
        lock = DirectoryLock.take(path, LOCK)
        return None if lock is None else cls(path, lock)

    @classmethod
    def take_new(cls, path: Path) -> Self:
        """Take the lock of a directory that nobody else knows.

        Raises:
            OSError: The directory cannot be used, or its file system has no locks.
        """
        directory = cls.take(path)
        if directory is None:
            raise OSError(errno.ENOLCK, "the file system has no locks", str(path))
        return directory

    def rename_to(self, path: Path) -> None:
        """Give the directory another name."""
        self.path = self.path.rename(path)

    def is_in_place(self) -> bool:
        """Return whether the directory is at its path. Else somebody moved, replaced or deleted it."""
        in_place = self._lock.is_at(self.path)
        if not in_place and self._copy is None:
            with suppress(OSError):
                self._copy = LaneDirectory.take(self.path)
        return in_place

    def create(self, name: str) -> int:
        """Make a file, and open it to append and to read.

        Raises:
            FileNotFoundError: Somebody deleted the directory.
            OSError: The file cannot be made.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | _BINARY
        return os.open(self._at(name), flags, 0o600, dir_fd=self._lock.descriptor)

    def has(self, name: str, descriptor: int) -> bool:
        """Return whether an open file still has this name here."""
        try:
            named = os.stat(self._at(name), dir_fd=self._lock.descriptor)
        except OSError:
            return False
        return os.path.samestat(named, os.fstat(descriptor))

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            FileNotFoundError: Somebody deleted or moved the file.
            OSError: The file cannot be read.
        """
        try:
            descriptor = os.open(self._at(name), os.O_RDONLY | _BINARY, dir_fd=self._lock.descriptor)
        except FileNotFoundError:
            if self.is_in_place() or self._copy is None:
                raise
            return self._copy.read(name)
        try:
            return read_open_file(descriptor)
        finally:
            os.close(descriptor)

    def overwrite(self, name: str, content: bytes, *, sync: bool) -> None:
        """Write a file of a fixed size. It may exist.

        Args:
            name: The name.
            content: The content.
            sync: Whether it has to survive a loss of power.

        Raises:
            OSError: The disk does not take the content.
        """
        flags = os.O_WRONLY | os.O_CREAT | _BINARY
        descriptor = os.open(self._at(name), flags, 0o600, dir_fd=self._lock.descriptor)
        try:
            if os.write(descriptor, content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def changed_at(self, name: str) -> float:
        """Return `time.time()` of the last change of a file or of its name.

        Raises:
            OSError: The file cannot be found.
        """
        return os.stat(self._at(name), dir_fd=self._lock.descriptor).st_ctime

    def rename(self, old: str, new: str) -> None:
        """Give a file another name.

        Raises:
            FileNotFoundError: Somebody deleted or moved the file.
            OSError: The name cannot be changed.
        """
        directory = self._lock.descriptor
        os.rename(self._at(old), self._at(new), src_dir_fd=directory, dst_dir_fd=directory)

    def unlink(self, name: str) -> None:
        """Delete a file, if it is still there.

        Raises:
            OSError: The file cannot be deleted.
        """
        with suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._lock.descriptor)

    def sync(self) -> None:
        """Make sure that the names of the files survive a loss of power.

        Raises:
            OSError: The disk does not take them.
        """
        if self._lock.descriptor is not None:
            os.fsync(self._lock.descriptor)

    def delete(self) -> None:
        """Delete the directory, and release its lock."""
        in_place = self.is_in_place()
        with suppress(OSError):
            for name in self._names():
                if name == LOCK or name.endswith(NOTE):
                    self.unlink(name)
            # It may hold files of other people. Then it stays.
            if in_place:
                self.path.rmdir()
        if self._copy:
            with suppress(OSError):
                for name in self._copy._names():  # noqa: SLF001 (another one of the same class)
                    if name.endswith((UNSENT, SENDING)):
                        self._copy.unlink(name)
            self._copy.delete()
        self.release()

    def release(self) -> None:
        """Leave the directory to other processes."""
        self._lock.release()
        if self._copy:
            self._copy.release()

    def disown(self) -> None:
        """Leave the directory to the parent of this forked process."""
        self._lock.disown()
        if self._copy:
            self._copy.disown()

    def _names(self) -> list[str]:
        # Path.iterdir takes no open directory.
        return os.listdir(self.path if self._lock.descriptor is None else self._lock.descriptor)  # noqa: PTH208

    def _at(self, name: str) -> str | Path:
        """Return the path of a file, for a call with `dir_fd`."""
        return self.path / name if self._lock.descriptor is None else name


def sync_directory(path: Path) -> None:
    """Make sure that the names in a directory survive a loss of power.

    Raises:
        OSError: The disk does not take them.
    """
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_open_file(descriptor: int) -> bytes:
    """Return the content of an open file, which may have no name any more."""
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        return file.read()
