"""A destination that takes records and stores them later: they are followed, and hold up nobody."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from langchain_label_studio.delivery import (
    DeliveryFailedError,
    DiskOutbox,
    FallbackOutbox,
    Found,
    MemoryOutbox,
    Outbox,
    Sender,
    StillWorkingError,
    retry_policy,
    shipments,
)
from langchain_label_studio.delivery.rejected import read_all
from langchain_label_studio.delivery.shipment import PATIENCE
from tests.support.destinations import ScriptedDestination
from tests.support.patches import patch_here
from tests.support.programs import wait_until

JOB = StillWorkingError(note="job 17", what="job 17")
OUTBOXES: dict[str, Callable[[Path], Outbox]] = {
    "memory": lambda _: MemoryOutbox(key_of=bytes.decode, batch_size=2),
    "disk": lambda path: DiskOutbox(path, key_of=bytes.decode, batch_size=2),
    "fallback": lambda path: FallbackOutbox(
        DiskOutbox(path, key_of=bytes.decode, batch_size=2), MemoryOutbox(key_of=bytes.decode, batch_size=2)
    ),
}


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sender]]:
    """Start senders with short waits, and end them."""
    monkeypatch.setattr(retry_policy, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(retry_policy, "_FIRST_LOOK", 0.01)
    monkeypatch.setattr(retry_policy, "_LONGEST_LOOK", 0.02)
    monkeypatch.setattr(retry_policy, "GRACE", 0.2)
    made: list[Sender] = []

    def begin(destination: ScriptedDestination, outbox: Outbox) -> Sender:
        # A batch is sent once it is full, or at a flush: so the time does not decide what is in it.
        made.append(Sender(outbox, destination, name="test", flush_interval=60))
        return made[-1]

    yield begin
    for sender in made:
        sender.retire()


@pytest.fixture(params=OUTBOXES)
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Outbox:
    """Each kind of outbox."""
    return OUTBOXES[request.param](tmp_path)


def submit(sender: Sender, *keys: str) -> None:
    for key in keys:
        assert sender.submit(key.encode())


def stored(*keys: str) -> Found:
    return Found(keys=frozenset(keys), ended=True)


def test_a_request_at_work_is_looked_at_until_it_ends(start: Callable[..., Sender], outbox: Outbox) -> None:
    destination = ScriptedDestination(JOB)
    destination.answers = [JOB, JOB, stored("a", "b")]
    sender = start(destination, outbox)

    submit(sender, "a", "b")

    assert sender.flush(20)
    assert (destination.sent, destination.notes) == ([["a", "b"]], ["job 17"] * 3)
    stats = sender.stats()
    assert (stats.delivered, stats.found_existing, stats.in_doubt, stats.last_error) == (2, 0, 0, None)


def test_others_are_sent_meanwhile_and_flush_tells_the_truth(
    start: Callable[..., Sender], outbox: Outbox
) -> None:
    destination = ScriptedDestination(JOB)
    destination.answers = [JOB] * 10_000
    sender = start(destination, outbox)
    submit(sender, "a", "b")
    wait_until(lambda: destination.asked)

    submit(sender, "c", "d")
    wait_until(lambda: sender.stats().delivered == 2)

    assert destination.stored == ["c", "d"]
    assert not sender.flush(0.1), "two of four are not stored"
    stats = sender.stats()
    assert (stats.submitted, stats.delivered, stats.in_doubt, stats.pending) == (4, 2, 2, 0)
    assert len(outbox) == 2
    destination.answers = [stored("a", "b")]
    assert sender.flush(20)
    assert (sender.stats().delivered, len(outbox), sender.stats().state) == (4, 0, "idle")


def test_a_flush_does_not_wait_for_a_request_that_began_after_it(
    start: Callable[..., Sender], outbox: Outbox
) -> None:
    destination = ScriptedDestination(None, JOB)
    destination.answers = [JOB] * 10_000
    destination.gate.clear()
    sender = start(destination, outbox)
    submit(sender, "a", "b")
    with ThreadPoolExecutor(1) as pool:
        flushed = pool.submit(sender.flush, 20)
        time.sleep(0.1)
        submit(sender, "c", "d")
        destination.gate.set()

    assert flushed.result()
    wait_until(lambda: sender.stats().in_doubt == 2)
    destination.answers = [stored("c", "d")]
    assert sender.flush(20)


def test_only_some_requests_are_at_work_at_the_same_time(
    start: Callable[..., Sender], outbox: Outbox
) -> None:
    destination = ScriptedDestination(*[JOB] * 100)
    destination.answers = [JOB] * 100_000
    sender = start(destination, outbox)

    submit(sender, *map(str, range(4 * shipments.MAX_ASIDE)))

    wait_until(lambda: len(destination.sent) > shipments.MAX_ASIDE)
    time.sleep(0.2)
    assert len(destination.sent) == shipments.MAX_ASIDE + 1
    destination.script, destination.answers = [], [DeliveryFailedError("lost", status=502)] * 3
    # None of them is known to be stored. So each is sent again.
    assert sender.flush(20)
    assert len(destination.stored) == len(set(destination.stored)) == 4 * shipments.MAX_ASIDE


def test_the_records_of_a_refused_request_are_halved(start: Callable[..., Sender], tmp_path: Path) -> None:
    destination = ScriptedDestination(JOB)
    destination.answers = [Found(keys=frozenset("a"), ended=True, refused="one is bad")]
    destination.bad = {"d"}
    sender = start(destination, DiskOutbox(tmp_path, key_of=bytes.decode, batch_size=9))

    submit(sender, "a", "b", "c", "d", "e")

    assert sender.flush(20)
    assert sorted(destination.stored) == ["b", "c", "e"], "a was stored by the request itself"
    stats = sender.stats()
    assert (stats.delivered, stats.rejected) == (4, 1)
    assert [each.key for each in read_all(tmp_path / "rejected")] == ["d"]


def test_a_single_record_is_set_aside_after_several_refused_requests(
    start: Callable[..., Sender], tmp_path: Path
) -> None:
    """One may be trouble of the server that is over soon, as a database that starts again."""
    refused = Found(keys=frozenset(), ended=True, refused="server closed the connection")
    destination = ScriptedDestination(JOB, JOB, JOB)
    destination.answers = [refused] * 3
    sender = start(destination, DiskOutbox(tmp_path / "passing", key_of=bytes.decode))
    submit(sender, "a")

    assert sender.flush(20)
    assert (destination.stored, sender.stats().rejected) == (["a"], 0)

    destination = ScriptedDestination(*[JOB] * 100)
    destination.answers = [refused] * 100
    sender = start(destination, DiskOutbox(tmp_path / "lasting", key_of=bytes.decode))
    submit(sender, "b")

    assert sender.flush(20)
    assert (destination.stored, sender.stats().rejected, len(destination.sent)) == ([], 1, PATIENCE)


def test_a_request_that_is_gone_is_sent_again(start: Callable[..., Sender], outbox: Outbox) -> None:
    destination = ScriptedDestination(JOB)
    destination.answers = [JOB, Found(keys=frozenset())]
    sender = start(destination, outbox)

    submit(sender, "a", "b")

    assert sender.flush(20)
    assert (destination.stored, len(destination.sent)) == (["a", "b"], 2)


def test_a_request_that_never_ends_is_said_and_given_up_at_last(
    start: Callable[..., Sender],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(retry_policy, "LATE", 0.1)
    destination = ScriptedDestination(JOB)
    destination.answers = [JOB] * 10_000
    sender = start(destination, DiskOutbox(tmp_path, key_of=bytes.decode, batch_size=2))

    submit(sender, "a", "b")

    wait_until(lambda: "job 17 has not ended" in caplog.text)
    assert "job 17 has not ended" in str(sender.stats().last_error)
    assert sender.stats().state == "unreachable"
    assert (sender.stats().in_doubt, len(destination.sent)) == (2, 1)
    monkeypatch.setattr(retry_policy, "GIVEN_UP", 0.0)
    assert sender.flush(20)
    kept = list(read_all(tmp_path / "rejected"))
    assert sorted(each.key for each in kept) == ["a", "b"]
    assert "look whether" in kept[0].reason
    assert len(destination.sent) == 1


def test_the_note_outlives_the_process(
    start: Callable[..., Sender], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = ScriptedDestination(JOB)
    destination.answers = [JOB] * 10_000
    dying = start(destination, DiskOutbox(tmp_path, key_of=bytes.decode, batch_size=2))
    submit(dying, "a", "b")
    wait_until(lambda: destination.asked)
    (lane,) = (tmp_path / "lanes").iterdir()
    copy = tmp_path / "after" / "lanes" / lane.name
    copy.mkdir(parents=True)
    for file in lane.glob("0*"):
        (copy / file.name).write_bytes(file.read_bytes())
    next_one = ScriptedDestination()
    next_one.answers = [stored("a", "b")]
    monkeypatch.setattr(retry_policy, "GRACE", 0.0)
    sender = start(next_one, DiskOutbox(tmp_path / "after", key_of=bytes.decode, batch_size=2))

    sender.look_for_orphaned()

    wait_until(lambda: sender.stats().delivered == 2)
    assert (next_one.notes, next_one.sent) == (["job 17"], [])
    # The note is deleted with its batch.
    wait_until(lambda: not list((tmp_path / "after").rglob("0*")))
    destination.answers = [stored("a", "b")]
    assert dying.flush(20)


def test_a_recovered_batch_in_doubt_holds_up_nobody(
    start: Callable[..., Sender], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "GRACE", 0.0)
    dead = DiskOutbox(tmp_path, key_of=bytes.decode)
    dead.append(b"a")
    batch = dead.next_batch()
    assert batch
    dead.mark_sending(batch, note="")
    dead.abandon()
    destination = ScriptedDestination()
    destination.seconds = 3.0
    sender = start(destination, DiskOutbox(tmp_path, key_of=bytes.decode, batch_size=1))
    sender.look_for_orphaned()
    wait_until(lambda: sender.stats().recovered == 1)

    submit(sender, "b")

    wait_until(lambda: destination.stored == ["b"])
    assert destination.asked == []
    wait_until(lambda: destination.stored == ["b", "a"])
    assert destination.asked


def test_a_disk_that_is_full_costs_at_most_the_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = DiskOutbox(tmp_path, key_of=bytes.decode)
    outbox.append(b"a")
    batch = outbox.next_batch()
    assert batch
    outbox.mark_sending(batch, note="before")
    (note,) = tmp_path.rglob("*.note")
    assert note.read_text().strip() == "before"

    patch_here(monkeypatch, os, "write", lambda *_: 0)
    outbox.note(batch, "job 17")

    assert batch.note == "job 17"
    assert not list(tmp_path.rglob("*.note")), "no note is better than an old one"
