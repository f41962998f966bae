"""`PreferenceGatherer`: make one record of the runs that answer the same input."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from langchain_label_studio.forms.preference.merge_runs import by_question, join_runs
from langchain_label_studio.forms.trace_gatherer import TraceGatherer
from langchain_label_studio.recording.open_runs import MAX_OPEN_CHARACTERS
from langchain_label_studio.recording.trace_events import TraceEvent
from langchain_label_studio.support.idle_timer import QUIET_SECONDS
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.types.run import RunFields, run_size
from langchain_label_studio.types.run_record import make_run
from langchain_label_studio.types.user_functions import GroupBy

_PARALLEL = "RunnableParallel<"
_BRANCH_TAG = "map:key:"
_CHARACTERS_BESIDES = 1000  # the minimum for a run

Branches = dict[UUID, list[RunFields]]
"""The runs in each branch of a `RunnableParallel`, in the order of their ends. The last run is the branch's answer."""


@dataclass(slots=True, eq=False)
class ParallelTrace:
    """A trace so far.

    Attributes:
        is_open: Whether its end has not come.
        parents: The caller of each open chain, tool and retriever.
        parallels: The open `RunnableParallel`s, the outer ones first.
    """

    is_open: bool = True
    parents: dict[UUID, UUID | None] = field(default_factory=dict)
    parallels: dict[UUID, Branches] = field(default_factory=dict)


@dataclass(slots=True)
class RunGroup:
    """Runs with the same value of `group_by`.

    Attributes:
        runs: The runs, in the order of their ends.
        traces: Their traces.
        heard: The time of the last run, as `time.monotonic()`.
    """

    runs: list[RunFields] = field(default_factory=list)
    traces: set[ParallelTrace] = field(default_factory=set)
    heard: float = 0.0

    @property
    def is_in_flight(self) -> bool:
        """Whether an open trace may add to it."""
        return any(trace.is_open for trace in self.traces)


