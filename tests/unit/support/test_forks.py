"""Objects that begin anew in a forked process; real forks are in the process tier."""

from __future__ import annotations

import gc
import threading
import weakref

from langchain_label_studio.support.forks import ForkSafe
from tests.support.private_parts import begins_anew_in_children


class Counter(ForkSafe):
    def __init__(self, start: int) -> None:
        self._start = start
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self.count = self._start

    @property
    def lock(self) -> threading.RLock:
        return self._lock


def test_a_child_has_a_new_lock_and_the_state_of_the_beginning() -> None:
    counter = Counter(3)
    counter.count += 1
    inherited = counter.lock

    counter.begin_in_child()

    assert counter.lock is not inherited
    assert counter.count == 3


def test_a_signal_handler_may_take_the_lock_that_its_thread_holds() -> None:
    counter = Counter(0)

    with counter.lock:
        assert counter.lock.acquire(blocking=False)
        counter.lock.release()


def test_being_watched_keeps_nothing_alive() -> None:
    counter = Counter(0)
    assert begins_anew_in_children(counter)
    gone = weakref.ref(counter)

    del counter
    gc.collect()

    assert gone() is None
