"""`DiskOutbox`: an outbox on the disk. It hands out batches: of the lane of this process, and of lanes that it recovered.

`Appender` writes the records of this process into its lane.

<directory>/
    lanes/       a lane for each living sender, and the orphaned lanes
    rejected/    the rejected records, one file each
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from langchain_label_studio.delivery.appender import Appender
from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.lane_files import BatchFile, lanes_in
from langchain_label_studio.delivery.lanes_in_use import PATIENCE, LanesInUse
from langchain_label_studio.delivery.orphaned_lanes import OrphanedLanes
from langchain_label_studio.delivery.outbox import MAX_BATCH_BYTES, MAX_BYTES, MAX_RECORDS, Batch, Record
from langchain_label_studio.delivery.postponed_lanes import PostponedLanes
from langchain_label_studio.delivery.read_batch import read_batch
from langchain_label_studio.delivery.rejected_bound import RejectedBound
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.log import ThrottledLog

LANES, REJECTED = "lanes", "rejected"


class DiskOutbox:
    """An outbox on the disk. An appended record survives the process.

    Attributes:
        appender: It appends the records of this process.
        appended: The number of records that were ever appended.
        recovered: The number of recovered records.
        postponed: The number of postponed records.
        own_postponed: The number of postponed records that this process recorded itself.
        in_memory: Always 0: its records outlive the process.
        directory: Its directory.
        batch_size: The maximum number of records in a batch.
    """

    in_memory = 0

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
        log: ThrottledLog | None = None,
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
            log: Takes the warnings. None is a log of its own.
        """
        self.directory = str(directory)
        self._lanes = directory / LANES
        self._rejected = directory / REJECTED
        self._key_of = key_of
        self._prepare = prepare
        self._power = power
        self.batch_size = batch_size
        self.own_log = log or ThrottledLog(outbox=self.directory)
        self.appender = Appender(
            create=self._new_lane,
            max_bytes=max_bytes,
            max_records=max_records,
            directory=self.directory,
            log=self.own_log,
        )
        self._orphaned = OrphanedLanes(self._lanes, self.own_log)
        self._rejected_bound = RejectedBound(self._rejected, self.own_log)
        self._forget()

    def _forget(self) -> None:
        self._pending = LanesInUse()
        self.appender.begin_with(self._pending)
        self._later = PostponedLanes(self._new_lane)
        self._batch: Batch | None = None
        self.recovered = 0

    @property
    def appended(self) -> int:
        """The number of records that were ever appended."""
        return self._pending.appended

    def append(self, body: bytes, *, patience: float = PATIENCE) -> int:
        """Append a record to this process's lane. See `Appender.append`."""
        return self.appender.append(body, patience=patience)

    def _new_lane(self) -> Lane:
        self._prepare()
        return Lane.create(
            self._lanes, max_records=self.batch_size, max_bytes=MAX_BATCH_BYTES, power=self._power
        )

    def next_batch(self) -> Batch | None:
        """Return the batch to send next: the same batch until it is removed or deferred. None if there is none.

        Raises:
            OSError: The batch cannot be read, or the disk does not answer.
        """
        if self._batch is None:
            with self._pending.locked_soon():
                chosen = self._pending.choose()
            # Without the lock: nobody appends to a closed batch.
            self._batch = self._read(*chosen) if chosen else None
        return self._batch

    def upcoming(self) -> list[bytes]:
        """Return the bodies of the own batch that waits behind the current one, if no more records come into it."""
        try:
            with self._pending.locked_soon():
                lane = self._pending.own
                closed = [file for file in lane.files if file.descriptor is None] if lane else []
                current = self._batch.place[1] if self._batch else None
                file = next((file for file in closed if file is not current and not file.deferred), None)
            return lane.read(file).splitlines() if lane and file else []
        except OSError:  # `next_batch` says so
            return []

    def _read(self, lane: Lane, file: BatchFile) -> Batch:
        counted = file.records
        batch = read_batch(lane, file, key_of=self._key_of, reject=self.reject, own_log=self.own_log)
        with self._pending.lock:
            # Somebody pressed Ctrl-C again while the first one was handled.
            uncounted = file.records - counted
            self._pending.count += uncounted
            self._pending.appended += uncounted
        return batch

    def defer(self, batch: Batch) -> None:
        """Let other batches come before this one."""
        _, file = batch.place
        file.deferred = True
        if self._batch is batch:
            self._batch = None

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
        lane, file = batch.place
        new = self._new_lane()
        with self._pending.lock:
            return new, self._pending.write_again(lane, file, [record.body for record in batch.records], new)

    def mark_unsent(self, batch: Batch) -> None:
        """Note that certainly nothing of the batch is stored."""
        lane, file = batch.place
        with suppress(OSError):  # then the batch stays in doubt, and that is not wrong
            lane.mark_unsent(file)

    def remove(self, batch: Batch) -> None:
        """Delete a batch after all its records were settled."""
        lane, file = batch.place
        with self._pending.lock:
            if self._batch is batch:
                self._batch = None
            self._pending.settle(file, lane)
        try:
            lane.remove(file)
        except OSError as error:
            # The process that finds the file asks for its runs, and learns that they are stored.
            self.own_log.warning(
                "not_deleted",
                "%s was sent, but cannot be deleted: %s",
                file.path,
                error.strerror,
                file=str(file.path),
                reason=error.strerror,
            )
        with self._pending.lock:
            self._pending.delete_if_settled(lane)
        if not self._pending.others:
            self._take_over(self._orphaned.recover_more(owned=0))

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination refuses for good.

        Raises:
            OSError: The disk does not take the record.
        """
        with no_fork():  # few programs ever reject a record
            from langchain_label_studio.delivery.rejected import set_aside  # noqa: PLC0415
        size = set_aside(self._rejected, key=record.key, body=record.body, reason=reason)
        self._rejected_bound.added(size)

    def postpone(self, batch: Batch, records: Sequence[Record], *, seconds: float) -> None:
        """Keep records for later, apart from their batch.

        Raises:
            OSError: The disk does not take the records.
        """
        with self._pending.lock:
            size = self._later.add(records, seconds=seconds, recovered=batch.recovered)
            self._pending.bytes += size

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
        if self._later.lanes:
            # On a disk that does not answer, they stay for later.
            with suppress(TimeoutError), self._pending.locked_soon():
                self._pending.add(self._later.own())

    def recover(self) -> float:
        """Recover orphaned lanes. Make postponed records pending again when their time has come.

        Raises:
            OSError: The directory cannot be read.
        """
        self.appender.check_lane()
        with self._pending.locked_soon():
            self._pending.add(self._later.due())
            wait = self._later.seconds_left()
        mine = {lane.path for lane in (*self._pending.all, *self._later.lanes)}
        self._take_over(self._orphaned.recover(except_for=mine, owned=len(self._pending.others)))
        return min(wait, self._orphaned.look_again)

    def _take_over(self, orphaned: Iterable[Lane]) -> None:
        recovered, lanes = self.recovered, 0
        for lane in orphaned:
            records, size = lane.records, lane.size
            with self._pending.lock:
                self._pending.add([lane], size=size)
                self.recovered += records
            lanes += 1
        if lanes:  # one line for all of them: after a crash there may be many
            records = self.recovered - recovered
            self.own_log.info(
                "recovered",
                "Recovered %d runs that other processes had recorded, in %d lanes of %s.",
                records,
                lanes,
                self.directory,
                about=str(self.recovered),
                records=records,
            )
        self.appender.bytes_of_others = self._orphaned.bytes_left

    def abandon(self) -> None:
        """Leave the pending records to the parent process."""
        for lane in (*self._pending.all, *self._later.lanes):
            lane.disown()
        self._forget()

    def release(self) -> None:
        """Delete the own lane if it is empty."""
        self.appender.release()

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest pending record, or None."""
        return self._pending.oldest()

    def __len__(self) -> int:
        return self._pending.count


def has_lanes(directory: Path) -> bool:
    """Return whether an outbox has lanes, of living or of dead processes."""
    return bool(lanes_in(directory / LANES))
