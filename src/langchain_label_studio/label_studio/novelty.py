"""`Novelty`: how far a task is unlike the tasks that were reviewed, or come before it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.label_studio.found_tasks import record_key
from langchain_label_studio.label_studio.task_filters import filter_query, has_annotation
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.task_columns import QUERY, REPLY

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.client import LabelStudioClient
    from langchain_label_studio.selectors.sketch import Sketches

REVIEWED = 500
"""The reviewed tasks that are read, the latest ones."""

_PAGE = 50
"""The tasks of a page: texts may be long."""

ANEW = 3600.0
"""The seconds after which they are read again."""


class Novelty:
    """Knows the latest 2,000 tasks that were reviewed, or were sent by this process. It is for one thread at a time."""

    def __init__(self, sketches: Sketches) -> None:
        """Know nothing.

        Args:
            sketches: Takes the texts. It is empty.
        """
        self._sketches = sketches
        self._read_at: float | None = None

    def read_reviewed(self, client: LabelStudioClient, project_id: int) -> None:
        """Read the tasks that were reviewed, unless that was done a moment ago. A server that refuses is asked later.

        Args:
            client: A client that has signed in.
            project_id: The project.
        """
        now = time.monotonic()
        if self._read_at is not None and now - self._read_at < ANEW:
            return
        self._read_at = now
        reviewed: list[Mapping[str, Any]] = []
        # The tasks of this process are known. That is enough for an order.
        with suppress(LabelStudioError):
            for page in _pages(client, project_id):
                reviewed += page
        for data in reversed(reviewed):
            self.of(record_key(data), data)

    def of(self, key: str, data: Mapping[str, Any]) -> float:
        """Return how far a task is unlike all others, from 0 to 1, and remember it.

        Args:
            key: The id of its record. A task that comes again has the same novelty again.
            data: Its data. The beginnings of the question and the answer are compared.
        """
        return 1 - self._sketches.nearest(key, f"{data.get(QUERY) or ''}\n{data.get(REPLY) or ''}")


def open_novelty() -> Novelty | None:
    """Return what compares tasks. None if its libraries are not here, as with runs that another program recorded."""
    try:
        with no_fork():
            from langchain_label_studio.selectors.sketch import Sketches  # noqa: PLC0415 (needs an extra)
    except ImportError:
        return None
    return Novelty(Sketches())


def _pages(client: LabelStudioClient, project_id: int) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the data of the reviewed tasks, the latest first."""
    query = filter_query(has_annotation(), ordering=["-tasks:id"])
    params = {
        "project": project_id,
        "query": query,
        "page_size": _PAGE,
        "fields": "all",
        "include": "id,data",
    }
    for number in range(1, REVIEWED // _PAGE + 1):
        page = client.read_page(params | {"page": number}, read=_read_data)
        yield page
        if len(page) < _PAGE:
            return


def _read_data(page: Any) -> list[Mapping[str, Any]]:
    tasks = as_mapping(page).get("tasks")
    every = [as_mapping(as_mapping(task).get("data")) for task in (tasks if isinstance(tasks, list) else ())]
    return [data for data in every if data.get("record_id") or data.get("run_id")]
