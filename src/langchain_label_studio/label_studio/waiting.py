"""`while_waiting`: do something useful while a server works on a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_work: ContextVar[Callable[[], None] | None] = ContextVar(
    "langchain_label_studio_while_waiting", default=None
)


@contextmanager
def while_waiting(work: Callable[[], None]) -> Iterator[None]:
    """Do some work as soon as a request of the block waits for its answer. Requests of other threads are not concerned.

    The work is done once, in the thread of the request. The answer is read when the work has ended, so it has to be short.

    Args:
        work: The work. It must not raise.
    """
    token = _work.set(work)
    try:
        yield
    finally:
        _work.reset(token)


def work_now() -> None:
    """Do the work of the present block, unless it is done."""
    if work := _work.get():
        _work.set(None)
        work()
