"""The values that `LabelStudioClient` returns, such as `ProjectInfo` and `TaskPage`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

BY_SCORE = "Uncertainty sampling"
"""Label Studio's word for the order in which the task whose prediction has the lowest score comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectInfo:
    """A project of Label Studio.

    Attributes:
        id: Its number.
        title: Its title.
        label_config: Its label config, as XML.
        model_version: The version of the predictions that reviewers see. Empty before the first prediction.
        shows_predictions: Whether reviewers see predictions at all.
        reviewers_per_task: The number of people who get a task.
        overlap_percent: The percentage of tasks that so many people get. One person gets each of the other tasks.
        annotations: The number of annotations, without the skipped ones.
        unknown_tags: The tags that the pages of this Label Studio do not know, in small letters.
        created_at: The time when it was created. None if Label Studio does not say so.
        instructions: What its reviewers are told before the first task.
        by_score: Whether it gives the task whose prediction has the lowest score first.
    """

    id: int
    title: str
    label_config: str
    model_version: str
    shows_predictions: bool
    reviewers_per_task: int
    overlap_percent: int
    annotations: int
    unknown_tags: frozenset[str] = frozenset()
    created_at: datetime | None = None
    instructions: str = ""
    by_score: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The result of an import.

    Attributes:
        task_ids: The ids of the tasks, in the order in which the tasks were sent.
        predictions: The number of predictions that were stored.
        job: The number of the import job that Label Studio carries out later. None if the import has ended.
    """

    task_ids: tuple[int, ...] = ()
    predictions: int = 0
    job: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """An import that Label Studio carries out later. Its hosted and paid editions import so.

    Attributes:
        status: Its state. A job that failed may have stored some of the tasks.
        error: The reason why it failed.
        task_ids: The ids of the tasks that it stored.
        predictions: The number of predictions that it stored.
    """

    status: Literal["working", "completed", "failed"]
    error: str = ""
    task_ids: tuple[int, ...] = ()
    predictions: int = 0

    def stored(self, tasks: int, *, predictions: int) -> bool:
        """Return whether it certainly stored so many tasks with so many predictions."""
        return self.status == "completed" and (len(self.task_ids), self.predictions) == (tasks, predictions)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """Some tasks of a project.

    Attributes:
        tasks: The tasks, with `data`, `meta`, `annotations`, and `predictions` if somebody asked for them.
        matching: The number of tasks that match, from the first task of the page on.
        counted: The number of annotations of those tasks, as Label Studio counts them: without the skipped ones.
        size: The size of the page in bytes.
    """

    tasks: tuple[dict[str, Any], ...]
    matching: int
    counted: int
    size: int
