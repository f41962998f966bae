"""`FallbackOutbox`: an outbox on the disk. While the disk takes no record, it keeps records in memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from langchain_label_studio.delivery.disk_outbox import DiskOutbox
from langchain_label_studio.delivery.lanes_in_use import PATIENCE
from langchain_label_studio.delivery.memory_outbox import MemoryOutbox
from langchain_label_studio.delivery.orphaned_lanes import LOOK_AGAIN
from langchain_label_studio.delivery.outbox import Batch, Outbox, Record

LONGEST_REST = 60.0
"""The seconds for which a disk that stalls gets no record at most. The first rest is as long as the stall."""

_LITTLE_PATIENCE = PATIENCE / 10


class FallbackOutbox:
    """An outbox on the disk. While the disk takes no record, records wait in memory. So they are not lost at once.

    Attributes:
        directory: The directory of the outbox on the disk.
        batch_size: Maximum number of records in a batch.
    """

    def __init__(self, disk: DiskOutbox, memory: MemoryOutbox) -> None:
        self.directory = disk.directory
        self.batch_size = disk.batch_size
        self._disk = disk
        self._appender = disk.appender
        self._memory = memory
        self._batch: Batch | None = None
        self._keepers: dict[int, Outbox] = {}
        self._log = disk.own_log
        self._disk_name = str(Path(disk.directory).parent)  # of all outboxes
        self._rest = 0.0
        self._rests_until = 0.0

    @property
    def appended(self) -> int:
        """Number of records that were ever appended."""
        return self._disk.appended + self._memory.appended

    @property
    def recovered(self) -> int:
        """Number of recovered records."""
        return self._disk.recovered

    @property
    def postponed(self) -> int:
        """Number of postponed records."""
        return self._disk.postponed + self._memory.postponed

    @property
    def in_memory(self) -> int:
        """Number of pending records that the disk did not take."""
        return len(self._memory)

    @property
    def own_postponed(self) -> int:
        """Number of postponed records that this process recorded itself."""
        return self._disk.own_postponed + self._memory.own_postponed

    def append(self, body: bytes) -> int:
        """Append a record. Return the number of pending records, or 0 if the outbox is full."""
        appender = self._appender
        if self._rest and time.monotonic() < self._rests_until:
            return self._append_to_memory(body)
        try:
            # A disk that had to rest may still stall.
            waiting = (
                appender.append(body, patience=_LITTLE_PATIENCE) if self._rest else appender.append(body)
            )
        except TimeoutError:
            self._let_rest(PATIENCE)
            return self._append_to_memory(body)
        except OSError as error:
            self._log.warning(
                "disk",
                "Runs cannot be written to %s (%s): they wait in memory, and are lost if the program dies. "
                "Make room or make it writable, or set another directory with outbox_dir= or "
                "LABEL_STUDIO_OUTBOX_DIR.",
                self.directory,
                error.strerror,
                in_common=f"{self._disk_name} {error.strerror}",
                reason=error.strerror,
            )
            return self._append_to_memory(body)
        if appender.took > PATIENCE:
            self._let_rest(appender.took)
            appender.took = 0.0  # a record that is refused takes no time
        elif self._rest:
            self._rest = 0.0
        return waiting and waiting + len(self._memory)

    def _append_to_memory(self, body: bytes) -> int:
        waiting = self._memory.append(body)
        for nested in self._appender.take_nested():
            self._memory.append(nested)
        return waiting and waiting + len(self._disk)

    def _let_rest(self, stalled: float) -> None:
        """Write nothing to the disk for a while, so that no thread waits for it again and again.

        Args:
            stalled: The seconds for which a thread has waited for the disk.
        """
        now = time.monotonic()
        if now >= self._rests_until:  # else another thread has waited for the same stall
            self._rest = min(max(stalled, 2 * self._rest), LONGEST_REST)
            self._rests_until = now + self._rest
        self._log.warning(
            "disk_stalls",
            "The disk stalls: a run waited %.1f s for %s. For a while, runs wait in memory instead, and are lost if the "
            "program dies. If it happens often, set a directory on another disk with outbox_dir= or "
            "LABEL_STUDIO_OUTBOX_DIR.",
            stalled,
            self.directory,
            in_common=self._disk_name,
        )

    def next_batch(self) -> Batch | None:
        """Return the batch to send next: the same batch until it is removed or deferred. None if there is none."""
        # Memory first, because only its records can be lost.
        for outbox in (self._memory, self._disk):
            if self._batch is None and (batch := outbox.next_batch()):
                self._batch = batch
                self._keepers[id(batch)] = outbox
        return self._batch

    def upcoming(self) -> Sequence[bytes]:
        """Return the bodies of a batch that waits on the disk behind the current one."""
        return self._disk.upcoming()

    def defer(self, batch: Batch) -> None:
        """Let other batches come before this one."""
        self._keeper(batch).defer(batch)
        if self._batch is batch:
            self._batch = None

    def _keeper(self, batch: Batch) -> Outbox:
        return self._keepers[id(batch)]

    def mark_sending(self, batch: Batch, *, note: str) -> None:
        """Note that some of the batch may be stored, for the process that finds it after a crash."""
        self._keeper(batch).mark_sending(batch, note=note)

    def note(self, batch: Batch, note: str) -> None:
        """Replace the note of a batch that is marked as sending."""
        self._keeper(batch).note(batch, note)

    def mark_unsent(self, batch: Batch) -> None:
        """Note that certainly nothing of the batch is stored."""
        self._keeper(batch).mark_unsent(batch)

    def remove(self, batch: Batch) -> None:
        """Drop a batch after all its records were settled."""
        self._keepers.pop(id(batch)).remove(batch)
        if self._batch is batch:
            self._batch = None

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination refuses for good."""
        try:
            self._disk.reject(record, reason)
        except OSError as error:
            # A bad record must not delay the others until the disk has room again.
            self._memory.reject(record, reason)
            self._log.warning(
                "rejected_in_memory",
                "A refused run cannot be kept on the disk (%s).",
                error.strerror,
                record_id=record.key,
                reason=error.strerror,
            )

    def postpone(self, batch: Batch, records: Sequence[Record], *, seconds: float) -> None:
        """Keep records for later, apart from their batch."""
        # If the disk does not take them, their batch stays, and is tried again.
        self._keeper(batch).postpone(batch, records, seconds=seconds)

    def resume(self) -> None:
        """Make the own postponed records pending again, before their time."""
        self._disk.resume()
        self._memory.resume()

    def recover(self) -> float:
        """Recover orphaned records. Make postponed records pending again when their time has come."""
        wait = self._memory.recover()
        return min(self._disk.recover(), LOOK_AGAIN if wait is None else wait)

    def abandon(self) -> None:
        """Leave the pending records to the parent process."""
        self._disk.abandon()
        self._memory.abandon()
        self._batch = None
        self._keepers = {}
        self._rest = self._rests_until = 0.0

    def release(self) -> None:
        """Free the resources that an idle outbox does not need."""
        self._disk.release()

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest pending record, or None."""
        known = (self._disk.oldest(), self._memory.oldest())
        return min((since for since in known if since is not None), default=None)

    def __len__(self) -> int:
        return len(self._disk) + len(self._memory)
