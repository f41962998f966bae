"""`Destination`: the protocol of everything that a sender sends to, and the errors it may raise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from langchain_label_studio.delivery.outbox import Record


class DeliveryFailedError(Exception):
    """A destination did not take the records of a request.

    Attributes:
        reason: The reason, as a text for people. It never holds a payload or a secret.
        status: The HTTP status of the answer, or None if there was no answer.
        maybe_stored: Whether the records may be stored although there was no answer.
        retry_after: Seconds the destination asked to wait, or None.
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        maybe_stored: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.maybe_stored = maybe_stored
        self.retry_after = retry_after


class NotAllTakenError(Exception):
    """A destination did not take some records of a request. It took all others.

    Attributes:
        later: Seconds until the next attempt, by the key of each postponed record.
        refused: The reason, by the key of each record that is refused for good.
    """

    def __init__(self, *, later: Mapping[str, float], refused: Mapping[str, str]) -> None:
        super().__init__(f"{len(later)} have to wait, {len(refused)} are refused")
        self.later = later
        self.refused = refused


class Destination(Protocol):
    """The receiver of records. Only one thread at a time calls it."""

    def send(self, records: Sequence[Record]) -> None:
        """Store the records, and return when they are certainly stored whole.

        Raises:
            NotAllTakenError: Some records are not stored. All others are.
            DeliveryFailedError: It is not certain that they are stored.
        """

    def find(self, records: Sequence[Record]) -> frozenset[str]:
        """Return the keys of the records that are stored already. Complete the records that are not stored whole.

        Raises:
            DeliveryFailedError: The destination could not be asked.
        """

    def reset(self) -> None:
        """Close connections, and forget all that is known about the destination."""
