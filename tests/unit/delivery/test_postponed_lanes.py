"""Records that wait for something else: they hold up nobody, and are tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from langchain_label_studio.delivery import (
    DiskOutbox,
    FallbackOutbox,
    Found,
    MemoryOutbox,
    NotAllTakenError,
    Outbox,
    Record,
    Sender,
    Upcoming,
)
from langchain_label_studio.delivery.postponed_lanes import PostponedLanes
from langchain_label_studio.delivery.rejected import read_all
from tests.support.programs import wait_until


class Waiting:
    """Stores nothing that is in `not_yet`, and never what is in `never`."""

    def __init__(self, *, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self.not_yet: set[str] = set()
        self.never: set[str] = set()
        self.stored: list[str] = []
        self.sent: list[list[str]] = []

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:
        keys = [record.key for record in records]
        self.sent.append(keys)
        later = {key: self.seconds for key in keys if key in self.not_yet}
        refused = {key: "never" for key in keys if key in self.never}
        self.stored += [key for key in keys if key not in later and key not in refused]
        if later or refused:
            raise NotAllTakenError(later=later, refused=refused)

    def grace(self, *, note: str) -> float:
        return 0.0

    def note(self, records: Sequence[Record]) -> str:
        return ""

    def find(self, records: Sequence[Record], *, note: str) -> Found:
        return Found(keys=frozenset(), ended=True)

    def reset(self) -> None:
        pass


def journal(directory: Path) -> DiskOutbox:
    return DiskOutbox(directory, key_of=bytes.decode)


def memory() -> MemoryOutbox:
    return MemoryOutbox(key_of=bytes.decode)


OUTBOXES: dict[str, Callable[[Path], Outbox]] = {
    "journal": journal,
    "memory": lambda _: memory(),
    "spare": lambda directory: FallbackOutbox(journal(directory), memory()),
}


@pytest.fixture(params=OUTBOXES)
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Outbox:
    return OUTBOXES[request.param](tmp_path / "outbox")


@pytest.fixture
def start() -> Iterator[Callable[..., Sender[Waiting]]]:
    made: list[Sender[Waiting]] = []

    def make(outbox: Outbox, destination: Waiting, *, flush_interval: float = 0.01) -> Sender[Waiting]:
        made.append(Sender(outbox, destination, name="test", flush_interval=flush_interval))
        return made[-1]

    yield make
    for sender in made:
        sender.destination.not_yet.clear()
        sender.flush(5)
        sender.retire()


def submit(sender: Sender[Waiting], *keys: str) -> None:
    for key in keys:
        assert sender.submit(key.encode())


def test_what_has_to_wait_holds_up_nobody_and_comes_in_the_end(
    outbox: Outbox, start: Callable[..., Sender[Waiting]]
) -> None:
    destination = Waiting()
    destination.not_yet = {"b", "d"}
    sender = start(outbox, destination)

    submit(sender, "a", "b", "c")
    assert sender.flush(5), "a flush does not wait for what may never come"
    submit(sender, "d", "e")
    assert sender.flush(5)
    assert destination.stored == ["a", "c", "e"]
    stats = sender.stats()
    assert (stats.submitted, stats.delivered, stats.pending, stats.postponed, stats.recovered) == (
        5,
        3,
        2,
        2,
        0,
    )
    assert sender.unsettled == 0, "the end of the process tells nobody of it"

    destination.not_yet = {"d"}
    wait_until(lambda: destination.stored == ["a", "c", "e", "b"])
    destination.not_yet = set()
    wait_until(lambda: sender.stats().delivered == 5)
    stats = sender.stats()
    assert (stats.submitted, stats.pending, stats.postponed, stats.rejected) == (5, 0, 0, 0)


def test_a_flush_tries_again_what_waits(outbox: Outbox, start: Callable[..., Sender[Waiting]]) -> None:
    destination = Waiting(seconds=3600)
    destination.not_yet = {"a"}
    sender = start(outbox, destination)
    submit(sender, "a")
    assert sender.flush(5)
    assert destination.stored == []
    tried = len(destination.sent)  # twice if the sender came before the flush

    assert sender.flush(5)
    assert destination.sent == [["a"]] * (tried + 1)

    destination.not_yet = set()
    assert sender.flush(5)
    assert destination.stored == ["a"]
    assert sender.stats().pending == 0


def test_only_what_is_refused_is_set_aside(tmp_path: Path, start: Callable[..., Sender[Waiting]]) -> None:
    destination = Waiting(seconds=3600)
    destination.not_yet, destination.never = {"b"}, {"c"}
    sender = start(journal(tmp_path), destination, flush_interval=60)  # so that they are one batch
    submit(sender, "a", "b", "c", "d")

    assert sender.flush(5)
    assert destination.sent == [["a", "b", "c", "d"]]
    stats = sender.stats()
    assert (stats.delivered, stats.rejected, stats.pending) == (2, 1, 1)
    assert [(item.key, item.reason) for item in read_all(tmp_path / "rejected")] == [("c", "never")]


def test_while_something_waits_nobody_asks_all_the_time(
    outbox: Outbox, start: Callable[..., Sender[Waiting]]
) -> None:
    destination = Waiting(seconds=0.2)
    destination.not_yet = {"a", "b"}
    sender = start(outbox, destination)
    submit(sender, "a")
    wait_until(lambda: sender.stats().postponed == 1)
    began = time.monotonic()
    submit(sender, "b")
    # What waits for as long comes back together.
    wait_until(lambda: destination.sent[-1] == ["a", "b"])
    time.sleep(1)

    assert len(destination.sent) <= 3 + (time.monotonic() - began) / 0.2


def test_what_waits_outlives_its_process(tmp_path: Path, start: Callable[..., Sender[Waiting]]) -> None:
    dead = journal(tmp_path)
    dead.append(b"a")
    dead.append(b"b")
    batch = dead.next_batch()
    assert batch
    dead.postpone(batch, batch.records, seconds=3600)
    dead.remove(batch)
    assert (len(dead), dead.postponed) == (0, 2)
    dead.abandon()  # as the kernel closes its files

    destination = Waiting()
    sender = start(journal(tmp_path), destination)
    submit(sender, "c")
    wait_until(lambda: sorted(destination.stored) == ["a", "b", "c"])
    wait_until(lambda: sender.stats().recovered == 2 and not sender.stats().pending)


def test_what_a_dead_process_left_may_wait_once_more(
    tmp_path: Path, start: Callable[..., Sender[Waiting]]
) -> None:
    dead = journal(tmp_path)
    dead.append(b"a")
    dead.abandon()
    destination = Waiting(seconds=3600)
    destination.not_yet = {"a"}
    sender = start(journal(tmp_path), destination)
    submit(sender, "b")
    wait_until(lambda: sender.stats().postponed == 1)

    assert sender.flush(5), "a flush is about what this process was given"
    stats = sender.stats()
    assert (stats.submitted, stats.recovered, stats.delivered, stats.pending) == (2, 1, 1, 1)
    assert destination.sent.count(["a"]) == 1


def test_a_full_disk_loses_nothing_that_has_to_wait(
    tmp_path: Path, start: Callable[..., Sender[Waiting]], monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = Waiting()
    destination.not_yet = {"a"}
    outbox = journal(tmp_path)
    sender = start(outbox, destination)
    full = OSError(28, "No space left on device")
    whole, room = PostponedLanes.add, []

    def add(lanes: PostponedLanes, records: Sequence[Record], **options: Any) -> int:
        if not room:
            raise full
        return whole(lanes, records, **options)

    monkeypatch.setattr(PostponedLanes, "add", add)
    submit(sender, "a", "b")
    assert not sender.flush(1)
    assert sender.stats().pending + sender.stats().in_doubt == 2
    room.append(True)
    assert sender.flush(10)
    destination.not_yet = set()
    wait_until(lambda: sender.stats().pending == 0)
    assert set(destination.stored) == {"a", "b"}
