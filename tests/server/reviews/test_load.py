"""Reviews come back from a real Label Studio."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.outputs import Generation, LLMResult

from langchain_label_studio import (
    AuthenticationError,
    LabelStudioCallbackHandler,
    ProjectNotFoundError,
    Review,
    SettingError,
    load_reviews,
)
from langchain_label_studio.label_studio.answers import TaskPage
from langchain_label_studio.label_studio.client import LabelStudioClient
from langchain_label_studio.local_server import LocalLabelStudio
from langchain_label_studio.reviews import load as loading
from tests.support.reviewers import Reviewer
from tests.support.studio import StudioApi

RUNS = 7


class Project:
    """A project with some runs, and what people do in it."""

    def __init__(self, studio: StudioApi) -> None:
        self.title = f"Reviews {uuid4().hex[:8]}"
        self.studio = studio
        self.add_runs(RUNS)
        (self.id,) = studio.project_ids(self.title)
        self.task_ids = [task["id"] for task in studio.tasks(self.id)]

    def add_runs(self, count: int) -> None:
        server = self.studio.server
        with LabelStudioCallbackHandler(server.api_key, server.url, project_name=self.title) as handler:
            for number in range(count):
                run_id = uuid4()
                handler.on_llm_start({}, [f"Question {number}"], run_id=run_id)
                result = LLMResult(generations=[[Generation(text=f"Answer {number}")]])
                handler.on_llm_end(result, run_id=run_id)
            assert handler.flush()

    def annotate(self, task_id: int, text: str = "Corrected", **more: Any) -> None:
        region = {"from_name": "response", "to_name": "prompt", "type": "textarea", "value": {"text": [text]}}
        self.studio.post(f"/api/tasks/{task_id}/annotations/", {"result": [region]} | more)

    def reviews(self, **options: Any) -> list[Review]:
        server = self.studio.server
        return list(load_reviews(url=server.url, api_key=server.api_key, project_id=self.id, **options))


@pytest.fixture
def project(studio: StudioApi) -> Project:
    return Project(studio)


def test_a_correction_comes_back_with_the_run_and_its_reviewer(project: Project, studio: StudioApi) -> None:
    with Reviewer(studio) as reviewer:
        reviewer.submit(project.task_ids[2])

    (review,) = project.reviews()

    assert [turn["content"] for turn in review.run.prompt] == ["Question 2"]
    assert [turn["content"] for turn in review.run.answers] == ["Answer 2"]
    assert [turn["content"] for turn in review.corrected] == [
        f"Corrected by {reviewer.id} in task {review.task_id}"
    ]
    assert review.changed
    assert review.reviewer == reviewer.email
    assert review.task_url == f"{studio.server.url}/projects/{project.id}/data?task={project.task_ids[2]}"


def test_what_is_left_out_can_be_had(project: Project) -> None:
    reviewed, skipped, *untouched = project.task_ids
    project.annotate(reviewed)
    project.annotate(skipped, was_cancelled=True)

    def tasks(**options: bool) -> list[tuple[int, bool]]:
        return [(review.task_id, review.is_reviewed) for review in project.reviews(**options)]

    alone = [(task_id, False) for task_id in untouched]
    assert tasks() == [(reviewed, True)]
    assert tasks(include_skipped=True) == [(reviewed, True), (skipped, False)]
    assert tasks(include_unreviewed=True) == [(reviewed, True), *alone]
    assert tasks(include_skipped=True, include_unreviewed=True) == [
        (reviewed, True),
        (skipped, False),
        *alone,
    ]


# Predictions are read only where the tasks do not tell them


class Change:
    """What somebody does with the prediction of a task, through the API."""

    def __init__(self, project: Project, task_id: int) -> None:
        self.task_id = task_id
        self._project = project
        self._studio = project.studio
        (prediction,) = self.predictions
        self.prediction_id: int = prediction["id"]

    def review(self) -> None:
        self._project.annotate(self.task_id, parent_prediction=self.prediction_id)

    def delete(self) -> None:
        self._studio.http.delete(f"/api/predictions/{self.prediction_id}/").raise_for_status()

    def rewrite(self) -> None:
        self._studio.patch(f"/api/predictions/{self.prediction_id}/", {"result": _said("Rewritten")})

    def add(self, version: str) -> None:
        body = {"task": self.task_id, "result": _said("Another answer"), "model_version": version}
        self.prediction_id = self._studio.post("/api/predictions/", body)["id"]

    def replace(self) -> None:
        self.delete()
        self.add("langchain")

    def uncount(self) -> None:
        """Leave a deletion uncounted, as Label Studio does after a project was deleted: see `is_counted`."""
        with closing(_database(self._studio)) as database:
            database.execute("UPDATE task SET total_predictions = 1 WHERE id = ?", [self.task_id])
            database.commit()

    @property
    def predictions(self) -> list[Any]:
        """The predictions of the task."""
        found: list[Any] = self._studio.get("/api/predictions/", task=self.task_id)
        return found

    @property
    def is_counted(self) -> bool:
        """Whether Label Studio's count of the task's predictions is right.

        While a project is deleted, Label Studio drops its signals, and Django remembers that no one listens for a deleted
        prediction. If no prediction was deleted before, no deletion is counted until Label Studio is started again
        (`temporary_disconnect_all_signals` and `Signal.has_listeners`, seen in 1.23.2).
        """
        task = self._studio.get(f"/api/tasks/{self.task_id}/")
        return bool(task["total_predictions"] == len(self.predictions))

    def forget(self) -> None:
        self._studio.patch(f"/api/tasks/{self.task_id}/", {"meta": {"langchain_label_studio": "0.0.1"}})


@pytest.fixture(params=["sqlite", "postgresql"])
def project_on_each(request: pytest.FixtureRequest) -> Iterator[Project]:
    """A project on each database that Label Studio may use: they list predictions in different ways."""
    name = "label_studio" if request.param == "sqlite" else "label_studio_on_postgresql"
    studio = StudioApi(request.getfixturevalue(name))
    with studio.http:
        yield Project(studio)


def _database(studio: StudioApi) -> sqlite3.Connection:
    return sqlite3.connect(studio.server.log.with_name("label_studio.sqlite3"))


def _said(text: str) -> list[dict[str, Any]]:
    return [{"from_name": "response", "to_name": "prompt", "type": "textarea", "value": {"text": [text]}}]


@pytest.mark.parametrize(
    ("change", "is_known"),
    [
        (Change.review, True),
        (Change.delete, True),
        (lambda task: (task.review(), task.delete()), True),
        (lambda task: (task.rewrite(), task.review()), False),
        (lambda task: (task.replace(), task.review()), False),
        (lambda task: (task.add("langchain"), task.review()), False),
        (lambda task: (task.add("backend"), task.review()), False),
        (lambda task: (task.review(), task.add("backend")), False),
        (lambda task: (task.forget(), task.review()), False),
    ],
)
def test_a_review_is_the_same_whether_predictions_are_read_or_known(
    change: Callable[[Change], Any],
    is_known: bool,
    project_on_each: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = project_on_each
    task = Change(project, project.task_ids[3])
    change(task)
    for task_id in project.task_ids:
        project.annotate(task_id, "What another reviewer says")
    asked = []
    read_tasks = LabelStudioClient.read_tasks

    def read_and_note(*arguments: Any, **options: Any) -> TaskPage:
        asked.append(options.get("predictions", False))
        return read_tasks(*arguments, **options)

    monkeypatch.setattr(LabelStudioClient, "read_tasks", read_and_note)

    reviews = project.reviews()

    assert task.is_counted or task.predictions == [], "only a deletion may be uncounted"
    assert any(asked) == (not (is_known and task.is_counted))
    monkeypatch.setattr(loading, "knows_predictions", lambda task: False)
    assert reviews == project.reviews()


def test_a_deletion_that_label_studio_has_not_counted_is_noticed(project: Project) -> None:
    task = Change(project, project.task_ids[3])
    project.annotate(task.task_id, parent_prediction=task.prediction_id)
    task.delete()
    task.uncount()
    assert not task.is_counted

    (review,) = project.reviews()

    assert (review.task_id, review.run.answers) == (task.task_id, ())


def test_reading_goes_on_since_it_began(project: Project) -> None:
    first, second, *_ = project.task_ids
    project.annotate(first)
    (known,) = project.reviews()
    began = known.updated_at + timedelta(microseconds=1)
    project.annotate(second)
    project.annotate(first, "Another opinion")

    assert [review.task_id for review in project.reviews(since=began)] == [first, second]
    assert project.reviews(since=datetime.now(UTC) + timedelta(days=1)) == []
    assert len(project.reviews(since=began.isoformat())) == 2


def test_a_reading_that_broke_off_goes_on_at_its_last_task(project: Project) -> None:
    for task_id in project.task_ids:
        project.annotate(task_id)
        project.annotate(task_id, "Another opinion")
    whole = project.reviews()

    begun = whole[:5]
    rest = project.reviews(from_task=begun[-1].task_id)

    assert (begun[-1].task_id, rest[0].task_id) == (project.task_ids[2], project.task_ids[2])
    assert begun[:4] + rest == whole
    assert project.reviews(from_task=project.task_ids[-1] + 1) == []


def test_annotations_that_label_studio_has_not_counted_come_all_the_same(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    one, other, *_ = project.task_ids
    project.annotate(one)
    project.annotate(other)
    # As it is after two deletions of projects at the same moment.
    with closing(_database(project.studio)) as database:
        database.execute("UPDATE task SET total_annotations = 0 WHERE id = ?", [other])
        database.commit()

    assert [review.task_id for review in project.reviews()] == [one, other]
    assert "has not counted 1 of 2 annotations" in caplog.text


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "FIRST_PAGE", 2)
    monkeypatch.setattr(loading, "MAX_PAGE", 3)


@pytest.mark.usefixtures("small_pages")
def test_each_task_comes_once_also_when_more_are_added_while_it_is_read(project: Project) -> None:
    server = project.studio.server
    reviews = load_reviews(
        url=server.url, api_key=server.api_key, project_name=project.title, include_unreviewed=True
    )

    begun = list(islice(reviews, 3))
    project.add_runs(2)
    found = [review.task_id for review in (*begun, *reviews)]

    assert found[:RUNS] == project.task_ids
    assert len(set(found)) == len(found) == RUNS + 2


@pytest.mark.usefixtures("small_pages")
def test_a_bar_shows_how_far_it_is(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.reviews(include_unreviewed=True, progress=True)
    assert f"{RUNS}/{RUNS}" in capsys.readouterr().err

    project.reviews(include_unreviewed=True)
    assert capsys.readouterr().err == "", "nobody watches: it is no terminal"


Options = dict[str, Any]


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"project_name": "No such project"}, ProjectNotFoundError, "No such project"),
        ({"project_id": 10**6}, ProjectNotFoundError, "1000000"),
        ({}, SettingError, "Which project"),
        ({"project_id": 1, "since": "yesterday"}, SettingError, "yesterday"),
        ({"project_id": 1, "api_key": "wrong"}, AuthenticationError, "refused the API key"),
    ],
)
def test_what_cannot_be_read_raises_at_once(
    label_studio: LocalLabelStudio, options: Options, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        load_reviews(**{"url": label_studio.url, "api_key": label_studio.api_key} | options)
