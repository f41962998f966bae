"""`time_limit`: a time limit for all requests of a block, whichever functions of other packages make them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_end: ContextVar[float] = ContextVar("langchain_label_studio_time_limit", default=math.inf)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let all requests of the block together take so many seconds. Requests of other threads are not concerned.

    The block itself is not interrupted: its requests fail as soon as no time is left. Never yield from the block.

    Args:
        seconds: The seconds. A block inside another one gets no more time than is left to the outer one.
    """
    token = _end.set(min(_end.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _end.reset(token)


def seconds_left() -> float:
    """Return the seconds that the present block has left: 0 or more, and infinity without a limit."""
    return max(0.0, _end.get() - time.monotonic())
