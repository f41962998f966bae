"""People who review tasks, each with an account of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from secrets import token_hex
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.studio import StudioApi

Annotation = tuple[int, int, str]
"""The task's id, the reviewer's, and the text."""

_SUBMIT_PRESSES = 10


class Reviewer:
    """A person who was invited, and saves an annotation on each task that appears.

    Attributes:
        id: The account's.
        email: Its name.
        submitted: The annotations that Label Studio said it saved.
    """

    def __init__(self, studio: StudioApi) -> None:
        """Sign up with the invitation link: nobody gets in without one."""
        self.submitted: set[Annotation] = set()
        # A browser keeps cookies: the one of the form, and then the session's.
        self._http = httpx.Client(base_url=studio.server.url, timeout=120)
        invitation = studio.get("/api/invite")["invite_url"]
        self._http.get(invitation)
        self.email = f"reviewer-{token_hex(4)}@example.com"
        form = {
            "email": self.email,
            "password": token_hex(16),
            "csrfmiddlewaretoken": self._http.cookies["csrftoken"],
        }
        signed_up = self._http.post(invitation, data=form)
        assert signed_up.status_code == httpx.codes.FOUND, signed_up.text
        self.id: int = self._get("/api/current-user/whoami")["id"]

    def next_task(self, project_id: int) -> dict[str, Any] | None:
        """Return the task that "Label All Tasks" would show next, as the browser gets it."""
        asked = {"project": project_id}
        answer = self._http.post("/api/dm/actions", params={"id": "next_task"} | asked, json=asked)
        return None if answer.status_code == httpx.codes.NOT_FOUND else answer.raise_for_status().json()

    def skip(self, task_id: int) -> None:
        self._save(task_id, {"result": [], "was_cancelled": True})

    @contextmanager
    def reviewing(self, project_id: int) -> Iterator[None]:
        """Review, the newest task first, for as long as the `with` block runs."""
        done = threading.Event()
        with ThreadPoolExecutor(max_workers=1) as pool:
            review = pool.submit(self._review, project_id, done)
            try:
                yield
            finally:
                done.set()
        review.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _review(self, project_id: int, done: threading.Event) -> None:
        reviewed: set[int] = set()
        while not done.is_set():
            if new := self._task_ids(project_id) - reviewed:
                newest = max(new)
                self.submit(newest)
                reviewed.add(newest)
            else:
                done.wait(0.1)

    def _task_ids(self, project_id: int) -> set[int]:
        answer = self._get("/api/tasks/", project=project_id, include="id", page_size=10_000)
        return {task["id"] for task in answer["tasks"]}

    def submit(self, task_id: int) -> None:
        """Save a correction of a task's answer."""
        text = f"Corrected by {self.id} in task {task_id}"
        region = {"from_name": "response", "to_name": "prompt", "type": "textarea", "value": {"text": [text]}}
        self._save(task_id, {"result": [region]})
        self.submitted.add((task_id, self.id, text))

    def _save(self, task_id: int, annotation: dict[str, Any]) -> None:
        for _ in range(_SUBMIT_PRESSES):
            answer = self._http.post(f"/api/tasks/{task_id}/annotations/", json=annotation)
            if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
                break
            # SQLite may be locked by another writer: a person then presses Submit again.
            time.sleep(0.5)
        answer.raise_for_status()

    def _get(self, path: str, **params: Any) -> Any:
        return self._http.get(path, params=params).raise_for_status().json()
