"""`ProjectTasks`: the tasks of a project, which are looked at or refreshed page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_label_studio.errors import LabelStudioError, ProjectNotFoundError, RequestRefusedError
from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.parse import LabelConfig
from langchain_label_studio.label_studio.destinations.runs import TURN_TIMEOUT
from langchain_label_studio.label_studio.patience import patient
from langchain_label_studio.refresh.task_data import refreshed_data
from langchain_label_studio.reviews.predictions import knows_predictions, regions_of
from langchain_label_studio.support.host_lock import host_lock

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import TaskPage
    from langchain_label_studio.label_studio.client import LabelStudioClient

_AT_ONCE = 25
_TOO_LARGE = 413

Tell = Callable[[int, int], None]
"""A function that takes the number of tasks that were looked at, and the number of all tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The tasks of a project, as they were looked at.

    Attributes:
        changed: The number of tasks that need a change, or got it.
        first: The number of the first of them. 0 if there is none.
        last: The number of the last task of all. 0 if there is none.
        left: The tasks that stay as they are, although they may need a change, each with the reason.
        answered: How often annotations have each control, by its name.
    """

    changed: int = 0
    first: int = 0
    last: int = 0
    left: Mapping[int, str] = field(default_factory=dict)
    answered: Mapping[str, int] = field(default_factory=dict)


class ProjectTasks:
    """Looks at the tasks of a project, and refreshes them."""

    def __init__(
        self,
        client: LabelStudioClient,
        project_id: int,
        *,
        label_config: str,
        page: LabelConfig,
        mode: LabelStudioMode,
    ) -> None:
        """Take what `refreshed_data` needs.

        Args:
            client: The client of the server.
            project_id: The number of the project.
            label_config: The label config that the project has now.
            page: The label config that the project will have.
            mode: The mode of that label config.
        """
        self._client = client
        self._project_id = project_id
        self._controls = read_controls(label_config)
        self._page = page
        self._mode = mode
        self._size = _AT_ONCE

    def look_at(self, *, tell: Tell) -> Seen:
        """Look at all tasks. It changes nothing."""
        return self._go_through(0, tell=tell, write=False)

    def refresh(self, *, after: int, tell: Tell) -> Seen:
        """Refresh the tasks with a higher number than `after`."""
        return self._go_through(after, tell=tell, write=True)

    def _go_through(self, last: int, *, tell: Tell, write: bool) -> Seen:
        first = changed = done = 0
        all_left: dict[int, str] = {}
        answered: Counter[str] = Counter()
        while True:
            page = self._read(last)
            changes, left = self._needed(page)
            if write and changes:
                # Tasks are read, changed and written. Feedback of users must not be written in between.
                with host_lock("send", self._client.url, timeout=TURN_TIMEOUT):
                    page = self._read(last)
                    changes, left = self._needed(page)
                    self._write(changes, left)
            all_left |= left
            answered.update(_answered(page))
            changed += len(changes)
            first = first or next(iter(changes), 0)
            done += len(page.tasks)
            tell(done, done + page.matching - len(page.tasks))
            if page.tasks:
                last = page.tasks[-1]["id"]
            if page.matching <= len(page.tasks):
                return Seen(changed=changed, first=first, last=last, left=all_left, answered=answered)

    def _read(self, after: int) -> TaskPage:
        """Return the next tasks with their predictions, which are asked for only if `meta` does not keep them."""
        read = patient(self._client.read_tasks)
        options: dict[str, Any] = {"after": after, "annotated": False}
        while True:
            try:
                page = read(self._project_id, size=self._size, **options)
                if all(map(knows_predictions, page.tasks)):
                    return page
                return read(self._project_id, size=self._size, predictions=True, **options)
            except RequestRefusedError as error:
                if error.status != _TOO_LARGE or self._size == 1:
                    raise
                self._size //= 2

    def _needed(self, page: TaskPage) -> tuple[dict[int, dict[str, Any]], dict[int, str]]:
        """Return the new data of tasks by their numbers, and the reasons why others stay as they are."""
        changes: dict[int, dict[str, Any]] = {}
        left: dict[int, str] = {}
        for task in page.tasks:
            try:
                data = refreshed_data(task, controls=self._controls, page=self._page, mode=self._mode)
            except LabelStudioError as error:
                left[task["id"]] = str(error)
            except Exception:  # noqa: BLE001 (a task of another program may hold anything)
                left[task["id"]] = f"the page of mode {self._mode.value!r} cannot show such data"
            else:
                if data is not None:
                    changes[task["id"]] = data
        return changes, left

    def _write(self, changes: dict[int, dict[str, Any]], left: dict[int, str]) -> None:
        """Write the new data. Move the tasks that Label Studio refuses to the ones that stay as they are."""
        write = patient(self._client.update_task)
        for task_id in list(changes):
            try:
                write(task_id, data=changes[task_id])
            except ProjectNotFoundError:  # it was deleted a moment ago
                del changes[task_id]
            except RequestRefusedError as error:
                del changes[task_id]
                left[task_id] = str(error)


def _answered(page: TaskPage) -> Iterator[str]:
    """Yield the control of each region of the annotations."""
    for task in page.tasks:
        for annotation in task.get("annotations") or ():
            yield from (str(region.get("from_name")) for region in regions_of(annotation))
