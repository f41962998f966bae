"""`TraceGatherer`: makes records of the events of a trace."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Generic, TypeVar
from uuid import UUID

from langchain_label_studio.recording.open_runs import MAX_ANCESTORS, MAX_OPEN_CHARACTERS, MAX_RUN_AGE
from langchain_label_studio.recording.trace_events import TraceEvent
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.types.run import RunFields

MAX_OPEN_TRACES = 1000

_State = TypeVar("_State")


class TraceGatherer(ForkSafe, ABC, Generic[_State]):
    """A gatherer with one state for each trace. A trace is an outermost run and everything inside it.

    A subclass defines the state, and the change that each event makes. Its methods never run at the same time, so it
    needs no lock. The number, the age and the size of open traces are bounded.
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
        self._tops: BoundedDict[UUID, UUID] = BoundedDict(MAX_ANCESTORS)
        self._open: OrderedDict[UUID, tuple[float, _State]] = OrderedDict()
        self._sizes: dict[UUID, int] = {}
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
            top = self._tops.get(event.parent_run_id or event.run_id, event.run_id)
            if event.run_id in self._tops:
                return []  # LangChain may tell of a start twice
            self._tops[event.run_id] = top
            if top != event.run_id and top not in self._open:
                return []  # of a trace that was given up
            if top not in self._open:
                self._open[top] = (time.monotonic(), self.opened(top))
            self.began(self._open[top][1], event)
            return self._within_bounds(top)

    def end(self, event: TraceEvent) -> list[RunFields]:
        """Note an end, and return the records that are whole now."""
        with self._lock:
            top = self._tops.pop(event.run_id, None)
            if top is None or top not in self._open:
                return []
            _, state = self._open[top]
            records = self.ended(state, event)
            if top == event.run_id:
                self._forget(top)
                return records + self.closed(state, given_up=False)
            return records + self._within_bounds(top)

    def ran(self, run: RunFields) -> list[RunFields]:
        """Note a run of a model that finished or failed, and return the records that are whole now."""
        with self._lock:
            top = self._tops.get(run.get("parent_run_id") or run["run_id"])
            if top is not None and top in self._open:
                return self.answered(self._open[top][1], run) + self._within_bounds(top)
            # LangChain reported nothing around this run: it is a trace of its own.
            state = self.opened(run["run_id"])
            return self.answered(state, run) + self.closed(state, given_up=False)

    def complete_groups(self) -> list[RunFields]:
        """Return no records: an open trace waits for its end."""
        return []

    def _within_bounds(self, changed: UUID) -> list[RunFields]:
        """Return the records of traces that are given up, after a change of one trace."""
        size = self.size(self._open[changed][1])
        self._size += size - self._sizes.get(changed, 0)
        self._sizes[changed] = size
        records: list[RunFields] = []
        now = time.monotonic()
        while self._open:
            top, (began, _) = next(iter(self._open.items()))
            if len(self._open) <= self._max_open and now - began <= self._max_age:
                break
            records += self._give_up(top)
        while self._size > self._max_characters:
            # One huge trace costs no other trace its record.
            records += self._give_up(max(self._sizes, key=self._sizes.__getitem__))
        return records

    def _give_up(self, top: UUID) -> list[RunFields]:
        return self.closed(self._forget(top), given_up=True)

    def _forget(self, top: UUID) -> _State:
        self._size -= self._sizes.pop(top, 0)
        return self._open.pop(top)[1]
