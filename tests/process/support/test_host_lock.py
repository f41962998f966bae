"""One thread of one process of this computer at a time, also among forked processes."""

from __future__ import annotations

import errno
import os
import threading
import time

import pytest

from langchain_label_studio.support.host_lock import host_lock


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
        assert waits()
    assert not waits()


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
        assert waits()
    assert not waits(), "the child holds no copy of the lock"

    os.close(go)
    assert os.waitpid(child, 0)[1] == 0


def waits() -> bool:
    """Whether the lock is held."""
    began = time.monotonic()
    with host_lock("test", "here", timeout=0.2):
        return time.monotonic() - began >= 0.2
