"""The one thread that takes records from an outbox to a destination."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence

from langchain_label_studio.delivery import lifetime
from langchain_label_studio.delivery.destination import DeliveryFailedError, Destination
from langchain_label_studio.delivery.outbox import Outbox, Record
from langchain_label_studio.delivery.policy import FIRST_WAIT, Verdict, judge, wait_before
from langchain_label_studio.delivery.shipment import Outcome, Shipment
from langchain_label_studio.delivery.stats import DeliveryStats, State
from langchain_label_studio.forks import begin_anew_in_children
from langchain_label_studio.log import ThrottledLog

_LONG = 3600.0


class Sender:
    """Sends what is submitted, in order, in batches, one request at a time.

    Its daemon thread starts with the first record, and ends when its owner is gone and nothing waits.
    """

    def __init__(
        self,
        outbox: Outbox,
        destination: Destination,
        *,
        name: str,
        flush_interval: float = 1.0,
        batch_size: int = 500,
    ) -> None:
        """Make a sender; nothing starts yet.

        Args:
            outbox: Where records wait.
            destination: Where they go.
            name: Of the thread, and in what is logged.
            flush_interval: Seconds a record waits at most for others to fill its batch.
            batch_size: Records in one request, at most.
        """
        self._outbox = outbox
        self._destination = destination
        self._name = name
        self._flush_interval = flush_interval
        self._batch_size = batch_size
        self._log = ThrottledLog()
        self._begin()
        lifetime.watch(self)
        begin_anew_in_children(self)

    def _begin(self) -> None:
        # Reentrant: a signal handler or a finalizer may record a run while this thread holds it.
        self._wake = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._shipment: Shipment | None = None
        self._counts: dict[Outcome, int] = {"delivered": 0, "found_existing": 0, "rejected": 0}
        self._submitted = 0
        self._flushers = 0
        self._kicked = False
        self._ending = False
        self._retired = False
        self._asleep = False
        self._due = 0.0
        self._failures = 0
        self._state: State = "idle"
        self._last_error: str | None = None
        self._retry_at = 0.0
        self._not_before = 0.0

    def begin_in_child(self) -> None:
        """Start anew in a forked process: what waits is the parent's to send."""
        self._outbox.abandon()
        self._destination.reset()
        self._begin()

    def submit(self, record: Record) -> bool:
        """Take a record in. Never waits for the network.

        Returns:
            False where the outbox is full and the record was refused.
        """
        with self._wake:
            first = not len(self._outbox)
            if not self._outbox.append(record):
                return False
            self._submitted += 1
            self._ending = False
            if first:
                self._due = time.monotonic() + self._flush_interval
            if self._thread is None:
                self._start_thread()
            elif self._asleep and (first or len(self._outbox) >= self._batch_size):
                self._wake.notify_all()
        return True

    def flush(self, timeout: float = 10.0) -> bool:
        """Send what was submitted before this call; cuts a wait between two attempts short.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether all of it is stored, or set aside as rejected. False comes early where the
            destination refuses us, because waiting will not help.
        """
        with self._wake:
            goal = self._submitted
            if self._settled >= goal:
                return True
            self._flushers += 1
            self._kicked = True
            if self._thread is None:
                self._start_thread()
            self._wake.notify_all()
            try:
                self._wake.wait_for(lambda: self._settled >= goal or self._refused(), timeout)
            finally:
                self._flushers -= 1
            return self._settled >= goal

    def close(self, timeout: float = 5.0) -> bool:
        """Flush, and end the thread. Idempotent; what is submitted later starts a new one.

        Returns:
            What `flush` returned.
        """
        done = self.flush(timeout)
        with self._wake:
            self._ending = True
            self._wake.notify_all()
        return done

    def retire(self) -> None:
        """End the thread as soon as nothing waits: its owner is gone."""
        with self._wake:
            self._retired = True
            self._wake.notify_all()

    def stats(self) -> DeliveryStats:
        """Return what became of everything submitted."""
        with self._wake:
            waiting = self._submitted - self._settled
            shipment = self._shipment
            in_doubt = len(shipment.unsettled()) if shipment and shipment.segment.in_doubt else 0
            oldest = self._outbox.oldest()
            return DeliveryStats(
                submitted=self._submitted,
                delivered=self._counts["delivered"],
                found_existing=self._counts["found_existing"],
                rejected=self._counts["rejected"],
                pending=waiting - in_doubt,
                in_doubt=in_doubt,
                state=self._state if waiting else "idle",
                oldest_seconds=None if oldest is None else round(time.monotonic() - oldest, 3),
                last_error=self._last_error,
            )

    @property
    def unsettled(self) -> int:
        """How many records wait, or are in doubt."""
        return self._submitted - self._settled

    @property
    def _settled(self) -> int:
        return sum(self._counts.values())

    def _start_thread(self) -> None:
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            # The interpreter is going down and takes no new thread. The record waits in the outbox.
            self._thread = None

    def _refused(self) -> bool:
        return self._state == "blocked" and not self._kicked

    def _run(self) -> None:
        while self._wait():
            self._attempt()

    def _wait(self) -> bool:
        """Wait until it is time for an attempt; False ends the thread."""
        with self._wake:
            while True:
                waiting = len(self._outbox)
                if self._ending or (self._retired and not waiting):
                    self._thread = None
                    return False
                seconds = self._seconds_left() if waiting else _LONG
                if seconds <= 0:
                    return True
                if not self._failures:
                    self._state = "waiting" if waiting else "idle"
                self._asleep = True
                self._wake.wait(seconds)
                self._asleep = False

    def _seconds_left(self) -> float:
        now = time.monotonic()
        if not self._failures:
            full = len(self._outbox) >= self._batch_size
            return 0.0 if full or self._kicked or self._flushers or self._retired else self._due - now
        patience = 0.0 if self._kicked else self._retry_at - now
        if self._flushers and self._state != "blocked":
            patience = min(patience, FIRST_WAIT)
        return max(patience, self._not_before - now)

    def _attempt(self) -> None:
        """Try once to deliver the oldest segment."""
        with self._wake:
            if self._shipment is None:
                segment = self._outbox.next_segment(self._batch_size)
                if segment is None:
                    return
                self._shipment = Shipment(segment, self._outbox, self._destination, self._settle)
            shipment = self._shipment
            self._state = "sending"
        try:
            shipment.attempt()
        except DeliveryFailedError as failure:
            self._failed(failure, judge(failure))
        except Exception as error:  # noqa: BLE001 (a bug in a destination must not end the thread)
            self._log.warning("destination", "%s: sending failed unexpectedly.", self._name, error=error)
            self._failed(DeliveryFailedError(type(error).__name__, maybe_stored=True), Verdict.IN_DOUBT)
        else:
            self._done(shipment)

    def _settle(self, records: Sequence[Record], outcome: Outcome) -> None:
        with self._wake:
            self._counts[outcome] += len(records)
            self._wake.notify_all()
        if outcome == "rejected":
            self._log.warning(
                "rejected", "%s: a record was refused and set aside: %s", self._name, records[0].key
            )

    def _done(self, shipment: Shipment) -> None:
        with self._wake:
            self._outbox.remove(shipment.segment)
            self._shipment = None
            self._failures = 0
            self._kicked = False
            self._last_error = None
            self._due = time.monotonic() + self._flush_interval
            self._wake.notify_all()

    def _failed(self, failure: DeliveryFailedError, verdict: Verdict) -> None:
        with self._wake:
            self._failures += 1
            self._kicked = False
            self._last_error = failure.reason
            self._state = "blocked" if verdict is Verdict.BLOCKED else "unreachable"
            now = time.monotonic()
            chance = random.random()  # noqa: S311 (spreads senders apart, guards nothing)
            self._retry_at = now + wait_before(self._failures, verdict, chance=chance)
            self._not_before = now + (failure.retry_after or 0.0)
            waiting = self.unsettled
            self._wake.notify_all()
        if verdict is Verdict.BLOCKED:
            self._destination.reset()
        self._log.warning(
            self._state,
            "%s: %s. %d waiting, which are tried again.",
            self._name,
            failure.reason.rstrip("."),
            waiting,
        )
