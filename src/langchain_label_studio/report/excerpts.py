"""Parts of the texts of tasks, for people who read a report. Begin with `Excerpt`."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_label_studio.report.measures import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAnswer:
    """An answer as reviewers saw it, cut to a few lines.

    Attributes:
        name: Its name in the task, such as `answer1`, if answers were compared. Else empty.
        model: The model. None if it is not known.
        text: The beginning of the answer.
    """

    name: str
    model: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """What reviewers of a task saw, cut to a few lines.

    Attributes:
        task_id: The task.
        task_url: Its address.
        prompt: What the model was asked last.
        answers: What it answered.
    """

    task_id: int
    task_url: str
    prompt: str
    answers: tuple[ShownAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A correction of an answer. Both texts are cut to a few lines around the first difference.

    Attributes:
        before: The answer of the model.
        after: The answer as the reviewer left it.
        distance: The share of the whole answer that was changed: the normalised edit distance, from 0 to 1.
    """

    before: str
    after: str
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleReview:
    """One review of a task, to be read as an example.

    Attributes:
        task: The task.
        reviewer: The reviewer. None if nobody knows.
        stars: The stars that this reviewer gave.
        change: The correction. None if the answer was left as it was.
    """

    task: Excerpt
    reviewer: str | None
    stars: tuple[tuple[Question, int], ...]
    change: Change | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Reviews to be read as examples, one for each task.

    Attributes:
        worst_rated: The reviews with the fewest stars, as a share of the scale. None of them has all stars.
        most_changed: The reviews that changed most of an answer.
    """

    worst_rated: tuple[ExampleReview, ...]
    most_changed: tuple[ExampleReview, ...]