class PreferenceGatherer(TraceGatherer[ParallelTrace]):
    """Makes one record of the runs that answer the same input. A run without others is a record of its own.

    These are the branches of a `RunnableParallel`, or the runs with the same value of `group_by`. Their record is made:

    - for a `RunnableParallel`, when it ends;
    - for a group within one outermost run, when that run ends;
    - for a group over several outermost runs, when no run came for `QUIET_SECONDS`, or at a flush.
    """

    def __init__(self, group_by: GroupBy | None = None) -> None:
        """Make a gatherer.

        Args:
            group_by: A key of the runs' metadata, or a function of the run. None compares the branches of a
                `RunnableParallel`.
        """
        self._group_by = group_by
        self._log = ThrottledLog()
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._groups: dict[str, RunGroup] = {}
        self._kept = 0

    def opened(self, top: UUID) -> ParallelTrace:  # noqa: ARG002
        """Return a new trace."""
        return ParallelTrace()

    def began(self, state: ParallelTrace, event: TraceEvent) -> None:
        """Note the caller, and whether the chain is a `RunnableParallel`."""
        state.parents[event.run_id] = event.parent_run_id
        if (event.name or "").startswith(_PARALLEL):
            state.parallels.setdefault(event.run_id, {})
        tags = event.event.get("tags") or ()
        if event.parent_run_id and any(isinstance(tag, str) and tag.startswith(_BRANCH_TAG) for tag in tags):
            # A `RunnableParallel` may have another name. Its branches show that it is one.
            state.parallels.setdefault(event.parent_run_id, {})

    def answered(self, state: ParallelTrace, run: RunFields) -> list[RunFields]:
        """Keep a run with an answer until the others of its record are there."""
        records = self._quiet_groups()
        size = _size(run)
        if not run.get("answers") or self._kept + size > MAX_OPEN_CHARACTERS:
            return [*records, run]
        if key := self._key(run):
            group = self._groups.setdefault(key, RunGroup())
            group.runs.append(run)
            group.traces.add(state)
            group.heard = time.monotonic()
        elif not self._put_into_branch(state, run["run_id"], run.get("parent_run_id"), [run]):
            return [*records, run]
        self._kept += size
        return records

    def ended(self, state: ParallelTrace, event: TraceEvent) -> list[RunFields]:
        """Return the records of a `RunnableParallel` that ended, and of groups that are complete."""
        branches = state.parallels.pop(event.run_id, None)
        records = self._quiet_groups()
        if branches:
            records += self._compare(state, event.run_id, branches)
        state.parents.pop(event.run_id, None)
        return records

    def closed(self, state: ParallelTrace, *, given_up: bool) -> list[RunFields]:  # noqa: ARG002 (both are the same here)
        """Return the records of its `RunnableParallel`s without an end, and of its groups."""
        state.is_open = False
        records: list[RunFields] = []
        while state.parallels:
            run_id, branches = state.parallels.popitem()
            records += self._compare(state, run_id, branches)
        whole = [
            key for key, group in self._groups.items() if group.traces == {state} and len(group.runs) > 1
        ]
        return records + self._take(whole)

    def complete_groups(self) -> list[RunFields]:
        """Return the records of groups to which no open trace can add."""
        with self._lock:
            return self._take([key for key, group in self._groups.items() if not group.is_in_flight])

    def _put_into_branch(
        self, trace: ParallelTrace, run_id: UUID, parent: UUID | None, runs: list[RunFields]
    ) -> bool:
        """Put runs into the branch of the innermost `RunnableParallel` around them. Return False if there is none."""
        child = run_id
        while parent is not None:
            if parent in trace.parallels:
                trace.parallels[parent].setdefault(child, []).extend(runs)
                return True
            child, parent = parent, trace.parents.get(parent)
        return False

    def _compare(self, trace: ParallelTrace, run_id: UUID, branches: Branches) -> list[RunFields]:
        """Return the records that a `RunnableParallel` makes.

        Only branches with the same question are compared. If only one branch has an answer, its runs belong to the
        branch around it, if there is one.
        """
        parent = trace.parents.get(run_id)
        if len(branches) == 1:
            [runs] = branches.values()
            if self._put_into_branch(trace, run_id, parent, runs):
                return []
        records: list[RunFields] = []
        for group in by_question(branches.values()):
            alone = [run for branch in group for run in branch]
            self._release(alone)
            if len(group) == 1:
                records += alone
                continue
            joined = join_runs([branch[-1] for branch in group], run_id=None if records else run_id)
            records.append(joined | {"covers": [run["run_id"] for run in alone]})
        return records

    def _key(self, run: RunFields) -> str | None:
        if self._group_by is None:
            return None
        if isinstance(self._group_by, str):
            key = (run.get("metadata") or {}).get(self._group_by)
        else:
            try:
                key = self._group_by(make_run(run))
            except Exception as error:  # noqa: BLE001 (a mistake in the user's function must not cost the run)
                self._log.warning(
                    "group_by", "The group_by= function failed: a run stands alone.", error=error
                )
                return None
        return None if key is None else str(jsonable(key)) or None

    def _quiet_groups(self) -> list[RunFields]:
        now = time.monotonic()
        quiet = [
            key
            for key, group in self._groups.items()
            if now - group.heard > QUIET_SECONDS and not group.is_in_flight
        ]
        return self._take(quiet)

    def _take(self, keys: Iterable[str]) -> list[RunFields]:
        records = []
        for key in keys:
            runs = self._groups.pop(key).runs
            self._release(runs)
            if len(runs) == 1:
                records += runs
            else:
                records.append(join_runs(runs) | {"covers": [run["run_id"] for run in runs]})
        return records

    def _release(self, runs: Iterable[RunFields]) -> None:
        self._kept -= sum(map(_size, runs))


def _size(run: RunFields) -> int:
    return _CHARACTERS_BESIDES + run_size(run)
