"""`Destination`: the protocol of everything that a sender sends to, and the errors it may raise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from langchain_label_studio.delivery.outbox import Record


class DeliveryFailedError(Exception):
    """A destination did not take the records of a request.

    Attributes:
        reason: The reason, as a text for people. It never holds a payload or a secret.
        status: The HTTP status of the answer, or None if there was no answer.
        maybe_stored: Whether the records may be stored although there was no answer.
        ended: Whether the destination itself ended the request. Otherwise it may store the records later.
        retry_after: Seconds the destination asked to wait, or None.
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        maybe_stored: bool = False,
        ended: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.maybe_stored = maybe_stored
        self.ended = ended
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


class StillWorkingError(Exception):
    """A destination took the records of a request, and stores them later. Ask it with `find`.

    Attributes:
        note: The note for `find`, in place of the note from before the request.
        what: The work, as a text for people, such as "import 17".
    """

    def __init__(self, *, note: str, what: str) -> None:
        super().__init__(what)
        self.note = note
        self.what = what


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer of a destination to the question which records it has.

    Attributes:
        keys: The keys of the records that are stored.
        ended: Whether the request has certainly ended. Then no other record of it will be stored.
        refused: The reason why the destination refused the request. Empty if it is not known to have refused it.
    """

    keys: frozenset[str]
    ended: bool = False
    refused: str = ""


Upcoming = Callable[[], Sequence[bytes]]
"""A function that returns the bodies of records: see `Outbox.upcoming`."""


class Destination(Protocol):
    """The receiver of records. Only one thread at a time calls it."""

    def grace(self, *, note: str) -> float:
        """Return the seconds for which it may still work on a request without an answer.

        Args:
            note: The last note about the request. Empty if it is lost.
        """

    def note(self, records: Sequence[Record]) -> str:
        """Return a note about the next request. After a crash, another process gives it to `find`.

        It has 200 characters at most. It is empty if there is nothing to note.

        Args:
            records: The records of the request.

        Raises:
            DeliveryFailedError: The destination could not be asked for what it has to note. Nothing was sent.
        """

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:
        """Store the records, and return when they are certainly stored whole.

        Args:
            records: The records.
            upcoming: Returns the bodies of records that are likely to be sent next, to get them ready.

        Raises:
            NotAllTakenError: Some records are not stored. All others are.
            StillWorkingError: They will be stored later, or refused.
            DeliveryFailedError: It is not certain that they are stored.
        """

    def find(self, records: Sequence[Record], *, note: str) -> Found:
        """Return the keys of the records that are stored already. Complete the records that are not stored whole.

        Args:
            records: The records.
            note: The last note about their request. Empty if it is lost.

        Raises:
            StillWorkingError: The destination still works on the request, or on the completion.
            DeliveryFailedError: The destination could not be asked.
        """

    def reset(self) -> None:
        """Close connections, and forget all that is known about the destination."""
