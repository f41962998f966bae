"""`RunTable`: the runs that have started and not ended, bounded in number, size and age."""

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
    """A run before its end.

    Attributes:
        fields: The values that its start event gave.
        clock: `time.perf_counter()` at its start.
        size: The characters of its conversation.
        batch_size: The number of prompts in the request to the model.
        excluded: Whether its trace is excluded. Then nothing else of it is kept.
    """

    fields: RunFields
    clock: float
    size: int = 0
    batch_size: int = 1
    excluded: bool = False

    def finish(self, known_now: RunFields) -> RunFields:
        """Return the run as it ended, given the fields of its end. Call it once."""
        if "started_at" in self.fields:
            known_now["latency_ms"] = int((time.perf_counter() - self.clock) * 10_000) / 10
        self.fields.update(known_now)
        return self.fields


class RunTable(ForkSafe):
    """The open runs, their ancestors, and the runs that ended lately. Several threads may use it.

    LangChain may report a start or an end twice, an end without a start, and a start without an end.
    """

    def _begin(self) -> None:
        super()._begin()
        self._open: OrderedDict[UUID, StartedRun] = OrderedDict()
        self._size = 0
        self._ended: BoundedDict[UUID, None] = BoundedDict(MAX_OPEN_RUNS)
        self._roots: BoundedDict[UUID, UUID] = BoundedDict(MAX_ANCESTORS)

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, run_id: UUID, parent_run_id: UUID | None) -> None:
        """Note the start of a chain, a tool or a retriever, so that the runs in it find their trace."""
        with self._lock:
            self._roots[run_id] = self.root(run_id, parent_run_id)

    def leave(self, run_id: UUID) -> None:
        """Forget a chain, a tool or a retriever that ended."""
        with self._lock:
            self._roots.pop(run_id, None)

    def root(self, run_id: UUID, parent_run_id: UUID | None) -> UUID:
        """Return the outermost run that is known above a run."""
        if parent_run_id is None:
            return run_id
        return self._roots.get(parent_run_id, parent_run_id)

    def start(self, run_id: UUID, started: StartedRun) -> list[StartedRun]:
        """Note the start of a run. A second start of the same run is ignored.

        Returns:
            The runs that are given up, because they are too old or too many.
        """
        with self._lock:
            if run_id not in self._ended and self._open.setdefault(run_id, started) is started:
                self._size += started.size
            return self._overdue(started.clock)

    def end(self, run_id: UUID) -> tuple[StartedRun | None, bool]:
        """Note the end of a run.

        Returns:
            The run as it started, or None if it never started. And whether this is its first end.
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
            fits = len(self._open) <= MAX_OPEN_RUNS and self._size <= MAX_OPEN_CHARACTERS
            if fits and now - oldest.clock <= MAX_RUN_AGE:
                break
            run_id, _ = self._open.popitem(last=False)
            self._note_end(run_id, oldest)
            given_up.append(oldest)
        return given_up

    def _note_end(self, run_id: UUID, started: StartedRun | None) -> None:
        self._ended[run_id] = None
        if started:
            self._size -= started.size
