"""The promises of every outbox: on the disk, in memory, and on the disk with memory as its fallback.

Each `Kind` says which of them it does not give. `OutboxModel` compares an outbox with a model: whatever happens in
whatever order, nothing is lost, doubled or out of order.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from langchain_label_studio.delivery import (
    Batch,
    DiskOutbox,
    FallbackOutbox,
    MemoryOutbox,
    Outbox,
    orphaned_lanes,
    retry_policy,
)

BATCH = 3


def key_of(line: bytes) -> str:
    return str(json.loads(line)["key"])


def record(key: str, size: int = 0) -> bytes:
    return json.dumps({"key": key, "text": "x" * size}).encode()


class Fallback(FallbackOutbox):
    """An outbox whose disk may be full."""

    full = False

    def __init__(self, directory: Path, **options: int) -> None:
        disk = DiskOutbox(directory, key_of=key_of, **options)
        append = disk.appender.append

        def append_if_room(body: bytes, **options: float) -> int:
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return append(body, **options)

        disk.appender.append = append_if_room  # type: ignore[method-assign]
        super().__init__(disk, MemoryOutbox(key_of=key_of, **options))


@dataclass(frozen=True)
class Kind:
    """One of the outboxes.

    Attributes:
        make: Makes one in a directory, with options.
        survives: Whether its records survive the process, so that another process recovers them.
    """

    make: Callable[..., Outbox]
    survives: bool = True


DISK = Kind(lambda directory, **options: DiskOutbox(directory, key_of=key_of, **options))
MEMORY = Kind(lambda _, **options: MemoryOutbox(key_of=key_of, **options), survives=False)
FALLBACK = Kind(Fallback)


def fallen_back(directory: Path, **options: int) -> Fallback:
    outbox = Fallback(directory, **options)
    outbox.full = True
    return outbox


FALLEN_BACK = Kind(fallen_back, survives=False)


class OutboxModel(RuleBasedStateMachine):
    """Several processes use one directory; each may be killed at any moment.

    The model is what was appended and is not settled, by the process that appended it, and whether it
    must be asked about before it is sent.
    """

    kind: Kind

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.processes: dict[str, Outbox] = {}
        self.batches: dict[str, Batch] = {}
        self.waiting: set[str] = set()
        self.in_memory: dict[str, set[str]] = {"a": set(), "b": set()}
        self.in_doubt: set[str] = set()
        self.postponed: set[str] = set()
        self.order: list[str] = []
        self.number = 0

    def teardown(self) -> None:
        for outbox in self.processes.values():
            outbox.abandon()
        shutil.rmtree(self.directory)

    def outbox(self, name: str) -> Outbox:
        if name not in self.processes:
            self.processes[name] = self.kind.make(self.directory, batch_size=BATCH)
        return self.processes[name]

    def takes_the_disk(self, outbox: Outbox) -> bool:
        return self.kind.survives and not (isinstance(outbox, Fallback) and outbox.full)

    @initialize()
    def no_time_passes(self) -> None:
        assert retry_policy.GRACE == 0

    @precondition(lambda self: self.kind is FALLBACK)
    @rule(name=st.sampled_from("ab"), full=st.booleans())
    def fill_the_disk(self, name: str, *, full: bool) -> None:
        outbox = self.outbox(name)
        assert isinstance(outbox, Fallback)
        outbox.full = full

    @rule(name=st.sampled_from("ab"), count=st.integers(1, 8), size=st.integers(0, 200))
    def append(self, name: str, count: int, size: int) -> None:
        outbox = self.outbox(name)
        for _ in range(count):
            self.number += 1
            key = f"{name}{self.number}"
            assert outbox.append(record(key, size)) == len(outbox)
            self.waiting.add(key)
            self.order.append(key)
            if not self.takes_the_disk(outbox):
                self.in_memory[name].add(key)

    @rule(name=st.sampled_from("ab"))
    def take(self, name: str) -> None:
        batch = self.outbox(name).next_batch()
        if batch is None:
            assert len(self.outbox(name)) == 0
            return
        if name in self.batches:
            assert batch is self.batches[name]
            return
        keys = [record.key for record in batch.records]
        assert 0 < len(keys) <= BATCH
        assert set(keys) <= self.waiting, "settled records came back, or those of somebody else"
        assert keys == sorted(keys, key=self.order.index)
        assert len({key[0] for key in keys}) == 1 or self.postponed.issuperset(keys)
        if self.in_doubt.intersection(keys):
            assert batch.in_doubt, "a crash made the doubt forgotten"
        others = self.batches.values()
        assert not any(set(keys) & {record.key for record in other.records} for other in others)
        self.batches[name] = batch

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), sending=st.booleans())
    def mark(self, data: st.DataObject, *, sending: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.batches)))
        batch = self.batches[name]
        keys = {record.key for record in batch.records}
        if sending:
            self.processes[name].mark_sending(batch, note="")
            self.in_doubt |= keys
        else:
            self.processes[name].mark_unsent(batch)
            self.in_doubt -= keys

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), reject=st.booleans())
    def settle(self, data: st.DataObject, *, reject: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.batches)))
        batch = self.batches.pop(name)
        outbox = self.processes[name]
        if reject:
            outbox.reject(batch.records[0], "bad")
        outbox.remove(batch)
        keys = {record.key for record in batch.records}
        self.waiting -= keys
        self.in_doubt -= keys
        self.in_memory[name] -= keys
        if reject:
            assert batch.records[0].key in self.rejected(outbox)

    def rejected(self, outbox: Outbox) -> set[str]:
        if isinstance(outbox, MemoryOutbox):
            return {record.key for record, _ in outbox.rejected}
        return {path.stem for path in (self.directory / "rejected").iterdir()}

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), seconds=st.sampled_from([0.0, 3600.0]))
    def postpone(self, data: st.DataObject, seconds: float) -> None:
        name = data.draw(st.sampled_from(sorted(self.batches)))
        outbox, batch = self.processes[name], self.batches.pop(name)
        before = outbox.postponed
        outbox.postpone(batch, batch.records, seconds=seconds)
        outbox.remove(batch)
        keys = [record.key for record in batch.records]
        assert outbox.postponed == before + len(keys)
        self.in_doubt.difference_update(keys)
        self.postponed.update(keys)
        self.order = [key for key in self.order if key not in keys] + keys

    @rule(name=st.sampled_from("ab"))
    def resume(self, name: str) -> None:
        outbox = self.outbox(name)
        waiting = len(outbox) + outbox.own_postponed
        outbox.resume()
        assert (len(outbox), outbox.own_postponed) == (waiting, 0)

    @rule(name=st.sampled_from("ab"))
    def kill(self, name: str) -> None:
        outbox = self.processes.pop(name, None)
        if outbox is not None:  # an empty one is false
            outbox.abandon()  # closes the descriptors and does nothing else, as the kernel would
            self.batches.pop(name, None)
            lost = self.in_memory[name]
            self.waiting -= lost
            self.in_doubt -= lost
            self.in_memory[name] = set()

    @rule(name=st.sampled_from("ab"))
    def recover(self, name: str) -> None:
        outbox = self.outbox(name)
        before = len(outbox)
        wait = outbox.recover()
        assert wait == orphaned_lanes.LOOK_AGAIN if self.kind.survives else wait is None or 0 < wait <= 3600
        assert len(outbox) >= before

    @rule(name=st.sampled_from("ab"))
    def release(self, name: str) -> None:
        self.outbox(name).release()

    @invariant()
    def everything_that_waits_is_stored_once(self) -> None:
        kept = [
            key_of(line)
            for file in self.directory.rglob("*")
            if file.suffix in {".jsonl", ".sending"}
            for line in file.read_bytes().splitlines()
        ]
        in_memory = set().union(*self.in_memory.values())
        assert sorted(kept) == sorted(self.waiting - in_memory)

    @invariant()
    def counts_are_true(self) -> None:
        for outbox in self.processes.values():
            assert (outbox.oldest() is None) == (len(outbox) == 0)
        counted = sum(len(outbox) + outbox.postponed for outbox in self.processes.values())
        assert counted <= len(self.waiting)
        if not self.kind.survives:
            assert counted == len(self.waiting)


class DiskModel(OutboxModel):
    kind = DISK


class MemoryModel(OutboxModel):
    kind = MEMORY


class FallbackModel(OutboxModel):
    kind = FALLBACK


TestDisk = DiskModel.TestCase
TestMemory = MemoryModel.TestCase
TestFallback = FallbackModel.TestCase
TestDisk.settings = TestFallback.settings = settings(
    max_examples=2 * settings.default.max_examples, stateful_step_count=40
)
TestMemory.settings = settings(stateful_step_count=40)


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_policy, "GRACE", 0)


Make = Callable[..., Outbox]


@pytest.fixture(
    params=[DISK, MEMORY, FALLBACK, FALLEN_BACK], ids=["disk", "memory", "fallback", "fallen-back"]
)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def make(kind: Kind, tmp_path: Path) -> Iterator[Make]:
    made: list[Outbox] = []

    def make_one(**options: int) -> Outbox:
        made.append(kind.make(tmp_path / "outbox", **options))
        return made[-1]

    yield make_one
    for outbox in made:
        outbox.abandon()


def drain(outbox: Outbox) -> list[list[str]]:
    """Take everything out, batch by batch."""
    taken = []
    while batch := outbox.next_batch():
        taken.append([item.key for item in batch.records])
        outbox.remove(batch)
    return taken


def drained(outbox: Outbox) -> list[str]:
    return [key for batch in drain(outbox) for key in batch]


def counts(outbox: Outbox) -> dict[str, int]:
    return {
        "pending": len(outbox),
        "appended": outbox.appended,
        "recovered": outbox.recovered,
        "postponed": outbox.postponed,
        "own_postponed": outbox.own_postponed,
    }


NOTHING = {"pending": 0, "appended": 0, "recovered": 0, "postponed": 0, "own_postponed": 0}


def test_an_empty_outbox(make: Make, tmp_path: Path) -> None:
    outbox = make()

    outbox.recover()
    outbox.resume()
    outbox.release()

    assert counts(outbox) == NOTHING
    assert (outbox.next_batch(), outbox.oldest(), outbox.batch_size) == (None, None, 500)
    assert not (tmp_path / "outbox").exists()


def test_append_returns_how_many_are_pending_and_a_full_outbox_refuses_the_newest(make: Make) -> None:
    outbox = make(max_records=2)
    assert [outbox.append(record(key)) for key in "abc"] == [1, 2, 0]
    assert counts(outbox) == NOTHING | {"pending": 2, "appended": 2}

    assert drain(outbox) == [["a", "b"]]

    assert outbox.append(record("d")) == 1


def test_the_bytes_are_bounded_too_also_those_that_are_postponed(make: Make) -> None:
    outbox = make(max_bytes=3_000)
    assert outbox.append(record("a", size=2_000))
    assert outbox.append(record("b", size=2_000)) == 0
    postpone_all(outbox)

    assert outbox.append(record("b", size=2_000)) == 0
    outbox.resume()
    assert drain(outbox) == [["a"]]
    assert outbox.append(record("b", size=2_000)) == 1


def test_batches_are_bounded_in_records_and_bytes_and_a_giant_goes_alone(make: Make) -> None:
    outbox = make(batch_size=3)
    for key in "abcd":
        outbox.append(record(key))
    for key, size in (("e", 3), ("f", 3), ("g", 9), ("h", 0)):
        outbox.append(record(key, size=size * 2**20))

    assert drain(outbox) == [["a", "b", "c"], ["d", "e"], ["f"], ["g"], ["h"]]


def test_a_batch_stays_the_same_until_it_is_removed(make: Make) -> None:
    outbox = make()
    outbox.append(record("a"))
    batch = outbox.next_batch()
    assert batch

    outbox.append(record("b"))
    outbox.mark_sending(batch, note="")
    outbox.mark_unsent(batch)

    assert outbox.next_batch() is batch
    assert [item.key for item in batch.records] == ["a"]
    assert len(outbox) == 2
    outbox.remove(batch)
    assert drain(outbox) == [["b"]]


def test_what_is_upcoming_is_the_next_batch_as_far_as_it_is_known_and_nothing_changes_by_it(
    make: Make,
) -> None:
    outbox = make(batch_size=2)
    for key in "abcdefg":
        outbox.append(record(key))
    known = []

    while batch := outbox.next_batch():
        known.append((upcoming_keys(outbox), [item.key for item in batch.records]))
        outbox.remove(batch)

    assert [keys for _, keys in known] == [["a", "b"], ["c", "d"], ["e", "f"], ["g"]]
    for (upcoming, _), (_, came) in pairwise(known):
        assert upcoming in ([], came)
    assert known[-1][0] == []


def upcoming_keys(outbox: Outbox) -> list[str]:
    assert outbox.upcoming() == outbox.upcoming()
    return [key_of(body) for body in outbox.upcoming()]


@pytest.mark.parametrize("kind", [DISK, FALLBACK], ids=["disk", "fallback"], indirect=True)
def test_a_closed_batch_on_the_disk_is_upcoming_and_nothing_if_somebody_deleted_it(
    make: Make, tmp_path: Path
) -> None:
    outbox = make(batch_size=2)
    for key in "abcde":
        outbox.append(record(key))
    assert outbox.next_batch()

    assert upcoming_keys(outbox) == ["c", "d"]
    for file in tmp_path.rglob("*2.jsonl"):
        file.unlink()
    assert upcoming_keys(outbox) == []


def test_an_append_that_cannot_be_read_is_set_aside_and_holds_up_nobody(make: Make) -> None:
    outbox = make()
    for body in (record("a"), b"{damaged", record("b")):
        outbox.append(body)

    batch = outbox.next_batch()

    assert batch
    assert ([item.key for item in batch.records], batch.set_aside) == (["a", "b"], 1)
    outbox.remove(batch)
    assert (len(outbox), outbox.oldest()) == (0, None)


def test_the_oldest_pending_record(make: Make) -> None:
    outbox = make(batch_size=1)
    before = time.monotonic()
    outbox.append(record("a"))
    between = time.monotonic()
    outbox.append(record("b"))

    assert before <= (outbox.oldest() or 0) <= between
    first = outbox.next_batch()
    assert first
    assert before <= (outbox.oldest() or 0) <= between
    outbox.remove(first)
    assert between <= (outbox.oldest() or 0) <= time.monotonic()


def postpone_all(outbox: Outbox, seconds: float = 3600.0) -> None:
    while batch := outbox.next_batch():
        outbox.postpone(batch, batch.records, seconds=seconds)
        outbox.remove(batch)


def test_postponed_records_come_back_in_their_order_when_asked_for(make: Make) -> None:
    outbox = make(batch_size=2)
    for key in "abc":
        outbox.append(record(key))
    before = time.monotonic()

    postpone_all(outbox)

    assert counts(outbox) == NOTHING | {"appended": 3, "postponed": 3, "own_postponed": 3}
    assert (outbox.next_batch(), outbox.oldest()) == (None, None)
    wait = outbox.recover()
    assert wait is not None
    assert 0 < wait <= 3600
    assert outbox.next_batch() is None
    outbox.resume()
    assert counts(outbox) == NOTHING | {"appended": 3, "pending": 3}
    assert before <= (outbox.oldest() or 0) <= time.monotonic()
    assert drain(outbox) == [["a", "b"], ["c"]]


def test_postponed_records_come_back_when_it_is_time(make: Make) -> None:
    outbox = make()
    outbox.append(record("a"))
    postpone_all(outbox, seconds=0.0)

    outbox.recover()

    assert drain(outbox) == [["a"]]


def test_a_forked_process_begins_with_nothing_and_goes_on(make: Make) -> None:
    outbox = make()
    for key in "ab":
        outbox.append(record(key))
    postpone_all(outbox)
    outbox.append(record("c"))
    outbox.next_batch()

    outbox.abandon()

    assert counts(outbox) == NOTHING
    assert (outbox.next_batch(), outbox.oldest()) == (None, None)
    assert outbox.append(record("d")) == 1
    assert drain(outbox) == [["d"]]


def test_what_a_dead_process_had_is_recovered_if_it_survived(kind: Kind, make: Make) -> None:
    dead, outbox = make(), make()
    dead.append(record("a"))
    postpone_all(dead)
    dead.append(record("b"))
    dead.abandon()

    outbox.recover()

    assert outbox.recovered == (2 if kind.survives else 0)
    assert sorted(drained(outbox)) == (["a", "b"] if kind.survives else [])


def test_an_outbox_that_was_released_takes_more(make: Make) -> None:
    outbox = make()
    outbox.append(record("a"))
    outbox.release()
    assert drain(outbox) == [["a"]]
    outbox.release()

    assert outbox.append(record("b")) == 1
    assert drain(outbox) == [["b"]]


def test_many_threads_append_while_one_takes(make: Make) -> None:
    outbox = make(batch_size=7)

    def append(name: str) -> None:
        for number in range(100):
            assert outbox.append(record(f"{name}{number}"))

    threads = [threading.Thread(target=append, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    taken = []
    while any(thread.is_alive() for thread in threads) or len(outbox):
        taken += drained(outbox)
        len(outbox), outbox.oldest(), outbox.resume()

    assert sorted(taken) == sorted(f"{name}{number}" for name in "abcd" for number in range(100))
    assert counts(outbox) == NOTHING | {"appended": 400}
