"""`ProjectDestination`: a Label Studio project as the destination of recorded runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from langchain_label_studio.delivery import (
    DeliveryFailedError,
    Found,
    Record,
    StillWorkingError,
    Upcoming,
    retry_policy,
)
from langchain_label_studio.errors import (
    LabelStudioError,
    ProjectNotFoundError,
    ServerUnavailableError,
    SettingError,
)
from langchain_label_studio.label_studio.destinations.request_note import RequestNote
from langchain_label_studio.label_studio.found_tasks import FoundTask, latest
from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.label_studio.waiting import while_waiting
from langchain_label_studio.metrics.request_time import timed_request
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.host_lock import host_lock
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.support.time_limit import time_limit

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ImportJob, ProjectInfo
    from langchain_label_studio.label_studio.client import LabelStudioClient
    from langchain_label_studio.label_studio.destinations.task_builder import TaskBuilder
    from langchain_label_studio.label_studio.progress import TaskCounts
    from langchain_label_studio.label_studio.projects import Project
    from langchain_label_studio.label_studio.tasks.build import EncodedTask

_REMEMBERED_TASKS = 10_000
_BLOCKED = 404
_REFUSED = frozenset({400, 422})
TURN_TIMEOUT = 30.0
"""Seconds to wait for other processes of this computer that send to the same server."""

COUNT_SECONDS = 2.0
"""Seconds for all requests that count tasks. A notebook waits for them."""

ONLY_THE_RELAY = "The runs are handed over to {}: only the relay there speaks with Label Studio."

JOB_GRACE = 60.0
"""Seconds for which a Label Studio that imports by jobs may still work on a job whose number nobody knows."""


class ProjectDestination:
    """Makes tasks of recorded runs and imports them. It repairs tasks that lost their answers.

    Attributes:
        settings: The server, the project and the key.
    """

    def __init__(self, settings: Settings, *, before_import: Callable[[], None] = lambda: None) -> None:
        """Make a destination. It sends nothing yet.

        Args:
            settings: The server, the project and the key.
            before_import: Called at the last moment before each request that stores something. It may raise a
                `DeliveryFailedError`, and then the request is not sent.
        """
        self.settings = settings
        self._before_import = before_import
        self._log = ThrottledLog()
        self._known_builder: TaskBuilder | None = None
        self._lock = threading.RLock()
        self._client: LabelStudioClient | None = None
        self._project: Project | None = None
        self._info: ProjectInfo | None = None
        self._task_ids: BoundedDict[str, int] = BoundedDict(_REMEMBERED_TASKS)
        self._last_task: FoundTask | None = None
        self._by_jobs = False

    @property
    def project(self) -> Project | None:
        """The project. None before Label Studio has answered."""
        return self._project

    def connect(self) -> Project:
        """Sign in, and find or create the project. Later calls return the same project.

        Raises:
            LabelStudioError: It failed. The message says what to do.
        """
        with self._lock:
            if self._project is None:
                client = self._connected_client()
                from langchain_label_studio.label_studio.projects import resolve_project  # noqa: PLC0415 (see load_client)

                client.sign_in()
                self._by_jobs = self._by_jobs or client.imports_by_jobs
                self._project = resolve_project(client, self.settings)
            return self._project

    def reset(self) -> None:
        """Forget the client and the project. The next request finds both anew."""
        # A new lock: in a forked child, a thread that does not exist may hold the old one.
        self._lock = threading.RLock()
        self._client = None
        self._project = None
        self._info = None
        self._known_builder = None

    def grace(self, *, note: str) -> float:
        """Return the seconds for which Label Studio may still work on a request without an answer."""
        known = RequestNote.read(note)
        if known.job is not None:
            return 0.0  # its end is certain: see `find`
        return JOB_GRACE if known.by_jobs or self._by_jobs else retry_policy.GRACE

    def note(self, records: Sequence[Record]) -> str:  # noqa: ARG002 (they all go to one project)
        """Return a note about the next request: the last task before it."""
        return RequestNote(since=self._last_task, by_jobs=self._by_jobs).text

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:
        """Import the runs as tasks, and return once each task has its answer. Meanwhile, make the upcoming tasks.

        On SQLite, Label Studio drops predictions if another request writes at the same time. It reports no error.

        Raises:
            StillWorkingError: Label Studio imports them later.
            DeliveryFailedError: It is not certain that all tasks are stored with their answers.
        """
        project, client = self._ready()
        self._builder.read_reviewed(client, project)
        tasks = self._builder.build(records, project)
        since = self._last_task
        try:
            # On SQLite, five imports at once take Label Studio 20 times as long as five imports in a row.
            with host_lock("send", self.settings.url, timeout=TURN_TIMEOUT):
                self._before_import()
                with (
                    while_waiting(lambda: self._builder.build_ahead(upcoming(), project)),
                    timed_request(project=self.settings.written_project, kind="runs"),
                ):
                    stored = client.import_tasks(project.id, [task.body for task in tasks])
                if stored.job is not None:
                    self._by_jobs = True
                    raise self._working_on(stored.job, since)
                self._stored(records, stored.task_ids)
                if stored.predictions < _predictions(tasks):
                    self._repair(client, project, tasks, since)
        except LabelStudioError as error:
            raise as_failure(error) from None

    def find(self, records: Sequence[Record], *, note: str) -> Found:
        """Return the keys of the runs that have a task. Add the answer to each task that lost it.

        Raises:
            StillWorkingError: Label Studio still imports them, or their answers.
            DeliveryFailedError: Label Studio could not be asked.
        """
        project, client = self._ready()
        known = RequestNote.read(note)
        try:
            job = self._job(client, project, known)
            tasks = self._tasks_of_stored(records, project)
            if job and job.stored(len(records), predictions=_predictions(tasks)):
                self._stored(records, job.task_ids)
                return Found(keys=frozenset(record.key for record in records), ended=True)
            keys = [record.key for record in records]
            found = self._first_of_each(client.find_tasks(project.id, keys, since=known.since))
            self._task_ids.update((key, task.id) for key, task in found.items())
            known_tasks = [task for task in tasks if task.key in found]
            self._add_missing_predictions(client, project, known_tasks, found, known.since)
        except LabelStudioError as error:
            raise as_failure(error) from None
        return Found(keys=frozenset(found), ended=job is not None, refused=job.error if job else "")

    def task_id(self, run_id: str, *, record_id: str | None) -> int | None:
        """Return the id of the task of the latest run with this id.

        Args:
            run_id: The id of the run.
            record_id: The id of its latest record that this process knows.

        Returns:
            The id of the task. None if the run has no task yet.

        Raises:
            LabelStudioError: Label Studio could not be asked.
        """
        known = self._task_ids.get(record_id or "", 0)
        client, project = self._connected_client(), self.connect()
        tasks = client.tasks_with(project.id, column="run_id", values=[run_id], since=known)
        if record_id and record_id not in {task.data.get("record_id") for task in tasks}:
            return None
        found = latest(tasks)
        return found.id if found else None

    def count_tasks(self) -> TaskCounts | None:
        """Return the project's tasks by what is left to do. None if Label Studio does not say it at once."""
        if self._project is None:
            return None
        from langchain_label_studio.label_studio.progress import count_tasks  # noqa: PLC0415 (for notebooks only)

        with suppress(LabelStudioError), time_limit(COUNT_SECONDS):
            return count_tasks(self._connected_client(), self._project.id)
        return None

    def _ready(self) -> tuple[Project, LabelStudioClient]:
        """Return the project with its present label config, and the client."""
        with asking():
            project = self.connect()
            client = self._connected_client()
            # With each batch: somebody may have edited the labeling interface a moment ago.
            info = client.get_project(project.id, counted=False)
            if info != self._info:
                from langchain_label_studio.label_studio.projects import read_project  # noqa: PLC0415 (see load_client)

                project = read_project(info, self.settings)
                self._project, self._info = project, info
        for warning in project.warnings:
            self._log.warning(f"project {warning}", "%s", warning)
        return project, client

    def _connected_client(self) -> LabelStudioClient:
        with self._lock:
            if self._client is None:
                self._client = open_client(self.settings)
            return self._client

    @property
    def _builder(self) -> TaskBuilder:
        if self._known_builder is None:
            from langchain_label_studio.label_studio.destinations.task_builder import TaskBuilder  # noqa: PLC0415 (see load_client)
            from langchain_label_studio.label_studio.novelty import open_novelty  # noqa: PLC0415 (see load_client)

            self._known_builder = TaskBuilder(
                self._log,
                model_version=self.settings.model_version,
                novelty=open_novelty() if "new" in (self.settings.priority or ()) else None,
            )
        return self._known_builder

    def _tasks_of_stored(self, records: Sequence[Record], project: Project) -> list[EncodedTask]:
        """Return the tasks of runs that may be stored already. A run that this process cannot read is left as it is."""
        tasks = []
        for record in records:
            with suppress(DeliveryFailedError):
                tasks += self._builder.build([record], project)
        return tasks

    def _job(self, client: LabelStudioClient, project: Project, known: RequestNote) -> ImportJob | None:
        """Return the import job that ended. None if there was none, or Label Studio has forgotten it.

        Raises:
            StillWorkingError: The job has not ended.
        """
        if known.job is None:
            return None
        try:
            job = client.import_job(project.id, known.job)
        except ProjectNotFoundError:
            return None
        if job.status == "working":
            raise self._working_on(known.job, known.since)
        return job

    def _working_on(self, job: int, since: FoundTask | None) -> StillWorkingError:
        note = RequestNote(since=since, by_jobs=True, job=job)
        return StillWorkingError(
            note=note.text, what=f"import job {job} of Label Studio at {self.settings.url}"
        )

    def _stored(self, records: Sequence[Record], task_ids: Sequence[int]) -> None:
        self._task_ids.update(zip((record.key for record in records), task_ids, strict=True))
        last = max(range(len(task_ids)), key=task_ids.__getitem__)
        self._last_task = FoundTask(id=task_ids[last], key=records[last].key)

    def _repair(
        self,
        client: LabelStudioClient,
        project: Project,
        tasks: Sequence[EncodedTask],
        since: FoundTask | None,
    ) -> None:
        keys = [task.key for task in tasks]
        found = self._first_of_each(client.find_tasks(project.id, keys, since=since))
        if len(found) < len(tasks):
            msg = f"Label Studio has {len(found)} of {len(tasks)} tasks it said it stored"
            raise ServerUnavailableError(msg, maybe_stored=True)
        self._add_missing_predictions(client, project, tasks, found, since)

    def _add_missing_predictions(
        self,
        client: LabelStudioClient,
        project: Project,
        tasks: Sequence[EncodedTask],
        found: Mapping[str, FoundTask],
        since: FoundTask | None,
    ) -> None:
        missing = [
            prediction | {"task": found[task.key].id}
            for task in tasks
            if not found[task.key].predictions
            for prediction in task.read_predictions()
        ]
        if missing:
            try:
                self._before_import()
            except DeliveryFailedError as failure:
                failure.maybe_stored = True  # the tasks themselves are stored
                raise
            stored = client.import_predictions(project.id, missing)
            if stored.job is not None:
                raise self._working_on(stored.job, since)
            if stored.predictions < len(missing):
                msg = f"Label Studio stored {stored.predictions} of {len(missing)} answers"
                raise ServerUnavailableError(msg, maybe_stored=True)
            self._log.warning(
                "repaired", "Label Studio had lost the answers of %d tasks: sent again.", len(missing)
            )

    def _first_of_each(self, tasks: Sequence[FoundTask]) -> dict[str, FoundTask]:
        first: dict[str, FoundTask] = {}
        for task in tasks:
            first.setdefault(task.key, task)
        return first


