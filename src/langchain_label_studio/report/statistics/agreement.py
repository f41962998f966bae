"""`agree`: the agreement of all reviewers, of each two reviewers, and the tasks on which they differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, TypeVar

import numpy as np

from langchain_label_studio.report.measures import Estimate, Level, Question, QuestionKind
from langchain_label_studio.report.reviewer_findings import Agreement, Alpha, Pair
from langchain_label_studio.report.statistics.agreement_coefficients import cohen_kappa, krippendorff_alpha
from langchain_label_studio.report.statistics.agreement_sheets import Sheet, Unit
from langchain_label_studio.report.statistics.bootstrap import Floats, Statistic, estimate, patterns_of
from langchain_label_studio.report.statistics.disputes import disputes_of
from langchain_label_studio.report.statistics.observations import Answer, ObservedTask

_LEVELS: dict[QuestionKind, tuple[Level, ...]] = {
    "rating": ("ordinal", "interval"),
    "number": ("interval",),
}
_BY_EQUALITY: tuple[Level, ...] = ("nominal",)
_SAME = "all answers are the same, so agreement cannot be told from chance"

_Pattern = TypeVar("_Pattern", bound=tuple[int, ...])


def agree(sheets: Mapping[Question, Sheet], tasks: Sequence[ObservedTask]) -> Agreement:
    """Return the agreement of reviewers on tasks that at least two people reviewed."""
    disputes, disputed = disputes_of(sheets, tasks)
    return Agreement(
        alphas=tuple(
            _alpha(question, level, sheet)
            for question, sheet in sheets.items()
            for level in _LEVELS.get(question.kind, _BY_EQUALITY)
        ),
        pairs=tuple(pair for question, sheet in sheets.items() for pair in _pairs(question, sheet)),
        disputes=disputes,
        disputed=disputed,
    )


def _alpha(question: Question, level: Level, sheet: Sheet) -> Alpha:
    values, index = _numbered(answer for answers in sheet.values() for answer in answers.values())
    units = {
        unit: tuple(sorted(index[answer] for answer in answers.values())) for unit, answers in sheet.items()
    }
    patterns, members, tasks = _units_by_task(units)
    statistic = _of_tasks(krippendorff_alpha(patterns, values, level), members)
    ids = _tasks(sheet)
    found = estimate(statistic, tasks, count=len(ids), unit="task", width=values.size + len(patterns))
    return Alpha(question=question, level=level, estimate=_explained(found), units=len(sheet), task_ids=ids)


def _pairs(question: Question, sheet: Sheet) -> Iterable[Pair]:
    if question.kind == "number":
        return  # two numbers are seldom equal: the alpha says how near they are
    both: defaultdict[tuple[str, str], dict[Unit, tuple[Answer, Answer]]] = defaultdict(dict)
    for unit, answers in sheet.items():
        for one, other in combinations(sorted(answers), 2):
            both[one, other][unit] = answers[one], answers[other]
    for reviewers, given in sorted(both.items()):
        values, index = _numbered(answer for pair in given.values() for answer in pair)
        units = {unit: (index[one], index[other]) for unit, (one, other) in given.items()}
        patterns, members, tasks = _units_by_task(units)
        statistic = _of_tasks(cohen_kappa(patterns, values, squared=question.kind == "rating"), members)
        ids = _tasks(given)
        found = estimate(statistic, tasks, count=len(ids), unit="task", width=values.size + len(patterns))
        yield Pair(question=question, reviewers=reviewers, estimate=_explained(found), task_ids=ids)


def _units_by_task(units: Mapping[Unit, _Pattern]) -> tuple[list[_Pattern], Any, Floats]:
    """Return the patterns of units, how many units of each a pattern of tasks has, and the tasks with each pattern.

    Documents and steps of one task are not independent. So tasks are drawn, each with all its units.
    """
    from scipy.sparse import csr_array  # type: ignore[import-untyped]  # noqa: PLC0415 (an extra)

    patterns = sorted(set(units.values()))
    place = {pattern: index for index, pattern in enumerate(patterns)}
    by_task: defaultdict[int, list[int]] = defaultdict(list)
    for (task_id, _), pattern in units.items():
        by_task[task_id].append(place[pattern])
    of_tasks, tasks = patterns_of(tuple(sorted(places)) for places in by_task.values())
    columns = [column for places in of_tasks for column in places]
    rows = [row for row, places in enumerate(of_tasks) for _ in places]
    members = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(of_tasks), len(patterns)))
    return patterns, members, tasks


def _of_tasks(statistic: Statistic, members: Any) -> Statistic:
    return lambda weights: statistic(weights @ members)


def _tasks(units: Iterable[Unit]) -> tuple[int, ...]:
    return tuple(sorted({task_id for task_id, _ in units}))


def _numbered(answers: Iterable[Answer]) -> tuple[Floats, dict[Answer, int]]:
    """Return the different answers as numbers, and the index of each answer."""
    different = sorted(set(answers))
    numbers = [
        float(each) if isinstance(each, int | float) else place for place, each in enumerate(different)
    ]
    return np.array(numbers, dtype=np.float64), {answer: place for place, answer in enumerate(different)}


def _explained(found: Estimate) -> Estimate:
    return replace(found, note=_SAME) if found.value is None else found
