"""`Server`: a project of an earlier version, for what refreshes it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson

from langchain_label_studio.errors import RequestRefusedError
from langchain_label_studio.label_studio.answers import ProjectInfo, TaskPage
from langchain_label_studio.label_studio.client import LabelStudioClient
from langchain_label_studio.refresh.project import Refresh, carry_out, plan_refresh
from langchain_label_studio.refresh.tasks import Seen
from tests.support.old_pages import OLD_PAGES, old_run, old_task
from tests.support.projects import project_info


class Server:
    """A project of agents' runs, and the requests of a client to it."""

    def __init__(self, count: int) -> None:
        self.url = "http://ls.test/"
        self.unknown_tags: frozenset[str] = frozenset()
        self.label_config, self.instructions = OLD_PAGES["agent"], ""
        self.tasks = {number: self._new(number) for number in range(1, count + 1)}
        self.before_write: Callable[[int], None] = lambda _: None
        self.refusal: str | None = None
        self.largest_page = 1000
        self.tabs = ["Default"]
        self.reads: list[int] = []
        self.connections = 0

    @property
    def client(self) -> LabelStudioClient:
        return cast("LabelStudioClient", self)

    def connect(self) -> LabelStudioClient:
        self.connections += 1
        return self.client

    @property
    def info(self) -> ProjectInfo:
        return self.get_project(7)

    @property
    def refreshed(self) -> list[int]:
        return [number for number, task in self.tasks.items() if "steps_html" in task["data"]]

    def add_task(self) -> None:
        self.tasks[max(self.tasks) + 1] = self._new(max(self.tasks) + 1)

    def plan(self, **options: Any) -> Refresh:
        return plan_refresh(self.client, self.info, tell=lambda *_: None, **options)

    def refresh(self) -> Seen:
        return carry_out(self.client, self.plan(), tell=lambda *_: None)

    # What the client has

    def sign_in(self) -> str:
        return "ann@example.com"

    def close(self) -> None:
        self.connections -= 1

    def find_projects(self, _title: str) -> list[int]:
        return []

    def search_projects(self, _part: str) -> dict[int, str]:
        return {7: "Answers"}

    def get_project(self, project_id: int, *, counted: bool = True) -> ProjectInfo:
        return project_info(self.label_config, id=project_id, instructions=self.instructions)

    def validate_label_config(self, _project_id: int, _label_config: str) -> None:
        if self.refusal:
            raise RequestRefusedError(self.refusal, status=400)

    def update_project(
        self, project_id: int, *, label_config: str | None = None, instructions: str = ""
    ) -> None:
        if label_config:
            self.validate_label_config(project_id, label_config)
            self.label_config = label_config
        self.instructions = instructions or self.instructions

    def tab_titles(self, _project_id: int) -> list[str]:
        return self.tabs

    def add_tab(self, _project_id: int, tab: Mapping[str, Any]) -> None:
        self.tabs.append(tab["title"])

    def read_tasks(self, _project_id: int, *, after: int, size: int, **_: Any) -> TaskPage:
        if size > self.largest_page:
            raise RequestRefusedError("too large", status=413)
        self.reads.append(size)
        found = [copy.deepcopy(task) for number, task in self.tasks.items() if number > after]
        return TaskPage(tasks=tuple(found[:size]), matching=len(found), counted=0, size=1)

    def update_task(self, task_id: int, *, data: Mapping[str, Any]) -> None:
        self.before_write(task_id)
        self.tasks[task_id]["data"] = orjson.loads(orjson.dumps(data))

    @staticmethod
    def _new(number: int) -> dict[str, Any]:
        listed = {"total_predictions": 0, "predictions_model_versions": "", "predictions_results": ""}
        return {"id": number, "annotations": []} | listed | old_task("agent", old_run("agent"))
