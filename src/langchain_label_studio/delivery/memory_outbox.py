"""`MemoryOutbox`: an outbox in memory, for processes that may not write to the disk."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_label_studio.delivery.outbox import (
    DAMAGED,
    MAX_BATCH_BYTES,
    MAX_BYTES,
    MAX_RECORDS,
    Batch,
    Record,
)

MAX_REJECTED = 1_000


@dataclass(frozen=True, slots=True)
class _Lines:
    """The records of one batch, as they were appended.

    Attributes:
        bodies: The records.
        since: `time.monotonic()` of the oldest one.
    """

    bodies: tuple[bytes, ...]
    since: float

    @property
    def size(self) -> int:
        """Their size in bytes."""
        return sum(map(len, self.bodies))


class MemoryOutbox:
    """An outbox in memory: pending records are lost with the process.

    Attributes:
        appended: Number of records that were ever appended.
        recovered: Always 0: no other process sees its records.
        postponed: Number of postponed records.
        own_postponed: The same.
        directory: None: its records do not outlive the process.
        batch_size: Maximum number of records in a batch.
        rejected: The last rejected records, with the reason.
    """

    recovered = 0
    directory = None

    def __init__(
        self,
        *,
        key_of: Callable[[bytes], str],
        batch_size: int = 500,
        max_bytes: int = MAX_BYTES,
        max_records: int = MAX_RECORDS,
    ) -> None:
        """Make an empty outbox.

        Args:
            key_of: Returns the key of a record. Raises ValueError if its argument is not a record.
            batch_size: Maximum number of records in a batch.
            max_bytes: Maximum size of all pending records.
            max_records: Maximum number of pending records.
        """
        self._key_of = key_of
        self.batch_size = batch_size
        self._max_bytes = max_bytes
        self._max_records = max_records
        self.rejected: deque[tuple[Record, str]] = deque(maxlen=MAX_REJECTED)
        self.abandon()

    def abandon(self) -> None:
        """Leave the pending records to the parent process."""
        # Reentrant: a signal handler or a finalizer may record a run in the middle of an append.
        self._lock = threading.RLock()
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._batch: Batch | None = None
        self._count = 0
        self._bytes = 0
        self._later: dict[float, tuple[float, list[bytes]]] = {}
        self._resumed: deque[_Lines] = deque()
        self.appended = 0
        self.postponed = 0

    def append(self, body: bytes) -> int:
        """Append a record. Return the number of pending records, or 0 if the outbox is full."""
        size = len(body)  # not called below: a signal handler may record a run in a call, but not in `+=`
        with self._lock:
            if self._count >= self._max_records or self._bytes + size > self._max_bytes:
                return 0
            entry = (body, time.monotonic())
            # Ctrl-C may come at the end of every call. So the only call comes last.
            self._bytes += size
            self._count += 1
            self.appended += 1
            self._waiting.append(entry)
            return self._count

    def next_batch(self) -> Batch | None:
        """Return the oldest batch: the same batch until it is removed or deferred. None if there is none."""
        with self._lock:
            if self._batch is None and self._resumed:
                self._batch = self._read(self._resumed.popleft())
            if self._batch is None and self._waiting:
                self._batch = self._read(self._seal())
            return self._batch

    def upcoming(self) -> tuple[bytes, ...]:
        """Return nothing: more records may come into the next batch."""
        return ()

    def _seal(self) -> _Lines:
        since = self._waiting[0][1]
        bodies: list[bytes] = []
        size = 0
        while self._waiting and len(bodies) < self.batch_size:
            size += len(self._waiting[0][0])
            if bodies and size > MAX_BATCH_BYTES:
                break
            bodies.append(self._waiting.popleft()[0])
        return _Lines(tuple(bodies), since)

    def _read(self, lines: _Lines) -> Batch:
        records = []
        for body in lines.bodies:
            try:
                records.append(Record(self._key_of(body), body))
            except ValueError:
                self.rejected.append((Record("", body), DAMAGED))
        return Batch(tuple(records), set_aside=len(lines.bodies) - len(records), place=lines)

    def mark_sending(self, batch: Batch, *, note: str) -> None:
        """Keep the note. No process finds the batch after a crash."""
        batch.note = note

    def note(self, batch: Batch, note: str) -> None:
        """Replace the note."""
        batch.note = note

    def mark_unsent(self, batch: Batch) -> None:
        """Do nothing: no process finds the batch after a crash."""

    def defer(self, batch: Batch) -> None:
        """Let other batches come before this one."""
        with self._lock:
            if self._batch is batch:
                self._batch = None

    def remove(self, batch: Batch) -> None:
        """Drop a batch after all its records were settled."""
        self.defer(batch)
        with self._lock:
            self._count -= len(batch.place.bodies)
            self._bytes -= batch.place.size

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination refuses for good."""
        self.rejected.append((record, reason))

    @property
    def in_memory(self) -> int:
        """Number of pending records, which are all in memory."""
        return self._count

    @property
    def own_postponed(self) -> int:
        """Number of postponed records."""
        return self.postponed

    def postpone(self, batch: Batch, records: Sequence[Record], *, seconds: float) -> None:  # noqa: ARG002 (all are own)
        """Keep records for later, apart from their batch."""
        with self._lock:
            at = time.monotonic() + seconds
            self._later.setdefault(seconds, (at, []))[1].extend(record.body for record in records)
            size, number = sum(len(record.body) for record in records), len(records)
            self._bytes += size
            self.postponed += number

    def resume(self) -> None:
        """Make all postponed records pending again, before their time."""
        self._resume(math.inf)

    def recover(self) -> float | None:
        """Make postponed records pending again when their time has come."""
        return self._resume(time.monotonic())

    def _resume(self, now: float) -> float | None:
        with self._lock:
            for seconds in [seconds for seconds, (at, _) in self._later.items() if at <= now]:
                at, due = self._later.pop(seconds)
                records = len(due)
                self.postponed -= records
                self._count += records
                for start in range(0, len(due), self.batch_size):
                    self._resumed.append(_Lines(tuple(due[start : start + self.batch_size]), at - seconds))
            return min((at - now for at, _ in self._later.values()), default=None)

    def release(self) -> None:
        """Do nothing: an idle outbox in memory holds no resources."""

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest pending record, or None."""
        with self._lock:
            on_its_way = [self._batch.place] if self._batch else []
            known = [lines.since for lines in (*on_its_way, *self._resumed)]
            if self._waiting:
                known.append(self._waiting[0][1])
            return min(known, default=None)

    def __len__(self) -> int:
        return self._count
