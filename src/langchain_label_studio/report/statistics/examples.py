"""`examples_of`: the worst rated and the most changed answers, to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import nsmallest
from typing import cast

from langchain_label_studio.report.excerpts import ExampleReview, Examples
from langchain_label_studio.report.measures import Question
from langchain_label_studio.report.statistics.observations import Observation, ObservedTask

_COUNT = 3

Badness = Callable[[Observation], float | None]
"""How bad a review says that an answer is: the smaller, the worse. None if it is no example."""


def examples_of(tasks: Sequence[ObservedTask]) -> Examples:
    """Return three reviews with the fewest stars, and three that changed most of an answer, one for each task."""
    return Examples(
        worst_rated=_worst(tasks, _stars),
        most_changed=_worst(tasks, lambda review: -_changed(review) or None),
    )


def _worst(tasks: Sequence[ObservedTask], badness: Badness) -> tuple[ExampleReview, ...]:
    found = nsmallest(_COUNT, _worst_reviews(tasks, badness), key=lambda each: each[:-1])
    return tuple(_example(tasks[place], review) for *_, place, review in found)


def _worst_reviews(
    tasks: Sequence[ObservedTask], badness: Badness
) -> Iterator[tuple[float, float, int, Observation]]:
    """Yield the worst review of each task. Of two reviews that are as bad, the one that changed more is first."""
    for place, task in enumerate(tasks):
        ranked = [
            (bad, -_changed(review), place, review)
            for review in task.observations
            if (bad := badness(review)) is not None
        ]
        if ranked:
            yield min(ranked, key=lambda each: each[:-1])


def _stars(review: Observation) -> float | None:
    """Return the mean of the stars as a share of their scales. None if there are none, or all stars were given."""
    shares = [(stars - 1) / (question.scale - 1) for question, stars in _given(review) if question.scale > 1]
    mean = sum(shares) / len(shares) if shares else 1.0
    return mean if mean < 1 else None


def _changed(review: Observation) -> float:
    return review.change.distance if review.change else 0.0


def _given(review: Observation) -> list[tuple[Question, int]]:
    return [
        (question, cast("int", answer))
        for question, answer in review.answers.items()
        if question.kind == "rating"
    ]


def _example(task: ObservedTask, review: Observation) -> ExampleReview:
    return ExampleReview(
        task=task.excerpt, reviewer=review.reviewer, stars=tuple(_given(review)), change=review.change
    )
