"""`Shipment`: the delivery of one batch, over as many attempts as it takes."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from langchain_label_studio.delivery import retry_policy
from langchain_label_studio.delivery.destination import (
    DeliveryFailedError,
    Destination,
    NotAllTakenError,
    StillWorkingError,
)
from langchain_label_studio.delivery.outbox import Batch, Outbox, Record
from langchain_label_studio.delivery.retry_policy import TOO_LARGE, AnswerMeaning, judge
from langchain_label_studio.delivery.stats import Outcome

Settle = Callable[[Batch, Sequence[Record], Outcome, str], None]

PATIENCE = 5
"""The number of attempts that end with a 500 before a record is set aside, if no other record is accepted, either."""


class Shipment:
    """Delivers a batch, over as many attempts as it takes.

    It sends the batch in groups, one after the other. In the beginning, the whole batch is one group. A group that the
    destination refuses becomes two.

    Attributes:
        batch: The records to send.
        ready_at: `time.monotonic()` of the next attempt. An earlier attempt could do harm.
        at_work: Whether the destination took the records, and stores them later.
        late: The warning about a request that the destination has carried out for too long. Empty without one.
        place: The number of own records that were taken from the outbox before these.
    """

    def __init__(self, batch: Batch, outbox: Outbox, settle: Settle, *, place: int) -> None:
        """Begin a shipment.

        Args:
            batch: The records to send.
            outbox: The outbox of the batch.
            settle: Takes the batch, its records whose outcome is certain, the outcome, and the reason of a refusal.
            place: The number of own records that were taken from the outbox before these.
        """
        self.batch = batch
        self.place = place
        self.at_work = False
        self.ready_at = 0.0
        self.late = ""
        self._outbox = outbox
        self._settle_records = settle
        self._settled: set[str] = set()
        self._groups = deque([batch.records])
        self._some_accepted = False
        self._some_500 = False
        # By the first record of the group.
        self._server_errors = Counter[str]()
        self._began: float | None = None
        self._looks = 0
        # The request of a recovered batch: it began at this time, and nobody knows its end.
        self._in_doubt_since = batch.sent_at
        self._grace: float | None = None

    @property
    def size(self) -> int:
        """The number of its records, with those that could not be read."""
        return len(self.batch.records) + self.batch.set_aside

    def unsettled(self) -> tuple[Record, ...]:
        """Return the records whose outcome is not certain yet."""
        return self._without_settled(self.batch.records)

    def attempt(self, destination: Destination) -> None:
        """Try to settle every record.

        Args:
            destination: The destination of the records.

        Raises:
            StillWorkingError: It is too early to know.
            DeliveryFailedError: Some are left.
            OSError: The outbox cannot note that a request begins.
        """
        self._destination = destination
        while group := self._next_group():
            if self.batch.in_doubt:
                self._resolve(group)
            else:
                self._send(group)

    def _next_group(self) -> tuple[Record, ...]:
        """Return the next records to send. Empty if all are settled."""
        while self._groups:
            if group := self._without_settled(self._groups[0]):
                return group
            self._groups.popleft()
        return ()

    def _resolve(self, group: Sequence[Record]) -> None:
        """Settle the records that are stored already. Leave the doubt if nothing else can be stored meanwhile."""
        grace = self._destination.grace(note=self.batch.note) if self._grace is None else self._grace
        # Twice: a destination that is slow may be slower than its grace.
        first, last = self._in_doubt_since + grace, self._in_doubt_since + 1.5 * grace
        self._wait_until(first)
        asked_at = time.monotonic()
        try:
            found = self._destination.find(group, note=self.batch.note)
        except StillWorkingError as work:
            self._go_on_later(group, work)
            return
        stored = [record for record in group if record.key in found.keys]
        self._some_accepted |= bool(stored)
        self._settle(stored, "delivered" if found.ended else "found_existing")
        rest = self._without_settled(group)
        if rest and not found.ended and asked_at < last:
            self._wait_until(last)
        self._rest_is_unsent()
        if rest and found.refused:
            # The cause may be a record, or trouble of the server that is over soon.
            self._after_server_error(rest, DeliveryFailedError(found.refused, status=500))

    def _wait_until(self, moment: float) -> None:
        if time.monotonic() < moment:
            self.ready_at = moment
            raise StillWorkingError(note=self.batch.note, what="a request without an answer")

    def _send(self, group: Sequence[Record]) -> None:
        self._outbox.mark_sending(self.batch, note=self._destination.note(group))
        self.batch.in_doubt = True
        self._in_doubt_since, self._grace = time.monotonic(), None
        try:
            self._destination.send(group, upcoming=self._outbox.upcoming)
        except NotAllTakenError as answer:
            group = self._part(group, answer)
        except StillWorkingError as work:
            self._go_on_later(group, work)
            return
        except DeliveryFailedError as failure:
            self._failed(group, failure)
            return
        self._some_accepted = True
        self._settle(group, "delivered")
        self._rest_is_unsent()

    def _go_on_later(self, group: Sequence[Record], work: StillWorkingError) -> None:
        """Look again later, because the destination still works on the request."""
        now = time.monotonic()
        if work.note != self.batch.note:
            self._outbox.note(self.batch, work.note)
            self._began, self._looks = now, 0
        # The next look is not too early. But if the work is gone by then, one look is not enough.
        self._in_doubt_since, self._grace = now - retry_policy.GRACE, retry_policy.GRACE
        self._began = self._began or now
        self._looks += 1
        self.at_work = True
        self.ready_at = now + retry_policy.wait_before_look(self._looks)
        seconds = now - self._began
        problem = f"{work.what} has not ended for {seconds / 60:.0f} minutes"
        if seconds > retry_policy.GIVEN_UP:
            self._give_up(group, problem)
            return
        if seconds > retry_policy.LATE:
            self.late = problem
        raise work

    def _give_up(self, group: Sequence[Record], reason: str) -> None:
        reason += ": look whether its runs are there before you retry them"
        for record in group:
            self._reject(record, reason)
        self._rest_is_unsent()

    def _failed(self, group: Sequence[Record], failure: DeliveryFailedError) -> None:
        meaning = judge(failure)
        if meaning is AnswerMeaning.IN_DOUBT:
            # After the first 500 of this batch, nothing was stored late.
            has_ended = failure.ended or (failure.status == 500 and self._some_500)
            grace = 0.0 if has_ended else self._destination.grace(note=self.batch.note)
            self._in_doubt_since, self._grace = time.monotonic(), grace
            self.ready_at = self._in_doubt_since + grace
            if failure.status != 500:
                raise failure
            self._some_500 = True
            self._after_server_error(group, failure)
            return
        self._rest_is_unsent()
        if meaning is not AnswerMeaning.BAD:
            raise failure
        self._refused(group, failure)

    def _refused(self, group: Sequence[Record], failure: DeliveryFailedError) -> None:
        """Halve a group that the destination refuses. Set a single record aside."""
        if len(group) > 1:
            middle = len(group) // 2
            self._groups[0] = tuple(group[middle:])
            self._groups.appendleft(tuple(group[:middle]))
        elif failure.status in TOO_LARGE - {413} and not self._some_accepted:
            # The length of an address or a header does not depend on the record.
            raise failure
        else:
            self._reject(group[0], failure.reason)

    def _after_server_error(self, group: Sequence[Record], failure: DeliveryFailedError) -> None:
        """Halve a batch on which the server fails again and again. First make sure that no record of it is stored."""
        self._server_errors[group[0].key] += 1
        if self._server_errors.total() == 1:
            raise failure
        if self.batch.in_doubt:
            self._resolve(group)
        rest = self._without_settled(group)
        if len(rest) > 1:
            self._refused(rest, failure)
        elif rest and (self._some_accepted or self._server_errors[rest[0].key] >= PATIENCE):
            self._reject(rest[0], failure.reason)
        elif rest:
            # The server may be the cause, not the record: no other record was accepted, either. The others show it.
            self._groups.rotate(-1)
            raise failure

    def _part(self, records: Sequence[Record], answer: NotAllTakenError) -> tuple[Record, ...]:
        """Postpone or reject the records that were not taken, and return the others."""
        for seconds in sorted(set(answer.later.values())):
            later = [record for record in records if answer.later.get(record.key) == seconds]
            self._outbox.postpone(self.batch, later, seconds=seconds)
            self._settled.update(record.key for record in later)
        for record in records:
            if record.key in answer.refused:
                self._reject(record, answer.refused[record.key])
        return self._without_settled(records)

    def _rest_is_unsent(self) -> None:
        """Note that no other record is stored."""
        self.batch.in_doubt = False
        self.at_work, self.ready_at, self.late, self._began = False, 0.0, "", None
        if not self._settled:
            # Otherwise the batch stays marked: the outbox can mark only whole batches. After a crash, the next process
            # has to ask for its records, because a person may have repaired and sent a refused one meanwhile.
            self._outbox.mark_unsent(self.batch)

    def _reject(self, record: Record, reason: str) -> None:
        self._outbox.reject(record, reason)
        self._settle([record], "rejected", reason)

    def _settle(self, records: Sequence[Record], outcome: Outcome, reason: str = "") -> None:
        if records:
            self._settled.update(record.key for record in records)
            self._settle_records(self.batch, records, outcome, reason)

    def _without_settled(self, records: Sequence[Record]) -> tuple[Record, ...]:
        return tuple(record for record in records if record.key not in self._settled)
