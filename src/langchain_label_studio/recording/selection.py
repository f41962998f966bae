"""`RunSelection`: decide which finished runs are recorded, and count the excluded ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import orjson

from langchain_label_studio.selectors.sampling import in_sample
from langchain_label_studio.support.forks import ForkSafe, no_fork
from langchain_label_studio.types.run import RunFields, Status
from langchain_label_studio.types.run_record import make_run
from langchain_label_studio.types.user_functions import Select

if TYPE_CHECKING:
    from langchain_label_studio.recording.recallable_runs import RecallableRuns
    from langchain_label_studio.selectors.selector import Choice, Selector

_OF_INTEREST = frozenset({"success", "partial"})
_NOT_INCLUDED = "include_errors=False"
_REPEATS = "select={}: like an earlier run"


class Rated(Protocol):
    """Feedback from a user of the application."""

    @property
    def score(self) -> float | None:
        """The score. None if there is only a comment."""


class RunSelection(ForkSafe):
    """Decides for each finished run whether it is recorded.

    Attributes:
        excluded: The number of excluded runs, by the setting that excluded them.
        repeated: The number of recorded runs that are like an earlier one, by the selector that knew the earlier one.
    """

    def __init__(
        self, *, include_errors: bool = False, sample_rate: float = 1.0, select: Select | None = None
    ) -> None:
        """Make a selection.

        Args:
            include_errors: Whether failed, cancelled and abandoned runs are recorded.
            sample_rate: The share of traces that is recorded.
            select: The user's function or selectors. None takes every run.
        """
        self._include_errors = include_errors
        self._rate = sample_rate
        self._select: Selector | None = None
        self._recallable: RecallableRuns | None = None
        if select:
            with no_fork():  # most handlers record all runs, and need neither
                from langchain_label_studio.recording.recallable_runs import RecallableRuns  # noqa: PLC0415
                from langchain_label_studio.selectors.selector import as_selector, choose, expect  # noqa: PLC0415
            self._select = as_selector(select)
            self._choose = partial(choose, self._select)
            self._expect = partial(expect, self._select)
            self._recallable = RecallableRuns() if self._select.low else None
        self._not_sampled = f"sample_rate={sample_rate:g}"
        self._not_selected = f"select={self._select}"
        self.excluded: Counter[str] = Counter()
        self.repeated: Counter[str] = Counter()
        super().__init__()

    @property
    def looks_into_runs(self) -> bool:
        """Whether the user's function or selectors see the values of runs."""
        return self._select is not None

    def excludes_trace(self, trace_id: UUID) -> bool:
        """Return whether all runs of a trace are excluded for good. Then none of them is read."""
        return self._rate < 1 and self._recallable is None and not in_sample(trace_id, self._rate)

    def count_excluded(self) -> None:
        """Count a run of an excluded trace."""
        self._count(self._not_sampled)

    def expect(self, run: RunFields) -> None:
        """Prepare for a run that has started, and is not excluded so far."""
        if self._select is not None and self._select.memories:
            self._expect(make_run(run))

    def can_take(self, status: Status) -> bool:
        """Return whether a run with this status can be recorded."""
        if self._include_errors:
            return True
        if status == "error":
            return self._select is not None and self._select.failed
        return status in _OF_INTEREST

    def takes(self, run: RunFields) -> bool:
        """Return whether a run is recorded, and note the chance that it had.

        An excluded run is counted, and kept for a low rating.

        Raises:
            Exception: The user's `select` function failed.
        """
        if not self.can_take(run["status"]):
            self._count(_NOT_INCLUDED)
            return False
        if not_wanted := run.get("excluded"):
            self._count(not_wanted)
            return False
        if self._rate < 1:
            run["chance"] = self._rate
        if self._rate < 1 and not in_sample(run["trace_id"], self._rate):
            reason = self._not_sampled
        elif self._select is None:
            return True
        else:
            choice = self._choose(make_run(run), sample_rate=self._rate)
            if choice.chance:
                self._note(run, choice, self._select)
                return True
            reason = next(map(_REPEATS.format, choice.repeats), self._not_selected)
        self._count(reason)
        if self._recallable is not None:
            self._recallable.put(run, reason)
        return False

    def recall(self, known: str, feedback: Rated) -> Iterator[RunFields]:
        """Yield the excluded runs that a low rating brings back.

        Args:
            known: The id of a run, or of a trace.
            feedback: The user's feedback.

        Raises:
            Exception: The user's `select` function failed.
        """
        score = feedback.score
        select, recallable = self._select, self._recallable
        if select is None or recallable is None or score is None:
            return
        if not any(score <= low for low in select.low):
            return
        for left in recallable.find(known):
            run = orjson.loads(left.line)
            choice = self._choose(make_run(run), rating=score)
            if choice.chance and recallable.remove(left):
                self._count(left.reason, -1)
                self._note(run, choice, select)
                yield run

    def _note(self, run: RunFields, choice: Choice, select: Selector) -> None:
        """Note the chance of a run that is recorded, and count what it repeats."""
        run["chance"] = choice.chance
        if choice.chance < 1 and select.low:
            run["certain_score"] = max(select.low)
        if choice.repeats:
            with self._lock:
                self.repeated.update(choice.repeats)

    def _count(self, reason: str, by: int = 1) -> None:
        with self._lock:
            self.excluded[reason] += by
            if not self.excluded[reason]:
                del self.excluded[reason]
