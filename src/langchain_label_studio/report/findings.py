"""What models and reviewers are to each other, and all that a report says as one value."""

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
        wins: Comparisons with another model that it won.
        comparisons: Comparisons with another model; a ranking of three answers is three of them.
        win_rate: Share of them that it won, 0 to 1. Depends on whom it met.
        strength: Chance to win against one of the other models, whichever it is, by the Bradley-Terry
            model, 0 to 1. None where the models cannot be put on one scale.
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
    """How often one model won against one other.

    Attributes:
        winner: Who won.
        loser: Who lost.
        wins: How often.
        task_ids: On which tasks.
    """

    winner: str
    loser: str
    wins: int
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Which model's answers are preferred.

    Attributes:
        reviews: Reviews that compare answers of different models.
        contenders: The models, the strongest first.
        duels: Who won against whom.
        notes: Why there is no leaderboard, and what could not be counted.
    """

    reviews: int
    contenders: tuple[Contender, ...]
    duels: tuple[Duel, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpha:
    """Krippendorff's alpha of all reviewers on one question: 1 is perfect, 0 is chance.

    Attributes:
        question: What they answered.
        level: How two answers are compared: equal or not, by rank, or by difference.
        estimate: The alpha, over how many tasks that at least two people answered.
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
        question: What they answered.
        reviewers: Who.
        estimate: The kappa, over how many tasks that both answered. Ratings are weighted by their squared
            difference, so that four stars are nearer to five than one star is.
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
        answers: The questions that were answered differently, and who said what.
    """

    task_id: int
    task_url: str
    distance: float
    answers: tuple[tuple[Question, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far reviewers agree.

    Attributes:
        alphas: All together, for each question.
        pairs: Each with each, for each question that both answered.
        disputes: The tasks they disagree on most, the worst first.
        disputed: How many tasks they disagree on at all.
    """

    alphas: tuple[Alpha, ...]
    pairs: tuple[Pair, ...]
    disputes: tuple[Dispute, ...]
    disputed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankMeasure:
    """How good retrieved documents are, by one measure.

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
    """How good the documents are that were retrieved for the answers.

    Attributes:
        reviews: Reviews that judge documents.
        documents: Judgements in them.
        relevant: How many of these are that the document is relevant.
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
        quality: What this person said.
        seconds: Seconds on a review.
    """

    name: str
    quality: Quality
    seconds: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """How far the best model is ahead of the next one, in one question.

    Attributes:
        question: The question: stars, of which more are better, or whether the answer was corrected.
        best: The best model.
        next: The one after it.
        difference: By how much it is better, in stars or as a share. The lead is clear where the whole interval
            is above 0.
    """

    question: Question
    best: str
    next: str
    difference: Estimate

    @property
    def is_clear(self) -> bool:
        """Whether chance alone would hardly make such a lead."""
        if self.difference.low is not None:
            return self.difference.low > 0
        return self.difference.note == NO_VARIATION and self.difference.value != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What reviews say of runs.

    Attributes:
        title: What stands above the report.
        first: When the first of the reviews was saved, in UTC.
        last: When the last one was saved, in UTC.
        everything: All runs together.
        models: The runs of each model, the one with the most reviews first.
        tags: The runs with each tag; a run is in one for each of its tags.
        leads: Which model is ahead of the next one, for each question that tells.
        preferences: Which model's answers are preferred; None where no answers were compared.
        retrieval: How good the retrieved documents are; None where none were judged.
        timeline: Quality over time; None where no time is known.
        agreement: How far reviewers agree.
        reviewers: What each person said.
        notes: What a reader should know of the data.
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
