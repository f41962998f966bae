"""`TaskQuestions`: questions which tasks exist, in parts that every proxy takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from langchain_label_studio.errors import RequestRefusedError
from langchain_label_studio.label_studio.found_tasks import FoundTask, TaskContent, record_key
from langchain_label_studio.label_studio.task_filters import (
    AS_STORED,
    TaskFilter,
    filter_query,
    fitting,
    id_after,
    one_of,
)
from langchain_label_studio.types.record_id import run_id_of

_QUESTION_SIZE = 3_000
"""The size of the values in a question, in bytes.

Label Studio takes these questions by GET only. nginx refuses a request line of 8 kB, and gunicorn and uWSGI one of 4 kB.
"""
_TASKS_AT_ONCE = 500


class TaskQuestions:
    """Asks for tasks by the values in their data, over as many requests as it takes."""

    def __init__(
        self,
        read_page: Callable[[Mapping[str, Any]], Any],
        translated_errors: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Begin with questions of the usual size.

        Args:
            read_page: Returns a page of tasks, as Label Studio's API sends it, for the parameters of a request.
            translated_errors: Turns the errors of a block that reads an unexpected page into errors of this package.
        """
        self._read_page = read_page
        self._translated_errors = translated_errors
        self._size = _QUESTION_SIZE

    def find(
        self, project_id: int, keys: Sequence[str], *, since: FoundTask | None = None
    ) -> list[FoundTask]:
        """Return the existing tasks of some records, the lowest id first.

        Args:
            project_id: The number of the project.
            keys: The ids of the records.
            since: A task that is older than all of them. Label Studio then finds them in the same time in a large
                project as in a small one.
        """
        if since is not None and since.key not in keys:
            found = self._find(project_id, [since.key, *keys], id_after(since.id - 1))
            # On SQLite, Label Studio gives the numbers of deleted tasks again. So that task has to exist still.
            if found and (found[0].id, found[0].key) == (since.id, since.key):
                return [task for task in found if task.key != since.key]
        return self._find(project_id, keys)

    def tasks_with(
        self, project_id: int, *, column: str, values: Sequence[str], since: int = 0
    ) -> list[TaskContent]:
        """Return the tasks with one of the values in a column of their data, the highest id first.

        Args:
            project_id: The number of the project.
            column: The column.
            values: The values.
            since: The lowest id of such a task, if it is known. Label Studio then answers at once in a large project.
        """
        filters = (id_after(since - 1),) if since else ()
        tasks = list(self._tasks(project_id, column, values, *filters, include="id,data,meta"))
        with self._translated_errors():
            found = [
                TaskContent(id=task["id"], data=task["data"], meta=task.get("meta") or {}) for task in tasks
            ]
        return sorted(found, key=lambda task: task.id, reverse=True)

    def _find(self, project_id: int, keys: Sequence[str], *filters: TaskFilter) -> list[FoundTask]:
        columns = "id,data,total_predictions"
        tasks = self._tasks_of(project_id, keys, *filters, include=columns)
        # Label Studio may count later than it stores. So the tasks without predictions are looked at once more.
        with self._translated_errors():
            uncounted = list({record_key(task["data"]): 0 for task in tasks if not task["total_predictions"]})
        columns = "id,data,predictions"
        looked_at = self._tasks_of(project_id, uncounted, *filters, include=columns)
        with self._translated_errors():
            counted = {task["id"]: len(task["predictions"]) for task in looked_at}
            found = [
                FoundTask(
                    id=task["id"],
                    key=record_key(task["data"]),
                    predictions=task["total_predictions"] or counted.get(task["id"], 0),
                )
                for task in tasks
            ]
        return sorted(found, key=lambda task: task.id)

    def _tasks_of(
        self, project_id: int, keys: Sequence[str], *filters: TaskFilter, include: str
    ) -> list[dict[str, Any]]:
        """Return the tasks of some records."""
        earlier = [key for key in keys if run_id_of(key) == key]
        own = [key for key in keys if run_id_of(key) != key]
        with_run_id = list(self._tasks(project_id, "run_id", earlier, *filters, include=include))
        with self._translated_errors():
            # A later run with the same id as a record of an earlier version has a record of its own.
            found = [task for task in with_run_id if not task["data"].get("record_id")]
        return [*found, *self._tasks(project_id, "record_id", own, *filters, include=include)]

    def _tasks(
        self, project_id: int, column: str, values: Sequence[str], *filters: TaskFilter, include: str
    ) -> Iterator[dict[str, Any]]:
        """Yield the tasks with one of the values in a column of their data."""
        values = list(values)
        while values:
            some = fitting(values, size=self._size)
            params = {
                "project": project_id,
                "query": filter_query(*filters, one_of(column, some), ordering=["tasks:id"]),
                "fields": "all",
                "include": include,
                "page_size": _TASKS_AT_ONCE,
                **AS_STORED,
            }
            try:
                yield from self._pages(params)
            except RequestRefusedError:
                if len(some) == 1:
                    raise
                # A proxy takes shorter addresses only, or the answer is too large.
                self._size //= 2
            else:
                values = values[len(some) :]

    def _pages(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = []
        more, page = True, 0
        while more:
            page += 1
            answer = self._read_page({**params, "page": page})
            with self._translated_errors():
                tasks += answer["tasks"]
                # A request for one page too many makes Label Studio log an error.
                more = bool(answer["tasks"]) and page * _TASKS_AT_ONCE < answer["total"]
        return tasks
