"""A journal, and memory for what the disk does not take."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_label_studio.delivery.disk_outbox import LOOK_AGAIN, DiskOutbox
from langchain_label_studio.delivery.memory_outbox import MemoryOutbox
from langchain_label_studio.delivery.outbox import Batch, Outbox, Record
from langchain_label_studio.support.log import ThrottledLog


class FallbackOutbox:
    """A journal; while the disk takes nothing, records wait in memory instead of being lost.

    Attributes:
        directory: Where the journal is.
        batch_size: Records in a batch, at most.
    """

    def __init__(self, journal: DiskOutbox, memory: MemoryOutbox) -> None:
        self.directory = journal.directory
        self.batch_size = journal.batch_size
        self._journal = journal
        self._memory = memory
        self._from_memory: Batch | None = None
        self._log = ThrottledLog()

    @property
    def appended(self) -> int:
        """How many records were ever taken in."""
        return self._journal.appended + self._memory.appended

    @property
    def recovered(self) -> int:
        """How many it recovered: records of processes that ended."""
        return self._journal.recovered

    @property
    def postponed(self) -> int:
        """How many are kept for later."""
        return self._journal.postponed + self._memory.postponed

    @property
    def own_postponed(self) -> int:
        """How many of these it took in itself."""
        return self._journal.own_postponed + self._memory.own_postponed

    def append(self, body: bytes) -> int:
        """Take a record in; 0 where a bound is reached and it was refused."""
        try:
            return self._journal.append(body)
        except OSError as error:
            self._log.warning(
                "disk",
                "Runs cannot be written to %s (%s): they wait in memory, and are lost if the program dies. "
                "Make room or make it writable, or set another directory with outbox_dir= or "
                "LABEL_STUDIO_OUTBOX_DIR.",
                self.directory,
                error.strerror,
            )
            return self._memory.append(body)

    def next_batch(self) -> Batch | None:
        """Return the batch to send next, the same until it is removed; None where nothing waits."""
        if self._from_memory is None:
            # What is in memory first: it is the one that can be lost.
            self._from_memory = self._memory.next_batch()
        return self._from_memory or self._journal.next_batch()

    def _keeper(self, batch: Batch) -> Outbox:
        return self._memory if batch is self._from_memory else self._journal

    def mark_sending(self, batch: Batch) -> None:
        """Note, for whoever finds the batch after a crash, that some of it may be stored."""
        self._keeper(batch).mark_sending(batch)

    def mark_unsent(self, batch: Batch) -> None:
        """Note that surely nothing of the batch is stored."""
        self._keeper(batch).mark_unsent(batch)

    def remove(self, batch: Batch) -> None:
        """Drop a batch whose every record is settled."""
        self._keeper(batch).remove(batch)
        if batch is self._from_memory:
            self._from_memory = None

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination will never take."""
        try:
            self._journal.reject(record, reason)
        except OSError as error:
            # A bad record must not hold up the others until there is room again.
            self._memory.reject(record, reason)
            self._log.warning("rejected", "A refused run cannot be kept on the disk (%s).", error.strerror)

    def postpone(self, records: Sequence[Record], *, seconds: float, recovered: bool) -> None:
        """Keep records for later, besides their batch."""
        # Where the disk does not take them their batch stays, and is tried again.
        keeper: Outbox = self._memory if self._from_memory else self._journal
        keeper.postpone(records, seconds=seconds, recovered=recovered)

    def resume(self) -> None:
        """Let wait once more, though it is not yet time, what it took in itself and was postponed."""
        self._journal.resume()
        self._memory.resume()

    def recover(self) -> float:
        """Recover orphaned records, and those whose postponement is over."""
        wait = self._memory.recover()
        return min(self._journal.recover(), LOOK_AGAIN if wait is None else wait)

    def abandon(self) -> None:
        """Leave what waits to the process this one was forked from."""
        self._journal.abandon()
        self._memory.abandon()
        self._from_memory = None

    def release(self) -> None:
        """Let go of what is not needed while nothing waits."""
        self._journal.release()

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest record that waits, or None."""
        known = (self._journal.oldest(), self._memory.oldest())
        return min((since for since in known if since is not None), default=None)

    def __len__(self) -> int:
        return len(self._journal) + len(self._memory)
