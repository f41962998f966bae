"""What goes wrong in a `LoopbackLabelStudio`: `Fault`, and the jobs of its imports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["status", "hang", "reset_before", "reset_after", "lose_predictions", "job"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    Attributes:
        kind: A status instead of the answer; no answer at all; the connection reset before or after
            the tasks were stored; the tasks stored without their predictions; or a job.
        status: The status.
        headers: More headers of that answer.
        body: The body of that answer.
        stored_after: Seconds after which the tasks of an import are stored all the same, or None.
        seconds: How long a job takes.
        ends: How it ends; a job that is gone is not found any more.
    """

    kind: Kind
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    stored_after: float | None = None
    seconds: float = 0.0
    ends: Literal["completed", "failed", "gone"] = "completed"

    def after_a_while(self, store: Callable[[], object]) -> None:
        """Store the tasks at once, or later in a thread."""
        assert self.stored_after is not None
        if self.stored_after:
            timer = threading.Timer(self.stored_after, store)
            timer.daemon = True
            timer.start()
        else:
            store()


class ImportJob:
    """A job: created, in progress, and ended.

    Attributes:
        asked: How often somebody asked for it.
    """

    def __init__(self, fault: Fault, store: Callable[[], dict[str, Any]]) -> None:
        self.asked = 0
        self._fault = fault
        self._store = store
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._stored: dict[str, Any] | None = None
        if fault.ends == "completed" or fault.stored_after is not None:
            timer = threading.Timer(fault.seconds, self.end)
            timer.daemon = True
            timer.start()

    def end(self) -> None:
        """Store its tasks, if it ends as it should."""
        with self._lock:
            self._stored = self._store()

    def state(self) -> dict[str, Any] | None:
        """Return what the API tells of it. None if it is not found."""
        self.asked += 1
        age = time.monotonic() - self._begun
        nothing = {"task_count": 0, "prediction_count": 0, "task_ids": [], "error": None}
        with self._lock:
            if self._stored and self._fault.ends == "completed":
                return {"status": "completed", "error": None, **self._stored}
        if self._fault.ends == "completed" or age < self._fault.seconds:
            return {"status": "created" if age < self._fault.seconds / 2 else "in_progress", **nothing}
        return {"status": "failed", **nothing, "error": "as told"} if self._fault.ends == "failed" else None


def matching_tasks(tasks: Sequence[Mapping[str, Any]], query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tasks that a query of the data manager is for, as the API lists them."""
    found = [
        {**task, "total_predictions": len(task["predictions"])}
        for task in tasks
        if all(_passes(task, each) for each in query["filters"]["items"])
    ]
    return found[::-1] if query["ordering"] == ["-tasks:id"] else found


def _passes(task: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    column = condition["filter"].removeprefix("filter:tasks:")
    value = task["data"].get(column.removeprefix("data.")) if column.startswith("data.") else task.get(column)
    if condition["operator"] == "in_list":
        return value in condition["value"]
    if condition["operator"] == "empty":
        return (value is None) is condition["value"]
    assert condition["operator"] == "greater", condition
    return value is not None and bool(value > condition["value"])
