"""What a forked process must begin anew: a lock held by another thread at the fork is never let go."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class BeginsAnew(Protocol):
    """Something that a fork takes by surprise."""

    def begin_in_child(self) -> None:
        """Make new locks, and drop what belongs to the parent."""


_watched: weakref.WeakSet[BeginsAnew] = weakref.WeakSet()


def begin_anew_in_children(thing: BeginsAnew) -> None:
    """Call the thing's `begin_in_child` in every process forked from this one, as long as it lives."""
    _watched.add(thing)


@contextmanager
def no_fork() -> Iterator[None]:
    """Let forks of this process wait meanwhile.

    For imports in another thread than the main one: forked in the middle of one, the child would wait for
    ever as soon as it wants the same module.
    """
    with _forking:
        yield


def _begin_in_child() -> None:
    _forking.release()
    for thing in list(_watched):
        thing.begin_in_child()


_forking = threading.RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_begin_in_child
    )
