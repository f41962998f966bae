"""The values that `LabelStudioClient` returns, such as `ProjectInfo` and `TaskPage`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from langchain_label_studio.types.record_id import record_time


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
class FoundTask:
    """A task that exists already.

    Attributes:
        id: Its number.
        key: The id of its record: see `record_key`.
        predictions: The number of its predictions.
    """

    id: int
    key: str
    predictions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContent:
    """The content of a task.

    Attributes:
        id: Its number.
        data: Its columns.
        meta: Its `meta`.
    """

    id: int
    data: Mapping[str, Any]
    meta: Mapping[str, Any]


def record_key(data: Mapping[str, Any]) -> str:
    """Return the id of the record in a task's data. In a task of an earlier version, that is the id of the run."""
    return str(data.get("record_id") or data["run_id"])


def latest(tasks: Iterable[TaskContent], *, until: str = "") -> TaskContent | None:
    """Return the task of the latest record. Of several tasks of this record, return the first one.

    Args:
        tasks: The tasks.
        until: A time, as `record_time` gives it. Records that were made later do not count, if there are earlier ones.

    Returns:
        The task, or None if there is none.
    """

    def order(task: TaskContent) -> tuple[bool, str, str, int]:
        made = record_time(str(task.data.get("record_id", "")))
        return not until or made <= until, made, str(task.data.get("started_at", "")), -task.id

    return max(tasks, key=order, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """Some tasks of a project.

    Attributes:
        tasks: The tasks, with `data`, `meta`, `predictions` and `annotations`.
        matching: The number of tasks that match, from the first task of the page on.
        counted: The number of annotations of those tasks, as Label Studio counts them: without the skipped ones.
        size: The size of the page in bytes.
    """

    tasks: tuple[dict[str, Any], ...]
    matching: int
    counted: int
    size: int
