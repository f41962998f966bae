"""An outbox in memory."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from langchain_label_studio.delivery.outbox import MAX_BATCH_BYTES, MAX_BYTES, MAX_RECORDS, Batch, Record

MAX_REJECTED = 1_000


class MemoryOutbox:
    """An outbox in memory: what waits is lost with the process.

    Attributes:
        appended: How many records it ever took in.
        recovered: None: no other process sees them.
        postponed: How many are kept for later.
        own_postponed: The same.
        directory: None: they do not outlive the process.
        batch_size: Records in a batch, at most.
        rejected: The last records that were set aside, with the reason.
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
            key_of: Returns the key of a record.
            batch_size: Records in a batch, at most.
            max_bytes: Bytes that may wait.
            max_records: Records that may wait.
        """
        self._key_of = key_of
        self.batch_size = batch_size
        self._max_bytes = max_bytes
        self._max_records = max_records
        self.rejected: deque[tuple[Record, str]] = deque(maxlen=MAX_REJECTED)
        self.abandon()

    def abandon(self) -> None:
        """Leave what waits to the process this one was forked from."""
        # Reentrant: a signal handler or a finalizer may record a run in the middle of an append.
        self._lock = threading.RLock()
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._batch: Batch | None = None
        self._since = 0.0
        self._bytes = 0
        self._later: dict[float, tuple[float, list[Record]]] = {}
        self._back: deque[tuple[Record, ...]] = deque()
        self.appended = 0
        self.postponed = 0

    def append(self, body: bytes) -> int:
        """Take a record in; 0 where a bound is reached and it was refused."""
        with self._lock:
            if len(self) >= self._max_records or self._bytes + len(body) > self._max_bytes:
                return 0
            self._bytes += len(body)
            self._waiting.append((body, time.monotonic()))
            self.appended += 1
            return len(self)

    def next_batch(self) -> Batch | None:
        """Return the oldest batch, the same until it is removed; None where nothing waits."""
        with self._lock:
            if self._batch is None and self._back:
                self._since = time.monotonic()
                self._batch = Batch(self._back.popleft())
            if self._batch is None and self._waiting:
                self._since = self._waiting[0][1]
                self._batch = Batch(tuple(self._seal()))
            return self._batch

    def _seal(self) -> list[Record]:
        records: list[Record] = []
        size = 0
        while self._waiting and len(records) < self.batch_size:
            body, _ = self._waiting[0]
            size += len(body)
            if records and size > MAX_BATCH_BYTES:
                break
            self._waiting.popleft()
            records.append(Record(self._key_of(body), body))
        return records

    def mark_sending(self, batch: Batch) -> None:
        """Nobody finds a batch of this outbox after a crash."""

    def mark_unsent(self, batch: Batch) -> None:
        """Nobody finds a batch of this outbox after a crash."""

    def remove(self, batch: Batch) -> None:
        """Drop a batch whose every record is settled."""
        with self._lock:
            self._batch = None
            self._bytes -= sum(len(record.body) for record in batch.records)

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination will never take."""
        self.rejected.append((record, reason))

    @property
    def own_postponed(self) -> int:
        """How many are kept for later."""
        return self.postponed

    def postpone(self, records: Sequence[Record], *, seconds: float, recovered: bool) -> None:  # noqa: ARG002 (never)
        """Keep records for later, besides their batch."""
        with self._lock:
            at = time.monotonic() + seconds
            self._later.setdefault(seconds, (at, []))[1].extend(records)
            self._bytes += sum(len(record.body) for record in records)
            self.postponed += len(records)

    def resume(self) -> None:
        """Let wait once more, though it is not yet time, what was postponed."""
        self._resume(math.inf)

    def recover(self) -> float | None:
        """Let wait once more what was postponed until now; no other process leaves anything here."""
        return self._resume(time.monotonic())

    def _resume(self, now: float) -> float | None:
        with self._lock:
            for seconds in [seconds for seconds, (at, _) in self._later.items() if at <= now]:
                _, due = self._later.pop(seconds)
                self.postponed -= len(due)
                for start in range(0, len(due), self.batch_size):
                    self._back.append(tuple(due[start : start + self.batch_size]))
            return min((at - now for at, _ in self._later.values()), default=None)

    def release(self) -> None:
        """There is nothing to let go of."""

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest record that waits, or None."""
        with self._lock:
            if self._batch or self._back:
                return self._since
            return self._waiting[0][1] if self._waiting else None

    def __len__(self) -> int:
        on_its_way = len(self._batch.records) if self._batch else 0
        return len(self._waiting) + on_its_way + sum(map(len, self._back))
