"""The results on reviewers: how far they agree, and the numbers of each person. Begin with `Agreement`."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_label_studio.report.excerpts import Excerpt
from langchain_label_studio.report.measures import Estimate, Level, Quality, Question, Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpha:
    """Krippendorff's alpha of all reviewers on one question. 1 is perfect agreement, 0 is chance.

    Attributes:
        question: The question.
        level: The comparison of two answers: equal or not, by rank, or by difference.
        estimate: The alpha. Its count is the number of tasks that at least two people answered.
        units: The number of what was answered: documents, steps, or else tasks.
        task_ids: These tasks.
    """

    question: Question
    level: Level
    estimate: Estimate
    units: int
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
class DisputedQuestion:
    """A question that reviewers of one task answer differently.

    Attributes:
        question: The question.
        place: The number of the document or of the step, from 1. None for a question about the whole task.
        answers: Each reviewer with the answer, as a text.
    """

    question: Question
    place: int | None
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A task that reviewers answer differently.

    Attributes:
        task: The task: what was asked, and what the model answered.
        distance: The mean distance of two answers, from 0 to 1, over all questions. For stars it is the share of the
            scale, else the share of pairs that differ.
        questions: The questions with different answers, and the answer of each person.
    """

    task: Excerpt
    distance: float
    questions: tuple[DisputedQuestion, ...]


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
class Closeness:
    """How near the answers of one reviewer are to other answers to the same questions of the same tasks.

    Attributes:
        estimate: The mean closeness, from 0 to 1. 1 is the same answer. Of stars and numbers, it is 1 less the
            difference as a share of the scale. Any other answer is the same (1) or not (0). Chance is not taken off.
        task_ids: The tasks.
    """

    estimate: Estimate
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldAnswers:
    """The answers of one reviewer to one question of gold tasks.

    Attributes:
        question: The question.
        closeness: The closeness to the ground truth.
        same: The number of answers that are the same.
    """

    question: Question
    closeness: Closeness
    same: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """One person.

    Attributes:
        name: The e-mail address, or `user` and a number.
        quality: The numbers of this person's reviews.
        seconds: The seconds for a review.
        median_seconds: Half of the reviews took at most this.
        with_others: The closeness to the answers of the other reviewers. None if nobody else reviewed these tasks.
        with_ground_truth: The closeness to the annotations of others that are marked as ground truth. None if there are
            none.
        gold_answers: The same for each question.
    """

    name: str
    quality: Quality
    seconds: Spread | None
    median_seconds: Estimate
    with_others: Closeness | None
    with_ground_truth: Closeness | None
    gold_answers: tuple[GoldAnswers, ...]
