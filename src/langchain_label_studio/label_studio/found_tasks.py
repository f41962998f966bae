"""Tasks that exist already, as Label Studio's client finds them: `FoundTask`, `TaskContent`, and the `latest` of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from langchain_label_studio.types.record_id import record_time


class FoundTask(NamedTuple):
    """A task that exists already.

    Attributes:
        id: Its number.
        key: The id of its record: see `record_key`.
        predictions: The number of its predictions.
    """

    id: int
    key: str
    predictions: int = 0


class TaskContent(NamedTuple):
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
