"""`reviewers_of`: the numbers of each person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from langchain_label_studio.report.measures import Estimate, Question
from langchain_label_studio.report.reviewer_findings import Closeness, GoldAnswers, Reviewer
from langchain_label_studio.report.statistics.agreement_sheets import (
    Sheet,
    Unit,
    answers_of,
    distance_of,
    latest_reviews,
)
from langchain_label_studio.report.statistics.bootstrap import Floats, estimate, mean_of_tasks
from langchain_label_studio.report.statistics.observations import Answer, Observation, ObservedTask
from langchain_label_studio.report.statistics.quality import assess, said_of, spread

Distance = Callable[[Answer, Answer], float]

UNKNOWN_REVIEWER = "not known"
"""The name for reviews of which nobody knows the reviewer."""


def reviewers_of(tasks: Sequence[ObservedTask], sheets: Mapping[Question, Sheet]) -> tuple[Reviewer, ...]:
    """Return the numbers of each reviewer. The person with the most reviews is first."""
    by_name: defaultdict[str, list[tuple[int, Observation]]] = defaultdict(list)
    for task_id, review in said_of(tasks):
        if review.reviewed or review.skipped:
            # A person's own numbers are about the tasks that the person had.
            by_name[review.reviewer or UNKNOWN_REVIEWER].append((task_id, replace(review, weight=1.0)))
    others, truths = _with_others(sheets), _with_ground_truth(tasks)
    reviewers = [
        Reviewer(
            name=name,
            quality=assess(said),
            seconds=spread((review.seconds, 1.0) for _, review in said),
            median_seconds=median_of([review.seconds for _, review in said if review.seconds is not None]),
            with_others=_closeness(others.get(name)),
            with_ground_truth=_closeness(_of_all_questions(truths[name])),
            gold_answers=tuple(
                _gold_answers(question, near) for question, near in sorted(truths[name].items())
            ),
        )
        for name, said in by_name.items()
    ]
    return tuple(sorted(reviewers, key=lambda reviewer: (-reviewer.quality.reviews, reviewer.name)))


def median_of(values: Sequence[float]) -> Estimate:
    """Return the median of values with its interval. Values are rounded to two digits first, or to whole numbers."""
    rounded = [float(round(value)) if value >= 10 else round(value, 1) for value in values]
    different, counts = np.unique(np.array(rounded, dtype=np.float64), return_counts=True)

    def statistic(weights: Floats) -> Floats:
        half = np.cumsum(weights, axis=1) >= weights.sum(axis=1, keepdims=True) / 2
        found: Floats = different[half.argmax(axis=1)]
        return found

    return estimate(statistic, counts.astype(np.float64), count=len(values), unit="review")


Near = dict[int, list[float]]
"""The closeness of one reviewer's answers to other answers, by task."""


def _with_others(sheets: Mapping[Question, Sheet]) -> dict[str, Near]:
    near: defaultdict[str, Near] = defaultdict(lambda: defaultdict(list))
    for question, sheet in sheets.items():
        distance = distance_of(question, _all_answers(sheet))
        for (task_id, _), answers in sheet.items():
            for reviewer, answer in answers.items():
                near[reviewer][task_id] += [
                    1 - distance(answer, other) for name, other in answers.items() if name != reviewer
                ]
    return near


def _with_ground_truth(tasks: Iterable[ObservedTask]) -> defaultdict[str, dict[Question, Near]]:
    pairs: defaultdict[Question, list[tuple[str, Unit, Answer, Answer]]] = defaultdict(list)
    for task in tasks:
        marked = [review for review in task.observations if review.ground_truth and review.reviewed]
        if not marked:
            continue
        truth = marked[-1]
        true_answers = answers_of(truth)
        for reviewer, review in latest_reviews(task).items():
            if reviewer == truth.reviewer:
                continue
            for (question, place), answer in answers_of(review).items():
                if (question, place) in true_answers:
                    true_answer = true_answers[question, place]
                    pairs[question].append((reviewer, (task.id, place), answer, true_answer))
    near: defaultdict[str, dict[Question, Near]] = defaultdict(dict)
    for question, compared in pairs.items():
        distance = distance_of(question, [answer for *_, one, other in compared for answer in (one, other)])
        for reviewer, (task_id, _), answer, true_answer in compared:
            of_question = near[reviewer].setdefault(question, defaultdict(list))
            of_question[task_id].append(1 - distance(answer, true_answer))
    return near


def _of_all_questions(near: Mapping[Question, Near]) -> Near:
    together: defaultdict[int, list[float]] = defaultdict(list)
    for of_question in near.values():
        for task_id, values in of_question.items():
            together[task_id] += values
    return together


def _gold_answers(question: Question, near: Near) -> GoldAnswers:
    return GoldAnswers(
        question=question,
        closeness=_closeness_of(near),
        same=sum(value == 1 for values in near.values() for value in values),
    )


def _all_answers(sheet: Sheet) -> list[Answer]:
    return [answer for answers in sheet.values() for answer in answers.values()]


def _closeness(near: Near | None) -> Closeness | None:
    return _closeness_of(near) if near else None


def _closeness_of(near: Near) -> Closeness:
    sums = [(round(sum(values), 6), len(values), 1.0) for values in near.values()]
    return Closeness(estimate=mean_of_tasks(sums, unit="comparison"), task_ids=tuple(sorted(near)))
