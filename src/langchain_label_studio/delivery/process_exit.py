"""Send pending records when the process ends: `watch` registers a sender for that."""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from typing import Protocol

from langchain_label_studio.support.log import logger

EXIT_TIMEOUT = 5.0
"""Seconds that all senders together may take to send what waits when the process ends."""


class Watched(Protocol):
    """A sender, as this module sees it."""

    @property
    def what(self) -> str:
        """What messages for people call the records."""

    @property
    def unsettled(self) -> int:
        """How many records wait, or are in doubt."""

    @property
    def directory(self) -> str | None:
        """Where they outlive the process, or None where they do not."""

    def drain(self, timeout: float) -> None:
        """Send what can be sent in time, for the last time."""


class Writer(Protocol):
    """What hands records to a sender, as this module sees it."""

    def hand_over(self) -> None:
        """Hand over what it still holds. Does not raise."""


_senders: weakref.WeakSet[Watched] = weakref.WeakSet()
_writers: weakref.WeakSet[Writer] = weakref.WeakSet()
_known_to_multiprocessing: int | None = None


def watch(sender: Watched) -> None:
    """Drain the sender when this process ends."""
    _senders.add(sender)


def hand_over_at_exit(writer: Writer) -> None:
    """Let a writer hand over what it still holds when this process ends, before the senders are drained."""
    _writers.add(writer)


def watch_worker() -> None:
    """Drain at the end of a worker of `multiprocessing`, too, which ends without the `atexit` of Python."""
    global _known_to_multiprocessing  # noqa: PLW0603 (a process registers itself once)
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util and process and process.parent_process() and _known_to_multiprocessing != os.getpid():
        _known_to_multiprocessing = os.getpid()
        util.Finalize(None, _drain, exitpriority=0)


def _drain() -> None:
    for writer in list(_writers):
        writer.hand_over()
    deadline = time.monotonic() + EXIT_TIMEOUT
    for sender in list(_senders):
        sender.drain(max(0.0, deadline - time.monotonic()))
        if sender.unsettled:
            _tell(sender)


def _tell(sender: Watched) -> None:
    if sender.directory is None:
        logger.warning(
            "%s that could not be delivered before the program ended, and are lost: %d.",
            sender.what,
            sender.unsettled,
        )
    else:
        logger.warning(
            "%s that wait to be delivered: %d, in %s. The next program that uses this project sends them, "
            "or `langchain-label-studio outbox send`.",
            sender.what,
            sender.unsettled,
            sender.directory,
        )


atexit.register(_drain)
