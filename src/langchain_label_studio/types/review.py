"""What a person said of a run, as a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from langchain_label_studio.types.feedback import Feedback
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """Stars.

    Attributes:
        value: How many, from 1.
        scale: How many there are at most; None where the control is gone, so that nobody knows.
    """

    value: int
    scale: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One of the answers that were compared.

    Attributes:
        id: What the task calls it: its data key (`answer1`), or the id of the list's item.
        answer: What it says.
        model: The model that gave it, where the task says so.
    """

    id: str
    answer: Turn
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Answers in the order of preference.

    Attributes:
        candidates: All answers that were shown, in the order of the run's answers; where the run has none, in
            that of the task.
        ranking: Groups of indices into `candidates`, the best group first. Within a group no one is
            better; a candidate that was not placed is in none.
    """

    candidates: tuple[Candidate, ...]
    ranking: tuple[tuple[int, ...], ...]

    def pairs(self) -> Iterator[tuple[Candidate, Candidate]]:
        """Return each better candidate with each that is worse."""
        for place, group in enumerate(self.ranking):
            for worse_group in self.ranking[place + 1 :]:
                for better in group:
                    for worse in worse_group:
                        yield self.candidates[better], self.candidates[worse]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepVerdict:
    """What a person said of one step of an agent.

    Attributes:
        index: Which one of the run's steps.
        verdict: `correct`, `partial` or `incorrect`; None where there is a comment only.
        comment: What was written beside it.
    """

    index: int
    verdict: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One person's annotation of one run.

    Attributes:
        run: The run as it was recorded: the conversation, the original answers, the model. Of a task that
            this package did not make, only what the task says; its `run_id` is empty then.
        project_id: The project's number.
        task_id: The task's number.
        task_url: Address of the task.
        annotation_id: The annotation's number; None where nobody has reviewed the run.
        reviewer: E-mail address of who reviewed it; where that is unknown, `user` and a number.
        created_at: When it was saved first, in UTC.
        updated_at: When it was saved last, in UTC.
        seconds_spent: How long the task was open, as Label Studio measures it.
        was_skipped: Whether the task was skipped.
        ground_truth: Whether the annotation is marked as the truth.
        corrected: The answers as the reviewer left them, in order. None where the annotation says nothing
            of them; empty where all were deleted.
        ratings: Stars by the control's name, in the order of the label config.
        choices: What was chosen, by the control's name.
        preference: Which answer is better, where answers were compared.
        relevance: Of each of the documents that were retrieved for the run (`run.documents`), in their order,
            whether it helps to answer the question; None where nobody said.
        comments: What was written into the other text fields, by the control's name.
        steps: What was said of single steps of an agent, in their order.
        controls: What every further control says, by its name: numbers, dates, taxonomies, the buckets of
            a ranker, labelled spans, and whatever is said of one region only.
        unreadable: Why something in the annotation could not be read, in words for a person.
        feedback: What users of the application said of the run, by its key: the same in all reviews of a task.
    """

    run: LLMRun
    project_id: int
    task_id: int
    task_url: str
    annotation_id: int | None = None
    reviewer: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    seconds_spent: float | None = None
    was_skipped: bool = False
    ground_truth: bool = False
    corrected: tuple[Turn, ...] | None = None
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    preference: Preference | None = None
    relevance: tuple[bool | None, ...] = ()
    comments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    steps: tuple[StepVerdict, ...] = ()
    controls: Mapping[str, Any] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    feedback: Mapping[str, Feedback] = field(default_factory=dict)

    @property
    def is_reviewed(self) -> bool:
        """Whether somebody has said something of the run: it was neither skipped nor left alone."""
        return self.annotation_id is not None and not self.was_skipped

    @property
    def final_answers(self) -> tuple[Turn, ...]:
        """The answers as they should be: corrected, where the annotation says so, else the original ones."""
        return self.run.answers if self.corrected is None else self.corrected

    @property
    def changed(self) -> bool:
        """Whether the reviewer changed the answers."""
        return self.corrected is not None and self.corrected != self.run.shown_answers

    @property
    def saved_at(self) -> datetime | None:
        """When it was saved last, as far as Label Studio says so."""
        return self.updated_at or self.created_at

    @property
    def rating(self) -> Rating | None:
        """The stars of the first control that has some."""
        return next(iter(self.ratings.values()), None)
