"""`RecallableRuns`: excluded runs that a low rating brings back. They are kept in memory for an hour."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.json_safe import encode
from langchain_label_studio.types.run import RunFields

MAX_RECALLABLE_RUNS = 1000
MAX_RECALLABLE_BYTES = 32 * 2**20
MAX_RECALLABLE_AGE = 3600.0


@dataclass(frozen=True, slots=True)
class RecallableRun:
    """An excluded run that a low rating may bring back.

    Attributes:
        run_id: Its id.
        trace_id: The id of its trace.
        line: Its fields, as JSON.
        reason: The setting that excluded it.
        at: `time.monotonic()` when it was excluded.
    """

    run_id: str
    trace_id: str
    line: bytes
    reason: str
    at: float


class RecallableRuns(ForkSafe):
    """The runs that were excluded lately, bounded in number, bytes and age."""

    def _begin(self) -> None:
        super()._begin()  # a forked process begins without the runs: else both processes would record them
        self._runs: OrderedDict[str, RecallableRun] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._runs)

    def put(self, run: RunFields, reason: str) -> None:
        """Keep a run."""
        # A copy: the bytes of orjson keep unused memory, up to ten times their length.
        line = bytes(memoryview(encode(run)))
        left = RecallableRun(str(run["run_id"]), str(run["trace_id"]), line, reason, time.monotonic())
        size = len(line)  # not called below: a signal handler may record a run in a call, but not in `+=`
        with self._lock:
            self._pop(left.run_id)
            self._runs[left.run_id] = left
            self._size += size
            self._drop_oldest(left.at)

    def find(self, known: str) -> list[RecallableRun]:
        """Return the run with this id. If there is none, return the runs of the trace with this id."""
        with self._lock:
            self._drop_oldest(time.monotonic())
            if known in self._runs:
                return [self._runs[known]]
            return [left for left in self._runs.values() if left.trace_id == known]

    def remove(self, left: RecallableRun) -> bool:
        """Remove a run. Return False if another thread has removed it."""
        with self._lock:
            return self._pop(left.run_id)

    def _drop_oldest(self, now: float) -> None:
        while self._runs:
            run_id, oldest = next(iter(self._runs.items()))
            fits = len(self._runs) <= MAX_RECALLABLE_RUNS and self._size <= MAX_RECALLABLE_BYTES
            if fits and now - oldest.at <= MAX_RECALLABLE_AGE:
                break
            self._pop(run_id)

    def _pop(self, run_id: str) -> bool:
        left = self._runs.pop(run_id, None)
        size = len(left.line) if left else 0
        self._size -= size
        return left is not None
