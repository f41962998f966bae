"""What is submitted is delivered once, whatever the destination answers."""

from __future__ import annotations

import gc
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from langchain_label_studio.delivery import (
    Batch,
    DeliveryFailedError,
    DiskOutbox,
    MemoryOutbox,
    Outbox,
    Sender,
    retry_policy,
)
from langchain_label_studio.delivery.retry_policy import AnswerMeaning, judge, wait_before
from tests.support.destinations import ScriptedDestination
from tests.support.programs import wait_until

MakeSender = Callable[..., Sender]


@pytest.fixture
def sender_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSender]:
    """Make senders with short waits, and end them."""
    monkeypatch.setattr(retry_policy, "FIRST_WAIT", 0.01)
    made: list[Sender] = []

    def make(
        destination: ScriptedDestination,
        outbox: Outbox | None = None,
        *,
        flush_interval: float = 0.01,
        batch_size: int = 500,
    ) -> Sender:
        outbox = MemoryOutbox(key_of=bytes.decode, batch_size=batch_size) if outbox is None else outbox
        made.append(Sender(outbox, destination, name="test", flush_interval=flush_interval))
        return made[-1]

    yield make
    for sender in made:
        sender.retire()


def submit(sender: Sender, *keys: str) -> None:
    for key in keys:
        assert sender.submit(key.encode())


def balanced(sender: Sender) -> bool:
    stats = sender.stats()
    parts = stats.delivered + stats.found_existing + stats.rejected + stats.pending + stats.in_doubt
    return stats.submitted == parts


def refused(
    status: int | None, *, maybe_stored: bool = False, retry_after: float | None = None
) -> DeliveryFailedError:
    return DeliveryFailedError("no", status=status, maybe_stored=maybe_stored, retry_after=retry_after)


@pytest.mark.parametrize(
    ("status", "maybe_stored", "verdict"),
    [
        (None, False, AnswerMeaning.UNSENT),
        (None, True, AnswerMeaning.IN_DOUBT),
        (429, False, AnswerMeaning.UNSENT),
        (503, False, AnswerMeaning.UNSENT),
        (500, True, AnswerMeaning.IN_DOUBT),
        (502, True, AnswerMeaning.IN_DOUBT),
        (504, True, AnswerMeaning.IN_DOUBT),
        (400, False, AnswerMeaning.BAD),
        (408, False, AnswerMeaning.IN_DOUBT),
        (409, False, AnswerMeaning.IN_DOUBT),
        (499, False, AnswerMeaning.IN_DOUBT),
        (200, False, AnswerMeaning.IN_DOUBT),
        (425, False, AnswerMeaning.UNSENT),
        (413, False, AnswerMeaning.BAD),
        (414, False, AnswerMeaning.BAD),
        (431, False, AnswerMeaning.BAD),
        (422, False, AnswerMeaning.BAD),
        (401, False, AnswerMeaning.BLOCKED),
        (403, False, AnswerMeaning.BLOCKED),
        (404, False, AnswerMeaning.BLOCKED),
        (302, False, AnswerMeaning.BLOCKED),
    ],
)
def test_what_an_answer_means(status: int | None, maybe_stored: bool, verdict: AnswerMeaning) -> None:
    assert judge(refused(status, maybe_stored=maybe_stored)) is verdict


def test_waits_grow_to_a_minute_and_a_refusal_is_retried_at_most_every_five() -> None:
    waits = [wait_before(attempt, AnswerMeaning.UNSENT, chance=0.999) for attempt in (1, 2, 3, 20, 10_000)]

    assert waits == pytest.approx([1, 2, 4, 60, 60], rel=0.01)
    assert wait_before(1, AnswerMeaning.UNSENT, chance=0.0) == 0.5
    assert wait_before(1, AnswerMeaning.BLOCKED, chance=0.0) == 300


def test_records_arrive_once_and_in_order(sender_to: MakeSender) -> None:
    destination = ScriptedDestination()
    sender = sender_to(destination, batch_size=7)
    keys = [str(number) for number in range(100)]

    submit(sender, *keys)

    assert sender.flush(5)
    assert destination.stored == keys
    assert max(map(len, destination.sent)) <= 7
    assert (sender.stats().submitted, sender.stats().delivered, sender.stats().state) == (100, 100, "idle")


