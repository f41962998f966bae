"""`LaneLock`: the lock of a lane, which its owner holds as long as it lives.

Not a lock of a library: after a fork, the child has to let go of its parent's lock by closing its
descriptor and nothing else, because unlocking would unlock it for the parent, too.
"""

from __future__ import annotations

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


class LaneLock:
    """A lock that is held until it is released or the process dies, however it dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path, *, create: bool = False) -> Self | None:
        """Take the lock of a file, without waiting.

        Args:
            path: The file.
            create: Whether it is made where there is none.

        Returns:
            The ownership; None where somebody else has it, or the file is gone.

        Raises:
            OSError: The file cannot be opened.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
        except FileNotFoundError:
            return None
        try:
            _lock(descriptor)
            # The last owner may have deleted the file after it was opened here.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return cls(descriptor)
        except OSError:
            pass
        os.close(descriptor)
        return None

    def release(self) -> None:
        """Let others have it. Idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                _unlock(descriptor)
            os.close(descriptor)

    def disown(self) -> None:
        """Leave it to the process this one was forked from."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
