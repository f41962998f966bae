"""The end of the process: `watch` makes a sender send its pending records then."""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from typing import Protocol

from langchain_label_studio.delivery.stats import DeliveryStats
from langchain_label_studio.support.log import ThrottledLog

EXIT_TIMEOUT = 5.0
"""The seconds that all senders together may take to send pending records when the process ends."""


class Watched(Protocol):
    """A sender, as this module sees it."""

    @property
    def name(self) -> str:
        """Its name in the log."""

    @property
    def own_log(self) -> ThrottledLog:
        """The log with the fields of the sender."""

    @property
    def what(self) -> str:
        """The name of the records in messages."""

    @property
    def unsettled(self) -> int:
        """The number of records that are pending or in doubt."""

    @property
    def directory(self) -> str | None:
        """The folder of the other unsettled records. None if all of them end with the process."""

    def drain(self, timeout: float) -> None:
        """Send pending records, for the last time."""

    def stats(self) -> DeliveryStats:
        """Return the number of records by their outcome."""


class Writer(Protocol):
    """An object that holds records for a sender, as this module sees it."""

    def hand_over(self) -> None:
        """Hand over the records it holds. Does not raise."""


_senders: weakref.WeakSet[Watched] = weakref.WeakSet()
_writers: weakref.WeakSet[Writer] = weakref.WeakSet()
_known_to_multiprocessing: int | None = None
_known_to_celery = False
_registered_again = False
_deadline: float | None = None


def watch(sender: Watched) -> None:
    """Drain the sender when this process ends."""
    _senders.add(sender)


def hand_over_at_exit(writer: Writer) -> None:
    """Let a writer hand over its records when this process ends, before the senders are drained."""
    _writers.add(writer)


def watch_process() -> None:
    """Drain the senders before what the program has set up by now ends, such as its OpenTelemetry: it tells our last numbers.

    And drain them at the end of a worker of `multiprocessing` or Celery, too. Python's `atexit` does not run there.
    """
    global _known_to_multiprocessing, _known_to_celery, _registered_again  # noqa: PLW0603 (a process registers itself once)
    if not _registered_again:
        _registered_again = True
        atexit.register(_drain)
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util and process and process.parent_process() and _known_to_multiprocessing != os.getpid():
        _known_to_multiprocessing = os.getpid()
        util.Finalize(None, _end, exitpriority=0)
    if not _known_to_celery and (celery := sys.modules.get("celery.signals")):
        _known_to_celery = True  # its children inherit that
        celery.worker_process_shutdown.connect(_drain_celery_worker, weak=False)


def _drain() -> None:
    global _deadline  # noqa: PLW0603 (a process ends once)
    for writer in list(_writers):
        writer.hand_over()
    if _deadline is None:
        _deadline = time.monotonic() + EXIT_TIMEOUT
    for sender in list(_senders):
        sender.drain(max(0.0, _deadline - time.monotonic()))


def _end() -> None:
    _drain()
    for sender in list(_senders):
        _tell(sender)


def _drain_celery_worker(**_: object) -> None:
    _end()


def _tell(sender: Watched) -> None:
    """Say what became of a sender's records. A second call says only what has changed."""
    stats = sender.stats()
    lost = stats.in_memory
    delivered, waiting = stats.delivered + stats.found_existing, sender.unsettled - lost
    # Not throttled together: each of them is the last word.
    about = f"{delivered} {stats.rejected} {waiting} {lost}"
    if lost:
        sender.own_log.warning(
            "left_lost",
            "%s that could not be delivered before the program ended, and are lost: %d.",
            sender.what,
            lost,
            about=about,
            records=lost,
        )
    if waiting:
        sender.own_log.warning(
            "left_waiting",
            "%s that wait to be delivered: %d, in %s. The next program that uses this project sends them, "
            "or `langchain-label-studio outbox send`.",
            sender.what,
            waiting,
            sender.directory,
            about=about,
            pending=waiting,
        )
    if stats.submitted and not sender.unsettled:
        sender.own_log.info(
            "ended",
            "%s: %s that were delivered: %d.%s %s",
            sender.name,
            sender.what,
            delivered,
            f" Rejected: {stats.rejected}." if stats.rejected else "",
            f"For later: {stats.postponed}." if stats.postponed else "None waits.",
            about=about,
            delivered=delivered,
            rejected=stats.rejected,
            pending=stats.postponed,
        )


atexit.register(_end)
