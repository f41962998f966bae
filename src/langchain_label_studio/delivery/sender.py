"""`Sender`: the background thread that sends the records of an outbox to a destination."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Sequence
from typing import Generic, Literal, TypeVar

from langchain_label_studio.delivery import process_exit, retry_policy
from langchain_label_studio.delivery.destination import DeliveryFailedError, Destination, StillWorkingError
from langchain_label_studio.delivery.orphaned_lanes import LOOK_AGAIN
from langchain_label_studio.delivery.outbox import Batch, Outbox, Record
from langchain_label_studio.delivery.retry_policy import AnswerMeaning, judge, wait_before
from langchain_label_studio.delivery.shipment import Shipment
from langchain_label_studio.delivery.shipments import Shipments
from langchain_label_studio.delivery.stats import DeliveryStats, Outcome, SettledCounts, State, seconds_ago
from langchain_label_studio.metrics.switch import read_last
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.support.safe_text import sentence

# Without a state. So a program that seeds `random` gets its own numbers, and forks do not wait in step.
_CHANCE = random.SystemRandom()
_LONG = 3600.0

DestinationT = TypeVar("DestinationT", bound=Destination)


class Sender(ForkSafe, Generic[DestinationT]):
    """Sends records in order, in batches, one request at a time.

    Its daemon thread starts with the first record. It ends when the sender has no owner and no pending record. The
    caller that makes a sender is its first owner.

    Attributes:
        destination: The destination of the records. It may change at any time.
        what: The name of the records in messages.
        name: The name of the thread, and of the sender in the log.
        own_log: The log with the fields of the sender.
    """

    def __init__(
        self,
        outbox: Outbox,
        destination: DestinationT,
        *,
        name: str,
        flush_interval: float = 1.0,
        what: str = "Runs",
        log: ThrottledLog | None = None,
    ) -> None:
        """Make a sender; nothing starts yet.

        Args:
            outbox: The outbox of the records.
            destination: The destination of the records.
            name: The name of the thread, and of the sender in the log.
            flush_interval: Seconds for which a record waits at most for others to fill its batch.
            what: The name of the records in messages.
            log: The log with the fields of the sender. None is a log without any.
        """
        self._outbox = outbox
        self.destination = destination
        self.what = what
        self.name = name
        self._flush_interval = flush_interval
        self.own_log = log or ThrottledLog()
        self._owners = 1
        super().__init__()
        process_exit.watch(self)

    def _begin(self) -> None:
        super()._begin()
        self._wake = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._shipments = Shipments(self._outbox)
        self._tally = SettledCounts()
        self._flushers = 0
        self._kicked = False
        # The thread is woken when so many records are pending. This is read without the lock. That is safe: the thread
        # first lowers the number, and then counts the records. A caller first appends, and then reads the number.
        self._wake_at: float = 1
        self._failures = 0
        self._state: State = "idle"
        self._last_error: str | None = None
        self._refusal: str | None = None
        self._retry_at = 0.0
        self._not_before = 0.0
        self._look_at: float | None = 0.0

    def begin_in_child(self) -> None:
        """Start anew in a forked process. The parent sends the pending records."""
        self._outbox.abandon()
        self.destination.reset()
        super().begin_in_child()

    def submit(self, body: bytes) -> bool:
        """Take a record. It never waits for the network.

        Args:
            body: The record, in the form of its outbox.

        Returns:
            False if the outbox is full and the record was refused.
        """
        waiting = self._outbox.append(body)
        if waiting >= self._wake_at and waiting:
            self._rouse()
        return waiting > 0

    def flush(self, timeout: float = 10.0) -> bool:
        """Send the records that this process submitted before the call, the postponed ones, too.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether all of them are stored, rejected, or postponed once more. False comes early if the destination
            refuses the key or the project: waiting does not help then.
        """
        return self._flush(timeout, patient=True)

    def _flush(self, timeout: float, *, patient: bool) -> bool:
        with self._wake:
            goal = self._outbox.appended
            self._outbox.resume()
            if self._has_settled(goal):
                return True
            self._flushers += 1
            self._kicked = True
            self._rouse()

            def is_over() -> bool:
                hopeless = self._state == "blocked" or (self._failures > 0 and not patient)
                return self._has_settled(goal) or self._thread is None or (hopeless and not self._kicked)

            try:
                self._wake.wait_for(is_over, timeout)
            finally:
                self._flushers -= 1
            return self._has_settled(goal)

    def _has_settled(self, goal: int) -> bool:
        own = self._tally.own + self._outbox.own_postponed
        return own >= goal and not self._shipments.hold(goal)

    def drain(self, timeout: float) -> None:
        """Send pending records before the process ends.

        Records on a disk do not wait for a destination that does not answer.
        """
        self._flush(timeout, patient=self._outbox.directory is None)
        self._outbox.release()

    def acquire(self) -> None:
        """Note one more owner."""
        with self._wake:
            self._owners += 1

    def retire(self) -> None:
        """Note one owner less. Without an owner, the thread ends as soon as no record is pending."""
        with self._wake:
            self._owners -= 1
            self._wake.notify_all()

    def wait_for_end(self, timeout: float) -> None:
        """Wait until the thread has ended, for so many seconds at most. See `retire`."""
        with self._wake:
            self._wake.wait_for(lambda: self._thread is None, timeout)

    def look_for_orphaned(self) -> None:
        """Look for orphaned records now, instead of with the first record."""
        with self._wake:
            self._look_at = 0.0
            self._rouse()

    def redirect(self, destination: DestinationT) -> None:
        """Send to another destination from now on, beginning at once."""
        with self._wake:
            if destination is not self.destination:
                self.destination = destination
                self._kicked = True
                self._wake.notify_all()

    def stats(self) -> DeliveryStats:
        """Return the number of records by their outcome."""
        with self._wake:
            submitted = self._submitted
            waiting = submitted - self._tally.settled
            in_doubt = self._shipments.in_doubt
            return DeliveryStats(
                submitted=submitted,
                recovered=self._outbox.recovered,
                delivered=self._tally["delivered"],
                found_existing=self._tally["found_existing"],
                rejected=self._tally["rejected"],
                pending=waiting - in_doubt,
                in_doubt=in_doubt,
                postponed=self._outbox.postponed,
                in_memory=self.in_memory,
                state=self._state if waiting else "idle",
                oldest_seconds=seconds_ago(self._outbox.oldest()),
                rejected_seconds=seconds_ago(self._tally.rejected_at),
                last_error=self._last_error,
                outbox=self._outbox.directory,
            )

    @property
    def unsettled(self) -> int:
        """The number of records that are pending or in doubt, without the postponed ones."""
        return self._submitted - self._tally.settled - self._outbox.postponed

    @property
    def in_memory(self) -> int:
        """The number of unsettled records that are lost if the process ends now."""
        return min(self._outbox.in_memory, self.unsettled)

    @property
    def directory(self) -> str | None:
        """The folder of the outbox. None if the records end with the process."""
        return self._outbox.directory

    @property
    def _submitted(self) -> int:
        return self._outbox.appended + self._outbox.recovered

    def _rouse(self) -> None:
        process_exit.watch_process()
        with self._wake:
            if self._thread is None:
                self._start_thread()
            else:
                self._wake_at = math.inf
                self._wake.notify_all()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        if self._thread is not None:
            return  # a signal handler recorded a run while the line above ran
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is ending, and starts no new thread. The record waits in the outbox.
            self._thread = None

    def _run(self) -> None:
        while (next_step := self._wait()) != "end":
            if next_step == "look":
                self._look()
            else:
                self._attempt()
        self._outbox.release()

    def _wait(self) -> Literal["attempt", "look", "end"]:
        """Wait until there is something to do."""
        with self._wake:
            while True:
                self._wake_at = 1
                waiting = self._shipments.waiting
                now = time.monotonic()
                until_look = _LONG if self._look_at is None else self._look_at - now
                if until_look <= 0:
                    return "look"
                if not self._owners and not len(self._outbox) and not self._outbox.postponed:
                    read_last(self)
                    self._thread = None
                    self._wake.notify_all()
                    return "end"
                seconds = self._seconds_left(now, waiting)
                if seconds <= 0:
                    self._wake_at = math.inf
                    return "attempt"
                if not self._failures and self._shipments.ready_at == math.inf:
                    self._state = "waiting" if waiting else "idle"
                if waiting:
                    self._wake_at = math.inf if self._failures else self._outbox.batch_size
                self._wake.wait(min(seconds, until_look))

    def _seconds_left(self, now: float, waiting: int) -> float:
        """Return the seconds until the next attempt."""
        known = self._shipments.ready_at - now
        if self._failures:
            return max(self._patience(now), known if self._shipments.current else 0.0)
        if self._shipments.current or not waiting:
            return min(known, _LONG)
        hurry = self._kicked or self._flushers or not self._owners
        if hurry or waiting >= self._outbox.batch_size:
            return 0.0
        return min(known, (self._outbox.oldest() or now) + self._flush_interval - now)

    def _patience(self, now: float) -> float:
        """Return the seconds to wait after failures."""
        if self._kicked:
            return 0.0
        patience = self._retry_at - now
        if self._flushers and self._state != "blocked":
            patience = min(patience, retry_policy.FIRST_WAIT)
        return max(patience, self._not_before - now)

    def _look(self) -> None:
        """Recover orphaned records."""
        look_again: float | None = LOOK_AGAIN
        try:
            look_again = self._outbox.recover()
        except OSError as error:
            self.own_log.warning(
                "look_failed",
                "%s cannot be read: %s",
                self._outbox.directory,
                error.strerror,
                reason=error.strerror,
            )
        except Exception as error:  # noqa: BLE001 (a bug must not end the thread)
            self.own_log.warning(
                "look_failed", "%s: the search for orphaned runs failed.", self.name, error=error
            )
        with self._wake:
            self._look_at = None if look_again is None else time.monotonic() + look_again

    def _attempt(self) -> None:
        """Try once to deliver a batch."""
        try:
            shipment = self._shipments.choose(time.monotonic(), self._settle)
            if shipment is None:
                return
            if not (self._failures or shipment.late):
                # An attempt after a failure is no sign yet that the destination answers.
                self._state = "sending"
            shipment.attempt(self.destination)
            self._done(shipment)
        except StillWorkingError:
            self._too_early()
        except DeliveryFailedError as failure:
            self._failed(failure, judge(failure))
        except OSError as error:
            reason = f"the outbox {self._outbox.directory} cannot be used: {error.strerror or type(error).__name__}"
            self._failed(DeliveryFailedError(reason), AnswerMeaning.UNSENT)
        except Exception as error:  # noqa: BLE001 (a bug in a destination must not end the thread)
            self.own_log.warning("sending_failed", "%s: sending failed unexpectedly.", self.name, error=error)
            self._failed(DeliveryFailedError(type(error).__name__, maybe_stored=True), AnswerMeaning.IN_DOUBT)

    def _settle(self, batch: Batch, records: Sequence[Record], outcome: Outcome, reason: str) -> None:
        # The log comes first: it is complete when a flush returns.
        if outcome == "rejected":
            where = "" if self.directory is None else ": see `langchain-label-studio outbox rejected`"
            self.own_log.warning(
                "rejected",
                "%s: run %s was refused, and is set aside%s. The reason: %s",
                self.name,
                records[0].key,
                where,
                reason,
                record_id=records[0].key,
                reason=reason,
            )
        with self._wake:
            self._tally.count(len(records), outcome, recovered=batch.recovered)
            if outcome == "rejected":
                self._refusal = f"Run {records[0].key} was refused: {reason}"
            self._wake.notify_all()

    def _too_early(self) -> None:
        """Go on later: the destination still works on a request, or may do so."""
        shipment = self._shipments.current
        late = shipment.late if shipment else ""
        if late:
            self.own_log.warning(
                "late",
                "%s: %s %s of it are not sent again before it ends, so that none is stored twice.",
                self.name,
                sentence(late),
                self.what,
                reason=late,
            )
        with self._wake:
            self._kicked = False
            if shipment and shipment.at_work:
                self._failures = 0
            if not self._failures or self._state == "blocked":
                self._state = "sending"  # it answers, and does not refuse any more
            if shipment and (shipment.at_work or shipment.batch.recovered):
                self._shipments.put_aside()
            if late:
                self._state, self._last_error = "unreachable", late
            self._wake.notify_all()

    def _done(self, shipment: Shipment) -> None:
        self._shipments.remove_current()
        batch = shipment.batch
        with self._wake:
            self._tally.count(batch.set_aside, "rejected", recovered=batch.recovered)
            self._failures, self._state = 0, "sending"
            self._kicked = False
            if self._outbox.postponed:
                self._look_at = 0.0  # this look returns the time of the next one
            self._last_error = self._refusal
            self._wake.notify_all()

    def _failed(self, failure: DeliveryFailedError, verdict: AnswerMeaning) -> None:
        with self._wake:
            self._failures += 1
            self._kicked = False
            self._last_error = failure.reason
            self._state = "blocked" if verdict is AnswerMeaning.BLOCKED else "unreachable"
            now = time.monotonic()
            chance = _CHANCE.random()
            self._retry_at = now + wait_before(self._failures, verdict, chance=chance)
            self._not_before = now + min(failure.retry_after or 0.0, retry_policy.LONGEST_RETRY_AFTER)
            waiting = self.unsettled
            self._wake.notify_all()
        if verdict is AnswerMeaning.BLOCKED:
            self.destination.reset()
        self.own_log.warning(
            "blocked" if verdict is AnswerMeaning.BLOCKED else "unreachable",
            "%s: %s %s that wait and are tried again: %d, in %s.",
            self.name,
            sentence(failure.reason),
            self.what,
            waiting,
            self._outbox.directory or "memory",
            in_common=failure.reason,
            pending=waiting,
            reason=failure.reason,
        )
