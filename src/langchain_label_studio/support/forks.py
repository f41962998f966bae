"""Objects that survive a fork of their process: `ForkSafe`. And blocks without a fork: `no_fork`.

A fork copies one thread only. A lock that another thread holds at that moment is never released in the child.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager


class ForkSafe:
    """An object with a lock of its own. It begins anew in every process that is forked from this one.

    A subclass overrides `_begin` if it begins with more than the lock. It overrides `begin_in_child` if a forked
    process has more to do. It sets the attributes that these two read before it calls `super().__init__()`.
    """

    def __init__(self) -> None:
        self._begin()
        _watched.add(self)

    def _begin(self) -> None:
        """Make the lock, and all other values that a process does not share with its parent."""
        # Reentrant: a signal handler or a finalizer may record a run while its thread holds the lock.
        self._lock = threading.RLock()

    def begin_in_child(self) -> None:
        """Begin anew. Called in every forked process, as long as the object lives."""
        self._begin()


@contextmanager
def no_fork() -> Iterator[None]:
    """Delay forks of this process until the block ends.

    Use it for imports outside the main thread. A child that is forked in the middle of an import would wait for ever
    when it needs the same module.
    """
    with _forking:
        yield


def _begin_in_child() -> None:
    _forking.release()
    for known in list(_watched):
        known.begin_in_child()


_watched: weakref.WeakSet[ForkSafe] = weakref.WeakSet()
_forking = threading.RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_begin_in_child
    )
