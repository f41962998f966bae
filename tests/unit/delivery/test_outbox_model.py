"""The journal against a model: whatever happens in whatever order, nothing is lost, doubled or out of order."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from langchain_label_studio.delivery import Batch, DiskOutbox, disk_outbox

BATCH = 3


def key_of(line: bytes) -> str:
    return str(json.loads(line)["key"])


class Journal(RuleBasedStateMachine):
    """Several processes use one directory; each may be killed at any moment.

    The model is what was appended and is not settled, by the process that appended it, and whether it
    must be asked about before it is sent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.processes: dict[str, DiskOutbox] = {}
        self.batches: dict[str, Batch] = {}
        self.waiting: set[str] = set()
        self.in_doubt: set[str] = set()
        self.postponed: set[str] = set()
        self.order: list[str] = []
        self.number = 0

    def teardown(self) -> None:
        for outbox in self.processes.values():
            outbox.abandon()
        shutil.rmtree(self.directory)

    def outbox(self, name: str) -> DiskOutbox:
        if name not in self.processes:
            self.processes[name] = DiskOutbox(self.directory, key_of=key_of, batch_size=BATCH)
        return self.processes[name]

    @initialize()
    def no_time_passes(self) -> None:
        assert disk_outbox.GRACE == 0

    @rule(name=st.sampled_from("ab"), count=st.integers(1, 8), size=st.integers(0, 200))
    def append(self, name: str, count: int, size: int) -> None:
        for _ in range(count):
            self.number += 1
            key = f"{name}{self.number}"
            body = json.dumps({"key": key, "text": "x" * size}).encode()
            assert self.outbox(name).append(body) == len(self.outbox(name))
            self.waiting.add(key)
            self.order.append(key)

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
            self.processes[name].mark_sending(batch)
            self.in_doubt |= keys
        else:
            self.processes[name].mark_unsent(batch)
            self.in_doubt -= keys

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), reject=st.booleans())
    def settle(self, data: st.DataObject, *, reject: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.batches)))
        batch = self.batches.pop(name)
        if reject:
            self.processes[name].reject(batch.records[0], "bad")
        self.processes[name].remove(batch)
        keys = {record.key for record in batch.records}
        self.waiting -= keys
        self.in_doubt -= keys
        if reject:
            assert (self.directory / "rejected" / f"{batch.records[0].key}.json").exists()

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), seconds=st.sampled_from([0.0, 3600.0]))
    def postpone(self, data: st.DataObject, seconds: float) -> None:
        name = data.draw(st.sampled_from(sorted(self.batches)))
        outbox, batch = self.processes[name], self.batches.pop(name)
        before = outbox.postponed
        outbox.postpone(batch.records, seconds=seconds, recovered=batch.recovered)
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
        if outbox := self.processes.pop(name, None):
            outbox.abandon()  # closes the descriptors and does nothing else, as the kernel would
            self.batches.pop(name, None)

    @rule(name=st.sampled_from("ab"))
    def recover(self, name: str) -> None:
        outbox = self.outbox(name)
        before = len(outbox)
        assert outbox.recover() == disk_outbox.LOOK_AGAIN
        assert len(outbox) >= before

    @rule(name=st.sampled_from("ab"))
    def release(self, name: str) -> None:
        self.outbox(name).release()

    @invariant()
    def everything_that_waits_is_on_the_disk_once(self) -> None:
        kept = [
            key_of(line)
            for file in self.directory.rglob("*")
            if file.suffix in {".jsonl", ".sending"}
            for line in file.read_bytes().splitlines()
        ]
        assert sorted(kept) == sorted(self.waiting)

    @invariant()
    def counts_are_true(self) -> None:
        for outbox in self.processes.values():
            assert (outbox.oldest() is None) == (len(outbox) == 0)
        counted = sum(len(outbox) + outbox.postponed for outbox in self.processes.values())
        assert counted <= len(self.waiting)


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_outbox, "GRACE", 0)


TestJournal = Journal.TestCase
TestJournal.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
