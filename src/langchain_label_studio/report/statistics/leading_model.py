"""`find_leads`: the leading model in each question, and whether its lead is more than chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from langchain_label_studio.report.findings import Lead
from langchain_label_studio.report.measures import NO_VARIATION, QUESTION_KINDS, Estimate, Question
from langchain_label_studio.report.statistics.bootstrap import (
    FEWEST_TASKS,
    Sum,
    draws,
    equal_tasks,
    interval,
    patterns_of,
    ratio,
)
from langchain_label_studio.report.statistics.observations import CORRECTION, ObservedTask
from langchain_label_studio.report.statistics.quality import TaskReviews, sums_by_task

Sums = list[Sum]


def find_leads(tasks: Iterable[ObservedTask]) -> tuple[Lead, ...]:
    """Return the leading model in each question for which at least two models have enough answers.

    Stars come before corrections. Among controls with stars, the control with the most answers is first.
    """
    of_models: defaultdict[str, TaskReviews] = defaultdict(list)
    for task in tasks:
        if task.model:
            of_models[task.model] += [(task.id, review) for review in task.observations if review.reviewed]
    questions = {question for said in of_models.values() for _, review in said for question in review.answers}
    leads = [
        _lead(question, {model: sums_by_task(question, said) for model, said in of_models.items()})
        for question in sorted(questions)
        if question.kind == "rating" or question == CORRECTION
    ]
    return tuple(
        sorted(
            filter(None, leads),
            key=lambda lead: (QUESTION_KINDS.index(lead.question.kind), -lead.difference.count),
        )
    )


def _lead(question: Question, sums: Mapping[str, Sums]) -> Lead | None:
    enough = {model: tasks for model, tasks in sums.items() if tasks and _equal(tasks) >= FEWEST_TASKS}
    if len(enough) < 2:
        return None
    # The fewer corrections, the better.
    sign = -1 if question == CORRECTION else 1
    best, following, *_ = sorted(enough, key=lambda model: (-sign * _mean(enough[model]), model))
    ours, theirs = _drawn(enough[best], stream=1), _drawn(enough[following], stream=2)
    low, high = interval(sign * (ours - theirs))
    difference = Estimate(
        value=sign * (_mean(enough[best]) - _mean(enough[following])),
        count=sum(count for model in (best, following) for _, count, _ in enough[model]),
        low=None if low == high else low,
        high=None if low == high else high,
        note=NO_VARIATION if low == high else None,
    )
    return Lead(question=question, best=best, next=following, difference=difference)


def _mean(sums: Sums) -> float:
    return sum(total * weight for total, _, weight in sums) / sum(count * weight for _, count, weight in sums)


def _equal(sums: Sums) -> float:
    return equal_tasks(np.ones(len(sums)), np.array([weight for *_, weight in sums]))


def _drawn(sums: Sums, *, stream: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    patterns, tasks = patterns_of(sums)
    parts = np.array(patterns, dtype=np.float64)
    # Every task has answers. So each draw has a mean.
    return draws(ratio(parts[:, :2]), tasks, weights=parts[:, 2], stream=stream)
