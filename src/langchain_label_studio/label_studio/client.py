"""Label Studio's API, as far as this package needs it: the only file that imports its SDK.

The SDK is reached through its light path, without pandas and boto3 (0.4 s instead of 3.3 s to import). Its
own retries are off, because they store tasks twice, and redirects are not followed, because they turn
a POST into a GET.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

# What the SDK and httpx load with the first request, loaded here: see `no_fork`.
import label_studio_sdk.projects.client
import label_studio_sdk.tokens.client_ext
import label_studio_sdk.users.client
import label_studio_sdk.versions.client
import orjson
from label_studio_sdk.base_client import LabelStudioBase
from label_studio_sdk.core.api_error import ApiError
from label_studio_sdk.projects.client import OMIT
from pydantic import SecretStr

from langchain_label_studio.errors import NotLabelStudioError, ServerError, ServerUnavailableError
from langchain_label_studio.label_studio.answers import (
    FoundTask,
    ImportedTasks,
    ProjectInfo,
    TaskContent,
    TaskPage,
)
from langchain_label_studio.label_studio.api_errors import error_for_status, reason_in
from langchain_label_studio.support.forks import no_fork

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_ANALYTICS = re.compile(r"collect_analytics\s*[=:]\s*(true|false)")
_PAGE = 100
# Those of annotations and predictions have to be named, too: else they come with nothing but their ids.
_TASK_FIELDS = (
    "id,data,meta,predictions,annotations,result,completed_by,created_at,updated_at,was_cancelled,"
    "ground_truth,lead_time,parent_prediction,model_version"
)
_FIND_AT_ONCE = 500

_Filter = tuple[str, str, str, Any]
"""Column, operator, type and value."""


class LabelStudioClient:
    """Speaks to one Label Studio with one key. Connections open as they are needed."""

    def __init__(self, *, url: str, api_key: SecretStr) -> None:
        """Make a client; nothing is sent yet.

        Args:
            url: Address of Label Studio, ending in exactly one slash.
            api_key: A personal access token or a legacy token.
        """
        self.url = url
        self._api_key = api_key
        # Label Studio's own server answers a kept connection 40 ms later than a new one.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(timeout=TIMEOUT, limits=limits, follow_redirects=False)
        self._known_sdk: LabelStudioBase | None = None

    @property
    def _sdk(self) -> LabelStudioBase:
        if self._known_sdk is None:
            key = self._api_key.get_secret_value()
            self._known_sdk = LabelStudioBase(
                base_url=self.url, api_key=key, httpx_client=self._http, max_retries=0
            )
        return self._known_sdk

    def legacy_client(self) -> label_studio_sdk.Client:
        """Return the client of the SDK's first version, which `langchain_community`'s handler had.

        By itself it knows legacy tokens only. Here its requests are signed like those of this client, so that
        personal access tokens work, too; and it never sees the key.
        """
        with no_fork():
            import requests  # noqa: PLC0415 (with what follows 0.2 s to load, and few ask for it)

            session = requests.Session()
            session.auth = self._sign
            return label_studio_sdk.Client(url=self.url, api_key="hidden", session=session)

    def _sign(self, request: Any) -> Any:
        signed = self._sdk._client_wrapper.get_headers()  # noqa: SLF001
        request.headers["Authorization"] = signed["Authorization"]
        return request

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def sign_in(self) -> str:
        """Check that this is Label Studio and that it takes the key.

        Returns:
            The e-mail address of the key's owner.

        Raises:
            AuthenticationError: The key was refused.
            NotLabelStudioError: Something else answers at this address.
            ServerUnavailableError: Nothing answers.
        """
        with self._asking():
            email = self._sdk.users.whoami().email
            edition = self._sdk.versions.get().edition
        if not isinstance(email, str) or not isinstance(edition, str):
            raise self._not_label_studio()
        return email

    def version(self) -> str:
        """Return Label Studio's version and edition, as a person reads them."""
        with self._asking():
            versions = self._sdk.versions.get()
            return f"{versions.release} ({versions.edition})"

    def collects_analytics(self) -> bool | None:
        """Say whether the server sends analytics, prompts among them, to its maker; None if unknown."""
        try:
            page = self._http.get(f"{self.url}user/login/").text
        except httpx.HTTPError:
            return None
        setting = _ANALYTICS.search(page)
        return setting[1] == "true" if setting else None

    def get_project(self, project_id: int) -> ProjectInfo:
        """Return a project.

        Raises:
            ProjectNotFoundError: There is none with this id.
        """
        with self._asking():
            found = self._sdk.projects.get(id=project_id)
        return self._project_info(found)

    def find_projects(self, title: str) -> list[int]:
        """Return the ids of all projects of exactly this title, lowest first."""
        # Label Studio itself looks for titles that contain this one.
        found = self.search_projects(title)
        return sorted(project_id for project_id, its_title in found.items() if its_title == title)

    def search_projects(self, part: str) -> dict[int, str]:
        """Return the titles of all projects that have this in their title, by their ids."""
        found: dict[int, str] = {}
        page = 0
        while True:
            page += 1
            with self._asking():
                items = self._sdk.projects.list(
                    title=part, include="id,title", ordering="id", page=page, page_size=_PAGE,
                ).items or []  # fmt: skip
            found |= {item.id: (item.title or "").strip() for item in items if item.id is not None}
            # Asking for one page too many makes Label Studio log an error.
            if len(items) < _PAGE:
                return found

    def create_project(
        self, *, title: str, label_config: str, model_version: str, reviewers_per_task: int | None = None
    ) -> int:
        """Create a project, and return its id.

        Raises:
            RequestRefusedError: Label Studio refuses the title or the label config.
        """
        with self._asking():
            created = self._sdk.projects.create(
                title=title,
                label_config=label_config,
                model_version=model_version,
                maximum_annotations=OMIT if reviewers_per_task is None else reviewers_per_task,
            )
        if not isinstance(created.id, int):
            raise self._not_label_studio()
        return created.id

    def rename_empty_project(self, project_id: int, *, title: str, description: str) -> None:
        """Give a project another title, unless there are tasks in it."""
        with self._asking():
            if not self._sdk.projects.get(id=project_id).task_number:
                self._sdk.projects.update(project_id, title=title, description=description)

    def import_tasks(self, project_id: int, tasks: Sequence[Mapping[str, Any]]) -> ImportedTasks:
        """Store tasks with their predictions, all or none.

        Raises:
            RequestRefusedError: One of them is at fault.
            ServerUnavailableError: They may be stored or not, see `maybe_stored`.
        """
        with self._asking():
            answer = self._sdk.projects.import_tasks(project_id, request=list(tasks), return_task_ids=True)
        # Not declared by the SDK; its own `predictions_count` is always None.
        task_ids = getattr(answer, "task_ids", None)
        predictions = getattr(answer, "prediction_count", None)
        if answer.task_count != len(tasks) or not isinstance(task_ids, list) or len(task_ids) != len(tasks):
            msg = f"Label Studio said it stored {answer.task_count} of {len(tasks)} tasks"
            raise ServerUnavailableError(msg, maybe_stored=True)
        return ImportedTasks(task_ids=tuple(task_ids), predictions=int(predictions or 0))

    def import_predictions(self, project_id: int, predictions: Sequence[Mapping[str, Any]]) -> None:
        """Store predictions for tasks that are there; each names its `task`."""
        with self._asking():
            self._sdk.projects.import_predictions(project_id, request=list(predictions))

    def find_tasks(self, project_id: int, run_ids: Sequence[str]) -> list[FoundTask]:
        """Return the tasks of these runs that are there already, lowest id first."""
        found: list[FoundTask] = []
        for start in range(0, len(run_ids), _FIND_AT_ONCE):
            wanted = list(run_ids[start : start + _FIND_AT_ONCE])
            query = _query([("data.run_id", "in_list", "String", wanted)])
            with self._asking():
                with no_fork():
                    tasks = self._sdk.tasks  # imports it
                page = tasks.list(
                    project=project_id, query=query, include="id,data,total_predictions",
                    page=1, page_size=2 * _FIND_AT_ONCE,
                )  # fmt: skip
                found += [_found_task(task) for task in page.items or []]
        return sorted(found, key=lambda task: task.id)

    def tasks_with(self, project_id: int, *, column: str, values: Sequence[str]) -> list[TaskContent]:
        """Return tasks that have one of the values in a column of their data, highest id first."""
        params = {
            "project": project_id,
            "query": _query([(f"data.{column}", "in_list", "String", list(values))], ordering=["-tasks:id"]),
            "fields": "all",
            "include": "id,data,meta",
            "page": 1,
            "page_size": 2 * _FIND_AT_ONCE,
        }
        with self._asking():
            found = orjson.loads(self._request("GET", "api/tasks/", params=params).content)["tasks"]
            return [
                TaskContent(id=task["id"], data=task["data"], meta=task.get("meta") or {}) for task in found
            ]

    def update_task(self, task_id: int, *, data: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
        """Replace what a task holds, as a whole; its annotations and predictions stay."""
        with self._asking():
            self._request("PATCH", f"api/tasks/{task_id}/", json={"data": data, "meta": meta})

    def users(self) -> dict[int, str]:
        """Return the e-mail addresses of all who have an account, by their number."""
        with self._asking():
            return {user.id: user.email for user in self._sdk.users.list() if user.id and user.email}

    def read_tasks(
        self, project_id: int, *, after: int, size: int, since: datetime | None = None, annotated: bool = True
    ) -> TaskPage:
        """Return the next tasks of a project, by rising id, with their predictions and annotations.

        Args:
            project_id: The project.
            after: Only tasks of a higher id.
            size: How many at most.
            since: Only tasks that were changed then or later.
            annotated: Only tasks of which Label Studio has counted an annotation that is no skip.
        """
        chosen: list[_Filter] = [("id", "greater", "Number", after)]
        if annotated:
            chosen.append(("total_annotations", "greater", "Number", 0))
        if since is not None:
            moment = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
            chosen.append(("updated_at", "greater_or_equal", "Datetime", moment))
        params = {
            "project": project_id,
            "query": _query(chosen, ordering=["tasks:id"]),
            "fields": "all",
            "include": _TASK_FIELDS,
            "page": 1,
            "page_size": size,
        }
        with self._asking():
            # Not `tasks.list`: its models keep the same again as objects, and do not say how large it was.
            answer = self._request("GET", "api/tasks/", params=params)
            found = orjson.loads(answer.content)
            return TaskPage(
                tasks=tuple(found["tasks"]),
                matching=found["total"],
                counted=found["total_annotations"],
                size=len(answer.content),
            )

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        http = self._sdk._client_wrapper.httpx_client  # noqa: SLF001
        answer: httpx.Response = http.request(path, method=method, **options)
        if answer.status_code != 200:
            raise ApiError(status_code=answer.status_code, headers=dict(answer.headers), body=_body(answer))
        return answer

    def _project_info(self, project: Any) -> ProjectInfo:
        if not isinstance(project.id, int) or not isinstance(project.label_config, str):
            raise self._not_label_studio()
        return ProjectInfo(
            id=project.id,
            title=project.title or "",
            label_config=project.label_config,
            model_version=project.model_version or "",
            shows_predictions=project.show_collab_predictions is not False,
            reviewers_per_task=project.maximum_annotations or 1,
            overlap_percent=100
            if project.overlap_cohort_percentage is None
            else project.overlap_cohort_percentage,
            annotations=project.total_annotations_number or 0,
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn whatever the SDK raises into this package's own errors.

        The text of the SDK's errors holds a session cookie, and of httpx's the key: neither is kept.
        """
        try:
            yield
        except ApiError as error:
            raise error_for_status(error.status_code, error.body, error.headers, self.url) from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._cannot_connect(error) from None
        except httpx.TransportError as error:
            msg = f"Label Studio at {self.url} broke off without an answer ({type(error).__name__})."
            raise ServerUnavailableError(msg, maybe_stored=True) from None
        except (ValueError, TypeError, AttributeError, LookupError):
            raise self._not_label_studio() from None

    def _cannot_connect(self, error: httpx.TransportError) -> Exception:
        if "SSL" in str(error) or "CERTIFICATE" in str(error):
            msg = f"No secure connection to {self.url}: {reason_in(str(error))}. Is it http:// instead of https://?"
            return NotLabelStudioError(msg)
        msg = f"No answer from Label Studio at {self.url}: is it running, and is the address right?"
        return ServerUnavailableError(msg)

    def _not_label_studio(self) -> ServerError:
        msg = (
            f"What answers at {self.url} is not Label Studio's API. Use the address of its start page, "
            "such as http://localhost:8080, without /projects or /api."
        )
        return NotLabelStudioError(msg)


def _found_task(task: Any) -> FoundTask:
    data = task.data if isinstance(task.data, Mapping) else {}
    return FoundTask(
        id=task.id, run_id=str(data.get("run_id", "")), predictions=int(task.total_predictions or 0)
    )


def _query(filters: Iterable[_Filter], *, ordering: Sequence[str] = ()) -> str:
    """Return the tasks that pass all filters as Label Studio's data manager asks for them."""
    items = [
        {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
        for column, operator, kind, value in filters
    ]
    return json.dumps({"filters": {"conjunction": "and", "items": items}, "ordering": list(ordering)})


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text
