"""`Review`: one person's annotation of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from langchain_label_studio.types.control_tag import ControlTag
from langchain_label_studio.types.feedback import Feedback
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A number of stars.

    Attributes:
        value: The stars, from 1.
        scale: The most stars possible. None if the control is not in the label config any more.
    """

    value: int
    scale: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One of the answers that were compared.

    Attributes:
        id: Its name in the task: its data key (`answer1`), or the id of the list's item.
        answer: The answer.
        model: The model that gave it. None if the task does not say so.
        before: The turns between the run's prompt and the answer, if whole conversations were compared.
        rating: The stars of this answer alone.
    """

    id: str
    answer: Turn
    model: str | None = None
    before: tuple[Turn, ...] = ()
    rating: Rating | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Answers in the order of preference.

    Attributes:
        candidates: All answers that were shown, in the order of the run's answers, or else of the task.
        ranking: Groups of indices into `candidates`, the best group first. The answers of a group are equally good.
            A candidate that the reviewer did not place is in no group.
        worse: Indices of the candidates that are worse than those in `ranking`, in an order that nobody said: the
            reviewer chose the best of several answers. A single one is the last group of `ranking` instead.
    """

    candidates: tuple[Candidate, ...]
    ranking: tuple[tuple[int, ...], ...]
    worse: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.worse) == 1:
            object.__setattr__(self, "ranking", (*self.ranking, self.worse))
            object.__setattr__(self, "worse", ())

    def pairs(self) -> Iterator[tuple[Candidate, Candidate]]:
        """Yield each candidate with each candidate that is worse."""
        groups = (*self.ranking, self.worse)
        for place, group in enumerate(self.ranking, start=1):
            for worse_group in groups[place:]:
                for better in group:
                    for worse in worse_group:
                        yield self.candidates[better], self.candidates[worse]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepVerdict:
    """One person's verdict on one step of an agent.

    Attributes:
        index: The place of the step in `run.steps`.
        verdict: `correct`, `partial` or `incorrect`. None if there is only a comment.
        comment: The comment beside the step.
    """

    index: int
    verdict: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One person's annotation of one run.

    Attributes:
        run: The run as it was recorded: the conversation, the original answers, the model. If another program made
            the task, the run has only what the task shows, and its `run_id` is empty.
        project_id: The number of the project.
        task_id: The number of the task.
        task_url: The address of the task.
        annotation_id: The number of the annotation. None if nobody has reviewed the run.
        reviewer: The reviewer's e-mail address; `user` and a number if it is not known.
        created_at: The time when it was saved first, in UTC.
        updated_at: The time when it was saved last, in UTC.
        seconds_spent: The seconds that the task was open, as Label Studio measures them.
        was_skipped: Whether the reviewer skipped the task.
        ground_truth: Whether the annotation is marked as ground truth.
        corrected: The answers as the reviewer left them, in order. None if the annotation has no answers. Empty if
            the reviewer deleted all of them.
        ratings: The stars, by the name of the control, in the order of the label config.
        choices: The choices, by the name of the control.
        preference: The order of the answers, if answers were compared.
        relevance: For each retrieved document (`run.documents`), in order, whether it helps to answer the question;
            None if the reviewer did not judge it.
        comments: The texts of the other text fields, by the name of the control. An emptied field has none.
        steps: The verdicts on single steps of an agent, in the order of the steps.
        controls: The values of all other controls, by their names: numbers, dates, taxonomies, the buckets of a
            ranker, labelled spans, and values for one region only.
        unreadable: The reasons why parts of the annotation could not be read.
        feedback: The feedback from users of the application, by its key. It is the same in all reviews of a task.
        asked: The controls of the project's label config, by their names, in its order. Empty if it is not known. Two
            reviews are equal whatever they were asked.
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
    asked: Mapping[str, ControlTag] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_reviewed(self) -> bool:
        """Whether a person has reviewed the run, and did not skip it."""
        return self.annotation_id is not None and not self.was_skipped

    @property
    def final_answers(self) -> tuple[Turn, ...]:
        """The answers as the reviewer left them. The original ones if the annotation has no answers."""
        return self.run.answers if self.corrected is None else self.corrected

    @property
    def changed(self) -> bool:
        """Whether the reviewer changed the answers."""
        return self.corrected is not None and self.corrected != self.run.shown_answers

    @property
    def saved_at(self) -> datetime | None:
        """The time when it was saved last. None if Label Studio does not say so."""
        return self.updated_at or self.created_at

    @property
    def rating(self) -> Rating | None:
        """The stars of the first control that has stars."""
        return next(iter(self.ratings.values()), None)
