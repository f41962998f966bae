"""What waits to be sent."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

MAX_BYTES = 512 * 2**20
MAX_RECORDS = 1_000_000
MAX_SEGMENT_BYTES = 4 * 2**20
MAX_REJECTED = 1_000


@dataclass(frozen=True, slots=True)
class Record:
    """One thing to send.

    Attributes:
        key: What the destination knows it by; two records with the same key are the same.
        body: The record itself.
    """

    key: str
    body: bytes


@dataclass(slots=True)
class Segment:
    """Records that are sent in one request.

    Attributes:
        records: The records, in the order in which they were appended.
        in_doubt: Whether they may have been stored already.
        since: `time.monotonic()` of its oldest record.
    """

    records: tuple[Record, ...]
    in_doubt: bool = False
    since: float = field(default_factory=time.monotonic)


class Outbox(Protocol):
    """Keeps records until they are removed. Appending is safe from any thread."""

    def append(self, record: Record) -> bool:
        """Take a record in; False where a bound is reached and it was refused."""

    def next_segment(self, max_records: int) -> Segment | None:
        """Return the oldest segment, the same until it is removed; None where nothing waits."""

    def mark_sending(self, segment: Segment) -> None:
        """Note that the segment is on its way: from now on its fate is in doubt."""

    def mark_unsent(self, segment: Segment) -> None:
        """Note that the segment was surely not stored."""

    def remove(self, segment: Segment) -> None:
        """Drop a segment whose every record is settled."""

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination will never take."""

    def abandon(self) -> None:
        """Leave what waits to the process this one was forked from."""

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest record that waits, or None."""

    def __len__(self) -> int:
        """Return how many records wait, the segment on its way among them."""


class MemoryOutbox:
    """An outbox in memory: what waits is lost with the process."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_records: int = MAX_RECORDS) -> None:
        self._max_bytes = max_bytes
        self._max_records = max_records
        # Reentrant: a signal handler or a finalizer may record a run in the middle of an append.
        self._lock = threading.RLock()
        self._waiting: deque[tuple[Record, float]] = deque()
        self._segment: Segment | None = None
        self._bytes = 0
        self.rejected: deque[tuple[Record, str]] = deque(maxlen=MAX_REJECTED)

    def append(self, record: Record) -> bool:
        """Take a record in; False where a bound is reached and it was refused."""
        with self._lock:
            if len(self) >= self._max_records or self._bytes + len(record.body) > self._max_bytes:
                return False
            self._bytes += len(record.body)
            self._waiting.append((record, time.monotonic()))
            return True

    def next_segment(self, max_records: int) -> Segment | None:
        """Return the oldest segment, the same until it is removed; None where nothing waits."""
        with self._lock:
            if self._segment is None and self._waiting:
                since = self._waiting[0][1]
                self._segment = Segment(tuple(self._seal(max_records)), since=since)
            return self._segment

    def _seal(self, max_records: int) -> list[Record]:
        records: list[Record] = []
        size = 0
        while self._waiting and len(records) < max_records:
            record, _ = self._waiting[0]
            size += len(record.body)
            if records and size > MAX_SEGMENT_BYTES:
                break
            self._waiting.popleft()
            records.append(record)
        return records

    def mark_sending(self, segment: Segment) -> None:
        """Note that the segment is on its way: from now on its fate is in doubt."""
        segment.in_doubt = True

    def mark_unsent(self, segment: Segment) -> None:
        """Note that the segment was surely not stored."""
        segment.in_doubt = False

    def remove(self, segment: Segment) -> None:
        """Drop a segment whose every record is settled."""
        with self._lock:
            self._segment = None
            self._bytes -= sum(len(record.body) for record in segment.records)

    def reject(self, record: Record, reason: str) -> None:
        """Set a record aside that the destination will never take."""
        self.rejected.append((record, reason))

    def abandon(self) -> None:
        """Leave what waits to the process this one was forked from."""
        self._lock = threading.RLock()
        self._waiting.clear()
        self._segment = None
        self._bytes = 0

    def oldest(self) -> float | None:
        """Return `time.monotonic()` of the oldest record that waits, or None."""
        with self._lock:
            if self._segment:
                return self._segment.since
            return self._waiting[0][1] if self._waiting else None

    def __len__(self) -> int:
        return len(self._waiting) + (len(self._segment.records) if self._segment else 0)
