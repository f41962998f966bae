"""`FeedbackDestination`: a Label Studio project as the destination of feedback."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from langchain_label_studio.delivery import Found, NotAllTakenError, Record, Upcoming
from langchain_label_studio.errors import LabelStudioError, ProjectNotFoundError, RequestRefusedError
from langchain_label_studio.label_studio.destinations.runs import TURN_TIMEOUT, as_failure, open_client
from langchain_label_studio.label_studio.found_tasks import latest, record_key
from langchain_label_studio.label_studio.numbered_titles import (
    known_part,
    numbered_projects,
    projects_of_name,
)
from langchain_label_studio.label_studio.settings import Settings, fill_title
from langchain_label_studio.label_studio.tasks.feedback_columns import add_feedback, own_column
from langchain_label_studio.metrics.request_time import timed_request
from langchain_label_studio.priority.place import column_of, score_of, task_place
from langchain_label_studio.support.host_lock import host_lock
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.feedback import GivenFeedback, decode_feedback
from langchain_label_studio.types.record_id import record_time
from langchain_label_studio.types.task_columns import META_KEY, ORDER

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.client import LabelStudioClient
    from langchain_label_studio.label_studio.found_tasks import TaskContent

MAX_WAIT_FOR_TASK = 7 * 86_400.0
"""Seconds after which feedback is set aside, because its run has no task."""

_PAUSES = ((60.0, 2.0), (3600.0, 60.0), (MAX_WAIT_FOR_TASK, 3600.0))
"""Pairs of seconds: up to this age, feedback waits for so long until the next search for its task."""

_AT_ONCE = 25
_OTHER_PROJECTS = 31


class FeedbackDestination:
    """Writes feedback into the tasks of its runs.

    Attributes:
        settings: The server, the project and the key. The project is never created here.
    """

    def __init__(self, settings: Settings, *, numbered: bool = False) -> None:
        """Make a destination. It sends nothing yet.

        Args:
            settings: The server, the project and the key.
            numbered: Whether a run's task may also be in a project with a number behind its title: see
                `RollingDestination`.
        """
        self.settings = settings
        self._numbered = numbered
        self._lock = threading.Lock()
        self._client: LabelStudioClient | None = None

    def reset(self) -> None:
        """Forget the client. The next request makes a new one."""
        self._lock = threading.Lock()
        self._client = None

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:  # noqa: ARG002 (they are ready)
        """Write the feedback into the tasks of its runs.

        Raises:
            NotAllTakenError: Some runs have no task yet, or some feedback does not fit its task.
            DeliveryFailedError: Label Studio could not be asked.
        """
        later: dict[str, float] = {}
        refused: dict[str, str] = {}
        try:
            projects = self._projects()
            readable = list(_readable(records, refused))
            for start in range(0, len(readable), _AT_ONCE):
                some = readable[start : start + _AT_ONCE]
                # Tasks are read, changed and written. Nobody else may write them in between. And a Label Studio on
                # SQLite takes one writer at a time.
                with host_lock("send", self.settings.url, timeout=TURN_TIMEOUT):
                    missing = self._write(some, projects, refused)
                for given in missing:
                    _postpone(given, later, refused)
        except LabelStudioError as error:
            # A task that refuses feedback is no error here: see `_add`.
            raise as_failure(error, asking=True) from None
        if later or refused:
            raise NotAllTakenError(later=later, refused=refused)

    def grace(self, *, note: str) -> float:  # noqa: ARG002 (see below)
        """Return 0: it is safe to send the same feedback twice."""
        return 0.0

    def note(self, records: Sequence[Record]) -> str:  # noqa: ARG002 (see `find`)
        """Return no note."""
        return ""

    def find(self, records: Sequence[Record], *, note: str) -> Found:  # noqa: ARG002 (see below)
        """Return no keys: it is safe to send the same feedback twice."""
        return Found(keys=frozenset(), ended=True)

    def _connected_client(self) -> LabelStudioClient:
        with self._lock:
            if self._client is None:
                self._client = open_client(self.settings)
            return self._client

    def _projects(self) -> list[int]:
        """Return the projects that may have a run's task, the likeliest first.

        A project name with a date in it stands for several projects, and so does a title with a number behind it.
        """
        settings, client = self.settings, self._connected_client()
        if settings.project_id is not None:
            return [settings.project_id]
        if "%" not in settings.project_name:
            if not self._numbered:
                return client.find_projects(settings.project_title)[:1]
            titles = client.search_projects(settings.project_title)
            return list(numbered_projects(titles, of=settings.project_title).values())[:_OTHER_PROJECTS]
        titles = client.search_projects(known_part(settings.project_name))
        found = projects_of_name(titles, settings.project_name, numbered=self._numbered)
        today = fill_title(settings.project_name) if self._numbered else settings.project_title
        found.sort(key=lambda project: project[0] != today)
        return [project_id for _, project_id in found[:_OTHER_PROJECTS]]

    def _write(
        self, some: Sequence[GivenFeedback], projects: Iterable[int], refused: dict[str, str]
    ) -> list[GivenFeedback]:
        """Write feedback into tasks. Return the feedback without a task."""
        missing = list(some)
        for project in projects:
            if not missing:
                break
            found = self._tasks(project, {given.run_id for given in missing})
            # A task may be known by several ids. It is written once, or the second writing would undo the first.
            of_task: dict[int, list[GivenFeedback]] = defaultdict(list)
            tasks: dict[int, TaskContent] = {}
            for given in missing:
                if task := _task_of(given, found[given.run_id]):
                    tasks[task.id] = task
                    of_task[task.id].append(given)
            written = {given.id for several in of_task.values() for given in several}
            missing = [given for given in missing if given.id not in written]
            for number, several in of_task.items():
                try:
                    self._add(several, tasks[number], refused)
                except ProjectNotFoundError:  # the task was deleted a moment ago
                    missing += several
        return missing

    def _tasks(self, project: int, run_ids: set[str]) -> dict[str, list[TaskContent]]:
        """Return the tasks by the ids of their runs. For an id that no run has, return those of the trace."""
        client = self._connected_client()
        found: dict[str, list[TaskContent]] = defaultdict(list)
        for column in ("run_id", "trace_id"):
            if wanted := sorted(run_ids - found.keys()):
                for task in client.tasks_with(project, column=column, values=wanted):
                    found[str(task.data[column])].append(task)
        return found

    def _add(self, given: Sequence[GivenFeedback], task: TaskContent, refused: dict[str, str]) -> None:
        fitting = []
        for each in given:
            if name := own_column(each, task.data, task.meta):
                refused[each.id] = (
                    f"the task of run {each.run_id} has a column {name!r} that is no feedback: use another key="
                )
            else:
                fitting.append(each)
        if changed := add_feedback(fitting, task.data, task.meta):
            data, meta = changed
            client = self._connected_client()
            try:
                # First, because the same feedback changes nothing a second time.
                if (place := _changed_place(task, meta)) is not None:
                    data[ORDER] = column_of(place)
                    own = as_mapping(meta.get("prediction")).get("model_version", self.settings.model_version)
                    client.change_score(task.id, score_of(place), model_version=own)
                with timed_request(project=self.settings.written_project, kind="feedback"):
                    client.update_task(task.id, data=data, meta=meta)
            except RequestRefusedError as error:
                refused.update((each.id, str(error)) for each in fitting)


def _changed_place(task: TaskContent, meta: Mapping[str, Any]) -> int | None:
    """Return the place of a task in the order of work with this meta. None if it stays where it is."""
    if not (priority := as_mapping(meta.get("priority"))):
        return None
    before, after = (
        task_place(priority, record_id=record_key(task.data), feedback=as_mapping(known.get(META_KEY)))
        for known in (task.meta, meta)
    )
    return None if before == after else after


def _task_of(given: GivenFeedback, tasks: Sequence[TaskContent]) -> TaskContent | None:
    """Return the task of the latest run that feedback can be about. None if that run has no task yet."""
    if given.record_id and given.record_id not in {task.data.get("record_id") for task in tasks}:
        return None
    return latest(tasks, until=max(given.given_at, record_time(given.record_id)))


def _readable(records: Sequence[Record], refused: dict[str, str]) -> Iterator[GivenFeedback]:
    for record in records:
        try:
            yield decode_feedback(record.body)
        except (LabelStudioError, ValueError) as error:
            refused[record.key] = f"the feedback cannot be read: {error}"


def _postpone(given: GivenFeedback, later: dict[str, float], refused: dict[str, str]) -> None:
    """Postpone feedback without a task: young feedback for a moment, old feedback for an hour."""
    age = (datetime.now(UTC) - datetime.fromisoformat(given.given_at)).total_seconds()
    for oldest, pause in _PAUSES:
        if age < oldest:
            later[given.id] = pause
            return
    refused[given.id] = (
        f"run {given.run_id} has no task after {MAX_WAIT_FOR_TASK / 86_400:.0f} days: it was not recorded, or excluded"
    )
