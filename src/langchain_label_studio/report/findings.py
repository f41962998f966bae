"""The result types of a report. Begin with `Findings`: it holds all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from langchain_label_studio.report.measures import (
    NO_VARIATION,
    Estimate,
    Group,
    Level,
    Quality,
    Question,
    Spread,
    Timeline,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A model whose answers were compared with those of other models.

    Attributes:
        model: The model.
        wins: The number of comparisons that it won.
        comparisons: The number of its comparisons with another model. A ranking of three answers is three comparisons.
        win_rate: The share of its comparisons that it won, from 0 to 1. It depends on the other models.
        strength: The chance to win against a random model among the others, from 0 to 1, by the Bradley-Terry model.
            None if the models cannot be put on one scale.
        task_ids: The tasks of its comparisons.
    """

    model: str
    wins: int
    comparisons: int
    win_rate: Estimate
    strength: Estimate | None
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """The wins of one model against one other model.

    Attributes:
        winner: The model that won.
        loser: The model that lost.
        wins: The number of wins.
        task_ids: The tasks.
    """

    winner: str
    loser: str
    wins: int
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """The models in the order of preference.

    Attributes:
        reviews: The number of reviews that compare answers of different models.
        contenders: The models, the strongest first.
        duels: The wins of each model against each other model.
        notes: The reason why there is no leaderboard, and the reviews that could not be counted.
    """

    reviews: int
    contenders: tuple[Contender, ...]
    duels: tuple[Duel, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpha:
    """Krippendorff's alpha of all reviewers on one question. 1 is perfect agreement, 0 is chance.

    Attributes:
        question: The question.
        level: The comparison of two answers: equal or not, by rank, or by difference.
        estimate: The alpha. Its count is the number of tasks that at least two people answered.
        task_ids: These tasks.
    """

    question: Question
    level: Level
    estimate: Estimate
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Cohen's kappa of two reviewers on one question. 1 is perfect agreement, 0 is chance.

    Attributes:
        question: The question.
        reviewers: The two reviewers.
        estimate: The kappa. Its count is the number of tasks that both answered. Ratings are weighted by their squared
            difference. So four stars are nearer to five than one star is.
        task_ids: These tasks.
    """

    question: Question
    reviewers: tuple[str, str]
    estimate: Estimate
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A task that reviewers answer differently.

    Attributes:
        task_id: The task.
        task_url: Its address.
        distance: The mean distance of two answers, from 0 to 1, over all questions. For stars it is the share of the
            scale, else the share of pairs that differ.
        answers: The questions with different answers, and the answer of each person.
    """

    task_id: int
    task_url: str
    distance: float
    answers: tuple[tuple[Question, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The agreement of reviewers.

    Attributes:
        alphas: The agreement of all reviewers together, for each question.
        pairs: The agreement of each two reviewers, for each question that both answered.
        disputes: The tasks with the most disagreement, the worst first.
        disputed: The number of tasks with any disagreement.
    """

    alphas: tuple[Alpha, ...]
    pairs: tuple[Pair, ...]
    disputes: tuple[Dispute, ...]
    disputed: int


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
class Reviewer:
    """One person.

    Attributes:
        name: The e-mail address, or `user` and a number.
        quality: The numbers of this person's reviews.
        seconds: The seconds for a review.
    """

    name: str
    quality: Quality
    seconds: Spread | None


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
        retrieval: The quality of the retrieved documents. None if no documents were judged.
        timeline: The quality over time. None if no time is known.
        agreement: The agreement of reviewers.
        reviewers: The numbers of each person.
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
    retrieval: RetrievalQuality | None
    timeline: Timeline | None
    agreement: Agreement
    reviewers: tuple[Reviewer, ...]
    notes: tuple[str, ...]
    task_urls: Mapping[int, str]
