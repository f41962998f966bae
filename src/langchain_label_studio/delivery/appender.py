"""`Appender`: append the records of this process to its own lane, whatever interrupts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.lanes_in_use import PATIENCE, LanesInUse, stalled
from langchain_label_studio.support.log import ThrottledLog


class Appender:
    """Appends records to the own lane: the last part of a callback.

    Any thread may append, also in a signal handler or a finalizer. So a record may come in the middle of an append by the
    very same thread: it is nested, and follows that one.

    Attributes:
        took: The seconds that the last append took.
        bytes_of_others: The size of the pending records of other processes.
    """

    def __init__(
        self,
        *,
        create: Callable[[], Lane],
        max_bytes: int,
        max_records: int,
        directory: str,
        log: ThrottledLog,
    ) -> None:
        """Make an appender. `begin_with` gives it its lanes.

        Args:
            create: Makes a lane of this process.
            max_bytes: The maximum size of the pending records of all processes together.
            max_records: The maximum number of pending records of this process.
            directory: The directory of the outbox, for warnings.
            log: Takes the warnings.
        """
        self._create = create
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._directory = directory
        self._log = log

    def begin_with(self, pending: LanesInUse) -> None:
        """Begin, or begin anew in a forked process. The own lane is made with the first record.

        Args:
            pending: The lanes in use, with no own lane.
        """
        self._pending = pending
        self._appending = False
        self._nested: list[bytes] = []
        self.took = 0.0
        self.bytes_of_others = 0

    def append(self, body: bytes, *, patience: float = PATIENCE) -> int:
        """Append a record.

        Args:
            body: The record, without a line break in it.
            patience: The seconds to wait at most while another thread waits for the disk, and the disk takes no record.

        Returns:
            The number of pending records. 0 if the outbox is full and the record was refused.

        Raises:
            TimeoutError: The disk has not answered another thread in time.
            OSError: The disk does not take the record.
        """
        # With few calls: the caller waits for this code with every run. Ctrl-C, signal handlers and finalizers come at the
        # end of every call. So attributes that belong together are set without a call in between.
        line = body + b"\n"
        size = len(line)
        pending = self._pending
        lock = pending.lock
        try:
            appended = pending.appended
            while not lock.acquire(True, patience):  # noqa: FBT003 (the quicker call)
                if pending.appended == appended:
                    raise stalled()
                appended = pending.appended  # the disk answers: many threads wait for their turn
            if (
                pending.count >= self._max_records
                or pending.bytes + self.bytes_of_others + size > self._max_bytes
            ):
                return 0
            if self._appending:
                # This very thread is in the middle of another append. That one appends this record afterwards.
                self._nested.append(body)
                return pending.count + 1
            self._append(line, size)
            return pending.count
        finally:
            try:  # noqa: SIM105 (as in `locked_soon`, without its calls)
                lock.release()
            except RuntimeError:
                pass

    def _append(self, line: bytes, size: int) -> None:
        pending = self._pending
        self._appending = True
        lane = pending.own
        before = 0 if lane is None else lane.appended
        try:
            if lane is None:
                lane = self._begin_lane()
            try:
                self.took = lane.append(line)
            except FileNotFoundError:
                lane = self._replace_lane()
                before = lane.appended
                self.took = lane.append(line)
        finally:
            # Ctrl-C may have come at the very end. So the lane says what it has.
            self._appending = False
            if lane is not None and lane.appended > before:
                pending.count += 1
                pending.bytes += size
                pending.appended += 1
            if self._nested:
                self._append_nested()

    def _append_nested(self) -> None:
        while True:
            # A check before is not enough: another append may come in between, and take it.
            try:
                body = self._nested.pop()
            except IndexError:
                return
            line = body + b"\n"
            try:
                self._append(line, len(line))  # it was accepted: whether there is room is not asked again
            except OSError:
                self._nested.append(body)
                return

    def take_nested(self) -> Iterator[bytes]:
        """Remove and yield records that came in the middle of an append, and that the disk did not take."""
        with suppress(IndexError):  # another thread may take them, too
            while True:
                yield self._nested.pop()

    def _begin_lane(self) -> Lane:
        lane = self._pending.own = self._create()
        return lane

    def _replace_lane(self) -> Lane:
        """Begin a new lane, because somebody deleted or moved this one, or its open batch."""
        gone = self._pending.leave_own()
        self._log.warning(
            "outbox_gone",
            "Somebody deleted or moved the outbox %s. It is begun anew there.",
            self._directory,
            file=self._directory,
        )
        new = self._begin_lane()
        if gone:
            with suppress(OSError):  # then these records wait in memory
                self._pending.move(*gone, new)
        return new

    def check_lane(self) -> None:
        """Begin a new lane if somebody deleted or moved this one. While nothing is sent, nobody else may notice.

        Raises:
            OSError: A new lane cannot be made, or the disk does not answer.
        """
        with self._pending.locked_soon():
            own = self._pending.own
            if own and own.files and not self._appending and not own.is_intact():
                self._appending = True
                try:
                    self._replace_lane()
                finally:
                    self._appending = False
                    self._append_nested()

    def release(self) -> None:
        """Delete the lane if it is empty."""
        # On a disk that does not answer, it is left to other processes.
        with suppress(TimeoutError), self._pending.locked_soon():
            own = self._pending.own
            if own and not own.files and not self._appending:
                own.delete()
                self._pending.own = None
