"""`assess`: ratings, choices and corrections of a group of runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import numpy as np

from langchain_label_studio.report.measures import (
    ChoiceSummary,
    Group,
    Mention,
    Quality,
    Question,
    QuestionKind,
    RatingSummary,
    Spread,
)
from langchain_label_studio.report.statistics.bootstrap import Sum, mean_of_tasks, shares_of_tasks
from langchain_label_studio.report.statistics.observations import CORRECTION, Observation, ObservedTask

TaskReviews = list[tuple[int, Observation]]
"""Reviews, each with the number of its task."""


def assess(said: TaskReviews) -> Quality:
    """Return the reviews in numbers. They may be all reviews of some tasks, or the reviews of one person."""
    reviewed = [(task_id, review) for task_id, review in said if review.reviewed]
    return Quality(
        reviews=len(reviewed),
        task_ids=_tasks(reviewed),
        skipped_task_ids=_tasks((task_id, review) for task_id, review in said if review.skipped),
        ratings=tuple(_rating(question, reviewed) for question in _questions("rating", reviewed)),
        corrected=mean_of_tasks(sums_by_task(CORRECTION, reviewed), unit="review"),
        corrected_task_ids=_tasks(
            (task_id, review) for task_id, review in reviewed if review.answers.get(CORRECTION)
        ),
        change=spread((review.change.distance, review.weight) for _, review in reviewed if review.change),
        choices=tuple(_choice(question, reviewed) for question in _questions("choice", reviewed)),
    )


def assess_group(name: str | None, tasks: Sequence[ObservedTask]) -> Group:
    """Return the reviews of some runs in numbers, with the time and the tokens of the runs."""
    return Group(
        name=name,
        task_ids=tuple(task.id for task in tasks),
        quality=assess(said_of(tasks)),
        latency_ms=spread((task.latency_ms, task.weight) for task in tasks),
        input_tokens=spread((task.input_tokens, task.weight) for task in tasks),
        output_tokens=spread((task.output_tokens, task.weight) for task in tasks),
    )


def group_by(
    tasks: Iterable[ObservedTask], names_of: Callable[[ObservedTask], Iterable[str | None]]
) -> tuple[Group, ...]:
    """Return groups of runs, the group with the most reviews first. A run is in a group for each of its names."""
    members: defaultdict[str | None, list[ObservedTask]] = defaultdict(list)
    for task in tasks:
        for name in names_of(task):
            members[name].append(task)
    groups = [assess_group(name, of_name) for name, of_name in members.items()]
    return tuple(sorted(groups, key=_most_reviewed))


def said_of(tasks: Iterable[ObservedTask]) -> TaskReviews:
    """Return all reviews of the tasks."""
    return [(task.id, review) for task in tasks for review in task.observations]


def spread(values: Iterable[tuple[float | None, float]]) -> Spread | None:
    """Return the size of the known values, each with how often it counts. None if no value is known."""
    pairs = [pair for pair in values if pair[0] is not None]
    if not pairs:
        return None
    known, weights = np.array(pairs, dtype=np.float64).T
    if len(set(weights)) == 1:
        median, p90 = np.quantile(known, (0.5, 0.9))
    else:
        median, p90 = np.quantile(known, (0.5, 0.9), weights=weights, method="inverted_cdf")
    mean = np.average(known, weights=weights)
    return Spread(count=known.size, mean=float(mean), median=float(median), p90=float(p90))


def sums_by_task(question: Question, said: TaskReviews) -> list[Sum]:
    """Return the sum of the answers to a question, for each task with answers."""
    by_task: defaultdict[tuple[int, float], list[int]] = defaultdict(list)
    for task_id, review in said:
        if (answer := review.answers.get(question)) is not None:
            by_task[task_id, review.weight].append(int(cast("int", answer)))
    return [(sum(values), len(values), weight) for (_, weight), values in by_task.items()]


def _rating(question: Question, reviewed: TaskReviews) -> RatingSummary:
    given = [
        (task_id, review.weight, (cast("int", answer),))
        for task_id, review in reviewed
        if (answer := review.answers.get(question)) is not None
    ]
    return RatingSummary(
        question=question,
        mean=mean_of_tasks(sums_by_task(question, reviewed), unit="rating"),
        stars=tuple(sorted(_mentions(given), key=lambda mention: -int(mention.value))),
    )


def _choice(question: Question, reviewed: TaskReviews) -> ChoiceSummary:
    answered = [
        (task_id, review.weight, cast("tuple[str, ...]", answer))
        for task_id, review in reviewed
        if (answer := review.answers.get(question)) is not None
    ]
    return ChoiceSummary(
        question=question,
        count=len(answered),
        values=tuple(sorted(_mentions(answered), key=lambda mention: (-mention.count, mention.value))),
    )


def _mentions(answered: Sequence[tuple[int, float, tuple[int | str, ...]]]) -> list[Mention]:
    """Return how often each value was given, of reviews that may each give several different values.

    Args:
        answered: For each review, its task, how often this counts, and the values.
    """
    values = dict.fromkeys(value for *_, given in answered for value in given)
    places = {value: place for place, value in enumerate(values)}
    by_task: defaultdict[tuple[int, float], list[int]] = defaultdict(lambda: [0] * (len(places) + 1))
    by_value: dict[int | str, list[int]] = {value: [] for value in places}
    for task_id, weight, given in answered:
        counts = by_task[task_id, weight]
        counts[-1] += 1
        for value in given:
            counts[places[value]] += 1
            by_value[value].append(task_id)
    shares = shares_of_tasks(((counts, weight) for (_, weight), counts in by_task.items()), unit="review")
    return [
        Mention(value=value, count=len(ids), share=share, task_ids=tuple(sorted(set(ids))))
        for (value, ids), share in zip(by_value.items(), shares, strict=True)
    ]


def _questions(kind: QuestionKind, said: TaskReviews) -> list[Question]:
    return sorted({question for _, review in said for question in review.answers if question.kind == kind})


def _tasks(said: Iterable[tuple[int, Observation]]) -> tuple[int, ...]:
    return tuple(sorted({task_id for task_id, _ in said}))


def _most_reviewed(group: Group) -> tuple[int, int, str]:
    return -group.quality.reviews, -len(group.task_ids), group.name or ""
