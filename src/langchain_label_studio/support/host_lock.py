"""`host_lock`: one thread of one process of this computer at a time."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from langchain_label_studio.support.atomic_files import make_directory
from langchain_label_studio.support.process_lock import ProcessLock
from langchain_label_studio.support.user_directories import places_for_locks

_POLL = 0.01


# The holders for which this process has waited in vain: the lock file, and the moment at which the holder took it.
# Nobody waits for the same holder twice. It may be stopped for hours.
_stuck: dict[Path, int] = {}


@contextmanager
def host_lock(purpose: str, identity: str, *, timeout: float) -> Iterator[None]:
    """Wait until no other thread or process of this computer is in the same block.

    The block also runs after the timeout, and if the file system has no locks. So the caller must expect that another
    process is in the block at the same time. A second call does not wait again for a holder that let one timeout pass.

    Args:
        purpose: A word for the work in the block. It is part of the lock file's name.
        identity: The object of the work, such as an address.
        timeout: Seconds to wait at most.
    """
    name = f"{purpose}-{hashlib.sha256(identity.encode(errors='surrogatepass')).hexdigest()[:16]}.lock"
    lock = None
    for directory in places_for_locks():
        with suppress(OSError):  # it cannot be written to, or the file system has no locks
            lock = _wait_for(directory / name, timeout)
            break
    if lock is None:
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _wait_for(path: Path, timeout: float) -> ProcessLock | None:
    make_directory(path.parent)
    deadline = time.monotonic() + timeout
    while (lock := ProcessLock.take(path, create=True)) is None:
        taken_at = path.stat().st_mtime_ns
        if _stuck.get(path) == taken_at:
            return None
        if time.monotonic() >= deadline:
            _stuck[path] = taken_at
            return None
        time.sleep(_POLL)
    _stuck.pop(path, None)
    with suppress(OSError):
        os.utime(path)
    return lock