def test_many_threads_may_submit_at_once(sender_to: MakeSender) -> None:
    destination = ScriptedDestination()
    sender = sender_to(destination)
    threads = [
        threading.Thread(target=submit, args=(sender, *(f"{n}-{k}" for k in range(200)))) for n in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sender.flush(5)
    assert len(destination.stored) == len(set(destination.stored)) == 1600


def test_a_batch_is_sent_after_the_flush_interval_without_being_asked(sender_to: MakeSender) -> None:
    destination = ScriptedDestination()
    submit(sender_to(destination), "a")

    assert destination.entered.wait(5)


def test_a_batch_waits_for_others_until_the_interval_is_over(sender_to: MakeSender) -> None:
    destination = ScriptedDestination()
    sender = sender_to(destination, flush_interval=60)

    submit(sender, "a", "b")

    assert not destination.entered.wait(0.1)
    assert sender.flush(5)
    assert destination.sent == [["a", "b"]]


@pytest.mark.parametrize("failure", [refused(None), refused(503), refused(429)])
def test_what_was_surely_not_stored_is_sent_again_without_asking(
    sender_to: MakeSender, failure: DeliveryFailedError
) -> None:
    destination = ScriptedDestination(failure, failure)
    sender = sender_to(destination)

    submit(sender, "a")

    assert sender.flush(5)
    assert (destination.stored, destination.asked) == (["a"], [])


def test_a_lost_reply_is_asked_about_and_not_sent_twice(sender_to: MakeSender) -> None:
    destination = ScriptedDestination(refused(None, maybe_stored=True))
    sender = sender_to(destination, flush_interval=60)  # so that they are one batch

    submit(sender, "a", "b")

    assert sender.flush(5)
    assert destination.stored == ["a", "b"]
    assert sender.stats().found_existing == 2
    assert len(destination.sent) == 1


def test_nothing_hurries_the_question_for_what_may_be_stored_late(sender_to: MakeSender) -> None:
    destination = ScriptedDestination(refused(504))
    destination.seconds = 2.0
    sender = sender_to(destination)
    submit(sender, "a")
    wait_until(lambda: sender.stats().state == "unreachable")

    assert not sender.flush(0.05)
    assert not sender.flush(0.05)

    assert (destination.asked, len(destination.sent)) == ([], 1)
    assert sender.flush(30)
    assert len(destination.sent) == 2


def test_a_request_that_the_destination_itself_ended_is_asked_about_at_once(sender_to: MakeSender) -> None:
    destination = ScriptedDestination(DeliveryFailedError("no", status=500, ended=True))
    destination.seconds = 60.0
    sender = sender_to(destination)

    submit(sender, "a")

    assert sender.flush(5)
    assert (destination.asked, destination.stored) == ([["a"]], ["a"])


@pytest.mark.parametrize("status", [414, 431])
def test_a_length_that_does_not_depend_on_the_record_refuses_no_record(
    sender_to: MakeSender, status: int
) -> None:
    destination = ScriptedDestination(*[refused(status)] * 6)
    sender = sender_to(destination)

    submit(sender, "a", "b")

    assert sender.flush(10)
    assert (sorted(destination.stored), sender.stats().rejected) == (["a", "b"], 0)


def test_in_doubt_only_what_is_missing_is_sent_again(sender_to: MakeSender) -> None:
    destination = ScriptedDestination(refused(504))
    destination.stored = ["b"]
    sender = sender_to(destination, flush_interval=60)

    submit(sender, "a", "b", "c")

    assert sender.flush(5)
    assert destination.sent == [["a", "b", "c"], ["a", "c"]]
    assert (sender.stats().delivered, sender.stats().found_existing) == (2, 1)


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_a_bad_record_is_set_aside_and_the_others_go_through(sender_to: MakeSender, status: int) -> None:
    destination = ScriptedDestination()
    destination.bad, destination.bad_status = {"13", "77"}, status
    outbox = MemoryOutbox(key_of=bytes.decode)
    sender = sender_to(destination, outbox, flush_interval=60)
    keys = [str(number) for number in range(100)]

    submit(sender, *keys)

    assert sender.flush(10)
    assert destination.stored == [key for key in keys if key not in destination.bad]
    assert [record.key for record, _ in outbox.rejected] == ["13", "77"]
    assert sender.stats().rejected == 2
    assert sender.stats().last_error == "Run 77 was refused: one is bad"
    assert balanced(sender)


@pytest.mark.parametrize("status", [400, 413, 422, 500])
@pytest.mark.parametrize("bad", ["a", "b", "e", "f", "ab", "af", "ef", "abcde", "bcdef", "abcdef"])
def test_bad_records_block_nobody_wherever_they_are(
    sender_to: MakeSender, monkeypatch: pytest.MonkeyPatch, status: int, bad: str
) -> None:
    """P5."""
    monkeypatch.setattr(retry_policy, "LONGEST_WAIT", 0.02)
    destination = ScriptedDestination()
    destination.bad, destination.bad_status = set(bad), status
    outbox = MemoryOutbox(key_of=bytes.decode)
    sender = sender_to(destination, outbox, flush_interval=60)

    submit(sender, *"abcdef")

    assert sender.flush(20)
    assert sorted(destination.stored) == sorted(set("abcdef").difference(bad))
    assert sorted(record.key for record, _ in outbox.rejected) == sorted(bad)


def test_a_server_that_fails_on_everything_is_waited_for_rather_than_believed(sender_to: MakeSender) -> None:
    destination = ScriptedDestination(refused(500), refused(500), refused(500))
    sender = sender_to(destination)

    submit(sender, "a")

    assert sender.flush(10)
    assert (destination.stored, sender.stats().rejected) == (["a"], 0)


def test_a_record_on_which_the_server_fails_again_and_again_does_not_block_the_next(
    sender_to: MakeSender,
) -> None:
    destination = ScriptedDestination()
    destination.bad, destination.bad_status = {"a"}, 500
    sender = sender_to(destination)

    submit(sender, "a")
    assert sender.flush(10)
    submit(sender, "b")

    assert sender.flush(10)
    assert (destination.stored, sender.stats().rejected) == (["b"], 1)


def test_a_refusal_keeps_everything_and_flush_says_so_early(sender_to: MakeSender) -> None:
    destination = ScriptedDestination(*[refused(401)] * 2)
    sender = sender_to(destination, flush_interval=60)  # so that only a flush tries
    submit(sender, "a")

    started = time.monotonic()

    assert not sender.flush(30)
    assert time.monotonic() - started < 10
    assert (sender.stats().state, sender.stats().last_error) == ("blocked", "no")
    assert destination.resets, "a new client is made for the next attempt"
    assert sender.stats().pending == 1
    assert not sender.flush(30)
    assert sender.flush(30), "each flush tries again at once: the key may be right by now"
    assert destination.stored == ["a"]


@pytest.mark.parametrize(
    ("status", "state"), [(503, "unreachable"), (401, "blocked")], ids=["no answer", "refused"]
)
def test_while_it_is_tried_again_the_state_is_that_of_the_failure(
    sender_to: MakeSender, status: int, state: str
) -> None:
    sender = sender_to(ScriptedDestination(*[refused(status)] * 100))
    submit(sender, "a")
    wait_until(lambda: sender.stats().state == state)
    slow = ScriptedDestination()
    slow.gate.clear()
    sender.redirect(slow)
    assert slow.entered.wait(10)

    during = sender.stats().state
    slow.gate.set()

    assert during == state
    assert sender.flush(10)
    assert sender.stats().state == "idle"


def test_after_a_refusal_that_is_over_no_flush_gives_up_between_two_batches(sender_to: MakeSender) -> None:
    """A flush gives up if it finds the state `blocked`."""
    states: list[str] = []

    class NotingOutbox(MemoryOutbox):
        def next_batch(self) -> Batch | None:
            states.append(sender.stats().state)
            return super().next_batch()

    destination = ScriptedDestination(refused(401))
    sender = sender_to(destination, NotingOutbox(key_of=bytes.decode, batch_size=1), flush_interval=60)
    submit(sender, "a", "b", "c")
    wait_until(lambda: sender.stats().state == "blocked")
    states.clear()

    assert sender.flush(30)
    assert destination.stored == ["a", "b", "c"]
    assert states
    assert "blocked" not in states


def test_retry_after_is_a_floor(sender_to: MakeSender) -> None:
    destination = ScriptedDestination(refused(503, retry_after=0.3))
    sender = sender_to(destination)
    times: list[float] = []
    destination.on_send = lambda: times.append(time.monotonic())

    submit(sender, "a")

    wait_until(lambda: len(times) == 2)
    assert times[1] - times[0] >= 0.3


@pytest.mark.parametrize("seconds", [3_000.0, 99_999_999_999.0, math.inf])
def test_retry_after_has_a_ceiling_and_a_flush_tries_once_all_the_same(
    sender_to: MakeSender, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(retry_policy, "LONGEST_RETRY_AFTER", 0.2)
    destination = ScriptedDestination(refused(503, retry_after=seconds))
    submit(sender_to(destination), "a")
    wait_until(lambda: destination.stored == ["a"])

    monkeypatch.setattr(retry_policy, "LONGEST_RETRY_AFTER", 60.0)
    destination = ScriptedDestination(*[refused(503, retry_after=seconds)] * 2)
    sender = sender_to(destination)
    submit(sender, "a")
    wait_until(lambda: sender.stats().state == "unreachable")

    assert not sender.flush(0.3)
    wait_until(lambda: len(destination.sent) >= 2)
    assert len(destination.sent) == 2, "a flush tries once, and not again and again"
    assert sender.flush(5)


def test_another_key_is_tried_at_once_whatever_the_server_asked_for(sender_to: MakeSender) -> None:
    sender = sender_to(ScriptedDestination(refused(429, retry_after=60.0)))
    submit(sender, "a")
    wait_until(lambda: sender.stats().state == "unreachable")
    other = ScriptedDestination()

    sender.redirect(other)

    wait_until(lambda: other.stored == ["a"])


def test_flush_tells_the_truth_within_its_time(sender_to: MakeSender) -> None:
    destination = ScriptedDestination()
    destination.gate.clear()
    sender = sender_to(destination)
    submit(sender, "a")

    assert not sender.flush(0.2)
    wait_until(lambda: sender.stats().in_doubt == 1)
    assert balanced(sender)
    destination.gate.set()
    assert sender.flush(5)


def test_flush_covers_only_what_was_submitted_before(sender_to: MakeSender) -> None:
    destination = ScriptedDestination()
    sender = sender_to(destination, batch_size=1)
    submit(sender, "a")
    destination.on_send = lambda: submit(sender, f"later-{len(destination.sent)}")

    assert sender.flush(5)
    destination.on_send = lambda: None


def test_a_destination_with_a_bug_is_tried_again(
    sender_to: MakeSender, caplog: pytest.LogCaptureFixture
) -> None:
    destination = ScriptedDestination()
    sender = sender_to(destination)
    bugs = [ZeroDivisionError("secret payload")]

    def fail_once() -> None:
        if bugs:
            raise bugs.pop()

    destination.on_send = fail_once
    submit(sender, "a")

    assert sender.flush(5)
    assert destination.stored == ["a"]
    assert "ZeroDivisionError" in caplog.text
    assert "secret payload" not in caplog.text


def test_what_comes_after_the_last_owner_has_gone_is_still_sent(sender_to: MakeSender) -> None:
    destination = ScriptedDestination()
    sender = sender_to(destination)
    submit(sender, "a")
    assert sender.flush(5)

    sender.retire()
    submit(sender, "b")

    assert sender.flush(5)
    assert destination.stored == ["a", "b"]


def test_a_full_outbox_refuses_the_newest(sender_to: MakeSender) -> None:
    destination = ScriptedDestination()
    destination.gate.clear()
    sender = sender_to(destination, MemoryOutbox(key_of=bytes.decode, max_records=2))
    submit(sender, "a", "b")

    assert not sender.submit(b"c")
    assert sender.stats().submitted == 2
    destination.gate.set()
    assert sender.flush(5)
    submit(sender, "d")


def test_a_batch_of_which_a_part_is_stored_stays_in_doubt_on_the_disk(
    sender_to: MakeSender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds it after a crash has to ask: the disk knows only the whole of it."""
    monkeypatch.setattr(retry_policy, "FIRST_WAIT", 60)
    destination = ScriptedDestination(refused(400), None, refused(503))
    outbox = DiskOutbox(tmp_path, key_of=bytes.decode, batch_size=4)
    sender = sender_to(destination, outbox, flush_interval=60)  # so that they are one batch

    submit(sender, "a", "b", "c", "d")

    wait_until(lambda: sender.stats().state == "unreachable")
    assert (destination.stored, sender.stats().in_doubt) == (["a", "b"], 0)
    assert [file.suffix for file in tmp_path.rglob("0*.[!n]*")] == [".sending"]
    assert sender.flush(5)
    assert destination.stored == ["a", "b", "c", "d"]


def test_threads_do_not_outlive_their_owners(sender_to: MakeSender) -> None:
    def owned() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "test: owned"]

    destination = ScriptedDestination()
    for _ in range(20):
        sender = Sender(MemoryOutbox(key_of=bytes.decode), destination, name="test: owned", flush_interval=60)
        submit(sender, "a")
        sender.retire()
    del sender
    gc.collect()

    deadline = time.monotonic() + 5
    while owned() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not owned()
    assert len(destination.stored) == 20, "what waited was sent first"


def test_who_seeds_the_random_numbers_of_their_program_gets_those(sender_to: MakeSender) -> None:
    destination = ScriptedDestination(refused(503), refused(503))
    sender = sender_to(destination)
    known = random.getstate()

    submit(sender, "a")

    assert sender.flush(5)
    assert len(destination.sent) >= 3
    assert random.getstate() == known
