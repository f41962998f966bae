"""The lease: one relay works, the others wait, and a relay that was stopped notices."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from langchain_label_studio.errors import ObjectStoreError
from langchain_label_studio.fleet.lease import Lease
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.support.process_identity import ProcessIdentity, this_process


@pytest.fixture(autouse=True)
def _as_on_many_computers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lease is one of another computer: nobody can see whether its process lives."""
    places = count()
    monkeypatch.setattr(
        "langchain_label_studio.fleet.lease.this_process",
        lambda: ProcessIdentity(host="host", pid=1, place=f"place {next(places)}", started="1"),
    )


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["directory", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return (
        ObjectStore(f"file://{tmp_path}/bucket")
        if request.param == "directory"
        else ObjectStore("memory://", store=MemoryStore())
    )


class Replacing(ObjectStore):
    """A store that replaces objects where it is asked to create them only once, as `rclone serve s3` does."""

    def create(self, path: str, content: bytes) -> bool:
        self.put(path, content)
        return True


class Failing(ObjectStore):
    """A store that does what it is asked for, and does not say so."""

    silent = False

    def create(self, path: str, content: bytes) -> bool:
        created = super().create(path, content)
        if self.silent:
            raise ObjectStoreError("no answer", trouble="no answer")
        return created


def leases(store: ObjectStore, number: int = 2) -> tuple[list[Lease], Clock]:
    clock = Clock()
    made = [Lease(store, clock=clock, seconds=30.0, pause=0.01) for _ in range(number)]
    _made.extend(made)
    return made, clock


_made: list[Lease] = []


@pytest.fixture(autouse=True)
def _end_all() -> Iterator[None]:
    """End the threads that keep leases."""
    yield
    while _made:
        _made.pop().release()


def test_one_relay_works_and_the_other_waits_for_its_end(store: ObjectStore) -> None:
    (first, second), _ = leases(store)
    assert first.take()
    assert not second.take()
    assert "process" in second.holder
    assert first.held
    assert not second.held
    first.release()
    assert not first.held
    assert second.take()
    second.release()


def test_a_relay_that_died_is_replaced_after_a_while_without_a_sign_of_life(store: ObjectStore) -> None:
    (dead, other), clock = leases(store)
    assert dead.take()
    assert not other.take()
    clock.now += 29.0
    assert not other.take()
    clock.now += 1.0
    assert other.take()
    assert other.held
    assert not dead.held


def test_a_relay_that_was_stopped_notices_before_another_one_takes_over(store: ObjectStore) -> None:
    (stopped, other), clock = leases(store)
    assert stopped.take()
    assert not other.take()
    clock.now += 20.0
    assert not stopped.held, "10 seconds before another relay takes over"
    clock.now += 10.0
    assert other.take()
    assert not stopped.take(), "it is the other's"
    stopped.release()
    assert other.held
    other.release()


def test_a_renewal_keeps_others_waiting(store: ObjectStore) -> None:
    (first, second), clock = leases(store)
    assert first.take()
    for _ in range(5):
        assert not second.take()
        clock.now += 15.0
        assert first.renew()
        assert first.held
    assert not second.take()
    first.release()


def test_a_renewal_without_an_answer_counts_when_it_was_carried_out(tmp_path: Path) -> None:
    store = Failing(f"file://{tmp_path}")
    (first, second), _ = leases(store)
    assert first.take()
    store.silent = True
    with pytest.raises(ObjectStoreError):
        first.renew()
    store.silent = False
    assert first.renew()
    assert first.held
    assert not second.take()
    first.release()


def test_whoever_creates_the_next_number_first_has_it(store: ObjectStore) -> None:
    relays, clock = leases(store, 5)
    assert relays[0].take()
    for relay in relays[1:]:
        assert not relay.take()
    clock.now += 30.0
    assert sum(relay.take() for relay in relays[1:]) == 1
    for relay in relays:
        relay.release()


def test_somebody_deletes_the_lease_and_still_one_relay_works(store: ObjectStore) -> None:
    (first, second), _ = leases(store)
    assert first.take()
    assert not second.take()
    store.delete([each.path for each in store.objects("lease")])
    assert [first.renew(), second.take()] == [True, False]
    first.release()


def test_only_the_last_numbers_are_kept(store: ObjectStore) -> None:
    (first, _), _ = leases(store)
    for _ in range(3):
        assert first.take()
        assert first.renew()
        first.release()
    assert len(store.objects("lease")) == 1


def test_a_store_that_replaces_objects_is_named_and_the_first_relay_still_goes_on_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Replacing(f"file://{tmp_path}")
    (first, second), clock = leases(store)
    with caplog.at_level(logging.WARNING):
        assert first.take()
    assert "only one is started" in caplog.text
    assert not second.take()
    clock.now += 30.0
    assert second.take()
    assert not first.renew(), "the other's number is higher"
    second.release()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whether a process is the same")
def test_the_successor_of_a_dead_process_of_this_computer_does_not_wait(tmp_path: Path) -> None:
    store = ObjectStore(f"file://{tmp_path}")
    program = f"""
import time
from langchain_label_studio.fleet.lease import Lease
from langchain_label_studio.object_store.store import ObjectStore
assert Lease(ObjectStore({store.url!r})).take()
print("taken", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == b"taken\n"
            lease = Lease(store, identity=this_process())
            assert not lease.take()
            os.kill(holder.pid, signal.SIGSTOP)
            assert not lease.take(), "it is stopped, and may go on"
        finally:
            holder.kill()
    assert lease.take()
    lease.release()
