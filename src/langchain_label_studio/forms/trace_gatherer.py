"""`TraceGatherer`: makes records of the events of a trace."""

from __future__ import annotations

import itertools
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from langchain_label_studio.recording.open_runs import MAX_ANCESTORS, MAX_OPEN_CHARACTERS, MAX_RUN_AGE
from langchain_label_studio.recording.trace_events import TraceEvent
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.types.run import RunFields

MAX_OPEN_TRACES = 1000

_MAX_AROUND = 100
_State = TypeVar("_State")
_numbers = itertools.count(1)
_around: ContextVar[tuple[int, ...]] = ContextVar("langchain_label_studio_traces_around", default=())
"""The numbers of the traces around this place of the program, the outer ones first. Threads and tasks that LangChain
starts see it, too."""


@dataclass(slots=True, eq=False)
class _Trace(Generic[_State]):
    """An open trace.

    Attributes:
        state: Its state.
        began: Its start, as `time.monotonic()`.
        size: About how many characters its state keeps.
        number: Its own number.
    """

    state: _State
    began: float
    size: int = 0
    number: int = field(default_factory=_numbers.__next__)


@dataclass(frozen=True, slots=True, eq=False)
class _Inside(Generic[_State]):
    """An open chain, tool or retriever.

    Attributes:
        trace: Its trace.
        tags: The list of its tags. LangChain makes a list for each run, so it is the same list only if it tells the
            same start again.
        is_top: Whether it is the outermost run.
    """

    trace: _Trace[_State]
    tags: Sequence[str] | None
    is_top: bool


