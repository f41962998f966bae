"""`over_time`: the quality by day or by week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

from langchain_label_studio.report.measures import Period, Quality, Timeline
from langchain_label_studio.report.statistics.observations import Observation, ObservedTask
from langchain_label_studio.report.statistics.quality import TaskReviews, assess

_MOST_DAYS = 45
"""The maximum number of days that are shown by day. A longer time is shown by week."""


def over_time(tasks: Sequence[ObservedTask]) -> Timeline | None:
    """Return the quality by day or week. None if no time is known.

    A run counts at the time of the run, not of its review. So the timeline shows whether answers become better. If a
    reviewed run has no time, all runs count at the time of their reviews.
    """
    reviewed = [(task, review) for task in tasks for review in task.observations if review.reviewed]
    clock: Literal["run", "review"] = "run" if all(task.started for task, _ in reviewed) else "review"
    dated = [
        (moment.date(), task, review)
        for task, review in reviewed
        if (moment := task.started if clock == "run" else review.when)
    ]
    if not dated:
        return None
    days = [day for day, *_ in dated]
    by_week = (max(days) - min(days)).days > _MOST_DAYS
    periods: defaultdict[date, list[tuple[ObservedTask, Observation]]] = defaultdict(list)
    for day, task, review in dated:
        periods[day - timedelta(days=day.weekday()) if by_week else day].append((task, review))
    return Timeline(
        step="week" if by_week else "day",
        clock=clock,
        periods=tuple(_period(start, said) for start, said in sorted(periods.items())),
    )


def _period(start: date, said: Iterable[tuple[ObservedTask, Observation]]) -> Period:
    every: TaskReviews = []
    of_models: defaultdict[str | None, TaskReviews] = defaultdict(list)
    for task, review in said:
        every.append((task.id, review))
        of_models[task.model].append((task.id, review))
    return Period(start=start, quality=assess(every), models=_by_name(of_models))


def _by_name(of_models: dict[str | None, TaskReviews]) -> tuple[tuple[str | None, Quality], ...]:
    names = sorted(of_models, key=lambda name: name or "")
    return tuple((name, assess(of_models[name])) for name in names)
