"""The result types of a report. Begin with `Findings`, which holds all the others."""

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
        wins: Comparisons that it won.
        comparisons: Comparisons with another model; a ranking of three answers is three of them.
        win_rate: Share of the comparisons that it won, 0 to 1. It depends on the models it met.
        strength: Chance to win against a model chosen at random among the others, by the Bradley-Terry model, 0 to
            1. None if the models cannot be put on one scale.
        task_ids: Tasks it was compared on.
    """

    model: str
    wins: int
    comparisons: int
    win_rate: Estimate
    strength: Estimate | None
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """The wins of one model against one other.

    Attributes:
        winner: The model that won.
        loser: The model that lost.
        wins: How often it won.
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
        reviews: Reviews that compare answers of different models.
        contenders: The models, the strongest first.
        duels: The wins of each model against each other.
        notes: Why there is no leaderboard, and which reviews could not be counted.
    """

    reviews: int
    contenders: tuple[Contender, ...]
    duels: tuple[Duel, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpha:
    """Krippendorff's alpha of all reviewers on one question: 1 is perfect, 0 is chance.

    Attributes:
        question: The question that they answered.
        level: How two answers are compared: equal or not, by rank, or by difference.
        estimate: The alpha. Its count is the number of tasks that at least two people answered.
        task_ids: Those tasks.
    """

    question: Question
    level: Level
    estimate: Estimate
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Cohen's kappa of two reviewers on one question: 1 is perfect, 0 is chance.

    Attributes:
        question: The question that they answered.
        reviewers: The two reviewers.
        estimate: The kappa. Its count is the number of tasks that both answered. Ratings are weighted by their
            squared difference, so that four stars are nearer to five than one star is.
        task_ids: Those tasks.
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
        distance: Mean distance of two answers, 0 to 1, over all questions: of stars the share of the scale, else
            the share of pairs that differ.
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
        alphas: Of all reviewers together, for each question.
        pairs: Of each two reviewers, for each question that both answered.
        disputes: The tasks they disagree on most, the worst first.
        disputed: Number of tasks with any disagreement.
    """

    alphas: tuple[Alpha, ...]
    pairs: tuple[Pair, ...]
    disputes: tuple[Dispute, ...]
    disputed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankMeasure:
    """One measure of the quality of retrieved documents.

    Attributes:
        name: The measure: which share of the first `k` documents is relevant, or 1 divided by the place of the
            first relevant one, 0 without any.
        k: How many documents it looks at; None for all that were retrieved.
        estimate: Its mean, 0 to 1, over the reviews that judge all documents it needs.
        task_ids: Their tasks.
        missed_task_ids: Those of them where somebody found none of the documents relevant.
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
        reviews: Reviews that judge documents.
        documents: Documents that these reviews judge.
        relevant: How many of them are judged relevant.
        task_ids: Their tasks.
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
        name: E-mail address, or `user` and a number.
        quality: The numbers of this person's reviews.
        seconds: Seconds on a review.
    """

    name: str
    quality: Quality
    seconds: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The lead of the best model over the next one, in one question.

    Attributes:
        question: The question: stars, of which more are better, or whether the answer was corrected.
        best: The best model.
        next: The one after it.
        difference: How much better it is, in stars or as a share. The lead is clear if the whole interval is above
            0.
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
        first: When the first of the reviews was saved, in UTC.
        last: When the last one was saved, in UTC.
        everything: All runs together.
        models: The runs of each model, the one with the most reviews first.
        tags: The runs with each tag; a run is in one for each of its tags.
        leads: The leading model, for each question that has one.
        preferences: The models in the order of preference; None if no answers were compared.
        retrieval: The quality of the retrieved documents; None if none were judged.
        timeline: Quality over time; None if no time is known.
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
