"""Runs in flight: the bounded table of them."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.types.run import RunFields

MAX_OPEN_RUNS = 10_000
MAX_OPEN_CHARACTERS = 256 * 2**20
MAX_RUN_AGE = 3600.0
MAX_ANCESTORS = 100_000


@dataclass(slots=True)
class StartedRun:
    """What is known of a run before its end.

    Attributes:
        fields: The values that its start event gave.
        clock: `time.perf_counter()` at its start.
        size: How many characters of the conversation it keeps.
        batch_size: How many prompts went to the model in one request.
        excluded: Whether it belongs to an excluded trace, so that nothing more is known of it.
    """

    fields: RunFields
    clock: float
    size: int = 0
    batch_size: int = 1
    excluded: bool = False

    def finish(self, known_now: RunFields) -> RunFields:
        """Return the run as it ended; it is not to be started again."""
        if "started_at" in self.fields:
            known_now["latency_ms"] = int((time.perf_counter() - self.clock) * 10_000) / 10
        self.fields.update(known_now)
        return self.fields


class RunTable(ForkSafe):
    """Runs in flight, their ancestors, and the runs that ended lately. Bounded; safe in threads.

    LangChain may deliver a start or an end twice, an end without a start, and never deliver an end.
    """

    def __init__(self, *, max_open: int = MAX_OPEN_RUNS, max_age: float = MAX_RUN_AGE) -> None:
        self._max_open = max_open
        self._max_age = max_age
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._open: OrderedDict[UUID, StartedRun] = OrderedDict()
        self._size = 0
        self._ended: BoundedDict[UUID, None] = BoundedDict(self._max_open)
        self._roots: BoundedDict[UUID, UUID] = BoundedDict(MAX_ANCESTORS)

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, run_id: UUID, parent_run_id: UUID | None) -> None:
        """Note a chain, tool or retriever, so that runs inside it find their root."""
        with self._lock:
            self._roots[run_id] = self.root(run_id, parent_run_id)

    def leave(self, run_id: UUID) -> None:
        """Forget a chain, tool or retriever that ended."""
        with self._lock:
            self._roots.pop(run_id, None)

    def root(self, run_id: UUID, parent_run_id: UUID | None) -> UUID:
        """Return the outermost run known above a run."""
        if parent_run_id is None:
            return run_id
        return self._roots.get(parent_run_id, parent_run_id)

    def start(self, run_id: UUID, started: StartedRun) -> list[StartedRun]:
        """Note a run's start; a second start of the same run is ignored.

        Returns:
            Runs that are given up, because their end is overdue or the table is full.
        """
        with self._lock:
            if run_id not in self._ended and self._open.setdefault(run_id, started) is started:
                self._size += started.size
            return self._overdue(started.clock)

    def end(self, run_id: UUID) -> tuple[StartedRun | None, bool]:
        """Note a run's end.

        Returns:
            The run as it started (None where its start never came), and whether this is its first end.
        """
        with self._lock:
            started = self._open.pop(run_id, None)
            first = started is not None or run_id not in self._ended
            self._note_end(run_id, started)
            return started, first

    def _overdue(self, now: float) -> list[StartedRun]:
        given_up = []
        while self._open:
            try:
                oldest = next(iter(self._open.values()))
            except (RuntimeError, StopIteration):
                break  # a signal handler recorded a run just now; the next start looks again
            fits = len(self._open) <= self._max_open and self._size <= MAX_OPEN_CHARACTERS
            if fits and now - oldest.clock <= self._max_age:
                break
            run_id, _ = self._open.popitem(last=False)
            self._note_end(run_id, oldest)
            given_up.append(oldest)
        return given_up

    def _note_end(self, run_id: UUID, started: StartedRun | None) -> None:
        self._ended[run_id] = None
        if started:
            self._size -= started.size
