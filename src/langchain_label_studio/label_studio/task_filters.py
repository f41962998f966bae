"""Queries for tasks in the language of Label Studio's data manager: `filter_query`, `with_annotations`. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from langchain_label_studio.types.task_columns import ORDER

TaskFilter = dict[str, Any]
"""One condition of a query."""

_ANNOTATION_FIELDS = (
    *(
        "id",
        "result",
        "completed_by",
        "created_at",
        "updated_at",
        "was_cancelled",
        "ground_truth",
        "lead_time",
    ),
    *("parent_prediction", "draft_created_at", "import_id"),
)
_TASK_FIELDS = (
    *("id", "data", "meta", "annotations"),
    *("total_predictions", "predictions_model_versions", "predictions_results"),
    *(f"annotations.{name}" for name in _ANNOTATION_FIELDS),
    # Where a server does not expand annotations, these are the fields of the task and of its annotations.
    *_ANNOTATION_FIELDS,
)


AS_STORED = {"resolve_uri": "false"}
"""The parameter for the data of tasks as it is stored. Otherwise addresses of a cloud storage are replaced by links to it,
which would be stored when the data is written back.
"""


def with_annotations(*, predictions: bool) -> dict[str, str]:
    """Return the parameters for tasks with their annotations.

    Args:
        predictions: Whether the tasks come with their predictions. Label Studio makes a serializer of predictions for
            each task, which takes three times as long as all the rest.
    """
    return {
        "fields": "all",
        "include": ",".join((*_TASK_FIELDS, "predictions") if predictions else _TASK_FIELDS),
        # Label Studio then makes the serializer of annotations once for all tasks, and not for each task.
        "expand": "annotations",
        **AS_STORED,
    }


def filter_query(*filters: TaskFilter, ordering: Sequence[str] = ()) -> str:
    """Return a query for the tasks that pass all filters.

    Args:
        *filters: The filters.
        ordering: The order of the tasks: `tasks:id` for rising ids, `-tasks:id` for falling ids.
    """
    query = {"filters": {"conjunction": "and", "items": filters}, "ordering": list(ordering)}
    return json.dumps(query, separators=(",", ":"))


def fitting(values: Sequence[str], *, size: int) -> list[str]:
    """Return the first values that fit into a part of an address, at least one.

    Args:
        values: The values of a filter.
        size: The size of the part in bytes.
    """
    some: list[str] = []
    for value in values:
        size -= len(quote(f"{json.dumps(value)},", safe=""))
        if some and size < 0:
            break
        some.append(value)
    return some


def one_of(column: str, values: Sequence[str]) -> TaskFilter:
    """Return a filter for tasks with one of the values in a column of their data."""
    return task_filter(f"data.{column}", "in_list", "String", list(values))


def id_after(task_id: int) -> TaskFilter:
    """Return a filter for tasks with a higher id."""
    return task_filter("id", "greater", "Number", task_id)


def has_annotation() -> TaskFilter:
    """Return a filter for tasks for which Label Studio has counted an annotation. It counts no skips."""
    return task_filter("total_annotations", "greater", "Number", 0)


def was_skipped() -> TaskFilter:
    """Return a filter for tasks that somebody skipped."""
    return task_filter("cancelled_annotations", "greater", "Number", 0)


def without_annotation() -> TaskFilter:
    """Return a filter for tasks for which Label Studio has counted no annotation. It counts no skips."""
    return task_filter("total_annotations", "equal", "Number", 0)


def is_done() -> TaskFilter:
    """Return a filter for tasks that have as many annotations as they need."""
    return task_filter("completed_at", "empty", "Datetime", value=False)


def is_waiting() -> TaskFilter:
    """Return a filter for tasks that need more annotations."""
    return task_filter("completed_at", "empty", "Datetime", value=True)


def without_place() -> TaskFilter:
    """Return a filter for tasks without a place in the order of work."""
    return task_filter(f"data.{ORDER}", "empty", "String", value=True)


def changed_since(moment: datetime) -> TaskFilter:
    """Return a filter for tasks that were changed at this time or later."""
    return task_filter(
        "updated_at", "greater_or_equal", "Datetime", f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    )


def created_since(moment: datetime) -> TaskFilter:
    """Return a filter for tasks that were created at this time or later."""
    return task_filter(
        "created_at", "greater_or_equal", "Datetime", f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    )


def task_filter(column: str, operator: str, kind: str, value: Any) -> TaskFilter:
    """Return a filter by a column of Label Studio, or by `data.<key>`."""
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
