"""`agree`: the agreement of all reviewers, of each two reviewers, and the tasks on which they differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from langchain_label_studio.report.findings import Agreement, Alpha, Dispute, Pair, Reviewer
from langchain_label_studio.report.measures import Estimate, Level, Question, QuestionKind
from langchain_label_studio.report.statistics.agreement_coefficients import cohen_kappa, krippendorff_alpha
from langchain_label_studio.report.statistics.bootstrap import Floats, estimate, patterns_of
from langchain_label_studio.report.statistics.observations import Answer, Observation, ObservedTask
from langchain_label_studio.report.statistics.quality import assess, said_of, spread

MOST_DISPUTES = 50
"""The maximum number of tasks that are named. The report says how many there are."""

_LEVELS: dict[QuestionKind, tuple[Level, ...]] = {
    "rating": ("ordinal", "interval"),
    "number": ("interval",),
}
_BY_EQUALITY: tuple[Level, ...] = ("nominal",)
_SAME = "all gave the same answer throughout: nothing tells agreement from chance"

Sheet = dict[int, dict[str, Answer]]
"""The answers to one question, by task and by reviewer. Each task has at least two."""


def agree(tasks: Sequence[ObservedTask]) -> Agreement:
    """Return the agreement of reviewers on tasks that at least two people reviewed.

    If a person reviewed a task twice, the later review counts.
    """
    sheets = _sheets(tasks)
    disputes = _disputes(sheets, {task.id: task.url for task in tasks})
    return Agreement(
        alphas=tuple(
            _alpha(question, level, sheet)
            for question, sheet in sheets.items()
            for level in _LEVELS.get(question.kind, _BY_EQUALITY)
        ),
        pairs=tuple(pair for question, sheet in sheets.items() for pair in _pairs(question, sheet)),
        disputes=tuple(disputes[:MOST_DISPUTES]),
        disputed=len(disputes),
    )


def reviewers_of(tasks: Sequence[ObservedTask]) -> tuple[Reviewer, ...]:
    """Return the numbers of each reviewer. The person with the most reviews is first."""
    by_name: defaultdict[str, list[tuple[int, Observation]]] = defaultdict(list)
    for task_id, review in said_of(tasks):
        if review.reviewed or review.skipped:
            by_name[review.reviewer or "unknown"].append((task_id, review))
    reviewers = [
        Reviewer(name=name, quality=assess(said), seconds=spread(review.seconds for _, review in said))
        for name, said in by_name.items()
    ]
    return tuple(sorted(reviewers, key=lambda reviewer: (-reviewer.quality.reviews, reviewer.name)))


def _sheets(tasks: Iterable[ObservedTask]) -> dict[Question, Sheet]:
    sheets: defaultdict[Question, Sheet] = defaultdict(dict)
    for task in tasks:
        for question, answers in _answers(task).items():
            if len(answers) > 1:
                sheets[question][task.id] = answers
    return {question: sheets[question] for question in sorted(sheets)}


def _answers(task: ObservedTask) -> dict[Question, dict[str, Answer]]:
    latest: dict[str, Observation] = {}
    for review in task.observations:
        if review.reviewed and review.reviewer:
            before = latest.get(review.reviewer)
            if before is None or before.when is None or (review.when and review.when >= before.when):
                latest[review.reviewer] = review
    answers: defaultdict[Question, dict[str, Answer]] = defaultdict(dict)
    for reviewer, review in latest.items():
        for question, answer in review.answers.items():
            answers[question][reviewer] = answer
    return answers


def _alpha(question: Question, level: Level, sheet: Sheet) -> Alpha:
    values, index = _numbered(answer for answers in sheet.values() for answer in answers.values())
    patterns, tasks = patterns_of(
        tuple(sorted(index[answer] for answer in answers.values())) for answers in sheet.values()
    )
    statistic = krippendorff_alpha(patterns, values, level)
    found = estimate(statistic, tasks, count=len(sheet), unit="task", width=values.size)
    return Alpha(question=question, level=level, estimate=_explained(found), task_ids=tuple(sorted(sheet)))


def _pairs(question: Question, sheet: Sheet) -> Iterable[Pair]:
    if question.kind == "number":
        return  # two numbers are seldom equal: the alpha says how near they are
    both: defaultdict[tuple[str, str], dict[int, tuple[Answer, Answer]]] = defaultdict(dict)
    for task_id, answers in sheet.items():
        for one, other in combinations(sorted(answers), 2):
            both[one, other][task_id] = answers[one], answers[other]
    for reviewers, given in sorted(both.items()):
        values, index = _numbered(answer for pair in given.values() for answer in pair)
        patterns, tasks = patterns_of((index[one], index[other]) for one, other in given.values())
        statistic = cohen_kappa(patterns, values, squared=question.kind == "rating")
        found = estimate(statistic, tasks, count=len(given), unit="task", width=values.size)
        yield Pair(
            question=question,
            reviewers=reviewers,
            estimate=_explained(found),
            task_ids=tuple(sorted(given)),
        )


def _numbered(answers: Iterable[Answer]) -> tuple[Floats, dict[Answer, int]]:
    """Return the different answers as numbers, and the index of each answer."""
    different = sorted(set(answers))
    numbers = [
        float(each) if isinstance(each, int | float) else place for place, each in enumerate(different)
    ]
    return np.array(numbers, dtype=np.float64), {answer: place for place, answer in enumerate(different)}


def _explained(found: Estimate) -> Estimate:
    return replace(found, note=_SAME) if found.value is None else found


def _disputes(sheets: Mapping[Question, Sheet], urls: Mapping[int, str]) -> list[Dispute]:
    """Return the tasks on which answers differ, the worst first."""
    apart: defaultdict[int, dict[Question, float]] = defaultdict(dict)
    for question, sheet in sheets.items():
        distance = _distance(question, sheet)
        for task_id, answers in sheet.items():
            pairs = list(combinations(answers.values(), 2))
            apart[task_id][question] = sum(distance(one, other) for one, other in pairs) / len(pairs)
    disputes = [
        Dispute(
            task_id=task_id,
            task_url=urls[task_id],
            distance=sum(by_question.values()) / len(by_question),
            answers=tuple(
                (question, _shown_answers(sheets[question][task_id]))
                for question, distance in by_question.items()
                if distance
            ),
        )
        for task_id, by_question in apart.items()
        if any(by_question.values())
    ]
    return sorted(disputes, key=lambda dispute: (-dispute.distance, dispute.task_id))


def _shown_answers(answers: Mapping[str, Answer]) -> tuple[tuple[str, str], ...]:
    return tuple((reviewer, _shown(answers[reviewer])) for reviewer in sorted(answers))


def _distance(question: Question, sheet: Sheet) -> Callable[[Answer, Answer], float]:
    if question.kind not in {"rating", "number"}:
        return lambda one, other: float(one != other)
    numbers = [float(answer) for answers in sheet.values() for answer in answers.values()]  # type: ignore[arg-type]
    # For stars, the range of the scale. Without a known scale, the range of the given answers.
    span = question.scale - 1 if question.scale > 1 else max(numbers) - min(numbers)
    return lambda one, other: min(1.0, abs(float(one) - float(other)) / span) if span else 0.0  # type: ignore[arg-type]


def _shown(answer: Answer) -> str:
    if isinstance(answer, bool):
        return "corrected" if answer else "left as it was"
    if isinstance(answer, tuple):
        return ", ".join(answer)
    return f"{answer:g}" if isinstance(answer, float) else str(answer)
