"""The result types of a report. Begin with `Findings`: it holds all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from langchain_label_studio.report.excerpts import Examples
from langchain_label_studio.report.measures import (
    NO_VARIATION,
    Estimate,
    Group,
    Quality,
    Question,
    Timeline,
)
from langchain_label_studio.report.preference_findings import Preferences
from langchain_label_studio.report.reviewer_findings import Agreement, Reviewer


@dataclass(frozen=True, slots=True, kw_only=True)
class RankMeasure:
    """One measure of the quality of retrieved documents.

    Attributes:
        name: The measure. It is the share of the first `k` documents that is relevant. Or it is 1 divided by the place
            of the first relevant document, and 0 without a relevant one.
        k: The number of documents that it looks at. None is all retrieved documents.
        estimate: Its mean, from 0 to 1, over the reviews that judge all documents that it needs.
        task_ids: The tasks of these reviews.
        missed_task_ids: The tasks among these in which somebody found no document relevant.
    """

    name: Literal["precision", "reciprocal_rank"]
    k: int | None
    estimate: Estimate
    task_ids: tuple[int, ...]
    missed_task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalQuality:
    """The quality of the retrieved documents.

    Attributes:
        reviews: The number of reviews that judge documents.
        documents: The number of documents that these reviews judge.
        relevant: The number of documents that are judged relevant.
        task_ids: The tasks of these reviews.
        measures: The measures.
    """

    reviews: int
    documents: int
    relevant: int
    task_ids: tuple[int, ...]
    measures: tuple[RankMeasure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreGroup:
    """The runs to which users gave the same score.

    Attributes:
        score: The score.
        task_ids: The tasks of these runs, reviewed or not.
        quality: What reviewers say of these runs, in numbers.
    """

    score: float
    task_ids: tuple[int, ...]
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """How far the scores of users and the answers of reviewers go together.

    Attributes:
        question: The question to reviewers: stars, or whether the answer was corrected.
        estimate: Spearman's rank correlation, from -1 to 1, over tasks. 0 is no connection. Its count is the number of
            tasks that have both. A task with several reviews counts with their mean.
        task_ids: These tasks.
    """

    question: Question
    estimate: Estimate
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFeedback:
    """What users said under one key, beside what reviewers said.

    Attributes:
        key: The key of the feedback.
        task_ids: The tasks whose run has a score.
        scores: The runs with each score, the highest first. Empty if there are many different scores.
        correlations: How far scores and reviews go together, for each question.
    """

    key: str
    task_ids: tuple[int, ...]
    scores: tuple[ScoreGroup, ...]
    correlations: tuple[Correlation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The lead of the best model over the next one, in one question.

    Attributes:
        question: The question: stars (more are better), or whether the answer was corrected.
        best: The best model.
        next: The second best model.
        difference: The difference between them, in stars or as a share. The lead is clear if the whole interval is
            above 0.
    """

    question: Question
    best: str
    next: str
    difference: Estimate

    @property
    def is_clear(self) -> bool:
        """Whether the lead is more than chance."""
        if self.difference.low is not None:
            return self.difference.low > 0
        return self.difference.note == NO_VARIATION and self.difference.value != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All numbers of a report.

    Attributes:
        title: The heading of the report.
        first: The time when the first review was saved, in UTC.
        last: The time when the last review was saved, in UTC.
        everything: All runs together.
        models: The runs of each model. The model with the most reviews is first.
        tags: The runs with each tag. A run with several tags counts for each of them.
        leads: The leading model, for each question that has one.
        preferences: The models in the order of preference. None if no answers were compared.
        examples: The worst rated and the most changed answers.
        feedback: What users said, for each key, beside what reviewers said.
        retrieval: The quality of the retrieved documents. None if no documents were judged.
        timeline: The quality over time. None if no time is known.
        agreement: The agreement of reviewers.
        reviewers: The numbers of each person.
        is_weighed: Whether the runs had different chances to be recorded. Then figures count each run as 1 divided by
            its chance.
        notes: Remarks on the data.
        task_urls: The address of each task.
    """

    title: str
    first: datetime | None
    last: datetime | None
    everything: Group
    models: tuple[Group, ...]
    tags: tuple[Group, ...]
    leads: tuple[Lead, ...]
    preferences: Preferences | None
    examples: Examples
    feedback: tuple[UserFeedback, ...]
    retrieval: RetrievalQuality | None
    timeline: Timeline | None
    agreement: Agreement
    reviewers: tuple[Reviewer, ...]
    is_weighed: bool
    notes: tuple[str, ...]
    task_urls: Mapping[int, str]
