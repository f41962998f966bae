"""A disk that answers late: after that, runs wait in memory for a while, and no thread waits for the disk."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from langchain_label_studio.delivery import DiskOutbox, FallbackOutbox, MemoryOutbox, Outbox, lanes_in_use
from langchain_label_studio.delivery.fallback_outbox import LONGEST_REST
from tests.support.patches import patch_here


class Clock:
    """A clock that moves when the disk takes time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: self._now)

    def move(self, seconds: float) -> None:
        self._now += seconds


class SlowDisk:
    """A disk whose writes take some seconds."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        self.writes = 0
        self._clock = clock
        self._write = os.write
        patch_here(monkeypatch, os, "write", self.write)

    def write(self, descriptor: int, data: bytes) -> int:
        self.writes += 1
        self._clock.move(self.seconds)
        return self._write(descriptor, data)


def drained(outbox: FallbackOutbox) -> list[str]:
    keys = []
    while batch := outbox.next_batch():
        keys += [record.key for record in batch.records]
        outbox.remove(batch)
    return keys


@pytest.fixture
def outbox(tmp_path: Path) -> FallbackOutbox:
    return FallbackOutbox(DiskOutbox(tmp_path, key_of=bytes.decode), MemoryOutbox(key_of=bytes.decode))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def disk(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    return SlowDisk(clock, monkeypatch)


def test_after_a_stall_the_disk_rests_for_as_long(
    outbox: FallbackOutbox, clock: Clock, disk: SlowDisk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.seconds = 3.0
    assert outbox.append(b"a") == 1
    disk.seconds = 0.0
    assert [outbox.append(b"b"), outbox.append(b"c")] == [2, 3]
    assert disk.writes == 1
    clock.move(3.1)
    assert outbox.append(b"d") == 4
    assert disk.writes == 2

    assert outbox.appended == 4
    assert drained(outbox) == ["b", "c", "a", "d"]
    (line,) = (record.getMessage() for record in caplog.records)
    assert "a run waited 3.0 s" in line


def test_a_disk_that_stalls_again_and_again_rests_longer_and_longer(
    outbox: FallbackOutbox, clock: Clock, disk: SlowDisk
) -> None:
    disk.seconds = 1.0
    began = time.monotonic()
    while time.monotonic() - began < 600:
        outbox.append(b"a")
        clock.move(0.1)

    assert disk.writes < 20
    assert disk.writes >= 600 / LONGEST_REST


def test_a_quick_write_ends_the_trouble(outbox: FallbackOutbox, clock: Clock, disk: SlowDisk) -> None:
    for _ in range(6):
        disk.seconds = 1.0
        outbox.append(b"a")
        disk.seconds = 0.0
        clock.move(1.1)
        outbox.append(b"b")
    assert disk.writes == 12


def test_a_full_disk_that_stalled_before_refuses_records(
    tmp_path: Path, clock: Clock, disk: SlowDisk
) -> None:
    full = DiskOutbox(tmp_path, key_of=bytes.decode, max_records=1)
    outbox = FallbackOutbox(full, MemoryOutbox(key_of=bytes.decode))
    disk.seconds = 1.0
    outbox.append(b"a")
    clock.move(1.1)
    assert [outbox.append(b"b"), outbox.append(b"c"), len(outbox)] == [0, 0, 1]


def test_a_slow_but_steady_disk_gets_every_record(outbox: FallbackOutbox, disk: SlowDisk) -> None:
    disk.seconds = 0.2
    for _ in range(5):
        outbox.append(b"a")
    assert disk.writes == 5


def test_many_threads_that_wait_for_their_turn_are_no_stall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `durability="power"`, each record takes the disk some milliseconds. A lock has no queue."""
    monkeypatch.setattr(os, "fsync", lambda _: time.sleep(0.01))
    monkeypatch.setattr(lanes_in_use, "PATIENCE", 0.2)
    outbox = DiskOutbox(tmp_path, key_of=bytes.decode, power=True)
    outbox.append(b"a")
    with ThreadPoolExecutor(30) as threads:
        appended = [threads.submit(outbox.append, b"a", patience=0.2) for _ in range(90)]
        assert outbox.next_batch()

    assert sorted(each.result() for each in appended) == list(range(2, 92))


@contextmanager
def a_thread_that_waits_for_the_disk(
    outbox: Outbox, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Let a thread append a record to a disk that takes it at the end of the block."""
    began, go_on = threading.Event(), threading.Event()
    write = os.write

    def stall(descriptor: int, data: bytes) -> int:
        began.set()
        assert go_on.wait(60)
        return write(descriptor, data)

    def record() -> None:
        with monkeypatch.context() as patched:
            patch_here(patched, os, "write", stall)
            outbox.append(body)

    thread = threading.Thread(target=record)
    thread.start()
    assert began.wait(30)
    try:
        yield
    finally:
        go_on.set()
        thread.join()


def test_others_wait_in_memory_while_a_thread_writes_and_all_is_in_order_afterwards(
    outbox: FallbackOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.append(b"a")
    with a_thread_that_waits_for_the_disk(outbox, b"b", monkeypatch):
        assert outbox.append(b"c") == 2
        assert outbox.append(b"d") == 3
        assert (len(outbox), outbox.appended, outbox.oldest() is not None) == (3, 3, True)
        batch = outbox.next_batch()
        assert batch
        outbox.remove(batch)
        with pytest.raises(TimeoutError, match="does not answer"):
            outbox.next_batch()
        outbox.resume()
        outbox.release()

    assert [record.key for record in batch.records] == ["c", "d"]
    assert drained(outbox) == ["a", "b"]
    assert (len(outbox), outbox.appended) == (0, 4)


def test_ctrl_c_while_a_thread_waits_for_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = DiskOutbox(tmp_path, key_of=bytes.decode)
    with a_thread_that_waits_for_the_disk(outbox, b"a", monkeypatch):
        here = threading.get_ident()
        threading.Timer(0.1, lambda: signal.pthread_kill(here, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            outbox.append(b"b", patience=60)

    with ThreadPoolExecutor(1) as another:
        assert another.submit(outbox.append, b"c").result() == 2


def test_a_forked_process_trusts_the_disk_again(outbox: FallbackOutbox, disk: SlowDisk) -> None:
    disk.seconds = 3.0
    outbox.append(b"a")
    outbox.abandon()
    disk.seconds = 0.0

    outbox.append(b"b")

    assert disk.writes == 2
