"""The limit of a day is met exactly, at whatever step a relay ends before it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from obstore.store import MemoryStore

from langchain_label_studio.delivery import DeliveryFailedError, Record, StillWorkingError
from langchain_label_studio.delivery.outbox import Batch
from langchain_label_studio.delivery.shipments import Shipments
from langchain_label_studio.fleet.day_limit import DayLimit
from langchain_label_studio.fleet.selection import FleetSelection
from langchain_label_studio.object_store.store import ObjectStore
from tests.unit.fleet.stores import Fate, FatedStore, Killed
from tests.unit.fleet.test_store_outbox import Destination, hand_over, left, make

LIMIT = 7


class Slow(Destination):
    """It may still work on a request without an answer. Meanwhile, the relay goes on with other objects."""

    def grace(self, *, note: str) -> float:
        return 0.005


def scene(store: ObjectStore) -> None:
    for keys in ("abc", "de", "fghi", "jklmn"):
        hand_over(store, *keys)


def relay(store: ObjectStore, destination: Destination) -> FleetSelection:
    """Work until nothing is left to do."""
    limit = DayLimit(LIMIT, count_since=lambda midnight: len(destination.stored))
    selection = FleetSelection(day_limit=limit)
    outbox = make(store, take=selection.take)
    limit.watch(lambda: outbox.taken)
    shipments = Shipments(outbox)
    outbox.recover()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            shipment = shipments.choose(time.monotonic(), settle)
            if shipment is None and shipments.ready_at == float("inf"):
                return selection
            if shipment:
                shipment.attempt(destination)
                shipments.remove_current()
        except StillWorkingError:
            shipments.put_aside()
        except DeliveryFailedError:
            time.sleep(0.001)
    raise AssertionError("it does not come to an end")


def settle(batch: Batch, records: Sequence[Record], outcome: str, reason: str) -> None: ...


def steps() -> int:
    objects, fate = MemoryStore(), Fate()
    scene(ObjectStore("memory://", store=objects))
    relay(FatedStore(objects, fate), Slow(fate))
    return fate.steps


@pytest.mark.parametrize("at", range(1, steps() + 1))
def test_killed_at_any_step_the_limit_is_met_exactly(at: int) -> None:
    objects, fate = MemoryStore(), Fate(at=at)
    plain = ObjectStore("memory://", store=objects)
    scene(plain)
    destination = Slow(fate)
    with pytest.raises(Killed):
        relay(FatedStore(objects, fate), destination)
    destination.fate = Fate()

    relay(plain, destination)

    assert len(destination.stored) == len(set(destination.stored)) == LIMIT
    assert left(plain) == []


def test_what_was_not_chosen_is_counted() -> None:
    store = ObjectStore("memory://", store=MemoryStore())
    scene(store)

    assert relay(store, Slow()).excluded == {f"at_most_per_day={LIMIT}": 7}
