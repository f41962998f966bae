"""When a shipment asks for what may be stored late. The test moves its clock: a busy machine changes nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from langchain_label_studio.delivery import DeliveryFailedError, Found, MemoryOutbox, retry_policy, shipment
from langchain_label_studio.delivery.destination import StillWorkingError
from langchain_label_studio.delivery.shipment import Shipment
from tests.support.destinations import ScriptedDestination

GRACE = 10.0
NOTHING, ALL = Found(keys=frozenset()), Found(keys=frozenset("a"))


class Clock:
    """The clock of shipments. It stands still until a test moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(shipment, "time", SimpleNamespace(monotonic=lambda: self.now))


def shipment_to(destination: ScriptedDestination) -> Shipment:
    """Return a shipment of one record. The destination may work on a request for `GRACE` seconds."""
    destination.seconds = GRACE
    outbox = MemoryOutbox(key_of=bytes.decode)
    outbox.append(b"a")
    batch = outbox.next_batch()
    assert batch
    return Shipment(batch, outbox, lambda *_: None, place=0)


def deliver(destination: ScriptedDestination, clock: Clock, *, late: float = 0.0) -> list[float]:
    """Deliver one record. Return the seconds after the request at which each attempt asked.

    Args:
        destination: The destination.
        clock: The clock.
        late: The seconds by which each attempt comes too late.
    """
    one = shipment_to(destination)
    began, asked = clock.now, []
    while one.unsettled():
        before = len(destination.asked)
        try:
            one.attempt(destination)
        except (DeliveryFailedError, StillWorkingError):
            assert one.ready_at > clock.now
        asked += [clock.now - began] * (len(destination.asked) - before)
        clock.now = max(clock.now, one.ready_at) + late
    return asked


@pytest.mark.parametrize("status", [504, 502, 500, 200, 408])
def test_what_is_stored_late_is_not_sent_twice(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """It is stored after the first question, and before the second."""
    destination = ScriptedDestination(DeliveryFailedError("no", status=status))
    destination.answers = [NOTHING, ALL]

    assert deliver(destination, Clock(monkeypatch)) == [GRACE, 1.5 * GRACE]
    assert len(destination.sent) == 1


def test_a_request_that_is_gone_is_asked_about_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    destination = ScriptedDestination(StillWorkingError(note="job 17", what="job 17"))
    destination.answers = [StillWorkingError(note="job 17", what="job 17"), NOTHING, NOTHING]

    still_there, gone, gone_for_good = deliver(destination, Clock(monkeypatch))

    assert still_there < gone < gone_for_good == still_there + retry_policy.GRACE / 2
    assert len(destination.sent) == 2


def test_one_question_is_enough_after_a_long_time(monkeypatch: pytest.MonkeyPatch) -> None:
    destination = ScriptedDestination(DeliveryFailedError("no", status=504))
    destination.answers = [NOTHING]

    assert deliver(destination, Clock(monkeypatch), late=GRACE) == [2 * GRACE]
    assert len(destination.sent) == 2


def test_nobody_asks_before_the_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    destination = ScriptedDestination(DeliveryFailedError("no", status=504))
    clock = Clock(monkeypatch)
    one = shipment_to(destination)
    with pytest.raises(DeliveryFailedError):
        one.attempt(destination)

    clock.now = one.ready_at - 0.1
    with pytest.raises(StillWorkingError):
        one.attempt(destination)

    assert (len(destination.sent), destination.asked) == (1, [])