class TraceGatherer(ForkSafe, ABC, Generic[_State]):
    """A gatherer with one state for each trace. A trace is an outermost run and everything inside it.

    A subclass defines the state, and the change that each event makes. Its methods never run at the same time, so it
    needs no lock. The number, the age and the size of open traces are bounded.

    Applications give several traces the same id: at the same time, one inside the other, or while an earlier one waits
    for an end that never comes. Then an event belongs to the trace around the place where LangChain reports it.
    """

    def __init__(
        self,
        *,
        max_open: int = MAX_OPEN_TRACES,
        max_age: float = MAX_RUN_AGE,
        max_characters: int = MAX_OPEN_CHARACTERS,
    ) -> None:
        self._max_open = max_open
        self._max_age = max_age
        self._max_characters = max_characters
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._inside: BoundedDict[UUID, tuple[_Inside[_State], ...]] = BoundedDict(MAX_ANCESTORS)
        self._open: OrderedDict[int, _Trace[_State]] = OrderedDict()
        self._size = 0

    @abstractmethod
    def opened(self, top: UUID) -> _State:
        """Return the state of a new trace.

        Args:
            top: The id of its outermost run.
        """

    @abstractmethod
    def began(self, state: _State, event: TraceEvent) -> None:
        """Note the start of a chain, a tool or a retriever: the outermost run, or one below it."""

    @abstractmethod
    def ended(self, state: _State, event: TraceEvent) -> list[RunFields]:
        """Note the end or the failure of a chain, a tool or a retriever, and return the records that are whole now."""

    @abstractmethod
    def answered(self, state: _State, run: RunFields) -> list[RunFields]:
        """Note a finished run of a model, and return the records that are whole now."""

    def size(self, state: _State) -> int:  # noqa: ARG002 (subclasses need it)
        """Return about how many characters a state keeps."""
        return 0

    def closed(self, state: _State, *, given_up: bool) -> list[RunFields]:  # noqa: ARG002 (subclasses need it)
        """Return the records that are left at the end of a trace.

        Args:
            state: The state of the trace.
            given_up: True if its end never came: the trace was too old or too large, or too many were open.
        """
        return []

    def begin(self, event: TraceEvent) -> list[RunFields]:
        """Note a start, and return the records of traces that are given up."""
        with self._lock:
            same, tags = self._inside.get(event.run_id, ()), event.event.get("tags")
            if any(each.tags is tags and each.trace.number in _around.get() for each in same):
                return []  # LangChain tells of a start twice
            caller = self._one_of(event.parent_run_id)
            trace = caller.trace if caller else self._open_trace(event.run_id)
            still_open = [each for each in same if each.trace.number in self._open]
            self._inside[event.run_id] = (*still_open, _Inside(trace, tags, is_top=caller is None))
            if trace.number not in self._open or any(each.trace is trace for each in still_open):
                return []  # of a trace that was given up, or with an id that another run in this trace has now
            self.began(trace.state, event)
            return self._within_bounds(trace)

    def end(self, event: TraceEvent) -> list[RunFields]:
        """Note an end, and return the records that are whole now."""
        with self._lock:
            ending = self._one_of(event.run_id)
            if ending is None:
                return []
            others = tuple([each for each in self._inside[event.run_id] if each is not ending])
            if others:
                self._inside[event.run_id] = others
            else:
                del self._inside[event.run_id]
            trace = ending.trace
            if trace.number not in self._open or any(each.trace is trace for each in others):
                return []
            records = self.ended(trace.state, event)
            if not ending.is_top:
                return records + self._within_bounds(trace)
            self._forget(trace)
            _around.set(tuple([number for number in _around.get() if number != trace.number]))
            return records + self.closed(trace.state, given_up=False)

    def ran(self, run: RunFields) -> list[RunFields]:
        """Note a run of a model that finished or failed, and return the records that are whole now."""
        with self._lock:
            caller = self._one_of(run.get("parent_run_id"))
            if caller and caller.trace.number in self._open:
                return self.answered(caller.trace.state, run) + self._within_bounds(caller.trace)
            # LangChain reported nothing around this run: it is a trace of its own.
            state = self.opened(run["run_id"])
            records = self.answered(state, run) + self.closed(state, given_up=False)
            return _given_up(records) if run.get("given_up") else records

    def complete_groups(self) -> list[RunFields]:
        """Return no records: an open trace waits for its end."""
        return []

    def _open_trace(self, top: UUID) -> _Trace[_State]:
        trace = _Trace(self.opened(top), time.monotonic())
        self._open[trace.number] = trace
        _around.set((*_around.get()[1 - _MAX_AROUND :], trace.number))
        return trace

    def _one_of(self, run_id: UUID | None) -> _Inside[_State] | None:
        """Return the open run with an id. Of several, it is the one in the innermost trace around this place."""
        same = self._inside.get(run_id, ()) if run_id else ()
        if len(same) < 2:
            return same[0] if same else None
        around = _around.get()
        places = {number: place for place, number in enumerate(around)}
        return max(reversed(same), key=lambda each: places.get(each.trace.number, -1))

    def _within_bounds(self, changed: _Trace[_State]) -> list[RunFields]:
        """Return the records of traces that are given up, after a change of one trace."""
        size = self.size(changed.state)
        self._size += size - changed.size
        changed.size = size
        records: list[RunFields] = []
        now = time.monotonic()
        while self._open:
            oldest = next(iter(self._open.values()))
            if len(self._open) <= self._max_open and now - oldest.began <= self._max_age:
                break
            records += self._give_up(oldest)
        while self._size > self._max_characters:
            # One huge trace costs no other trace its record.
            records += self._give_up(max(self._open.values(), key=lambda trace: trace.size))
        return records

    def _give_up(self, trace: _Trace[_State]) -> list[RunFields]:
        self._forget(trace)
        return _given_up(self.closed(trace.state, given_up=True))

    def _forget(self, trace: _Trace[_State]) -> None:
        self._size -= trace.size
        del self._open[trace.number]


def _given_up(records: list[RunFields]) -> list[RunFields]:
    """Mark the records of several runs whose end never came. A single run has such a mark already, or has ended."""
    for record in records:
        if record.get("status") == "abandoned" and "covers" in record:
            record["given_up"] = True
    return records
