"""`Shipment`: the delivery of one batch, over as many attempts as it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_label_studio.delivery.destination import DeliveryFailedError, Destination, NotAllTakenError
from langchain_label_studio.delivery.outbox import Batch, Outbox, Record
from langchain_label_studio.delivery.retry_policy import AnswerMeaning, judge
from langchain_label_studio.delivery.stats import Outcome

Settle = Callable[[Sequence[Record], Outcome], None]

PATIENCE = 5
"""The number of attempts that end with a 500 before a single record is set aside."""


class Shipment:
    """Delivers a batch, over as many attempts as it takes."""

    def __init__(self, batch: Batch, outbox: Outbox, settle: Settle) -> None:
        """Begin a shipment.

        Args:
            batch: The records to send.
            outbox: The outbox of the batch.
            settle: Takes records whose outcome is certain, and the outcome.
        """
        self.batch = batch
        self._outbox = outbox
        self._settle_records = settle
        self._settled: set[str] = set()
        self._server_errors = 0
        self._some_accepted = False

    def unsettled(self) -> tuple[Record, ...]:
        """Return the records whose outcome is not certain yet."""
        return self._without_settled(self.batch.records)

    def attempt(self, destination: Destination) -> None:
        """Try to settle every record.

        Args:
            destination: The destination of the records.

        Raises:
            DeliveryFailedError: Some are left.
            OSError: The outbox cannot note that a request begins.
        """
        self._destination = destination
        records = self.unsettled()
        if records and self.batch.in_doubt:
            records = self._ask(records)
        if records:
            self._send(records)

    def _ask(self, records: Sequence[Record]) -> tuple[Record, ...]:
        """Settle the records that are stored already, and return the others."""
        found = self._destination.find(records)
        self._settle([record for record in records if record.key in found], "found_existing")
        self._rest_is_unsent()
        return self._without_settled(records)

    def _send(self, records: Sequence[Record]) -> None:
        self._outbox.mark_sending(self.batch)
        self.batch.in_doubt = True
        try:
            self._destination.send(records)
        except NotAllTakenError as answer:
            records = self._part(records, answer)
        except DeliveryFailedError as failure:
            verdict = judge(failure)
            if verdict is AnswerMeaning.BAD:
                self._rest_is_unsent()
                self._halve(records, failure.reason)
                return
            if verdict is not AnswerMeaning.IN_DOUBT:
                self._rest_is_unsent()
            elif failure.status == 500:
                self._after_server_error(records, failure)
                return
            raise
        self._some_accepted = True
        self._settle(records, "delivered")
        self._rest_is_unsent()

    def _part(self, records: Sequence[Record], answer: NotAllTakenError) -> tuple[Record, ...]:
        """Postpone or reject the records that were not taken, and return the others."""
        for seconds in sorted(set(answer.later.values())):
            later = [record for record in records if answer.later.get(record.key) == seconds]
            self._outbox.postpone(later, seconds=seconds, recovered=self.batch.recovered)
            self._settled.update(record.key for record in later)
        for record in records:
            if record.key in answer.refused:
                self._reject(record, answer.refused[record.key])
        return self._without_settled(records)

    def _rest_is_unsent(self) -> None:
        """Note that no other record is stored."""
        self.batch.in_doubt = False
        if not self._settled:
            # Otherwise the batch stays marked: the outbox can mark only whole batches. After a crash, the next process
            # has to ask for its records, because a person may have repaired and sent a refused one meanwhile.
            self._outbox.mark_unsent(self.batch)

    def _after_server_error(self, records: Sequence[Record], failure: DeliveryFailedError) -> None:
        """Halve a batch on which the server fails again and again. First make sure that no record of it is stored."""
        if len(records) == len(self.unsettled()):
            self._server_errors += 1
        if self._server_errors < 2:
            raise failure
        rest = self._ask(records)
        if len(rest) > 1:
            self._halve(rest, failure.reason)
        elif rest and (self._some_accepted or self._server_errors >= PATIENCE):
            self._reject(rest[0], failure.reason)
        elif rest:
            # The server may be the cause, not the record: no other record was accepted, either.
            raise failure

    def _halve(self, records: Sequence[Record], reason: str) -> None:
        if len(records) == 1:
            self._reject(records[0], reason)
            return
        middle = len(records) // 2
        self._send(records[:middle])
        self._send(records[middle:])

    def _reject(self, record: Record, reason: str) -> None:
        self._outbox.reject(record, reason)
        self._settle([record], "rejected")

    def _settle(self, records: Sequence[Record], outcome: Outcome) -> None:
        if records:
            self._settled.update(record.key for record in records)
            self._settle_records(records, outcome)

    def _without_settled(self, records: Sequence[Record]) -> tuple[Record, ...]:
        return tuple(record for record in records if record.key not in self._settled)
