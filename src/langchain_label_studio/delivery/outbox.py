"""`Outbox`: the protocol of all outboxes, and its values `Record` and `Batch`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

MAX_BYTES = 512 * 2**20
MAX_RECORDS = 1_000_000
MAX_BATCH_BYTES = 4 * 2**20

DAMAGED = "damaged: not a record of a run"
"""The reason for a record that is set aside because its key cannot be read."""


@dataclass(frozen=True, slots=True)
class Record:
    """A run, or a piece of feedback, as bytes.

    Attributes:
        key: Its name at the destination. Two records with the same key are the same record.
        body: The record itself, without a line break in it.
    """

    key: str
    body: bytes


@dataclass(slots=True)
class Batch:
    """Records that are sent in one request.

    Attributes:
        records: The records, in the order in which they were appended.
        in_doubt: Whether its unsettled records may be stored already.
        recovered: Whether another process recorded them, and ended before it sent them.
        sent_at: `time.monotonic()` at the beginning of the request, if the batch is in doubt.
        note: The destination's note about the last request. Empty without one.
        set_aside: The number of further records that could not be read. They were set aside as rejected.
        place: Its place in the outbox. Only the outbox reads this.
    """

    records: tuple[Record, ...]
    in_doubt: bool = False
    recovered: bool = False
    sent_at: float = 0.0
    note: str = ""
    set_aside: int = 0
    place: Any = field(default=None, repr=False)


class Outbox(Protocol):
    """A store of records until they are settled.

    Any thread may append, also in a signal handler or a finalizer. Only one thread at a time calls the other methods.

    Attributes:
        appended: Number of records that were ever appended.
        recovered: Number of recovered records: their processes ended before they were sent.
        postponed: Number of postponed records, which do not count as pending here.
        own_postponed: Number of postponed records that this process recorded itself.
        in_memory: Number of pending records that end with the process.
        directory: The directory on the disk. None if its records do not outlive the process.
        batch_size: Maximum number of records in a batch.
    """

    @property
    def appended(self) -> int: ...  # noqa: D102 (see above)

    @property
    def recovered(self) -> int: ...  # noqa: D102

    @property
    def postponed(self) -> int: ...  # noqa: D102

    @property
    def own_postponed(self) -> int: ...  # noqa: D102

    @property
    def in_memory(self) -> int: ...  # noqa: D102

    @property
    def directory(self) -> str | None: ...  # noqa: D102

    @property
    def batch_size(self) -> int: ...  # noqa: D102

    def append(self, body: bytes) -> int:
        """Append a record.

        Args:
            body: The record, without a line break in it.

        Returns:
            The number of pending records. 0 if the outbox is full and the record was refused.
        """

    def next_batch(self) -> Batch | None:
        """Return the batch to send next: the same batch until it is removed or deferred. None if there is none."""

    def upcoming(self) -> Sequence[bytes]:
        """Return the bodies of a batch that waits behind the current one. Empty if none is known to be complete."""

    def defer(self, batch: Batch) -> None:
        """Let other batches come before this one. The caller keeps it, and removes it in the end."""

    def mark_sending(self, batch: Batch, *, note: str) -> None:
        """Note that some of the batch may be stored, for the process that finds it after a crash.

        Args:
            batch: The batch.
            note: The destination's note about the request. It replaces the batch's note.
        """

    def note(self, batch: Batch, note: str) -> None:
        """Replace the note of a batch that is marked as sending."""

    def mark_unsent(self, batch: Batch) -> None:
        """Note that certainly nothing of the batch is stored."""

    def remove(self, batch: Batch) -> None:
        """Drop a batch after all its records were settled."""

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination refuses for good."""

    def postpone(self, batch: Batch, records: Sequence[Record], *, seconds: float) -> None:
        """Keep records for later, apart from their batch. `recover` makes them pending again when their time has come.

        Args:
            batch: The batch of the records.
            records: The records.
            seconds: The seconds until they are pending again.
        """

    def resume(self) -> None:
        """Make the own postponed records pending again, before their time."""

    def recover(self) -> float | None:
        """Recover orphaned records. Make postponed records pending again when their time has come.

        Returns:
            The seconds until the next look. None if there will be nothing to find.
        """

    def abandon(self) -> None:
        """Leave the pending records to the parent process, and begin with an empty outbox."""

    def release(self) -> None:
        """Free the resources that an idle outbox does not need."""

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest pending record, or None."""

    def __len__(self) -> int:
        """Return the number of pending records, those of the current batch included."""
