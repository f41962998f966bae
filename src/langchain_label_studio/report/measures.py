"""Numbers with their intervals and their tasks. Begin with `Estimate` and `Quality`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

QuestionKind = Literal["rating", "choice", "number", "correction", "preference", "relevance", "step"]
Level = Literal["nominal", "ordinal", "interval"]

QUESTION_KINDS: tuple[QuestionKind, ...] = (
    "rating",
    "preference",
    "choice",
    "number",
    "correction",
    "relevance",
    "step",
)
"""The kinds of questions. A kind that says more about an answer comes first."""

NO_VARIATION = "all say the same: no interval"
"""The note in place of an interval if all tasks say the same. Nobody knows whether other tasks would say it, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to reviewers: one control of the label config.

    Attributes:
        kind: The kind of the answer. `relevance` is asked of each document, `step` of each step of an agent.
        control: The name of the control. Empty for a correction, a preference, documents and steps: a task has only one
            of these.
        scale: The maximum number of stars, for a rating. 0 if it is unknown.
    """

    kind: QuestionKind
    control: str = ""
    scale: int = 0

    def __lt__(self, other: Question) -> bool:
        return self._place < other._place

    @property
    def _place(self) -> tuple[int, str, int]:
        return QUESTION_KINDS.index(self.kind), self.control, self.scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its 95 % interval.

    Attributes:
        value: The number. None if there is none.
        count: The number of reviews behind it. For an agreement, the number of tasks.
        low: The lower end of its interval. None if there is too little for an interval.
        high: The upper end of its interval.
        note: The reason why the number or its interval is missing.
    """

    value: float | None
    count: int
    low: float | None = None
    high: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """An answer, and the reviews that gave it.

    Attributes:
        value: The answer: stars, or a choice.
        count: The number of reviews with this answer.
        share: The share of these reviews among the reviews that answered the question, from 0 to 1.
        task_ids: The tasks of these reviews.
    """

    value: int | str
    count: int
    share: Estimate
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingSummary:
    """The stars of one control and one scale. Stars of other scales are never mixed in.

    Attributes:
        question: The control and its scale.
        mean: The mean of the stars, from 1 to the scale.
        stars: The reviews for each number of stars.
    """

    question: Question
    mean: Estimate
    stars: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSummary:
    """The choices of one control.

    Attributes:
        question: The control.
        count: The number of reviews that chose something.
        values: The choices, the most frequent first. A review may have several.
    """

    question: Question
    count: int
    values: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The size of measured values.

    Attributes:
        count: The number of values.
        mean: Their mean.
        median: Half of the values are at most this.
        p90: Nine of ten values are at most this.
    """

    count: int
    mean: float
    median: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The reviews of a group of runs, in numbers.

    Attributes:
        reviews: The number of reviews that say something. A task may have several.
        task_ids: The tasks that somebody reviewed.
        skipped_task_ids: The tasks that somebody skipped. Other people may have reviewed them.
        ratings: The stars, by control and scale.
        corrected: The share of reviews that changed the answer, from 0 to 1, among the reviews that show the answer.
        corrected_task_ids: The tasks whose answer was changed.
        change: The share of a changed answer that was changed: the normalised edit distance, from 0 to 1.
        choices: The choices, by control.
    """

    reviews: int
    task_ids: tuple[int, ...]
    skipped_task_ids: tuple[int, ...]
    ratings: tuple[RatingSummary, ...]
    corrected: Estimate
    corrected_task_ids: tuple[int, ...]
    change: Spread | None
    choices: tuple[ChoiceSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The runs of one model, or the runs with one tag.

    Attributes:
        name: The model or the tag. None if the run does not name it.
        task_ids: The tasks of all its runs, reviewed or not.
        quality: The reviews in numbers.
        latency_ms: The milliseconds from the start to the end of a run.
        input_tokens: The tokens that a run read.
        output_tokens: The tokens that a run wrote.
    """

    name: str | None
    task_ids: tuple[int, ...]
    quality: Quality
    latency_ms: Spread | None
    input_tokens: Spread | None
    output_tokens: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A day, or a week. A week begins on Monday.

    Attributes:
        start: Its first day, in UTC.
        quality: The reviews of its runs in numbers.
        models: The same for each model.
    """

    start: date
    quality: Quality
    models: tuple[tuple[str | None, Quality], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The quality over time.

    Attributes:
        step: The length of a period.
        clock: The event that puts a run into a period: the run, or its review if some runs have no time.
        periods: The periods with reviews, in order.
    """

    step: Literal["day", "week"]
    clock: Literal["run", "review"]
    periods: tuple[Period, ...]
