"""`LabelStudioClient`: requests to Label Studio's API. No other file imports Label Studio's SDK.

This file imports only the light part of the SDK, without pandas and boto3: 0.4 s instead of 3.3 s. The SDK's own
retries are off, because they store tasks twice. Redirects are not followed, because they turn a POST into a GET.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import httpx

# The SDK and httpx would load these modules with the first request. They are loaded here: see `no_fork`.
import label_studio_sdk.projects.client
import label_studio_sdk.tokens.client_ext
import label_studio_sdk.users.client
import label_studio_sdk.versions.client
import orjson
from label_studio_sdk.base_client import LabelStudioBase
from label_studio_sdk.core.api_error import ApiError
from label_studio_sdk.projects.client import OMIT
from pydantic import SecretStr

from langchain_label_studio.errors import NotLabelStudioError, ServerUnavailableError
from langchain_label_studio.label_config.page_tags import read_release, unknown_tags
from langchain_label_studio.label_studio.access import Headers, Verify, trusted_certificates
from langchain_label_studio.label_studio.answers import (
    BY_SCORE,
    Imported,
    ImportJob,
    ProjectInfo,
    TaskPage,
)
from langchain_label_studio.label_studio.api_errors import (
    error_for_status,
    not_label_studio,
    reason_in,
    too_old,
    unreadable,
)
from langchain_label_studio.label_studio.bounded_transport import (
    ACCEPTED_ENCODING,
    AnswerTooLargeError,
    BoundedTransport,
    RequestLimits,
)
from langchain_label_studio.label_studio.found_tasks import FoundTask, TaskContent
from langchain_label_studio.label_studio.proxy_errors import broken_off, no_connection
from langchain_label_studio.label_studio.task_filters import (
    TaskFilter,
    changed_since,
    filter_query,
    has_annotation,
    id_after,
    with_annotations,
)
from langchain_label_studio.label_studio.task_questions import TaskQuestions
from langchain_label_studio.label_studio.token_renewal import TokenRenewal
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.quiet_http import QuietClient

_T = TypeVar("_T")

# For each read and each write. See `_LIMITS` for the whole request.
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
# An import of 4 MiB needs time on a slow network, and then on a busy SQLite.
_LIMITS = RequestLimits(seconds=120.0, answer_bytes=8 * 1024**2)
# A page holds up to 1000 tasks with whole conversations, and an import job all tasks of a batch.
_LIMITS_OF_PAGES = RequestLimits(seconds=300.0, answer_bytes=64 * 1024**2)
_OTHER_LIMITS = {"/api/tasks/": _LIMITS_OF_PAGES, "/imports/": _LIMITS_OF_PAGES}
_ANALYTICS = re.compile(r"collect_analytics\s*[=:]\s*(true|false)")
_PAGE = 100
# A shorter value of a header may be in any text.
_SHORTEST_SECRET = 5
_PROJECT_FIELDS = (
    "id,title,label_config,model_version,show_collab_predictions,maximum_annotations,overlap_cohort_percentage,"
    "created_at,expert_instruction,sampling"
)
# The servers on which that was tried: tests/server and tests/old_servers. It is in no documentation.
_GIVE_BY_SCORE = ((1, 16), (1, 23))


class LabelStudioClient:
    """Sends requests to one Label Studio with one key. It opens connections as they are needed.

    Attributes:
        url: The address of Label Studio, with one slash at the end.
        imports_by_jobs: Whether Label Studio said that it is an edition that imports by jobs. Known after `sign_in`.
        unknown_tags: The tags of label configs that its pages do not know, in small letters. Known after `sign_in`.
        gives_by_score: Whether it is known to give the task whose prediction has the lowest score first, where a project
            says so. Known after `sign_in`.
    """

    def __init__(self, *, url: str, api_key: SecretStr, headers: Headers = (), verify: Verify = True) -> None:
        """Make a client. It sends nothing yet.

        Args:
            url: The address of Label Studio, with one slash at the end.
            api_key: A personal access token or a legacy token.
            headers: More headers of each request.
            verify: How the server's certificate is checked: see `resolve_verify`.

        Raises:
            SettingError: The certificates cannot be read, or the environment names a proxy that cannot be used.
        """
        self.url = url
        self.imports_by_jobs = False
        self.unknown_tags: frozenset[str] = frozenset()
        self.gives_by_score = False
        self._api_key = api_key
        self._headers = {name: value.get_secret_value() for name, value in headers}
        self._verify = verify
        self._answered = False
        self._secrets = [
            value
            for value in (*self._headers.values(), api_key.get_secret_value())
            if len(value) >= _SHORTEST_SECRET
        ]
        self._http = QuietClient(
            transport=BoundedTransport(url, limits=_LIMITS, other_limits=_OTHER_LIMITS, verify=verify),
            timeout=TIMEOUT,
            headers=self._headers | {"Accept-Encoding": ACCEPTED_ENCODING},
            auth=TokenRenewal(self._renewed_token, _error_of),
            follow_redirects=False,
        )
        self._known_sdk: LabelStudioBase | None = None
        self._questions = TaskQuestions(self._read_page, self._translated_errors)

    @property
    def _sdk(self) -> LabelStudioBase:
        if self._known_sdk is None:
            key = self._api_key.get_secret_value()
            self._known_sdk = LabelStudioBase(
                base_url=self.url, api_key=key, httpx_client=self._http, max_retries=0
            )
        return self._known_sdk

    def _renewed_token(self) -> str:
        wrapper = self._sdk._client_wrapper  # noqa: SLF001
        wrapper._tokens_client._access_token = None  # noqa: SLF001
        return str(wrapper.get_headers()["Authorization"])

    def legacy_client(self) -> label_studio_sdk.Client:
        """Return the client of the SDK's first version. The handler of `langchain_community` had it.

        That client by itself takes legacy tokens only. Here its requests are signed like the requests of this client,
        so personal access tokens work, too. That client never sees the key.
        """
        with no_fork():
            import requests  # noqa: PLC0415 (the next lines take 0.2 s to load, and few callers need them)

            session = requests.Session()
            session.auth = self._sign
            session.headers.update(self._headers)
            verify, _ = trusted_certificates(self._verify)
            # With each request: a variable of the environment would win over `session.verify`.
            session.request = partial(session.request, verify=verify)  # type: ignore[method-assign]
            return label_studio_sdk.Client(url=self.url, api_key="hidden", session=session)

    def _sign(self, request: Any) -> Any:
        signed = self._sdk._client_wrapper.get_headers()  # noqa: SLF001
        request.headers["Authorization"] = signed["Authorization"]
        return request

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def sign_in(self) -> str:
        """Check that this is Label Studio, and that it accepts the key.

        Returns:
            The e-mail address of the key's owner.

        Raises:
            AuthenticationError: The key was refused.
            NotLabelStudioError: Another program answers at this address.
            ServerUnavailableError: No program answers.
            UnsupportedVersionError: This Label Studio is too old.
        """
        try:
            with self._translated_errors():
                email = self._sdk.users.whoami().email
                versions = self._sdk.versions.get()
                edition, release = versions.edition, str(versions.release)
            if not isinstance(email, str) or not isinstance(edition, str):
                raise not_label_studio(self.url)
        except NotLabelStudioError as error:
            raise too_old(self._release(), self.url) or error from None
        if problem := too_old(release, self.url):
            raise problem
        self._answered = True
        self.imports_by_jobs = edition != "Community"
        number = read_release(release)
        self.unknown_tags = unknown_tags(number, community=not self.imports_by_jobs)
        oldest, newest = _GIVE_BY_SCORE
        self.gives_by_score = not self.imports_by_jobs and number is not None and oldest <= number <= newest
        return email

    def _release(self) -> str:
        """Return the version of a Label Studio that may be too old to know the key, or to name its edition."""
        try:
            return str(self._http.get(f"{self.url}api/version").json()["release"])
        except (httpx.HTTPError, ValueError, TypeError, LookupError, RecursionError):
            return ""

    def version(self) -> str:
        """Return Label Studio's version and edition, as a text for people."""
        with self._translated_errors():
            versions = self._sdk.versions.get()
            return f"{versions.release} ({versions.edition})"

    def collects_analytics(self) -> bool | None:
        """Return whether the server sends analytics, with prompts, to its maker. None if unknown."""
        try:
            page = self._http.get(f"{self.url}user/login/").text
        except httpx.HTTPError:
            return None
        setting = _ANALYTICS.search(page)
        return setting[1] == "true" if setting else None

    def get_project(self, project_id: int, *, counted: bool = True) -> ProjectInfo:
        """Return a project.

        Args:
            project_id: The number of the project.
            counted: Whether Label Studio counts the annotations. In a project of 40,000 tasks, that takes 3 times as
                long as all the rest.

        Raises:
            ProjectNotFoundError: There is no project with this id.
        """
        columns = f"{_PROJECT_FIELDS},total_annotations_number" if counted else _PROJECT_FIELDS
        with self._translated_errors():
            found = self._sdk.projects.get(
                id=project_id, request_options={"additional_query_parameters": {"include": columns}}
            )
            return self._project_info(found)

    def find_projects(self, title: str) -> list[int]:
        """Return the ids of all projects with exactly this title, the lowest first."""
        # Label Studio itself returns all projects with this text in their title.
        found = self.search_projects(title)
        return sorted(project_id for project_id, its_title in found.items() if its_title == title)

    def search_projects(self, part: str) -> dict[int, str]:
        """Return the titles of all projects with this text in their title, by the projects' ids."""
        found: dict[int, str] = {}
        page = 0
        while True:
            page += 1
            with self._translated_errors():
                items = self._sdk.projects.list(
                    title=part, include="id,title", ordering="id", page=page, page_size=_PAGE,
                ).items or []  # fmt: skip
                known = len(found)
                found |= {item.id: (item.title or "").strip() for item in items if item.id is not None}
            # A request for one page too many makes Label Studio log an error. Another server may send one page for ever.
            if len(items) < _PAGE or len(found) == known:
                return found

    def create_project(
        self,
        *,
        title: str,
        label_config: str,
        model_version: str,
        reviewers_per_task: int | None = None,
        instructions: str = "",
        by_score: bool = False,
    ) -> int:
        """Create a project, and return its id.

        Args:
            title: Its title.
            label_config: Its label config (XML).
            model_version: The version of the predictions that reviewers see.
            reviewers_per_task: The number of people who get a task. None is Label Studio's default: 1.
            instructions: What reviewers are told before the first task.
            by_score: Whether the task whose prediction has the lowest score is given first.

        Raises:
            RequestRefusedError: Label Studio refused the title or the label config.
        """
        with self._translated_errors():
            created = self._sdk.projects.create(
                title=title,
                label_config=label_config,
                model_version=model_version,
                maximum_annotations=OMIT if reviewers_per_task is None else reviewers_per_task,
                expert_instruction=instructions or OMIT,
                show_instruction=True if instructions else OMIT,
                sampling=BY_SCORE if by_score else OMIT,
            )
            if not isinstance(created.id, int):
                raise not_label_studio(self.url)
            return created.id

    def rename_empty_project(self, project_id: int, *, title: str, description: str) -> None:
        """Give a project another title and description, unless it has tasks."""
        with self._translated_errors():
            if not self._sdk.projects.get(id=project_id).task_number:
                self._sdk.projects.update(project_id, title=title, description=description)

    def tab_titles(self, project_id: int) -> list[str]:
        """Return the titles of the tabs of a project's list of tasks."""
        with self._translated_errors():
            answer = self._request("GET", "api/dm/views/", params={"project": project_id})
            return [str((tab["data"] or {}).get("title", "")) for tab in orjson.loads(answer.content)]

    def add_tab(self, project_id: int, tab: Mapping[str, Any]) -> None:
        """Add a tab to a project's list of tasks, after its other tabs."""
        with self._translated_errors():
            self._request("POST", "api/dm/views/", json={"project": project_id, "data": tab})

    def validate_label_config(self, project_id: int, label_config: str) -> None:
        """Ask Label Studio whether a project can have this label config. It changes nothing.

        Raises:
            RequestRefusedError: It cannot, for example because annotations need a control that the config lacks.
        """
        with self._translated_errors():
            self._request("POST", f"api/projects/{project_id}/validate/", json={"label_config": label_config})

    def update_project(
        self, project_id: int, *, label_config: str | None = None, instructions: str = ""
    ) -> None:
        """Give a project another label config, or instructions, or both at once. All else stays.

        Raises:
            RequestRefusedError: Label Studio refused the label config.
        """
        changes: dict[str, Any] = {} if label_config is None else {"label_config": label_config}
        if instructions:
            changes |= {"expert_instruction": instructions, "show_instruction": True}
        with self._translated_errors():
            self._request("PATCH", f"api/projects/{project_id}/", json=changes)

    def import_tasks(self, project_id: int, tasks: Sequence[bytes]) -> Imported:
        """Store tasks with their predictions. Label Studio stores all of them or none, unless it makes a job of it.

        Args:
            project_id: The number of the project.
            tasks: The tasks, each of them as JSON.

        Raises:
            RequestRefusedError: One of the tasks is wrong.
            ServerUnavailableError: The tasks may be stored or not: see `maybe_stored`.
        """
        with self._translated_errors(storing=True):
            # Not `projects.import_tasks`: it would take the SDK longer to encode the tasks than us to make them.
            answer = self._request(
                "POST",
                f"api/projects/{project_id}/import",
                params={"return_task_ids": "true"},
                content=b"[%b]" % b",".join(tasks),
                headers={"Content-Type": "application/json"},
            )
            said = _json_of(answer)
            if said.get("import") is not None:
                return Imported(job=int(said["import"]))
            task_ids = tuple(map(int, said["task_ids"]))
            count, predictions = int(said["task_count"]), int(said.get("prediction_count") or 0)
            if not count == len(task_ids) == len(tasks):
                msg = f"Label Studio said it stored {count} of {len(tasks)} tasks"
                raise ServerUnavailableError(msg, maybe_stored=True)
            return Imported(task_ids=task_ids, predictions=predictions)

    def import_predictions(self, project_id: int, predictions: Sequence[Mapping[str, Any]]) -> Imported:
        """Store predictions for existing tasks. Each prediction names its `task`."""
        with self._translated_errors(storing=True):
            answer = self._sdk.projects.import_predictions(project_id, request=list(predictions))
            job = getattr(answer, "import", None)
            return Imported(predictions=int(answer.created or 0), job=None if job is None else int(job))

    def import_job(self, project_id: int, job: int) -> ImportJob:
        """Return the state of an import.

        Raises:
            ProjectNotFoundError: Label Studio does not know the import any more.
        """
        with self._translated_errors():
            answer = orjson.loads(self._request("GET", f"api/projects/{project_id}/imports/{job}/").content)
            if answer["status"] == "completed":
                return ImportJob(
                    status="completed",
                    task_ids=tuple(map(int, answer["task_ids"] or ())),
                    predictions=int(answer["prediction_count"] or 0),
                )
            if answer["status"] == "failed":
                return ImportJob(status="failed", error=reason_in(answer["error"]) or "no reason given")
            return ImportJob(status="working")

    def find_tasks(
        self, project_id: int, keys: Sequence[str], *, since: FoundTask | None = None
    ) -> list[FoundTask]:
        """Return the existing tasks of these records, the lowest id first: see `TaskQuestions.find`."""
        return self._questions.find(project_id, keys, since=since)

    def tasks_with(
        self, project_id: int, *, column: str, values: Sequence[str], since: int = 0
    ) -> list[TaskContent]:
        """Return the tasks with one of the values in a column of their data: see `TaskQuestions.tasks_with`."""
        return self._questions.tasks_with(project_id, column=column, values=values, since=since)

    def update_task(
        self, task_id: int, *, data: Mapping[str, Any], meta: Mapping[str, Any] | None = None
    ) -> None:
        """Replace the whole data of a task, and its whole meta if there is one. Annotations and predictions stay."""
        self.change(f"api/tasks/{task_id}/", {"data": data} if meta is None else {"data": data, "meta": meta})

    def change(self, path: str, values: Mapping[str, Any]) -> None:
        """Change some fields of what the API has at this path. Its other fields stay."""
        with self._translated_errors():
            self._request("PATCH", path, json=values)

    def add_annotation(self, task_id: int, annotation: Mapping[str, Any]) -> None:
        """Store an annotation of a task."""
        with self._translated_errors(storing=True):
            self._request("POST", f"api/tasks/{task_id}/annotations/", json=annotation)

    def change_score(self, task_id: int, score: float, *, model_version: str) -> None:
        """Change the score of a task's predictions of one version. Those of others, such as of a judge, stay."""
        with self._translated_errors():
            found = orjson.loads(self._request("GET", "api/predictions/", params={"task": task_id}).content)
        for prediction in found:
            if prediction["model_version"] == model_version:
                self.change(f"api/predictions/{prediction['id']}/", {"score": score})

    def users(self) -> dict[int, str]:
        """Return the e-mail addresses of all users, by the users' ids."""
        with self._translated_errors():
            return {user.id: user.email for user in self._sdk.users.list() if user.id and user.email}

    def read_tasks(
        self,
        project_id: int,
        *,
        after: int,
        size: int,
        since: datetime | None = None,
        annotated: bool = True,
        predictions: bool = False,
    ) -> TaskPage:
        """Return the next tasks of a project with their annotations, the lowest id first.

        Args:
            project_id: The number of the project.
            after: Return only tasks with a higher id.
            size: The maximum number of tasks.
            since: Return only tasks that were changed at this time or later.
            annotated: Return only tasks for which Label Studio has counted an annotation. It counts no skips.
            predictions: Return the tasks with their predictions: see `with_annotations`.
        """
        filters: list[TaskFilter] = [id_after(after)]
        if annotated:
            filters.append(has_annotation())
        if since is not None:
            filters.append(changed_since(since))
        params = {
            "project": project_id,
            "query": filter_query(*filters, ordering=["tasks:id"]),
            "page": 1,
            "page_size": size,
            **with_annotations(predictions=predictions),
        }
        with self._translated_errors():
            # Not `tasks.list`: its models keep all values a second time, and do not tell the size of the answer.
            answer = self._request("GET", "api/tasks/", params=params)
            found = orjson.loads(answer.content)
            return TaskPage(
                tasks=tuple(found["tasks"]),
                matching=found["total"],
                counted=found["total_annotations"],
                size=len(answer.content),
            )

    def read_page(self, params: Mapping[str, Any], *, read: Callable[[Any], _T]) -> _T:
        """Return what `read` makes of a page of tasks.

        Args:
            params: The parameters of the request.
            read: Takes the page. It may raise, if the page is not as it should be.
        """
        with self._translated_errors():
            return read(self._read_page(params))

    def _read_page(self, params: Mapping[str, Any]) -> Any:
        with self._translated_errors():
            return orjson.loads(self._request("GET", "api/tasks/", params=params).content)

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        http = self._sdk._client_wrapper.httpx_client  # noqa: SLF001
        try:
            answer: httpx.Response = http.request(path, method=method, **options)
        except AnswerTooLargeError:
            if method != "GET":
                raise
            raise ApiError(status_code=413, body="the answer is too large to be read at once") from None
        if not answer.is_success:
            raise _error_of(answer)
        return answer

    def _project_info(self, project: Any) -> ProjectInfo:
        if not isinstance(project.id, int) or not isinstance(project.label_config, str):
            raise not_label_studio(self.url)
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
            unknown_tags=self.unknown_tags,
            created_at=project.created_at,
            instructions=project.expert_instruction or "",
            by_score=project.sampling == BY_SCORE,
        )

    @contextmanager
    def _translated_errors(self, *, storing: bool = False) -> Iterator[None]:
        """Turn every error of the SDK into an error of this package.

        The texts of their errors are dropped: the SDK's hold a session cookie, and httpx's hold the key.

        Args:
            storing: Whether the request stores something. Then an answer that cannot be read leaves that in doubt.
        """
        try:
            yield
        except ApiError as error:
            raise error_for_status(
                error.status_code, error.body, error.headers, self.url, secrets=self._secrets
            ) from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise no_connection(str(error), self.url) from None
        except httpx.TransportError as error:
            kind = type(error).__name__
            raise broken_off(kind, self.url, answered_before=self._answered) from None
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError, ArithmeticError):
            raise unreadable(self.url) if storing else not_label_studio(self.url) from None


def _error_of(answer: httpx.Response) -> ApiError:
    return ApiError(status_code=answer.status_code, headers=dict(answer.headers), body=_body(answer))


def _json_of(answer: httpx.Response) -> Any:
    """Return the JSON of an answer. A page that a proxy sent in its place is an error, as the SDK has it."""
    try:
        return orjson.loads(answer.content)
    except ValueError:
        raise _error_of(answer) from None


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text
