"""What tests ask a real Label Studio about."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Iterator
from typing import Any

import httpx

from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.programs import COMMAND


class _AccessToken(httpx.Auth):
    """Renews the access token, which lives for five minutes. A tier takes longer."""

    def __init__(self, server: LocalLabelStudio) -> None:
        self._server = server
        self._token = self._renewed()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = self._renewed()
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _renewed(self) -> str:
        body = {"refresh": self._server.api_key}
        answer = httpx.post(f"{self._server.url}/api/token/refresh/", json=body)
        return str(answer.raise_for_status().json()["access"])


class StudioApi:
    """The server's API, as its account sees it."""

    def __init__(self, server: LocalLabelStudio) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, auth=_AccessToken(server), timeout=60)

    def get(self, path: str, **params: Any) -> Any:
        return self.http.get(path, params=params).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        return self.http.post(path, json=body).raise_for_status().json()

    def patch(self, path: str, body: Any) -> Any:
        return self.http.patch(path, json=body).raise_for_status().json()

    def run_command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the library, with the server and its key in the environment."""
        keys = {"LABEL_STUDIO_API_KEY": self.server.api_key, "LABEL_STUDIO_URL": self.server.url}
        return subprocess.run(
            [COMMAND, *arguments],
            env=os.environ | {"COLUMNS": "200"} | keys,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def titles(self) -> dict[int, str]:
        """Return the titles of all projects, by their ids."""
        titles: dict[int, str] = {}
        more, page = True, 0
        while more:
            page += 1
            # A page has 100 at most. The columns are named, because the server counts tasks for the others.
            answer = self.get("/api/projects/", page=page, page_size=100, include="id,title")
            titles |= {project["id"]: project["title"] for project in answer["results"]}
            more = answer["next"] is not None
        return titles

    def projects(self, title: str) -> list[dict[str, Any]]:
        """Return all projects of exactly this title."""
        found = self.get("/api/projects/", title=title, page_size=100)["results"]
        return [project for project in found if project["title"] == title]

    def project_ids(self, title: str) -> list[int]:
        """Return the ids of all projects of exactly this title."""
        return [project["id"] for project in self.projects(title)]

    def tasks(self, project_id: int) -> list[dict[str, Any]]:
        """Return all tasks of a project with predictions and annotations, oldest first."""
        answer = self.http.get(
            "/api/tasks/", params={"project": project_id, "fields": "all", "page_size": 10_000}
        )
        if answer.status_code == 404:
            return []
        return sorted(answer.raise_for_status().json()["tasks"], key=lambda task: task["id"])

    def all_tasks(self, project_id: int) -> Iterator[dict[str, Any]]:
        """Yield all tasks of a large project with their predictions, page by page."""
        page, more = 0, True
        while more:
            page += 1
            answer = self.get(
                "/api/tasks/",
                project=project_id,
                fields="all",
                include="id,data,predictions",
                page=page,
                page_size=1_000,
            )
            yield from answer["tasks"]
            more = page * 1_000 < answer["total"]
