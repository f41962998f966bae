"""`user_feedback_of`: what users of the application said, beside what reviewers said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from langchain_label_studio.report.findings import Correlation, ScoreGroup, UserFeedback
from langchain_label_studio.report.measures import Question
from langchain_label_studio.report.statistics.bootstrap import (
    Floats,
    Statistic,
    estimate,
    patterns_of,
    quotient,
)
from langchain_label_studio.report.statistics.observations import CORRECTION, ObservedTask
from langchain_label_studio.report.statistics.quality import assess, said_of, sums_by_task

_MOST_SCORES = 7
"""The maximum number of different scores that are shown one by one."""


def user_feedback_of(tasks: Sequence[ObservedTask]) -> tuple[UserFeedback, ...]:
    """Return what users said, for each key of feedback with a score."""
    keys = sorted({key for task in tasks for key in task.scores})
    return tuple(_of_key(key, [task for task in tasks if key in task.scores]) for key in keys)


def _of_key(key: str, tasks: Sequence[ObservedTask]) -> UserFeedback:
    by_score: defaultdict[float, list[ObservedTask]] = defaultdict(list)
    for task in tasks:
        by_score[task.scores[key]].append(task)
    questions = sorted(
        {
            question
            for task in tasks
            for review in task.observations
            for question in review.answers
            if question.kind == "rating" or question == CORRECTION
        }
    )
    return UserFeedback(
        key=key,
        task_ids=tuple(task.id for task in tasks),
        scores=tuple(
            ScoreGroup(score=score, task_ids=tuple(task.id for task in rated), quality=assess(said_of(rated)))
            for score, rated in sorted(by_score.items(), reverse=True)
        )
        if len(by_score) <= _MOST_SCORES
        else (),
        correlations=tuple(_correlation(key, question, tasks) for question in questions),
    )


def _correlation(key: str, question: Question, tasks: Sequence[ObservedTask]) -> Correlation:
    pairs = {
        task.id: (task.scores[key], total / count, weight)
        for task in tasks
        for total, count, weight in sums_by_task(question, said_of([task]))
    }
    patterns, counts = patterns_of(pairs.values())
    values = np.array(patterns, dtype=np.float64).reshape(-1, 3)
    return Correlation(
        question=question,
        estimate=estimate(
            rank_correlation(values[:, :2]), counts, count=len(pairs), unit="task", weights=values[:, 2]
        ),
        task_ids=tuple(pairs),
    )


def rank_correlation(patterns: Floats) -> Statistic:
    """Return Spearman's rank correlation as a statistic of tasks. Equal values have their mean rank.

    See Spearman (1904), The Proof and Measurement of Association between Two Things. `scipy.stats.spearmanr` takes no
    weights, so it cannot compute a thousand draws at once. The tests compare the results with it and with pandas.

    Args:
        patterns: Two values for each pattern of tasks.
    """
    ranked = [_ranks(column) for column in patterns.T]

    def statistic(weights: Floats) -> Floats:
        one, other = (rank(weights) for rank in ranked)
        covariance = (weights * one * other).sum(axis=1)
        return quotient(
            covariance, np.sqrt((weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1))
        )

    return statistic


def _ranks(values: Floats) -> Statistic:
    """Return the ranks of values, less their mean, as a statistic of tasks: draws x patterns."""
    order = np.argsort(values, kind="stable")
    _, starts, group = np.unique(values, return_index=True, return_inverse=True)
    firsts = np.searchsorted(values[order], values[starts])

    def ranks(weights: Floats) -> Floats:
        counted = np.add.reduceat(weights[:, order], firsts, axis=1)
        middle = weights.sum(axis=1, keepdims=True) / 2
        found: Floats = (np.cumsum(counted, axis=1) - counted / 2 - middle)[:, group]
        return found

    return ranks
