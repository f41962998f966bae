"""`IdleTimer`: calls a function after some seconds without an event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from langchain_label_studio.support.forks import ForkSafe

QUIET_SECONDS = 60.0
"""Seconds without an event after which a group is complete, if nothing else ends it."""


class IdleTimer(ForkSafe):
    """Calls a function, in its own thread, after some seconds without an event."""

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        """Make a timer. Its thread starts with the first event.

        Args:
            seconds: Seconds without an event.
            call: The function. It must not raise.
        """
        self._seconds = seconds
        self._call = call
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._heard = 0.0
        self._watching = False

    def heard(self) -> None:
        """Note an event. It never raises: if no thread can start, the next event tries again."""
        with self._lock:
            self._heard = time.monotonic()
            if self._watching:
                return
            self._watching = True
            try:
                threading.Thread(target=self._watch, name="label-studio-quiet", daemon=True).start()
            except RuntimeError:
                # The process has as many threads as it may have, or the interpreter is ending.
                self._watching = False

    def _watch(self) -> None:
        while (left := self._left()) > 0:
            time.sleep(left)
        self._call()

    def _left(self) -> float:
        with self._lock:
            left = self._heard + self._seconds - time.monotonic()
            self._watching = left > 0
            return left
