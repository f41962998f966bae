"""`estimate`: 95 % intervals by the bootstrap. They say where a number would lie if other tasks had been reviewed.

Whole tasks are drawn, with all their reviews, because two reviews of one task are not independent. Tasks with the same
values are one *pattern*. So a draw is only a count for each pattern (multinomial), for any number of tasks. Percentile
intervals: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.

A task whose run had a chance below 1 counts as often as runs like it were there: 1 divided by the chance. So a mean is
that of Hájek (1971), and a draw is weighed as the tasks are. Tasks with different weights tell less than as many equal
ones: as many as Kish (1965), Survey Sampling, says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from math import isclose
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from langchain_label_studio.report.measures import NO_VARIATION, Estimate
from langchain_label_studio.support.plurals import count_text

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""A function from the counts of patterns (draws x patterns) to a number for each draw. NaN if there is none."""

FEWEST_TASKS = 10
"""The minimum number of tasks, or of equal tasks that tell as much. With fewer, an interval would be too narrow."""

_DRAWS = 1000
_ENOUGH = 0.95
"""The minimum share of draws with a number."""

_SEED = 20_261_121
_CELLS = 4_000_000
"""The maximum of numbers in memory at a time: 32 MB."""

_Pattern = TypeVar("_Pattern", bound=Hashable)


def patterns_of(contributions: Iterable[_Pattern]) -> tuple[list[_Pattern], Floats]:
    """Return the patterns of tasks, and the number of tasks with each pattern."""
    counted = Counter(contributions)
    # Sorted, so that the same tasks in another order give the same interval.
    patterns = sorted(counted, key=repr)
    return patterns, np.array([counted[pattern] for pattern in patterns], dtype=np.float64)


def estimate(
    statistic: Statistic,
    tasks: Floats,
    *,
    count: int,
    unit: str,
    weights: Floats | float = 1.0,
    width: int = 0,
    stream: int = 0,
) -> Estimate:
    """Return a number with its interval.

    Args:
        statistic: The number, as a function of the draws.
        tasks: The number of tasks with each pattern.
        count: The number of reviews or tasks that the report names behind the number.
        unit: The noun for `count` in the singular, for the note that there are too few.
        weights: How often a task with each pattern counts.
        width: The number of values that `statistic` keeps for each draw, if there are more than patterns.
        stream: The number of the random stream. Two numbers that are compared need different streams.
    """
    value = float(statistic((tasks * weights)[np.newaxis])[0]) if tasks.size else np.nan
    if np.isnan(value):
        return Estimate(value=None, count=count)
    if equal_tasks(tasks, weights) < FEWEST_TASKS:
        return Estimate(value=value, count=count, note=too_few(count, unit, tasks))
    values = draws(statistic, tasks, weights=weights, width=width, stream=stream)
    if len(values) < _ENOUGH * _DRAWS:
        return Estimate(value=value, count=count, note="nearly all say the same: no interval")
    low, high = interval(values)
    if low == high:
        return Estimate(value=value, count=count, note=NO_VARIATION)
    return Estimate(value=value, count=count, low=low, high=high)


def too_few(count: int, unit: str, tasks: Floats) -> str:
    """Return the note about too few reviews or tasks for an interval."""
    weighed = " of very different weight" if tasks.sum() >= FEWEST_TASKS else ""
    return f"{count_text(count, unit)}{weighed}: too few for an interval"


def equal_tasks(tasks: Floats, weights: Floats | float = 1.0) -> float:
    """Return the number of tasks with equal weights that tell as much."""
    weighed = tasks * weights
    return float(weighed.sum() ** 2 / (weighed * weights).sum())


def draws(
    statistic: Statistic, tasks: Floats, *, weights: Floats | float = 1.0, width: int = 0, stream: int = 0
) -> Floats:
    """Return the number of each of a thousand draws. Draws without a number are missing."""
    drawn = redrawn(tasks, weights=weights, width=width, stream=stream)
    values: Floats = np.concatenate([statistic(counts) for counts in drawn])
    known: Floats = values[~np.isnan(values)]
    return known


def redrawn(
    tasks: Floats, *, weights: Floats | float = 1.0, width: int = 0, stream: int = 0
) -> Iterator[Floats]:
    """Yield a thousand draws, several at a time.

    A draw is a count for each pattern, times its weight. It has the same number of tasks.
    """
    random = np.random.default_rng([_SEED, stream])
    total = int(tasks.sum())
    at_a_time = max(1, _CELLS // max(tasks.size, width))
    for done in range(0, _DRAWS, at_a_time):
        size = min(at_a_time, _DRAWS - done)
        yield random.multinomial(total, tasks / total, size=size).astype(np.float64) * weights


def interval(values: Floats) -> tuple[float, float]:
    """Return the ends between which 95 % of the values lie. They are equal if they only differ by rounding."""
    low, high = map(float, np.quantile(values, (0.025, 0.975)))
    return (low, low) if isclose(low, high, abs_tol=1e-12) else (low, high)


def ratio(parts: Floats) -> Statistic:
    """Return the statistic `sum of the first / sum of the second` of patterns x (first, second)."""

    def statistic(weights: Floats) -> Floats:
        sums = weights @ parts
        return quotient(sums[:, 0], sums[:, 1])

    return statistic


def quotient(part: Floats, whole: Floats) -> Floats:
    """Return one divided by the other. NaN if the other is 0."""
    # Not exactly 0, because sums of squares have rounding errors.
    some = whole > 1e-9
    found: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=some)
    return found


Sum = tuple[float, int, float]
"""Of a task: the sum of the values of its reviews, the number of these reviews, and how often the task counts."""


def mean_of_tasks(answers: Iterable[Sum], *, unit: str) -> Estimate:
    """Return the mean of all reviews, with an interval over tasks.

    Args:
        answers: The sum of each task.
        unit: The noun for a review, as in `estimate`.
    """
    patterns, tasks = patterns_of((float(total), count, float(weight)) for total, count, weight in answers)
    parts = np.array(patterns, dtype=np.float64).reshape(-1, 3)
    count = int(tasks @ parts[:, 1]) if tasks.size else 0
    return estimate(ratio(parts[:, :2]), tasks, count=count, unit=unit, weights=parts[:, 2])


def shares_of_tasks(counts: Iterable[tuple[Sequence[int], float]], *, unit: str) -> list[Estimate]:
    """Return the share of each value among all reviews, with an interval over tasks.

    Args:
        counts: For each task, how many reviews gave each value, with the number of its reviews at the end; and how
            often the task counts.
        unit: The noun for a review, as in `estimate`.
    """
    table = list(counts)
    return [
        mean_of_tasks(((given[place], given[-1], weight) for given, weight in table), unit=unit)
        for place in range(len(table[0][0]) - 1 if table else 0)
    ]
