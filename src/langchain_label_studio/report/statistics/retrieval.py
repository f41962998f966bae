"""`assess_retrieval`: the quality of retrieved documents.

Precision at k and the reciprocal rank: Manning, Raghavan and Schütze (2008), Introduction to Information Retrieval,
chapter 8. A document that nobody judged is unknown. It does not count as irrelevant, as it does in TREC's pools.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Literal

from langchain_label_studio.report.findings import RankMeasure, RetrievalQuality
from langchain_label_studio.report.statistics.bootstrap import mean_of_tasks
from langchain_label_studio.report.statistics.observations import ObservedTask

CUTOFFS = (1, 3, 5)
"""The k of precision at k."""

Relevance = Sequence[bool | None]
"""For each document, in order, whether it is relevant. None if nobody judged it."""

Judged = list[tuple[int, float, Relevance]]
"""Reviews, each with the number of its task, and how often this counts."""


def assess_retrieval(tasks: Iterable[ObservedTask]) -> RetrievalQuality | None:
    """Return the quality of the retrieved documents. None if nobody judged any."""
    judged: Judged = [
        (task.id, task.weight, said.relevance)
        for task in tasks
        for said in task.observations
        if any(relevant is not None for relevant in said.relevance)
    ]
    if not judged:
        return None
    said = [relevant for *_, relevance in judged for relevant in relevance if relevant is not None]
    return RetrievalQuality(
        reviews=len(judged),
        documents=len(said),
        relevant=sum(said),
        task_ids=_tasks(task_id for task_id, *_ in judged),
        measures=(
            *(_mean("precision", k, partial(precision, k=k), judged) for k in (*CUTOFFS, None)),
            _mean("reciprocal_rank", None, reciprocal_rank, judged),
        ),
    )


def precision(relevance: Relevance, *, k: int | None = None) -> float | None:
    """Return the share of the first documents that is relevant.

    Args:
        relevance: The verdicts on the documents, in their order.
        k: The number of documents. None is all documents.

    Returns:
        The share, from 0 to 1. None if there are fewer documents, or not all of them are judged.
    """
    first = relevance if k is None else relevance[:k]
    known = [relevant for relevant in first if relevant is not None]
    if not first or len(known) < (k or len(first)):
        return None
    return sum(known) / len(known)


def reciprocal_rank(relevance: Relevance) -> float | None:
    """Return 1 divided by the place of the first relevant document.

    Args:
        relevance: The verdicts on the documents, in their order.

    Returns:
        The reciprocal. 0 if no document is relevant. None if a document before it is not judged.
    """
    for place, relevant in enumerate(relevance, start=1):
        if relevant is None:
            return None
        if relevant:
            return 1 / place
    return 0.0


def _mean(
    name: Literal["precision", "reciprocal_rank"],
    k: int | None,
    measure: Callable[[Relevance], float | None],
    judged: Judged,
) -> RankMeasure:
    by_task: defaultdict[tuple[int, float], list[float]] = defaultdict(list)
    for task_id, weight, relevance in judged:
        if (value := measure(relevance)) is not None:
            by_task[task_id, weight].append(value)
    return RankMeasure(
        name=name,
        k=k,
        estimate=mean_of_tasks(
            ((sum(values), len(values), weight) for (_, weight), values in by_task.items()), unit="review"
        ),
        task_ids=_tasks(task_id for task_id, _ in by_task),
        missed_task_ids=_tasks(task_id for (task_id, _), values in by_task.items() if 0 in values),
    )


def _tasks(ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(ids)))
