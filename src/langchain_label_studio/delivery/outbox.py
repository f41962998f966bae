"""What waits to be sent: the values, and what an outbox has to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

MAX_BYTES = 512 * 2**20
MAX_RECORDS = 1_000_000
MAX_BATCH_BYTES = 4 * 2**20

DAMAGED = "damaged: not a record of a run"
"""Why a record is set aside of which the key cannot be read."""


@dataclass(frozen=True, slots=True)
class Record:
    """One thing to send.

    Attributes:
        key: What the destination knows it by; two records with the same key are the same.
        body: The record itself, without a line break in it.
    """

    key: str
    body: bytes


@dataclass(slots=True)
class Batch:
    """Records that are sent in one request.

    Attributes:
        records: The records, in the order in which they were appended.
        in_doubt: Whether those that are not settled may have been stored already.
        recovered: Whether another process recorded them, and ended before it sent them.
        set_aside: How many more there were that could not be read, and are among the rejected now.
        place: Where its outbox keeps it.
    """

    records: tuple[Record, ...]
    in_doubt: bool = False
    recovered: bool = False
    set_aside: int = 0
    place: Any = field(default=None, repr=False)


class Outbox(Protocol):
    """Keeps records until they are removed.

    Appending is safe from any thread, in a signal handler and in a finalizer; the rest is called by
    one thread at a time.

    Attributes:
        appended: How many records it ever took in.
        recovered: How many it recovered: records of processes that ended.
        postponed: How many are kept for later: they are not among those that wait.
        own_postponed: How many of these it took in itself.
        directory: Where records outlive the process, or None where they do not.
        batch_size: How many records are in a batch, at most.
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
    def directory(self) -> str | None: ...  # noqa: D102

    @property
    def batch_size(self) -> int: ...  # noqa: D102

    def append(self, body: bytes) -> int:
        """Take a record in.

        Args:
            body: The record, without a line break in it.

        Returns:
            How many records wait now; 0 where a bound is reached and it was refused.
        """

    def next_batch(self) -> Batch | None:
        """Return the batch to send next, the same until it is removed; None where nothing waits."""

    def mark_sending(self, batch: Batch) -> None:
        """Note, for whoever finds the batch after a crash, that some of it may be stored."""

    def mark_unsent(self, batch: Batch) -> None:
        """Note that surely nothing of the batch is stored."""

    def remove(self, batch: Batch) -> None:
        """Drop a batch whose every record is settled."""

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination will never take."""

    def postpone(self, records: Sequence[Record], *, seconds: float, recovered: bool) -> None:
        """Keep records for later, besides their batch: when it is time, `recover` lets them wait once more.

        Args:
            records: The records.
            seconds: How long.
            recovered: Whether their batch is.
        """

    def resume(self) -> None:
        """Let wait once more, though it is not yet time, what it took in itself and was postponed."""

    def recover(self) -> float | None:
        """Recover orphaned records, and those whose postponement is over.

        Returns:
            Seconds after which to look again; None where there will be nothing.
        """

    def abandon(self) -> None:
        """Leave what waits to the process this one was forked from."""

    def release(self) -> None:
        """Let go of what is not needed while nothing waits."""

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest record that waits, or None."""

    def __len__(self) -> int:
        """Return how many records wait, the batch on its way among them."""
