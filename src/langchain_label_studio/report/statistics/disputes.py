"""`disputes_of`: the tasks on which reviewers disagree, with what they saw and what each of them answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from langchain_label_studio.report.measures import Question
from langchain_label_studio.report.reviewer_findings import Dispute, DisputedQuestion
from langchain_label_studio.report.statistics.agreement_sheets import Sheet, distance_of, latest_reviews
from langchain_label_studio.report.statistics.observations import (
    CORRECTION,
    RELEVANCE,
    WHOLE,
    Answer,
    ObservedTask,
)

MOST_DISPUTES = 50
"""The maximum number of tasks that are named. The report says how many there are."""


def disputes_of(
    sheets: Mapping[Question, Sheet], tasks: Sequence[ObservedTask]
) -> tuple[tuple[Dispute, ...], int]:
    """Return the tasks on which answers differ, the worst first, and how many such tasks there are."""
    apart: defaultdict[int, dict[tuple[Question, int], float]] = defaultdict(dict)
    for question, sheet in sheets.items():
        distance = distance_of(
            question, [answer for answers in sheet.values() for answer in answers.values()]
        )
        for (task_id, place), answers in sheet.items():
            pairs = list(combinations(answers.values(), 2))
            apart[task_id][question, place] = sum(distance(one, other) for one, other in pairs) / len(pairs)
    means = {
        task_id: sum(distances.values()) / len(distances)
        for task_id, distances in apart.items()
        if any(distances.values())
    }
    worst = sorted(means, key=lambda task_id: (-means[task_id], task_id))[:MOST_DISPUTES]
    by_id = {task.id: task for task in tasks}
    disputes = tuple(
        Dispute(
            task=by_id[task_id].excerpt,
            distance=means[task_id],
            questions=tuple(
                _disputed(question, place, sheets[question][task_id, place], by_id[task_id])
                for (question, place), distance in apart[task_id].items()
                if distance
            ),
        )
        for task_id in worst
    )
    return disputes, len(means)


def _disputed(
    question: Question, place: int, answers: Mapping[str, Answer], task: ObservedTask
) -> DisputedQuestion:
    said = {reviewer: said_text(question, answer) for reviewer, answer in answers.items()}
    if question == CORRECTION:
        changes = {reviewer: latest_reviews(task)[reviewer].change for reviewer in said}
        said |= {reviewer: f"corrected: {change.after}" for reviewer, change in changes.items() if change}
    return DisputedQuestion(
        question=question, place=None if place == WHOLE else place, answers=tuple(sorted(said.items()))
    )


def said_text(question: Question, answer: Answer) -> str:
    """Return an answer as a text."""
    if question == CORRECTION:
        return "corrected" if answer else "left as it was"
    if question == RELEVANCE:
        return "relevant" if answer else "not relevant"
    if isinstance(answer, tuple):
        return ", ".join(answer)
    return f"{answer:g}" if isinstance(answer, float) else str(answer)
