"""`sheets_of`: the answers to each question, side by side, of tasks that at least two people reviewed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from langchain_label_studio.report.measures import Question
from langchain_label_studio.report.statistics.observations import WHOLE, Answer, Observation, ObservedTask

Unit = tuple[int, int]
"""What was answered: a task's number, and the place of a document or a step in it, or `WHOLE`."""

Sheet = dict[Unit, dict[str, Answer]]
"""The answers to one question, by unit and by reviewer. Each unit has at least two."""


def sheets_of(tasks: Iterable[ObservedTask]) -> dict[Question, Sheet]:
    """Return the sheet of each question. If a person reviewed a task twice, the later review counts."""
    sheets: defaultdict[Question, Sheet] = defaultdict(dict)
    for task in tasks:
        answers: defaultdict[tuple[Question, int], dict[str, Answer]] = defaultdict(dict)
        for reviewer, review in latest_reviews(task).items():
            for key, answer in answers_of(review).items():
                answers[key][reviewer] = answer
        for (question, place), by_reviewer in answers.items():
            if len(by_reviewer) > 1:
                sheets[question][task.id, place] = by_reviewer
    return {question: sheets[question] for question in sorted(sheets)}


def answers_of(review: Observation) -> Mapping[tuple[Question, int], Answer]:
    """Return the answers of a review, by question and place."""
    return {(question, WHOLE): answer for question, answer in review.answers.items()} | dict(review.parts)


def latest_reviews(task: ObservedTask) -> dict[str, Observation]:
    """Return the latest review of each person. Reviews of unknown people are left out."""
    latest: dict[str, Observation] = {}
    for review in task.observations:
        if review.reviewed and review.reviewer:
            before = latest.get(review.reviewer)
            if before is None or before.when is None or (review.when and review.when >= before.when):
                latest[review.reviewer] = review
    return latest


def distance_of(question: Question, answers: Iterable[Answer]) -> Callable[[Answer, Answer], float]:
    """Return the distance of two answers to a question, from 0 to 1.

    For stars, it is a share of the scale, and for numbers a share of the range of all answers. Other answers are equal
    (0) or not (1).
    """
    if question.kind not in {"rating", "number"}:
        return lambda one, other: float(one != other)
    numbers = [float(answer) for answer in answers]  # type: ignore[arg-type]
    # Without a known scale, the range of the given stars.
    span = question.scale - 1 if question.scale > 1 else max(numbers) - min(numbers)
    return lambda one, other: min(1.0, abs(float(one) - float(other)) / span) if span else 0.0  # type: ignore[arg-type]
