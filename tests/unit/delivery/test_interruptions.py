"""A signal handler may record a run in the middle of anything: every place is tried."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from langchain_label_studio.delivery import DiskOutbox, FallbackOutbox, MemoryOutbox, Outbox, Sender
from tests.support.destinations import ScriptedDestination
from tests.support.interruptions import Interruption, interrupted_everywhere

ROOM_FOR = 4

MakeOutbox = Callable[[Path], Outbox]


def in_memory(_: Path) -> MemoryOutbox:
    return MemoryOutbox(key_of=bytes.decode, max_bytes=ROOM_FOR)


def on_disk(directory: Path) -> DiskOutbox:
    return DiskOutbox(directory, key_of=bytes.decode, max_bytes=ROOM_FOR * len(b"a\n"))


def with_fallback(directory: Path) -> FallbackOutbox:
    return FallbackOutbox(on_disk(directory), in_memory(directory))


@pytest.fixture(params=[in_memory, on_disk, with_fallback])
def new_outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Outbox]:
    """Return a function that makes an empty outbox, each in a directory of its own."""
    numbers = count()
    return lambda: request.param(tmp_path / str(next(numbers)))


def drained(outbox: Outbox) -> list[str]:
    keys = []
    while batch := outbox.next_batch():
        keys += [record.key for record in batch.records]
        outbox.remove(batch)
    return sorted(keys)


def test_both_records_are_appended_and_counted_whole(new_outbox: Callable[[], Outbox]) -> None:
    def prepare() -> Interruption:
        outbox = new_outbox()

        def check() -> None:
            assert (len(outbox), outbox.appended) == (2, 2)
            accepted = [letter for letter in "cdefg" if outbox.append(letter.encode())]
            assert len(accepted) == ROOM_FOR - 2
            assert drained(outbox) == sorted(["a", "b", *accepted])
            assert len(outbox) == 0

        return Interruption(lambda: outbox.append(b"a"), lambda: outbox.append(b"b"), check)

    assert interrupted_everywhere(prepare) > 5


def test_a_record_that_was_accepted_in_the_last_place_is_kept(new_outbox: Callable[[], Outbox]) -> None:
    def prepare() -> Interruption:
        outbox = new_outbox()
        for _ in range(ROOM_FOR - 1):
            outbox.append(b"a")
        accepted: list[int] = []

        def append(body: bytes) -> None:
            accepted.append(outbox.append(body))

        def check() -> None:
            assert len(drained(outbox)) == ROOM_FOR - 1 + sum(map(bool, accepted))

        return Interruption(lambda: append(b"b"), lambda: append(b"c"), check)

    assert interrupted_everywhere(prepare) > 5


def test_postponed_records_come_back_and_are_counted(new_outbox: Callable[[], Outbox]) -> None:
    def prepare() -> Interruption:
        outbox = new_outbox()
        outbox.append(b"a")
        batch = outbox.next_batch()
        assert batch
        outbox.postpone(batch, batch.records, seconds=60)
        outbox.remove(batch)

        def check() -> None:
            assert (len(outbox), outbox.postponed) == (2, 0)
            assert drained(outbox) == ["a", "b"]
            assert len(outbox) == 0

        return Interruption(outbox.resume, lambda: outbox.append(b"b"), check)

    assert interrupted_everywhere(prepare) > 5


def test_a_sender_starts_one_thread(new_outbox: Callable[[], Outbox]) -> None:
    def prepare() -> Interruption:
        destination = ScriptedDestination()
        destination.gate.clear()
        name = f"interrupted {id(destination)}"
        sender = Sender(new_outbox(), destination, name=name, flush_interval=0.0)

        def check() -> None:
            assert [thread.name for thread in threading.enumerate()].count(name) == 1
            destination.gate.set()
            assert sender.flush(10)
            assert sorted(destination.stored) == ["a", "b"]
            sender.retire()

        return Interruption(lambda: sender.submit(b"a"), lambda: sender.submit(b"b"), check)

    assert interrupted_everywhere(prepare) > 20
