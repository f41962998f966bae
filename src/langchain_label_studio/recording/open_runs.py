"""`RunTable`: the runs that have started and not ended, bounded in number, size and age."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.types.run import RunFields

MAX_OPEN_RUNS = 10_000
MAX_OPEN_CHARACTERS = 256 * 2**20
MAX_RUN_AGE = 3600.0
MAX_ANCESTORS = 100_000


_LOOK_EVERY = 1.0
"""Seconds between two looks for runs that are too old."""
_MAX_LATEST = 100
_MAX_OF_ONE_ID = 16
_numbers = itertools.count(1)
_latest: ContextVar[tuple[int, ...]] = ContextVar("langchain_label_studio_latest_starts", default=())
"""The numbers of the runs that started last in this thread or task, of all handlers. The tasks in which LangChain
reports ends see it."""


@dataclass(slots=True, eq=False)
class StartedRun:
    """A run before its end.

    Attributes:
        fields: The values that its start event gave.
        clock: `time.perf_counter()` at its start.
        size: The characters that it keeps.
        batch_size: The number of prompts in the request to the model.
        tags: The list of tags of its start event. LangChain makes a list for each call of a model.
        excluded: Whether its trace is excluded. Then nothing else of it is kept.
        number: Its own number.
    """

    fields: RunFields
    clock: float
    size: int = 0
    batch_size: int = 1
    tags: Sequence[object] | None = None
    excluded: bool = False
    number: int = field(default_factory=_numbers.__next__)

    def is_told_twice(self, again: StartedRun) -> bool:
        """Return whether another start event is about the same run.

        A handler that is in a list twice hears each event twice, with the same objects. A retry of the same prompt
        with the same id is a call of its own, with a list of tags of its own. If there are no tags, LangChain did not
        make the event.
        """
        return (
            self.tags is again.tags
            and self.number in _latest.get()
            and self.fields.get("prompt") == again.fields.get("prompt")
        )

    def finish(self, known_now: RunFields) -> RunFields:
        """Return the run as it ended, given the fields of its end. Call it once."""
        if "started_at" in self.fields:
            known_now["latency_ms"] = int((time.perf_counter() - self.clock) * 10_000) / 10
        self.fields.update(known_now)
        return self.fields


class _Ends(NamedTuple):
    """The last ends of runs with one id.

    Attributes:
        tags: The lists of tags of the end events, as for `StartedRun`.
        is_known: Whether the start of the last one is known.
    """

    tags: tuple[Sequence[object], ...]
    is_known: bool


_NO_ENDS = _Ends((), is_known=False)


class RunTable(ForkSafe):
    """The open runs, their ancestors, and the runs that ended lately. Several threads may use it.

    LangChain may report a start or an end twice, an end without a start, and a start without an end. And applications
    give several runs the same id: one after the other, or at the same time.
    """

    def _begin(self) -> None:
        super()._begin()
        self._open: OrderedDict[UUID, list[StartedRun]] = OrderedDict()
        self._number = 0
        self._size = 0
        self._look_at = 0.0
        self._ended: BoundedDict[UUID, _Ends] = BoundedDict(MAX_OPEN_RUNS)
        self._roots: BoundedDict[UUID, UUID] = BoundedDict(MAX_ANCESTORS)

    def __len__(self) -> int:
        return self._number

    def enter(self, run_id: UUID, parent_run_id: UUID | None) -> None:
        """Note the start of a chain, a tool or a retriever, so that the runs in it find their trace."""
        with self._lock:
            self._roots[run_id] = self.root(run_id, parent_run_id)

    def leave(self, run_id: UUID) -> None:
        """Forget a chain, a tool or a retriever that ended."""
        with self._lock:
            self._roots.pop(run_id, None)

    def is_inside(self, run_id: UUID, parent_run_id: UUID | None) -> bool:
        """Return whether a run is one that is known here, inside a chain, a tool or a retriever that is open."""
        return parent_run_id in self._roots and (run_id in self._open or run_id in self._ended)

    def root(self, run_id: UUID, parent_run_id: UUID | None) -> UUID:
        """Return the outermost run that is known above a run."""
        if parent_run_id is None:
            return run_id
        return self._roots.get(parent_run_id, parent_run_id)

    def start(self, run_id: UUID, started: StartedRun) -> list[StartedRun]:
        """Note the start of a run. If it is told twice, the second time is ignored.

        Returns:
            The runs that are given up, because they are too old, too many or too large.
        """
        with self._lock:
            same = self._open.setdefault(run_id, [])
            if not same or not any(each.is_told_twice(started) for each in same):
                same.append(started)
                _latest.set((*_latest.get()[1 - _MAX_LATEST :], started.number))
                self._number += 1
                self._size += started.size
            if (
                self._number <= MAX_OPEN_RUNS
                and self._size <= MAX_OPEN_CHARACTERS
                and started.clock < self._look_at
            ):
                return []
            self._look_at = started.clock + _LOOK_EVERY
            return [*self._overdue(started.clock), *self._too_large()]

    def end(self, run_id: UUID, tags: Sequence[object] | None = None) -> tuple[StartedRun | None, bool]:
        """Note the end of a run. Of several open runs with this id, it is the one that this thread or task started.

        Args:
            run_id: The run's id.
            tags: The list of tags of the end event. If LangChain tells of the same end again, it is the same list.

        Returns:
            The run as it started, or None if it never started. And whether this is its first end.
        """
        with self._lock:
            ends = self._ended.get(run_id)
            if ends and any(each is tags for each in ends.tags):
                return None, False
            same = self._open.get(run_id)
            started = self._one_of(same, tags) if same else None
            if started is not None and self._take_out(run_id, started, tags):
                return started, True
            # After the end of a known run, LangChain may report an error. Runs without a start may have one id.
            first = ends is None or not ends.is_known
            self._note_end(run_id, tags, is_known=not first)
            return None, first

    def _one_of(self, same: Sequence[StartedRun], tags: Sequence[object] | None) -> StartedRun:
        if len(same) == 1:
            return same[0]
        # The end has the list of the start, if there are tags in it.
        places = {number: place for place, number in enumerate(_latest.get())}
        return max(reversed(same), key=lambda each: (each.tags is tags, places.get(each.number, -1)))

    def _overdue(self, now: float) -> list[StartedRun]:
        given_up = []
        while self._open:
            try:
                run_id, (oldest, *_) = next(iter(self._open.items()))
            except (RuntimeError, StopIteration, ValueError):
                break  # a signal handler recorded a run just now; the next start looks again
            if self._number <= MAX_OPEN_RUNS and now - oldest.clock <= MAX_RUN_AGE:
                break
            if self._take_out(run_id, oldest):
                given_up.append(oldest)
        return given_up

    def _too_large(self) -> list[StartedRun]:
        """Take out the largest runs until the others fit. One huge run costs no other run its record."""
        if self._size <= MAX_OPEN_CHARACTERS:
            return []
        runs = [(run_id, started) for run_id, same in list(self._open.items()) for started in same]
        given_up = []
        for run_id, started in sorted(runs, key=lambda run: run[1].size, reverse=True):
            if self._size <= MAX_OPEN_CHARACTERS:
                break
            if self._take_out(run_id, started):
                given_up.append(started)
        return given_up

    def _take_out(self, run_id: UUID, started: StartedRun, tags: Sequence[object] | None = None) -> bool:
        same = self._open.get(run_id, [])
        if started not in same:
            return False  # a signal handler ended it just now
        same.remove(started)
        if not same:
            del self._open[run_id]
        self._number -= 1
        self._size -= started.size
        self._note_end(run_id, tags, is_known=True)
        return True

    def _note_end(self, run_id: UUID, tags: Sequence[object] | None, *, is_known: bool) -> None:
        known = self._ended.get(run_id, _NO_ENDS).tags
        self._ended[run_id] = _Ends(known if tags is None else (*known[1 - _MAX_OF_ONE_ID :], tags), is_known)
