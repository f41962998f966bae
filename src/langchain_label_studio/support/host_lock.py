"""`host_lock`: one thread of one process of this computer at a time."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.process_lock import ProcessLock

_POLL = 0.01


class _HeldLocks(ForkSafe):
    """The locks that this process holds. A forked child leaves them to its parent."""

    def _begin(self) -> None:
        super()._begin()
        self.locks: set[ProcessLock] = set()

    def begin_in_child(self) -> None:
        for lock in self.locks:
            lock.disown()
        super().begin_in_child()


_held = _HeldLocks()


@contextmanager
def host_lock(purpose: str, identity: str, *, timeout: float) -> Iterator[None]:
    """Wait until no other thread or process of this computer is in the same block.

    The block also runs after the timeout, and if the file system has no locks. So the caller must expect that another
    process is in the block at the same time.

    Args:
        purpose: A word for the work in the block. It is part of the lock file's name.
        identity: The object of the work, such as an address.
        timeout: Seconds to wait at most.
    """
    name = f"{purpose}-{hashlib.sha256(identity.encode(errors='surrogatepass')).hexdigest()[:16]}.lock"
    lock = None
    with suppress(OSError):
        lock = _wait_for(
            Path(platformdirs.user_state_dir("langchain-label-studio")) / "locks" / name, timeout
        )
    if lock is None:
        yield
        return
    _held.locks.add(lock)
    try:
        yield
    finally:
        _held.locks.discard(lock)
        lock.release()


def _wait_for(path: Path, timeout: float) -> ProcessLock | None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + timeout
    while (lock := ProcessLock.take(path, create=True)) is None and time.monotonic() < deadline:
        time.sleep(_POLL)
    return lock
