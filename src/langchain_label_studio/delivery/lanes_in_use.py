"""`LanesInUse`: the lanes with the pending records of this process, and the numbers of these records."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.lane_files import BatchFile

PATIENCE = 0.5
"""The seconds for which a thread waits for the disk while another thread uses it. A longer write is a stall, too."""


class LanesInUse:
    """The lane to which this process appends, and the others: recovered ones, and those that somebody deleted or moved.

    Attributes:
        lock: Guards all the rest. A caller holds it while it changes an attribute. It may wait for the disk meanwhile.
        own: The lane for new records. None before the first one.
        others: The lanes that get no new records. Each has records.
        count: The number of pending records.
        bytes: Their size.
        appended: The number of records that were ever appended. While it grows, the disk does not stall: many wait for it.
    """

    def __init__(self) -> None:
        # Reentrant: a signal handler or a finalizer may record a run in the middle of an append.
        self.lock = threading.RLock()
        self.own: Lane | None = None
        self.others: list[Lane] = []
        self.count = 0
        self.bytes = 0
        self.appended = 0
        self._own_turn = False

    @property
    def all(self) -> list[Lane]:
        """All lanes."""
        return [lane for lane in (self.own, *self.others) if lane]

    @contextmanager
    def locked_soon(self) -> Iterator[None]:
        """Hold the lock during a block.

        Raises:
            TimeoutError: Another thread holds the lock, and waits for the disk, which takes no record.
        """
        try:
            appended = self.appended
            while not self.lock.acquire(timeout=PATIENCE):
                if self.appended == appended:
                    raise stalled()
                appended = self.appended
            yield
        finally:
            # The first call is the release: Ctrl-C may come at the end of any other one, also at that of `acquire`.
            try:  # noqa: SIM105
                self.lock.release()
            except RuntimeError:  # it was not acquired
                pass

    def add(self, lanes: Iterable[Lane], *, size: int = 0) -> None:
        """Add lanes. Their records are pending from now on.

        Args:
            lanes: The lanes. Those without records are deleted.
            size: The size of the records, unless it is counted already.
        """
        for lane in lanes:
            records = lane.records
            if records:
                self.count += records
                self.bytes += size
                self.others.append(lane)
            else:
                lane.delete()

    def choose(self) -> tuple[Lane, BatchFile] | None:
        """Return the next batch of the own lane and of another one by turns. So neither waits for all of the other.

        Returns:
            The lane, and its batch, which is closed now. None if there is none.
        """
        own = self.own if self.own and self.own.next_file else None
        other = next((lane for lane in self.others if lane.next_file), None)
        self._own_turn = not self._own_turn
        lane = (own or other) if self._own_turn else (other or own)
        file = lane.next_file if lane else None
        if lane is None or file is None:
            return None
        if file.descriptor is not None:
            lane.seal()
        return lane, file

    def leave_own(self) -> tuple[Lane, BatchFile] | None:
        """Append nothing to the own lane any more. Return it, with its open batch, if that one is not in its place."""
        lane, self.own = self.own, None
        if lane is None or not lane.files:
            if lane:
                lane.delete()
            return None
        last = lane.files[-1]
        was_open = last.descriptor is not None
        lane.seal()
        self.others.append(lane)
        return (lane, last) if was_open and last.content is not None else None

    def move(self, lane: Lane, file: BatchFile, to: Lane) -> BatchFile:
        """Write the content of a batch into another lane, because its file is gone, or is not in its place.

        Args:
            lane: The lane of the batch.
            file: The batch.
            to: The other lane.

        Raises:
            OSError: The disk does not take it. The batch is still in the first lane.
        """
        to.append(file.content or b"", records=file.records)
        moved = to.files[-1]
        moved.since = file.since
        self.bytes += moved.size - file.size
        lane.files.remove(file)
        with suppress(OSError):  # then its runs are sent once more if somebody moves the directory back
            lane.remove(file)
        self.delete_if_settled(lane)
        return moved

    def write_again(self, lane: Lane, file: BatchFile, records: Sequence[bytes], new: Lane) -> BatchFile:
        """Write a batch that was read into a new lane, because somebody deleted its file.

        Args:
            lane: The lane of the batch.
            file: The batch.
            records: Those of its records that could be read.
            new: The new lane. It gets no other records.

        Raises:
            OSError: The disk does not take it. The batch is still in the first lane, and the new one is deleted.
        """
        new.recovered = lane.recovered
        file.content = b"".join(record + b"\n" for record in records)
        count = len(records)
        self.count += count - file.records
        file.records = count
        try:
            moved = self.move(lane, file, new)
        except OSError:
            new.delete()
            raise
        self.others.append(new)
        new.seal()
        return moved

    def settle(self, file: BatchFile, lane: Lane) -> None:
        """Forget a batch whose records are settled."""
        self.count -= file.records
        self.bytes -= file.size
        lane.files.remove(file)

    def delete_if_settled(self, lane: Lane) -> None:
        """Delete a lane if no records are left in it, and no new ones come."""
        if lane is not self.own and not lane.files:
            self.others.remove(lane)
            lane.delete()

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest record. None without records. It does not need the lock."""
        known = [lane.since for lane in self.all]
        return min((since for since in known if since is not None), default=None)


def stalled() -> TimeoutError:
    """Return the error for a disk that does not answer in time."""
    return TimeoutError(errno.ETIMEDOUT, "it does not answer")
