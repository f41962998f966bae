"""`ProcessLock`: the lock of a file. A process holds it until the process releases it or dies.

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

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    # Not lockf: that lock is lost when the process opens and closes the file once more.
    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK, errno.EWOULDBLOCK})


class ProcessLock:
    """A lock of this process. It ends when the process releases it, or with any death of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

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
        try:
            descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
        except FileNotFoundError:
            return None
        taken = False
        try:
            _lock(descriptor)
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
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                _unlock(descriptor)
            os.close(descriptor)

    def disown(self) -> None:
        """Leave the lock to the parent of this forked process."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
