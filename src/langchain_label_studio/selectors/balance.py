"""`GroupTally`: count the runs of each group, and say which share of them gives so many a day."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import exp
from typing import Any, Literal, NamedTuple

from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.types.run import LLMRun

By = Literal["model", "tag"] | Callable[[LLMRun], str | None]
"""What makes a group: the model, each tag, or a text that a function of the run returns."""

MAX_GROUPS = 10_000

_DAY = 86_400.0
_LEARNING = 0.25
"""The days that a group is taken to be known at least, so that a day is not judged by its first minutes."""


class _Count(NamedTuple):
    """The runs of a group. A run of yesterday counts about a third of one of now.

    Attributes:
        runs: The number of runs.
        first: The time of the first run.
        last: The time of the last run.
    """

    runs: float
    first: float
    last: float

    def expected(self, now: float) -> float:
        """Return how many runs a day brings, as far as is known."""
        age = max((now - self.first) / _DAY, _LEARNING)
        return self._left(now) / (1 - exp(-age))

    def one_more(self, now: float) -> _Count:
        return _Count(self._left(now) + 1, self.first, now)

    def _left(self, now: float) -> float:
        return self.runs * exp((self.last - now) / _DAY)


class GroupTally(ForkSafe):
    """Counts the runs of each group in this process. Several threads may use it. A copy in another process begins anew."""

    def __init__(self, by: By, per_day: float) -> None:
        """Count runs.

        Args:
            by: What makes a group.
            per_day: The number of runs of each group that a day should give.
        """
        self._by = by
        self._per_day = per_day
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._counts: BoundedDict[str | None, _Count] = BoundedDict(MAX_GROUPS)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._by, self._per_day)

    def share(self, run: LLMRun, *, counts: bool) -> float:
        """Return the share of the runs of its group that is chosen. With several tags, it is that of the rarest.

        Args:
            run: The run.
            counts: Whether the run counts.
        """
        groups = self._groups(run)
        now = time.monotonic()
        with self._lock:
            return max(self._share(group, now, counts=counts) for group in groups)

    def _share(self, group: str | None, now: float, *, counts: bool) -> float:
        # The runs before this one: with it, the runs of a day would seem to be one more than they are.
        count = self._counts.get(group, _Count(0, now, now))
        if counts:
            self._counts[group] = count.one_more(now)
            self._counts.move_to_end(group)
        return self._per_day / max(count.expected(now), self._per_day)

    def _groups(self, run: LLMRun) -> tuple[str | None, ...]:
        if self._by == "model":
            return (run.model,)
        if self._by == "tag":
            return run.tags or (None,)
        group = self._by(run)
        return (None if group is None else str(group),)
