"""Code that a signal handler interrupts: `interrupted_everywhere`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType


@dataclass(frozen=True)
class Interruption:
    """One run of some code, with a handler that interrupts it.

    Attributes:
        code: The code.
        handler: The function that runs in the middle of it, in the same thread.
        check: Called afterwards.
    """

    code: Callable[[], object]
    handler: Callable[[], object]
    check: Callable[[], None]


def interrupted_everywhere(prepare: Callable[[], Interruption]) -> int:
    """Run code again and again, each time interrupted one place later. At last the handler runs after its end.

    Python runs a signal handler where a function begins, and after a call. A profiler hears of the same places.

    Args:
        prepare: Makes all anew for one run.

    Returns:
        The number of places.
    """
    places = 0
    while _run_interrupted(prepare(), at=places):
        places += 1
    return places


def _run_interrupted(interruption: Interruption, *, at: int) -> bool:
    """Return whether the code was interrupted before its end."""
    place = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal place
        if event == "c_call":
            return  # a handler runs after the call, not before it: a lock is released by then
        place += 1
        if place == at + 1:
            interruption.handler()  # it may raise

    sys.setprofile(profile)
    try:
        interruption.code()
    finally:
        sys.setprofile(None)
    interrupted = place > at
    if not interrupted:
        interruption.handler()
    interruption.check()
    return interrupted
