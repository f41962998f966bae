"""`ProcessLock`: the lock of a file. `DirectoryLock`: that of a directory. A process holds it until it ends.

No library is used, because of forks. A forked child has to close its copy of the descriptor, and must do no more: if it
unlocked the file, it would unlock it for its parent, too. And filelock 4 may warn in the parent, if another thread
imports it during the fork.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from langchain_label_studio.support.forks import ForkSafe, no_fork

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

    _DIRECTORY = None  # Windows opens no directories
else:
    import fcntl

    # Not lockf: that lock is lost when the process opens and closes the file once more.
    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    _DIRECTORY = os.O_RDONLY | os.O_DIRECTORY


_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK, errno.EWOULDBLOCK})


class _OpenLocks(ForkSafe):
    """The locks that this process has open. A forked child closes its copies: the locks are its parent's."""

    def _begin(self) -> None:
        super()._begin()
        self.locks: set[ProcessLock] = set()

    def begin_in_child(self) -> None:
        for lock in list(self.locks):
            lock.disown()
        super().begin_in_child()


_open_locks = _OpenLocks()


class ProcessLock:
    """A lock of this process. It ends when the process releases it, or with any death of the process.

    Attributes:
        descriptor: The open file. None after the release, and for a directory on Windows.
    """

    def __init__(self, descriptor: int | None) -> None:
        """Begin with a file that is open. Call this inside `no_fork`."""
        self.descriptor = descriptor
        _open_locks.locks.add(self)

    @classmethod
    def take(cls, path: Path, *, create: bool = False) -> Self | None:
        """Take the lock of a file, without waiting.

        Args:
            path: The file.
            create: Whether a missing file is made.

        Returns:
            The lock. None if another owner has it, or the file is gone.

        Raises:
            OSError: The file cannot be opened, or its file system has no locks.
        """
        return cls._take(path, os.O_RDWR | (os.O_CREAT if create else 0), required=True)

    @classmethod
    def take_directory(cls, path: Path) -> Self | None:
        """Take the lock of a directory, without waiting. Where directories have no locks, the result locks nothing.

        Returns:
            The lock. None if another owner has it, or the directory is gone.

        Raises:
            OSError: The directory cannot be opened.
        """
        if _DIRECTORY is None:
            return cls(None)
        return cls._take(path, _DIRECTORY, required=False)

    @classmethod
    def _take(cls, path: Path, flags: int, *, required: bool) -> Self | None:
        # A fork between `open` and the constructor would leave the lock open in the child.
        with no_fork():
            try:
                descriptor = os.open(path, flags, 0o600)
            except FileNotFoundError:
                return None
            taken = False
            try:
                try:
                    _lock(descriptor)
                except OSError as error:
                    if required or error.errno in _HELD:
                        raise
                # The last owner may have deleted the file after it was opened here.
                taken = os.path.samestat(os.fstat(descriptor), path.stat())
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno not in _HELD:
                    raise
            finally:
                if not taken:
                    os.close(descriptor)
            return cls(descriptor) if taken else None

    def release(self) -> None:
        """Release the lock. A second call does nothing."""
        self._end(unlock=True)

    def disown(self) -> None:
        """Leave the lock to the parent of this forked process."""
        self._end(unlock=False)

    def _end(self, *, unlock: bool) -> None:
        descriptor, self.descriptor = self.descriptor, None
        _open_locks.locks.discard(self)
        if descriptor is not None:
            if unlock:
                with suppress(OSError):
                    _unlock(descriptor)
            os.close(descriptor)


class DirectoryLock:
    """The lock of a directory, and of a file in it.

    The file's lock works on every system, and keeps out older versions of this package. The directory's lock still
    holds when somebody deletes the file. And systemd-tmpfiles deletes nothing in a locked directory.
    """

    def __init__(self, directory: ProcessLock, file: ProcessLock) -> None:
        self._directory = directory
        self._file = file

    @classmethod
    def take(cls, directory: Path, name: str) -> Self | None:
        """Take the lock of a directory, without waiting.

        Args:
            directory: The directory.
            name: The name of the file in it. A missing file is made.

        Returns:
            The lock. None if another owner has it, or the directory is gone.

        Raises:
            OSError: The directory cannot be used, or its file system has no locks.
        """
        outer = ProcessLock.take_directory(directory)
        if outer is None:
            return None
        inner = None
        try:
            inner = ProcessLock.take(directory / name, create=True)
        finally:
            if inner is None:
                outer.release()
        return None if inner is None else cls(outer, inner)

    @staticmethod
    def is_taken(directory: Path, name: str) -> bool:
        """Return whether somebody has the lock of a directory. Nothing is changed.

        Raises:
            OSError: The directory cannot be read.
        """
        outer = ProcessLock.take_directory(directory)
        if outer is None:
            return directory.exists()
        try:
            inner = ProcessLock.take(directory / name)
            if inner is None:
                return (directory / name).exists()
            inner.release()
            return False
        finally:
            outer.release()

    @property
    def descriptor(self) -> int | None:
        """The open directory, for `dir_fd=`. None on Windows, where nobody can move or delete it meanwhile."""
        return self._directory.descriptor

    def is_at(self, path: Path) -> bool:
        """Return whether a path is still that of the directory. Else somebody moved, replaced or deleted it."""
        if self.descriptor is None:
            return True
        try:
            return os.path.samestat(os.fstat(self.descriptor), path.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Release the lock. A second call does nothing."""
        self._file.release()
        self._directory.release()

    def disown(self) -> None:
        """Leave the lock to the parent of this forked process."""
        self._file.disown()
        self._directory.disown()
