"""`DiskOutbox`: an outbox on the disk. It has the lane of this process, and the lanes that this process recovered.

<directory>/
    lanes/       a lane for each living sender, and the orphaned lanes
    rejected/    the rejected records, one file each
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from langchain_label_studio.delivery import rejected
from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.lane_files import CUT_OFF, BatchFile, lanes_in, seconds_since
from langchain_label_studio.delivery.orphaned_lanes import OrphanedLanes
from langchain_label_studio.delivery.outbox import (
    DAMAGED,
    MAX_BATCH_BYTES,
    MAX_BYTES,
    MAX_RECORDS,
    Batch,
    Record,
)
from langchain_label_studio.delivery.postponed_lanes import PostponedLanes
from langchain_label_studio.support.log import ThrottledLog, logger

LANES, REJECTED = "lanes", "rejected"


class DiskOutbox:
    """An outbox on the disk. An appended record survives the process.

    Attributes:
        appended: The number of records that were ever appended.
        recovered: The number of recovered records.
        postponed: The number of postponed records.
        own_postponed: The number of postponed records that this process recorded itself.
        directory: Its directory.
        batch_size: The maximum number of records in a batch.
    """

    def __init__(
        self,
        directory: Path,
        *,
        key_of: Callable[[bytes], str],
        prepare: Callable[[], None] = lambda: None,
        power: bool = False,
        batch_size: int = 500,
        max_bytes: int = MAX_BYTES,
        max_records: int = MAX_RECORDS,
    ) -> None:
        """Make an outbox. It writes nothing before the first record.

        Args:
            directory: Its directory. Other processes may use the directory, too.
            key_of: Returns the key of a record. Raises ValueError if its argument is not a record.
            prepare: Called before a lane is made.
            power: Whether a record survives a loss of power. That costs one write to the disk for each record.
            batch_size: The maximum number of records in a batch.
            max_bytes: The maximum size of the pending records of all processes together. Rejected records have a bound
                of their own.
            max_records: The maximum number of pending records of this process.
        """
        self.directory = str(directory)
        self._lanes = directory / LANES
        self._rejected = directory / REJECTED
        self._key_of = key_of
        self._prepare = prepare
        self._power = power
        self.batch_size = batch_size
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._log = ThrottledLog()
        self._orphaned = OrphanedLanes(self._lanes, self._log)
        self._forget()

    def _forget(self) -> None:
        # Reentrant: a signal handler or a finalizer may record a run in the middle of an append.
        self._lock = threading.RLock()
        self._own: Lane | None = None
        self._recovered: list[Lane] = []
        self._later = PostponedLanes(self._new_lane)
        self._batch: Batch | None = None
        self._own_turn = False
        self._appending = False
        self._nested: list[bytes] = []
        self._count = 0
        self._bytes = 0
        self._bytes_of_others = 0
        self.appended = 0
        self.recovered = 0

    def append(self, body: bytes) -> int:
        """Append a record to this process's lane.

        Args:
            body: The record, without a line break in it.

        Returns:
            The number of pending records. 0 if the outbox is full and the record was refused.

        Raises:
            OSError: The disk does not take the record.
        """
        # All in one place, with few calls: the caller waits for this code with every run.
        line = body + b"\n"
        size = len(line)  # not called below: a signal handler may record a run in a call, but not in `+=`
        with self._lock:
            if (
                self._count >= self._max_records
                or self._bytes + self._bytes_of_others + size > self._max_bytes
            ):
                return 0
            if self._appending:
                # This very thread is in the middle of another append. That one appends this record afterwards.
                self._nested.append(body)
                return self._count + 1
            self._appending = True
            lane = self._own
            before = 0 if lane is None else lane.appended
            try:
                if lane is None:
                    lane = self._begin_own_lane()
                try:
                    lane.append(line)
                except FileNotFoundError:
                    lane = self._replace_own_lane()
                    before = lane.appended
                    lane.append(line)
            finally:
                # Ctrl-C may come at the end of every call. So the lane says what it has, and nothing is called here.
                self._appending = False
                if lane is not None and lane.appended > before:
                    self._count += 1
                    self._bytes += size
                    self.appended += 1
                if self._nested:
                    self._append_nested()
            return self._count

    def _append_nested(self) -> None:
        while True:
            # A check before is not enough: another append may come in between, and take it.
            try:
                body = self._nested.pop()
            except IndexError:
                return
            try:
                self.append(body)
            except OSError:
                self._nested.append(body)
                return

    def take_nested(self) -> list[bytes]:
        """Remove and return records that came in the middle of an append, and that the disk did not take."""
        nested, self._nested = self._nested, []
        return nested

    def _begin_own_lane(self) -> Lane:
        self._own = self._new_lane()
        return self._own

    def _new_lane(self) -> Lane:
        self._prepare()
        return Lane.create(
            self._lanes, max_records=self.batch_size, max_bytes=MAX_BATCH_BYTES, power=self._power
        )

    def _replace_own_lane(self) -> Lane:
        """Begin a new lane, because somebody deleted or moved this one, or its open batch."""
        old, self._own = self._own, None
        if old is not None:
            old.seal()
            if old.files:
                self._recovered.append(old)
            else:
                old.delete()
        self._log.warning(
            "gone", "Somebody deleted or moved the outbox %s. It is begun anew there.", self.directory
        )
        new = self._begin_own_lane()
        if old is not None and old.files and old.files[-1].content is not None:
            with suppress(OSError):  # then these records wait in memory
                self._move(old, old.files[-1], new)
        return new

    def _move(self, old: Lane, gone: BatchFile, new: Lane) -> BatchFile:
        """Write the records of a batch without a file into another lane."""
        assert gone.content is not None
        new.append(gone.content, records=gone.records)
        file = new.files[-1]
        file.since = gone.since
        self._bytes += file.size - gone.size
        old.files.remove(gone)
        self._delete_if_settled(old)
        return file

    def _delete_if_settled(self, lane: Lane) -> None:
        with self._lock:
            settled = lane is not self._own and not lane.files
            if settled:
                self._recovered.remove(lane)
        if settled:
            lane.delete()

    def next_batch(self) -> Batch | None:
        """Return the batch to send next: the same batch until it is removed. None if no record is pending.

        Raises:
            OSError: The batch cannot be read.
        """
        if self._batch is None:
            with self._lock:
                lane = self._choose_lane()
                if lane is None:
                    return None
                file = lane.files[0]
                if file.descriptor is not None:
                    lane.seal()
            # Without the lock: nobody appends to a sealed batch.
            self._batch = self._read(lane, file)
        return self._batch

    def _choose_lane(self) -> Lane | None:
        """Return the own lane and a recovered lane by turns. So neither waits for all records of the other."""
        own = self._own if self._own and self._own.files else None
        recovered = next((lane for lane in self._recovered if lane.files), None)
        self._own_turn = not self._own_turn
        return (own or recovered) if self._own_turn else (recovered or own)

    def _read(self, lane: Lane, file: BatchFile) -> Batch:
        try:
            *lines, rest = lane.read(file).split(b"\n")
        except FileNotFoundError:
            return self._gone(lane, file)
        self._count_more(lane, file, len(lines) - file.records)
        if rest:
            self._log.warning("cut", CUT_OFF, file.path)
        records, damaged = [], []
        for line in lines:
            try:
                records.append(Record(self._key_of(line), line))
            except ValueError:
                damaged.append(line)
        for line in damaged:
            rejected.set_aside(self._rejected, key="", body=line, reason=DAMAGED)
        missing = file.records - len(records)
        if missing:
            self._log.warning(
                "damaged",
                "%d runs of %s cannot be read: what is left is in %s.",
                missing,
                file.path,
                self._rejected,
            )
        return Batch(
            tuple(records),
            in_doubt=file.sending,
            recovered=lane.recovered,
            sent_at=time.monotonic() - seconds_since(lane.sending_since(file)) if file.sending else 0.0,
            note=lane.read_note(file) if file.sending else "",
            set_aside=missing,
            place=(lane, file),
        )

    def _gone(self, lane: Lane, file: BatchFile) -> Batch:
        self._log.warning(
            "lost",
            "%d runs are lost: somebody deleted or moved %s. They count as rejected.",
            file.records,
            file.path,
        )
        return Batch((), recovered=lane.recovered, set_aside=file.records, place=(lane, file))

    def _count_more(self, lane: Lane, file: BatchFile, records: int) -> None:
        """Count records that a second Ctrl-C kept from being counted."""
        if records > 0 and not lane.recovered:
            with self._lock:
                file.records += records
                self._count += records
                self.appended += records

    def mark_sending(self, batch: Batch, *, note: str) -> None:
        """Note that some of the batch may be stored, for the process that finds it after a crash.

        Raises:
            OSError: The batch could not be marked, so it must not be sent.
        """
        lane, file = batch.place
        try:
            lane.mark_sending(file, note=note)
        except FileNotFoundError:
            lane, file = batch.place = self._write_again(batch)
            lane.mark_sending(file, note=note)
        batch.note = note

    def note(self, batch: Batch, note: str) -> None:
        """Replace the note of a batch that is marked as sending."""
        batch.note = note
        lane, file = batch.place
        with suppress(OSError):  # then the process that finds the batch knows less, and waits longer
            lane.write_note(file, note)

    def _write_again(self, batch: Batch) -> tuple[Lane, BatchFile]:
        """Write a batch into a new lane, because somebody deleted its file."""
        old, gone = batch.place
        gone.content = b"".join(record.body + b"\n" for record in batch.records)
        new = self._new_lane()
        new.recovered = old.recovered
        with self._lock:
            try:
                self._recovered.append(new)
                records = len(batch.records)
                self._count += records - gone.records
                gone.records = records
                file = self._move(old, gone, new)
            except OSError:
                self._delete_if_settled(new)
                raise
        new.seal()
        return new, file

    def mark_unsent(self, batch: Batch) -> None:
        """Note that certainly nothing of the batch is stored."""
        lane, file = batch.place
        with suppress(OSError):  # then the batch stays in doubt, and that is not wrong
            lane.mark_unsent(file)

    def remove(self, batch: Batch) -> None:
        """Delete a batch after all its records were settled."""
        lane, file = batch.place
        with self._lock:
            self._batch = None
            self._count -= file.records
            self._bytes -= file.size
            lane.files.remove(file)
        try:
            lane.remove(file)
        except OSError as error:
            # The process that finds the file asks for its runs, and learns that they are stored.
            self._log.warning("remove", "%s was sent, but cannot be deleted: %s", file.path, error.strerror)
        self._delete_if_settled(lane)
        if not self._recovered:
            self._take_over(self._orphaned.recover_more(owned=0))

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination refuses for good.

        Raises:
            OSError: The disk does not take the record.
        """
        rejected.set_aside(self._rejected, key=record.key, body=record.body, reason=reason)

    def postpone(self, records: Sequence[Record], *, seconds: float, recovered: bool) -> None:
        """Keep records for later, apart from their batch.

        Args:
            records: The records.
            seconds: The seconds until they are pending again.
            recovered: Whether another process had recorded them.

        Raises:
            OSError: The disk does not take the records.
        """
        with self._lock:
            size = self._later.add(records, seconds=seconds, recovered=recovered)
            self._bytes += size

    @property
    def postponed(self) -> int:
        """The number of postponed records."""
        return sum(lane.records for lane in self._later.lanes)

    @property
    def own_postponed(self) -> int:
        """The number of postponed records that this process recorded itself."""
        return sum(lane.records for lane in self._later.lanes if not lane.recovered)

    def resume(self) -> None:
        """Make the own postponed records pending again, before their time."""
        with self._lock:
            self._begin_anew(self._later.own())

    def _begin_anew(self, lanes: Iterable[Lane]) -> None:
        for lane in lanes:
            records = lane.records
            if records:
                self._count += records
                self._recovered.append(lane)
            else:
                lane.delete()

    def recover(self) -> float:
        """Recover orphaned lanes. Make postponed records pending again when their time has come.

        Returns:
            The seconds after which to look again.

        Raises:
            OSError: The directory cannot be read.
        """
        with self._lock:
            self._check_own_lane()
            self._begin_anew(self._later.due())
            wait = self._later.seconds_left()
        mine = {lane.path for lane in (self._own, *self._recovered, *self._later.lanes) if lane}
        self._take_over(self._orphaned.recover(except_for=mine, owned=len(self._recovered)))
        return min(wait, self._orphaned.look_again)

    def _check_own_lane(self) -> None:
        """Begin a new lane if somebody deleted or moved this one. While nothing is sent, nobody else may notice."""
        if self._own and self._own.files and not self._appending and not self._own.is_intact():
            self._appending = True
            try:
                self._replace_own_lane()
            finally:
                self._appending = False
                self._append_nested()

    def _take_over(self, orphaned: Iterable[Lane]) -> None:
        for lane in orphaned:
            records, size = lane.records, lane.size
            with self._lock:
                self._begin_anew([lane])
                self._bytes += size
                self.recovered += records
            logger.info("Recovered %d runs that another process had recorded, in %s.", records, lane.path)
        self._bytes_of_others = self._orphaned.bytes_left

    def abandon(self) -> None:
        """Leave the pending records to the parent process."""
        for lane in (self._own, *self._recovered, *self._later.lanes):
            if lane:
                lane.disown()
        self._forget()

    def release(self) -> None:
        """Delete the own lane if it is empty."""
        with self._lock:
            if self._own and not self._own.files and not self._appending:
                self._own.delete()
                self._own = None

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest pending record, or None."""
        with self._lock:
            lanes = [lane for lane in (self._own, *self._recovered) if lane and lane.files]
            return min((lane.files[0].since for lane in lanes), default=None)

    def __len__(self) -> int:
        return self._count


def has_lanes(directory: Path) -> bool:
    """Return whether an outbox has lanes, of living or of dead processes."""
    return bool(lanes_in(directory / LANES))
