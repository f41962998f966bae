"""One thread of one process of this computer at a time, also among forked processes."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
import pytest

from langchain_label_studio.support.host_lock import host_lock
from langchain_label_studio.support.process_lock import ProcessLock


def test_threads_take_turns() -> None:
    inside, most = [], []

    def work() -> None:
        with host_lock("test", "here", timeout=30):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 8


def test_the_block_runs_after_the_timeout_and_leaves_the_lock_to_its_owner() -> None:
    with host_lock("test", "here", timeout=0):
        with host_lock("test", "here", timeout=0.05), host_lock("test", "elsewhere", timeout=0):
            pass
        assert is_held()
    assert not is_held()


def test_nobody_waits_twice_for_a_process_that_is_stopped() -> None:
    """It may be stopped for hours: each request would wait for it."""
    with holding() as holder:
        holder.send_signal(signal.SIGSTOP)
        assert seconds_waited(timeout=0.5) >= 0.5
        assert seconds_waited(timeout=30) < 10
        assert seconds_waited(timeout=30) < 10
        holder.send_signal(signal.SIGCONT)
        holder.communicate("end\n", timeout=30)

    # The next holder is another one: it gets its time.
    with holding() as holder:
        assert seconds_waited(timeout=0.5) >= 0.5
        holder.communicate("end\n", timeout=30)
    assert seconds_waited(timeout=30) < 10


def test_a_file_system_without_locks_makes_nobody_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", no_locks)
    began = time.monotonic()
    with host_lock("test", "here", timeout=600):
        pass

    assert time.monotonic() - began < 300


def test_a_forked_child_leaves_the_lock_to_its_parent() -> None:
    end, go = os.pipe()
    with host_lock("test", "here", timeout=0):
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(end, 1)  # until the parent closes its end: the child outlives the block
            os._exit(0)
        os.close(end)
        assert is_held()
    assert not is_held(), "the child holds no copy of the lock"

    os.close(go)
    assert os.waitpid(child, 0)[1] == 0


@contextmanager
def holding() -> Iterator[subprocess.Popen[str]]:
    """Run a process that holds the lock until it reads a line."""
    program = """
from langchain_label_studio.support.host_lock import host_lock
with host_lock("test", "here", timeout=0):
    print("held", flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def seconds_waited(*, timeout: float) -> float:
    began = time.monotonic()
    with host_lock("test", "here", timeout=timeout):
        return time.monotonic() - began


def is_held() -> bool:
    """Whether somebody holds the lock of `host_lock("test", "here")`."""
    name = f"test-{hashlib.sha256(b'here').hexdigest()[:16]}.lock"
    lock = ProcessLock.take(Path(platformdirs.user_state_dir("langchain-label-studio"), "locks", name))
    if lock is not None:
        lock.release()
    return lock is None
