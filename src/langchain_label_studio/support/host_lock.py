"""`host_lock`: a lock between the processes of this computer, for requests that Label Studio takes only one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from langchain_label_studio.support.forks import no_fork

_POLL = 0.01


@contextmanager
def host_lock(purpose: str, identity: str, *, timeout: float) -> Iterator[None]:
    """Wait until no other thread or process of this computer does the same thing.

    After the time-out, or where no lock can be kept, it goes on all the same: whoever calls has to stand
    what others do meanwhile.

    Args:
        purpose: What is done: a word, part of the lock file's name.
        identity: What it is done to.
        timeout: Seconds to wait at most.
    """
    with no_fork():
        from filelock import FileLock, Timeout  # noqa: PLC0415 (takes its time to load: not for whoever never sends)

    name = f"{purpose}-{hashlib.sha256(identity.encode(errors='surrogatepass')).hexdigest()[:16]}.lock"
    directory = Path(platformdirs.user_state_dir("langchain-label-studio")) / "locks"
    lock = FileLock(directory / name, timeout=timeout, poll_interval=_POLL)
    with suppress(OSError, Timeout):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
