"""`StoreOutbox`: nothing of what workers handed over is lost or doubled, whenever the relay ends."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count

import pytest
from obstore.store import MemoryStore

from langchain_label_studio.delivery import (
    DeliveryFailedError,
    Found,
    NotAllTakenError,
    Record,
    StillWorkingError,
    Upcoming,
)
from langchain_label_studio.delivery.outbox import Batch
from langchain_label_studio.delivery.shipments import Shipments
from langchain_label_studio.errors import ObjectStoreError
from langchain_label_studio.fleet.lease import Lease
from langchain_label_studio.fleet.store_outbox import StoreOutbox
from langchain_label_studio.object_store.batch_names import again, batch_name, records_in
from langchain_label_studio.object_store.store import ObjectStore
from tests.unit.fleet.stores import Fate, FatedStore, Killed, held_lease

FOLDER = "v1/support-1f0c9a7e"
NAMES = [f"{FOLDER}/new", f"{FOLDER}/sending", f"{FOLDER}/waiting"]


def body(key: str, size: int = 0) -> bytes:
    return json.dumps({"key": key, "text": "x" * size}).encode()


def key_of(line: bytes) -> str:
    return str(json.loads(line)["key"])


def hand_over(store: ObjectStore, *keys: str, once_more: bool = False, size: int = 0) -> str:
    """Put a batch, as a worker does. Return its path."""
    content = b"".join(body(key, size) + b"\n" for key in keys)
    name = batch_name(content, recorded_at=f"2026-11-30T12:00:00.{len(keys):06}Z")
    path = f"{FOLDER}/new/{again(name) if once_more else name}"
    store.put(path, content)
    return path


class Destination:
    """A Label Studio with projects. Like it, it stores what it is sent as often as it is sent."""

    def __init__(self, fate: Fate | None = None) -> None:
        self.fate = fate or Fate()
        self.stored: list[str] = []
        self.asked: list[str] = []
        self.refused: set[str] = set()
        self.later: dict[str, int] = {}
        self.requests: list[list[str]] = []
        self.failures: list[DeliveryFailedError] = []

    def grace(self, *, note: str) -> float:
        return 0.0

    def note(self, records: Sequence[Record]) -> str:
        return f"before {len(self.stored)}"

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:
        self.fate.step()
        upcoming()
        keys = [record.key for record in records]
        self.requests.append(keys)
        if self.failures:
            raise self.failures.pop(0)
        if self.refused.intersection(keys):
            raise DeliveryFailedError("one is bad", status=400)
        later = [key for key in keys if self.later.get(key)]
        for key in later:
            self.later[key] -= 1
        self.stored += [key for key in keys if key not in later]
        self.fate.step()
        if later:
            raise NotAllTakenError(later=dict.fromkeys(later, 0.002), refused={})

    def find(self, records: Sequence[Record], *, note: str) -> Found:
        self.fate.step()
        self.asked += [record.key for record in records]
        return Found(keys=frozenset(record.key for record in records).intersection(self.stored))

    def reset(self) -> None: ...


def make(store: ObjectStore, lease: Lease | None = None, **options: object) -> StoreOutbox:
    options = {"batch_size": 4, "every": 0.0} | options
    return StoreOutbox(store, FOLDER, lease=lease or held_lease(), key_of=key_of, **options)  # type: ignore[arg-type]


def work(outbox: StoreOutbox, destination: Destination) -> Counter[str]:
    """Do what a sender does, until nothing is pending. Return the number of records by their outcome."""
    outcomes: Counter[str] = Counter()

    def settle(batch: Batch, records: Sequence[Record], outcome: str, reason: str) -> None:
        outcomes[outcome] += len(records)

    shipments = Shipments(outbox)
    for _ in range(100):
        outbox.recover()
        shipment = shipments.choose(time.monotonic(), settle)
        if shipment is None:
            return outcomes
        try:
            shipment.attempt(destination)
        except StillWorkingError:
            time.sleep(0.001)
        except DeliveryFailedError:
            continue
        else:
            shipments.remove_current()
    raise AssertionError("it does not come to an end")


def left(store: ObjectStore) -> list[str]:
    """Return the paths of what is left in the store, without what was refused."""
    return [each.path for name in NAMES for each in store.objects(name)]


@pytest.fixture
def objects() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def store(objects: MemoryStore) -> ObjectStore:
    return ObjectStore("memory://", store=objects)


def test_small_objects_become_one_request_and_are_deleted(store: ObjectStore) -> None:
    for keys in "abcde":
        hand_over(store, *keys)
    destination = Destination()
    work(make(store), destination)
    assert sorted(destination.stored) == list("abcde")
    assert [len(keys) for keys in destination.requests] == [4, 1]
    assert left(store) == []


def test_an_object_that_is_larger_than_a_batch_is_cut(store: ObjectStore) -> None:
    hand_over(store, *"abcdefghij")
    destination = Destination()
    work(make(store), destination)
    assert destination.stored == list("abcdefghij")
    assert max(len(keys) for keys in destination.requests) == 4
    assert left(store) == []


def scene(store: ObjectStore) -> None:
    hand_over(store, *"abc")
    hand_over(store, "m-d", "n-e")  # for two projects
    hand_over(store, "f")
    hand_over(store, *"gh", once_more=True)
    hand_over(store, *"ijklmnopqr"[:6])


SCENE = Counter([*"abc", "m-d", "n-e", "f", *"gh", *"ijklmn"])


def group_of(record: Record) -> str:
    return record.key.rpartition("-")[0]


def steps() -> int:
    """Return the number of steps of the scene."""
    objects, fate = MemoryStore(), Fate()
    scene(ObjectStore("memory://", store=objects))
    work(make(FatedStore(objects, fate), group_of=group_of), Destination(fate))
    return fate.steps


STEPS = steps()


@pytest.mark.parametrize("at", range(1, STEPS + 1))
def test_killed_at_any_step_nothing_is_lost_and_nothing_doubled(objects: MemoryStore, at: int) -> None:
    plain = ObjectStore("memory://", store=objects)
    scene(plain)
    fate = Fate(at=at)
    destination = Destination(fate)
    with pytest.raises(Killed):
        work(make(FatedStore(objects, fate), group_of=group_of), destination)
    work(make(plain, group_of=group_of), destination)
    assert Counter(destination.stored) == SCENE
    assert left(plain) == []


@pytest.mark.parametrize("second", range(1, STEPS, 3))
@pytest.mark.parametrize("first", range(2, STEPS, 5))
def test_killed_twice(objects: MemoryStore, first: int, second: int) -> None:
    plain = ObjectStore("memory://", store=objects)
    scene(plain)
    destination = Destination()
    for at in (first, second):
        fate = destination.fate = Fate(at=at)
        try:
            work(make(FatedStore(objects, fate), group_of=group_of), destination)
        except Killed:
            continue
    destination.fate = Fate()
    work(make(plain, group_of=group_of), destination)
    assert Counter(destination.stored) == SCENE
    assert left(plain) == []


@pytest.mark.parametrize("at", range(1, STEPS + 1))
def test_a_store_that_fails_once_at_any_step_loses_and_doubles_nothing(objects: MemoryStore, at: int) -> None:
    plain = ObjectStore("memory://", store=objects)
    scene(plain)
    fate = Fate(at=at, error=ObjectStoreError("no answer", trouble="no answer"))
    destination = Destination()
    outbox = make(FatedStore(objects, fate), group_of=group_of)
    for _ in range(3):
        try:
            work(outbox, destination)
        except OSError:
            continue  # a sender tries again
    work(make(plain, group_of=group_of), destination)
    assert Counter(destination.stored) == SCENE
    assert left(plain) == []


def test_what_may_have_been_handed_over_before_is_asked_for(store: ObjectStore) -> None:
    destination = Destination()
    destination.stored = ["a"]
    hand_over(store, "a", "b", once_more=True)
    outcomes = work(make(store), destination)
    assert destination.stored == ["a", "b"]
    assert outcomes == {"found_existing": 1, "delivered": 1}
    assert left(store) == []


def test_a_batch_under_both_its_names_is_sent_once(store: ObjectStore) -> None:
    hand_over(store, "a", "b")
    hand_over(store, "a", "b", once_more=True)
    destination = Destination()
    work(make(store), destination)
    assert destination.stored == ["a", "b"]
    assert left(store) == []


def test_a_batch_that_comes_back_after_it_was_deleted_is_asked_for(store: ObjectStore) -> None:
    destination, outbox = Destination(), make(store)
    hand_over(store, "a", "b")
    work(outbox, destination)
    hand_over(store, "a", "b")
    work(outbox, destination)
    assert destination.stored == ["a", "b"]
    assert destination.asked == ["a", "b"]
    assert left(store) == []


def test_a_record_in_two_objects_is_sent_once_and_counted(store: ObjectStore) -> None:
    destination, outbox = Destination(), make(store)
    hand_over(store, "a", "b")
    hand_over(store, "b")
    work(outbox, destination)
    hand_over(store, "a", "c", "b")
    work(outbox, destination)
    assert sorted(destination.stored) == ["a", "b", "c"]
    assert outbox.repeated == 3
    assert left(store) == []


def test_what_is_not_chosen_is_dropped_with_its_object(store: ObjectStore) -> None:
    hand_over(store, "a", "b", "c")
    hand_over(store, "d")
    destination = Destination()
    outbox = make(store, take=lambda records: [record for record in records if record.key == "b"])
    work(outbox, destination)
    assert destination.stored == ["b"]
    assert left(store) == []


def test_nobody_can_choose_so_everything_stays(store: ObjectStore) -> None:
    hand_over(store, "a")
    before = left(store)
    answers: Iterator[DeliveryFailedError | None] = iter([DeliveryFailedError("Label Studio is away"), None])

    def take(records: Sequence[Record]) -> Sequence[Record]:
        if failure := next(answers):
            raise failure
        return records

    outbox, destination = make(store, take=take), Destination()
    with pytest.raises(DeliveryFailedError):
        work(outbox, destination)
    assert left(store) == before
    work(outbox, destination)
    assert destination.stored == ["a"]


def test_a_refused_record_is_set_aside_with_its_reason_and_the_others_go_through(store: ObjectStore) -> None:
    hand_over(store, "a", "bad", "c")
    destination = Destination()
    destination.refused = {"bad"}
    assert work(make(store), destination)["rejected"] == 1
    assert sorted(destination.stored) == ["a", "c"]
    (found,) = store.objects(f"{FOLDER}/rejected")
    entry = json.loads(store.get(found.path) or b"")
    assert entry["key"] == "bad"
    assert entry["reason"] == "one is bad"
    assert entry["record"] == json.loads(body("bad"))
    assert left(store) == []


def test_a_line_that_is_no_record_is_set_aside(store: ObjectStore) -> None:
    store.put(f"{FOLDER}/new/by-hand.txt", b"hello\n" + body("a") + b"\n")
    destination = Destination()
    work(make(store), destination)
    assert destination.stored == ["a"]
    (found,) = store.objects(f"{FOLDER}/rejected")
    assert json.loads(store.get(found.path) or b"")["damaged"] == "hello"
    assert left(store) == []


def test_postponed_records_come_again_when_their_time_has_come(store: ObjectStore) -> None:
    hand_over(store, "a", "b")
    destination = Destination()
    destination.later = {"b": 2}
    outbox = make(store, take=lambda records: records)
    work(outbox, destination)
    deadline = time.monotonic() + 10
    while destination.stored != ["a", "b"] and time.monotonic() < deadline:
        work(outbox, destination)
    assert destination.stored == ["a", "b"]
    assert outbox.postponed == 0
    assert outbox.recovered == 2
    assert left(store) == []


def test_postponed_records_survive_the_relay(store: ObjectStore) -> None:
    hand_over(store, "a", "b")
    destination = Destination()
    destination.later = {"b": 1}
    first = make(store)
    shipments = Shipments(first)
    first.recover()
    shipment = shipments.choose(time.monotonic(), lambda *_: None)
    assert shipment
    shipment.attempt(destination)
    shipments.remove_current()
    assert first.postponed == 1
    assert [records_in(path.rpartition("/")[2]) for path in left(store)] == [1]
    second = make(store)
    deadline = time.monotonic() + 10
    while left(store) and time.monotonic() < deadline:
        work(second, destination)
    assert destination.stored == ["a", "b"]
    assert left(store) == []


def test_without_the_lease_nothing_is_handed_out_and_nothing_is_noted(store: ObjectStore) -> None:
    clock = count()
    lease = Lease(ObjectStore("memory://", store=MemoryStore()), clock=lambda: next(clock) * 0.0)
    assert lease.take()
    hand_over(store, "a")
    outbox = make(store, lease)
    outbox.recover()
    batch = outbox.next_batch()
    assert batch
    lease.release()
    with pytest.raises(OSError, match="another relay"):
        outbox.mark_sending(batch, note="")
    assert make(store, lease).next_batch() is None
    assert store.objects(f"{FOLDER}/sending") == []


def test_a_closed_outbox_holds_nothing_and_the_store_keeps_all(store: ObjectStore) -> None:
    hand_over(store, "a")
    outbox = make(store)
    outbox.recover()
    assert len(outbox) == 1
    outbox.close()
    assert len(outbox) == 0
    assert outbox.next_batch() is None
    assert len(left(store)) == 1


def test_a_backlog_of_more_objects_than_one_look_finds_is_sent_whole(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langchain_label_studio.fleet.sources.AT_ONCE", 5)
    keys = [f"{number:03}" for number in range(40)]
    for key in keys:
        hand_over(store, key)
    destination = Destination()
    outbox = make(store, every=1_000.0)
    work(outbox, destination)
    assert sorted(destination.stored) == keys
    assert left(store) == []
