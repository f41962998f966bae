"""Where records go, as the sender sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from langchain_label_studio.delivery.outbox import Record


class DeliveryFailedError(Exception):
    """A destination did not take what it was sent.

    Attributes:
        reason: Why, as text a person may read: never a payload or a secret.
        status: The answer's HTTP status, or None where no answer came.
        maybe_stored: True where no answer came, but the request may have been carried out.
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
    """A destination took what it was sent, all but some records.

    Attributes:
        later: Seconds after which to try again, by the keys of those that wait for something else.
        refused: Why, by the keys of those that it will never take.
    """

    def __init__(self, *, later: Mapping[str, float], refused: Mapping[str, str]) -> None:
        super().__init__(f"{len(later)} have to wait, {len(refused)} are refused")
        self.later = later
        self.refused = refused


class Destination(Protocol):
    """Where records go. Called from one thread at a time."""

    def send(self, records: Sequence[Record]) -> None:
        """Store the records, and return once it is certain that they are stored whole.

        Raises:
            NotAllTakenError: All others are.
            DeliveryFailedError: That is not certain.
        """

    def find(self, records: Sequence[Record]) -> frozenset[str]:
        """Return the keys of those records that are stored already, making them whole if need be.

        Raises:
            DeliveryFailedError: The destination could not be asked.
        """

    def reset(self) -> None:
        """Forget connections and all that was learned about the destination."""
