"""Numbers with their interval and their tasks, as values. Begin with `Estimate` and `Quality`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

QuestionKind = Literal["rating", "choice", "number", "correction", "preference"]
Level = Literal["nominal", "ordinal", "interval"]

QUESTION_KINDS: tuple[QuestionKind, ...] = ("rating", "preference", "choice", "number", "correction")
"""What says most of an answer comes first."""

NO_VARIATION = "no variation: no interval"
"""Why there is no interval where all tasks say the same. That others would, too, cannot be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What reviewers answer: one control of the label config.

    Attributes:
        kind: What the answer is.
        control: The control's name; empty for a correction and a preference, of which a task has one.
        scale: Stars there are at most, for a rating; 0 where the control is gone, so that nobody knows.
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
    """A number, and how far it can be trusted.

    Attributes:
        value: The number; None where there is none.
        count: Of how many reviews it is made, or of how many tasks for an agreement.
        low: Lower end of its 95 % interval; None where there is too little for one.
        high: Upper end of that interval.
        note: Why the number or its interval is missing.
    """

    value: float | None
    count: int
    low: float | None = None
    high: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """An answer that was given.

    Attributes:
        value: The answer: stars, or a choice.
        count: In how many reviews.
        share: In which share of the reviews that answered the question, 0 to 1.
        task_ids: On which tasks.
    """

    value: int | str
    count: int
    share: float
    task_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingSummary:
    """The stars of one control and one scale; others are never mixed in.

    Attributes:
        question: The control and its scale.
        mean: Mean of the stars as they were given, from 1 to the scale.
        stars: How often each was given.
    """

    question: Question
    mean: Estimate
    stars: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSummary:
    """The choices of one control.

    Attributes:
        question: The control.
        count: How many reviews chose something.
        values: What they chose, the most frequent first. A review may choose several.
    """

    question: Question
    count: int
    values: tuple[Mention, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How large something is.

    Attributes:
        count: How many were measured.
        mean: Their mean.
        median: Half are at most this.
        p90: Nine of ten are at most this.
    """

    count: int
    mean: float
    median: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What reviewers said of a group of runs.

    Attributes:
        reviews: Reviews that say something; a task may have several.
        task_ids: Tasks that somebody reviewed.
        skipped_task_ids: Tasks that somebody skipped; others may have reviewed them.
        ratings: Stars, by control and scale.
        corrected: Share of the reviews that changed the answer, of those that show it, 0 to 1.
        corrected_task_ids: Tasks whose answer was changed.
        change: How much of an answer was changed, where it was: the normalised edit distance, 0 to 1.
        choices: Choices, by control.
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
    """Runs of one model, or with one tag.

    Attributes:
        name: The model or the tag; None where the run does not say.
        task_ids: All its runs, reviewed or not.
        quality: What reviewers said.
        latency_ms: Milliseconds from start to end of a run.
        input_tokens: Tokens read by a run.
        output_tokens: Tokens written by a run.
    """

    name: str | None
    task_ids: tuple[int, ...]
    quality: Quality
    latency_ms: Spread | None
    input_tokens: Spread | None
    output_tokens: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A day, or a week from its Monday on.

    Attributes:
        start: Its first day, in UTC.
        quality: What reviewers said of its runs.
        models: The same for each model.
    """

    start: date
    quality: Quality
    models: tuple[tuple[str | None, Quality], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Quality over time.

    Attributes:
        step: How long a period is.
        clock: What happened in it: the run, or its review where not all runs know when they were.
        periods: Those with reviews, in order.
    """

    step: Literal["day", "week"]
    clock: Literal["run", "review"]
    periods: tuple[Period, ...]
