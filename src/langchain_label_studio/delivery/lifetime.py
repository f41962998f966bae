"""What happens to senders when the interpreter ends."""

from __future__ import annotations

import atexit
import time
import weakref
from typing import Protocol

from langchain_label_studio.log import logger

EXIT_TIMEOUT = 5.0
"""Seconds that all senders together may take to send what waits when the interpreter ends."""


class Watched(Protocol):
    """A sender, as this module sees it."""

    @property
    def unsettled(self) -> int:
        """How many records wait, or are in doubt."""

    def close(self, timeout: float) -> bool:
        """Send what waits, and end."""


_senders: weakref.WeakSet[Watched] = weakref.WeakSet()


def watch(sender: Watched) -> None:
    """Drain the sender when the interpreter ends."""
    _senders.add(sender)


def _drain() -> None:
    deadline = time.monotonic() + EXIT_TIMEOUT
    left = 0
    for sender in list(_senders):
        if sender.unsettled:
            sender.close(max(0.0, deadline - time.monotonic()))
            left += sender.unsettled
    if left:
        logger.warning("%d records could not be delivered before the program ended, and are lost.", left)


atexit.register(_drain)