def _predictions(tasks: Sequence[EncodedTask]) -> int:
    return sum(task.predictions for task in tasks)


def open_client(settings: Settings) -> LabelStudioClient:
    """Return a client of the server.

    Raises:
        SettingError: There is no key, or the server cannot be opened with these settings.
    """
    if settings.deliver_to:
        raise SettingError(ONLY_THE_RELAY.format(settings.deliver_to))
    return load_client()(
        url=settings.url,
        api_key=settings.key(),
        headers=settings.all_headers(),
        verify=settings.verify,
    )


def load_client() -> type[LabelStudioClient]:
    """Import all that sends runs: the SDK takes 0.4 s to load, and many programs do not need it."""
    with no_fork():
        import langchain_label_studio.label_studio.destinations.task_builder  # noqa: PLC0415
        import langchain_label_studio.label_studio.projects  # noqa: F401, PLC0415
        from langchain_label_studio.label_studio.client import LabelStudioClient  # noqa: PLC0415
    return LabelStudioClient


@contextmanager
def asking() -> Iterator[None]:
    """Turn an error of a question into one for the sender. The import has not begun.

    Raises:
        DeliveryFailedError: Label Studio could not be asked.
    """
    try:
        yield
    except LabelStudioError as error:
        failure = as_failure(error, asking=True)
        failure.ended = True
        raise failure from None


def as_failure(error: LabelStudioError, *, asking: bool = False) -> DeliveryFailedError:
    """Return the error for the sender.

    The status tells the sender what to do. An error without a status, such as a wrong setting, counts as a refusal:
    a new attempt does not help.

    Args:
        error: The error.
        asking: Whether the request had nothing of a record in it. Then its refusal says nothing about the records.
    """
    if isinstance(error, ServerUnavailableError):
        return DeliveryFailedError(
            str(error),
            status=error.status,
            maybe_stored=error.maybe_stored,
            ended=error.ended,
            retry_after=error.retry_after,
        )
    status = getattr(error, "status", None)
    blocked = status is None or (asking and status in _REFUSED)
    return DeliveryFailedError(str(error), status=_BLOCKED if blocked else status)
