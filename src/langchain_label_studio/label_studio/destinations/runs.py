"""`ProjectDestination`: a Label Studio project as the destination of recorded runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_label_studio.delivery import DeliveryFailedError, Record
from langchain_label_studio.errors import LabelStudioError, ServerUnavailableError
from langchain_label_studio.label_studio.projects import Project, read_project, resolve_project
from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.label_studio.tasks.build import build_task, missing_keys
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.host_lock import host_lock
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.types.run_record import decode_run

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import FoundTask
    from langchain_label_studio.label_studio.client import LabelStudioClient

CONFIG_AGE = 30.0
"""Seconds after which the project's label config is read again."""

_REMEMBERED_TASKS = 10_000
TURN_TIMEOUT = 30.0
"""Seconds to wait for other processes of this computer that send to the same server."""


class ProjectDestination:
    """Makes tasks of recorded runs and imports them. It repairs tasks that lost their answers.

    Attributes:
        settings: The server, the project and the key.
    """

    def __init__(self, settings: Settings) -> None:
        """Make a destination. It sends nothing yet."""
        self.settings = settings
        self._log = ThrottledLog()
        self._lock = threading.RLock()
        self._client: LabelStudioClient | None = None
        self._project: Project | None = None
        self._read_at = 0.0
        self._task_ids: BoundedDict[str, int] = BoundedDict(_REMEMBERED_TASKS)

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
                client.sign_in()
                self._project = resolve_project(client, self.settings)
                self._read_at = time.monotonic()
            return self._project

    def reset(self) -> None:
        """Forget the client and the project. The next request finds both anew."""
        # A new lock: in a forked child, a thread that does not exist may hold the old one.
        self._lock = threading.RLock()
        self._client = None
        self._project = None

    def send(self, records: Sequence[Record]) -> None:
        """Import the runs as tasks, and return once each task has its answer.

        On SQLite, Label Studio drops predictions if another request writes at the same time. It reports no error.

        Raises:
            DeliveryFailedError: It is not certain that all tasks are stored with their answers.
        """
        project, client = self._ready()
        tasks = self._tasks(records, project)
        predictions = sum(len(task["predictions"]) for task in tasks)
        try:
            # On SQLite, five imports at once take Label Studio 20 times as long as five imports in a row.
            with host_lock("send", self.settings.url, timeout=TURN_TIMEOUT):
                stored = client.import_tasks(project.id, tasks)
                self._task_ids.update(zip((record.key for record in records), stored.task_ids, strict=True))
                if stored.predictions < predictions:
                    self._repair(client, project, tasks)
        except LabelStudioError as error:
            if getattr(error, "status", None) == 400:
                self._read_at = 0.0  # the label config may have changed since
            raise as_failure(error) from None

    def find(self, records: Sequence[Record]) -> frozenset[str]:
        """Return the keys of the runs that have a task. Add the answer to each task that lost it.

        Raises:
            DeliveryFailedError: Label Studio could not be asked.
        """
        project, client = self._ready()
        try:
            found = self._first_of_each(client.find_tasks(project.id, [record.key for record in records]))
            self._task_ids.update((run_id, task.id) for run_id, task in found.items())
            tasks = self._tasks([record for record in records if record.key in found], project)
            self._add_missing_predictions(client, project, tasks, found)
        except LabelStudioError as error:
            raise as_failure(error) from None
        return frozenset(found)

    def task_id(self, run_id: str) -> int | None:
        """Return the id of a run's task. None if it has no task yet.

        Raises:
            LabelStudioError: Label Studio could not be asked.
        """
        if known := self._task_ids.get(run_id):
            return known
        found = self._first_of_each(self._connected_client().find_tasks(self.connect().id, [run_id]))
        return found[run_id].id if run_id in found else None

    def _ready(self) -> tuple[Project, LabelStudioClient]:
        """Return the project with its present label config, and the client."""
        try:
            project = self.connect()
            client = self._connected_client()
            if time.monotonic() - self._read_at > CONFIG_AGE:
                project = read_project(client.get_project(project.id), self.settings)
                self._project, self._read_at = project, time.monotonic()
        except LabelStudioError as error:
            raise as_failure(error) from None
        for warning in project.warnings:
            self._log.warning(f"project {warning}", "%s", warning)
        return project, client

    def _connected_client(self) -> LabelStudioClient:
        with self._lock:
            if self._client is None:
                self._client = open_client(self.settings)
            return self._client

    def _tasks(self, records: Sequence[Record], project: Project) -> list[dict[str, Any]]:
        tasks = []
        for record in records:
            # Another thread, such as one that calls a model, waits no longer than one task takes.
            time.sleep(0)
            tasks.append(self._task(record, project))
        return tasks

    def _task(self, record: Record, project: Project) -> dict[str, Any]:
        try:
            run = decode_run(record.body)
            task = build_task(run, project.config, model_version=self.settings.model_version)
        except Exception as error:  # noqa: BLE001 (one record must not hold up the others)
            self._log.warning("build", "Run %s could not be made into a task.", record.key, error=error)
            reason = f"run {record.key} could not be made into a task: {type(error).__name__}"
            raise DeliveryFailedError(reason, status=422) from None
        if missing := missing_keys(run, project.config):
            self._log.warning(
                "missing data", "data= does not fill %s, which the label config shows: left empty.", missing
            )
        return task

    def _repair(
        self, client: LabelStudioClient, project: Project, tasks: Sequence[Mapping[str, Any]]
    ) -> None:
        run_ids = [task["data"]["run_id"] for task in tasks]
        found = self._first_of_each(client.find_tasks(project.id, run_ids))
        if len(found) < len(tasks):
            msg = f"Label Studio has {len(found)} of {len(tasks)} tasks it said it stored"
            raise ServerUnavailableError(msg, maybe_stored=True)
        self._add_missing_predictions(client, project, tasks, found)

    def _add_missing_predictions(
        self,
        client: LabelStudioClient,
        project: Project,
        tasks: Sequence[Mapping[str, Any]],
        found: Mapping[str, FoundTask],
    ) -> None:
        missing = [
            prediction | {"task": found[task["data"]["run_id"]].id}
            for task in tasks
            if not found[task["data"]["run_id"]].predictions
            for prediction in task["predictions"]
        ]
        if missing:
            client.import_predictions(project.id, missing)
            self._log.warning(
                "repaired", "Label Studio had lost the answers of %d tasks: sent again.", len(missing)
            )

    def _first_of_each(self, tasks: Sequence[FoundTask]) -> dict[str, FoundTask]:
        first: dict[str, FoundTask] = {}
        for task in tasks:
            first.setdefault(task.run_id, task)
        return first


def open_client(settings: Settings) -> LabelStudioClient:
    """Return a client of the server.

    Raises:
        MissingApiKeyError: There is no key.
    """
    # Imported here: the SDK takes 0.4 s to load, and many programs do not need it.
    with no_fork():
        from langchain_label_studio.label_studio.client import LabelStudioClient  # noqa: PLC0415

        return LabelStudioClient(url=settings.url, api_key=settings.key())


def as_failure(error: LabelStudioError) -> DeliveryFailedError:
    """Return the error for the sender.

    The status tells the sender what to do. An error without a status, such as a wrong setting, counts as a refusal:
    a new attempt does not help.
    """
    if isinstance(error, ServerUnavailableError):
        return DeliveryFailedError(
            str(error), status=error.status, maybe_stored=error.maybe_stored, retry_after=error.retry_after
        )
    return DeliveryFailedError(str(error), status=getattr(error, "status", None) or 404)
