"""`langchain-label-studio progress`: what is counted, and what is shown. `tests/server` asks a real Label Studio."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_label_studio.cli import app
from langchain_label_studio.label_studio import annotations
from langchain_label_studio.label_studio import open_project as opening
from langchain_label_studio.label_studio.answers import ProjectInfo, TaskPage

ANN, BOB, GONE = 1, 2, 3
MORNING = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)
"""A morning of the next day, in Tokyo."""

PASSES: dict[tuple[str, str, Any], Callable[[Mapping[str, Any]], bool]] = {
    ("total_annotations", "greater", 0): lambda task: task["reviews"] > 0,
    ("total_annotations", "equal", 0): lambda task: task["reviews"] == 0,
    ("cancelled_annotations", "greater", 0): lambda task: task["skips"] > 0,
    ("completed_at", "empty", False): lambda task: task["reviews"] >= task["overlap"],
}


def said(author: int, *, skip: bool = False, at: datetime = MORNING) -> dict[str, Any]:
    return {"completed_by": author, "created_at": at.isoformat(), "was_cancelled": skip}


class Client:
    """As much of a client as counts tasks and reviews."""

    def __init__(self) -> None:
        self.title = "Support"
        self.uncounted = 0
        self.pages: list[int] = []
        self.tasks: list[dict[str, Any]] = []

    def add(self, *saved: Mapping[str, Any], overlap: int = 1) -> None:
        skips = sum(each["was_cancelled"] for each in saved)
        counts = {"reviews": len(saved) - skips, "skips": skips, "overlap": overlap}
        self.tasks.append({"id": len(self.tasks) + 1, "annotations": list(saved), **counts})

    @property
    def info(self) -> ProjectInfo:
        """The project, as Label Studio knows it."""
        counted = sum(task["reviews"] for task in self.tasks)
        return ProjectInfo(
            id=7,
            title=self.title,
            label_config="",
            model_version="",
            shows_predictions=True,
            reviewers_per_task=1,
            overlap_percent=100,
            annotations=counted + self.uncounted,
        )

    def users(self) -> dict[int, str]:
        return {ANN: "ann@example.com", BOB: "bob@example.com"}

    def read_tasks(self, project_id: int, *, after: int, size: int) -> TaskPage:
        return TaskPage(tasks=(), matching=0, counted=self.info.annotations - self.uncounted, size=0)

    def read_page(self, params: Mapping[str, Any], *, read: Callable[[Any], Any]) -> Any:
        conditions = json.loads(params["query"])["filters"]["items"]
        found = [task for task in self.tasks if all(_passes(task, each) for each in conditions)]
        page = found[: params["page_size"]]
        self.pages.append(len(page))
        return read({"tasks": page, "total": len(found)})

    def close(self) -> None:
        pass


def _passes(task: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    column = condition["filter"].removeprefix("filter:tasks:")
    if column == "id":
        return bool(task["id"] > condition["value"])
    if column == "updated_at":
        return True
    return PASSES[column, condition["operator"], condition["value"]](task)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    client = Client()
    monkeypatch.setattr(opening, "open_project", lambda **_: (client, client.info))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield client
    monkeypatch.undo()
    time.tzset()


def progress(*options: str) -> Result:
    done = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["progress", "--project", "7", *options])
    assert done.exit_code == 0, done.output
    return done


def document(*options: str) -> Any:
    return json.loads(progress("--json", *options).stdout)


def test_each_task_counts_once_by_what_is_left_to_do(client: Client) -> None:
    client.add()
    client.add(said(ANN, skip=True))
    client.add(said(ANN), overlap=2)
    client.add(said(ANN), said(BOB, skip=True), overlap=2)
    client.add(said(ANN), said(BOB), overlap=2)

    assert document()["tasks"] == {"to_review": 1, "in_review": 2, "done": 1, "skipped": 1, "total": 5}


def test_reviews_and_skips_count_for_their_author_on_the_day_of_this_computer(client: Client) -> None:
    later = datetime(2026, 11, 30, 16, tzinfo=UTC)
    client.add(said(ANN), said(BOB, at=later), overlap=2)
    client.add(said(BOB, at=later))
    client.add(said(ANN, skip=True, at=later))
    client.add(said(GONE))

    found = document()

    assert found["reviewers"] == [
        {"reviewer": "bob@example.com", "reviews": 2, "skips": 0, "last": "2026-12-01"},
        {"reviewer": "ann@example.com", "reviews": 1, "skips": 1, "last": "2026-12-01"},
        {"reviewer": "user 3", "reviews": 1, "skips": 0, "last": "2026-11-30"},
    ]
    assert found["days"] == [
        {"day": "2026-11-30", "reviews": 2, "skips": 0},
        {"day": "2026-12-01", "reviews": 2, "skips": 1},
    ]


def test_only_reviews_since_a_time_count(client: Client) -> None:
    client.add(said(ANN), said(BOB, at=datetime(2026, 11, 30, tzinfo=UTC)))

    found = document("--since", "2026-11-30T09:00")

    assert [each["reviewer"] for each in found["reviewers"]] == ["bob@example.com"]


def test_tasks_come_page_by_page_and_those_that_nobody_saw_do_not(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotations, "PAGE", 2)
    for _ in range(5):
        client.add(said(ANN))
        client.add()
    client.add(said(ANN, skip=True))

    found = document()

    assert (found["reviewers"][0]["reviews"], found["reviewers"][0]["skips"]) == (5, 1)
    assert client.pages == [1, 1, 1, 1, 2, 2, 1, 1], "four counts, five reviewed tasks, one skipped task"


def test_annotations_that_label_studio_has_not_counted_do_count(client: Client) -> None:
    client.add(said(ANN))
    client.tasks[0]["reviews"] = 0
    client.uncounted = 1

    assert document()["reviewers"][0]["reviews"] == 1


def test_a_person_sees_the_counts_and_no_command_to_the_terminal(client: Client) -> None:
    client.title = "Sup[bold]port\x1b[2J"
    for day in range(1, 17):
        client.add(said(ANN, at=datetime(2026, 11, day, tzinfo=UTC)))
    client.add()

    output = progress().stdout

    assert "17 tasks: 16 done, 0 in review, 0 skipped, 1 to review" in output
    assert "ann@example.com" in output
    assert "2026-11-16" in output
    assert "2026-11-02" not in output
    assert "2 earlier days: --json." in output
    assert "\x1b" not in output
    assert "Sup[bold]port" in output


def test_without_reviews_there_are_no_tables(client: Client) -> None:
    client.add()

    assert progress().stdout.splitlines()[1:] == [
        "1 task: 0 done, 0 in review, 0 skipped, 1 to review",
        "Nobody has reviewed anything.",
    ]


def test_a_time_that_is_none_is_misuse(client: Client) -> None:
    done = CliRunner().invoke(app, ["progress", "--since", "soon"])

    assert done.exit_code == 2
    assert "--since='soon' is no time" in done.stderr
