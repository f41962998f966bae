"""Reading reviews from a server that is away for a moment, or for good."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from langchain_label_studio import (
    NotLabelStudioError,
    RequestRefusedError,
    Review,
    ServerUnavailableError,
    SettingError,
    get_default_label_configs,
    load_reviews,
)
from langchain_label_studio.label_studio import client as client_module
from langchain_label_studio.label_studio import patience
from langchain_label_studio.label_studio.bounded_transport import RequestLimits
from langchain_label_studio.reviews import load as loading

TASK = {"id": 1, "data": {"prompt": "Hi", "run_id": "a"}, "meta": {}, "predictions": [], "annotations": []}
PAGE = {"total": 1, "total_annotations": 0, "tasks": [TASK]}


@pytest.fixture
def studio(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    monkeypatch.setattr(patience, "MAX_WAIT", 0.05)
    project: dict[str, Any] = {"id": 3, "title": "P", "label_config": get_default_label_configs("prompt")[0]}
    httpserver.expect_request("/api/projects/3/").respond_with_json(project)
    httpserver.expect_request("/api/users/").respond_with_json([{"id": 1, "email": "a@b.c"}])
    return httpserver


def read(studio: HTTPServer) -> list[Review]:
    return list(load_reviews(url=studio.url_for(""), api_key="key", project_id=3, include_unreviewed=True))


def test_a_task_number_may_be_one_of_numpy_and_has_to_be_a_number(studio: HTTPServer) -> None:
    studio.expect_request("/api/tasks/").respond_with_json(PAGE)

    for_all = {"url": studio.url_for(""), "api_key": "key", "project_id": 3, "include_unreviewed": True}
    assert [review.task_id for review in load_reviews(**for_all, from_task=np.int64(1))] == [1]
    with pytest.raises(SettingError, match="from_task='17'"):
        load_reviews(**for_all, from_task="17")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_short_absence_costs_nothing(studio: HTTPServer, status: int) -> None:
    for _ in range(2):
        studio.expect_oneshot_request("/api/tasks/").respond_with_data("later", status=status)
    studio.expect_request("/api/tasks/").respond_with_json(PAGE)

    assert [review.task_id for review in read(studio)] == [1]


def test_a_long_one_raises(studio: HTTPServer) -> None:
    studio.expect_request("/api/tasks/").respond_with_data("later", status=503)

    with pytest.raises(ServerUnavailableError, match="503"):
        read(studio)
    assert len([request for request, _ in studio.log if request.path == "/api/tasks/"]) == patience.TRIES


def test_a_page_that_is_no_page_says_so(studio: HTTPServer) -> None:
    studio.expect_request("/api/tasks/").respond_with_json({"detail": "hello"})

    with pytest.raises(NotLabelStudioError, match="no Label Studio API"):
        read(studio)


def test_a_page_that_is_too_large_is_asked_for_in_parts(
    studio: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [
        TASK | {"id": number, "data": {"prompt": "x" * 1000, "run_id": str(number)}}
        for number in range(1, 21)
    ]

    def answer(request: Request) -> Response:
        after = json.loads(request.args["query"])["filters"]["items"][0]["value"]
        left = [task for task in tasks if task["id"] > after]
        page = left[: int(request.args["page_size"])]
        return Response(json.dumps({"total": len(left), "total_annotations": 0, "tasks": page}))

    studio.expect_request("/api/tasks/").respond_with_handler(answer)
    limits = RequestLimits(seconds=60, answer_bytes=8000)
    monkeypatch.setattr(client_module, "_OTHER_LIMITS", {"/api/tasks/": limits})

    assert [review.task_id for review in read(studio)] == list(range(1, 21))


def test_one_task_that_is_too_large_raises(studio: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.expect_request("/api/tasks/").respond_with_data("[" * 8001)
    limits = RequestLimits(seconds=60, answer_bytes=8000)
    monkeypatch.setattr(client_module, "_OTHER_LIMITS", {"/api/tasks/": limits})

    with pytest.raises(RequestRefusedError, match="too large"):
        read(studio)


def test_predictions_are_asked_for_where_tasks_do_not_tell_them(
    studio: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "FIRST_PAGE", 2)
    monkeypatch.setattr(loading, "MAX_PAGE", 2)
    nothing: dict[str, Any] = {
        "total_predictions": 0,
        "predictions_model_versions": "",
        "predictions_results": "",
    }
    predicted = {"id": 7, "model_version": "v1", "result": [texts("response", "Hello")]}
    tasks = [TASK | nothing | {"id": number} for number in range(1, 9)]
    tasks[3] |= {"total_predictions": 1, "predictions": [predicted]}
    requests = []

    def answer(request: Request) -> Response:
        after = json.loads(request.args["query"])["filters"]["items"][0]["value"]
        asked = "predictions" in request.args["include"].split(",")
        requests.append((after, asked))
        left = [task for task in tasks if task["id"] > after]
        page = [task if asked else task | {"predictions": None} for task in left[:2]]
        return Response(json.dumps({"total": len(left), "total_annotations": 0, "tasks": page}))

    studio.expect_request("/api/tasks/").respond_with_handler(answer)

    reviews = read(studio)

    assert [review.task_id for review in reviews] == list(range(1, 9))
    assert [review.run.answers for review in reviews if review.run.answers] == [
        ({"role": "assistant", "content": "Hello"},)
    ]
    # The page after one with predictions comes with them, too.
    assert requests == [(0, False), (2, False), (2, True), (4, True), (6, False)]


# Facts that no task tells

SHOWN = {"prompt": "The capital of France?", "answer": "Lyon."}


def project(studio: HTTPServer, ask: str, *tasks: dict[str, Any], **fields: Any) -> None:
    """Have the server hold a project that shows a prompt and an answer."""
    label_config = (
        f'<View><Text name="p" value="$prompt"/><Text name="a" value="$answer"/>'
        f'<List name="list" value="$items"/>{ask}</View>'
    )
    shown = {"id": 4, "title": "P", "label_config": label_config, "show_collab_predictions": True} | fields
    listed = [
        {"id": number, "data": SHOWN, "meta": {}, "predictions": [], "annotations": []} | task
        for number, task in enumerate(tasks, 1)
    ]
    studio.expect_request("/api/projects/4/").respond_with_json(shown)
    studio.expect_request("/api/tasks/").respond_with_json(
        {"total": len(listed), "total_annotations": len(listed), "tasks": listed}
    )


def texts(name: str, *lines: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "a", "type": "textarea", "value": {"text": list(lines)}}


def annotated(*result: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {"annotations": [{"id": number, "result": list(result), "completed_by": 1}]}


BETTER = '<TextArea name="corrected_answer" toName="a"/>'
RANKER = '<Ranker name="rank" toName="list"><Bucket name="keep"/><Bucket name="drop"/></Ranker>'


def load(studio: HTTPServer, **options: Any) -> list[Review]:
    return list(load_reviews(url=studio.url_for(""), api_key="key", project_id=4, progress=False, **options))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    # The senders of other tests use the same logger, from their own threads.
    return [
        record.getMessage()
        for record in caplog.records
        if record.module == loading.__name__.rpartition(".")[2]
    ]


def test_a_field_that_seems_to_ask_for_a_better_answer_is_named_once(
    studio: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    said = annotated(texts("corrected_answer", "Paris."))
    project(studio, BETTER, said, said)

    assert [review.corrected for review in load(studio)] == [None, None]
    (warned,) = warnings(caplog)
    assert "answer='corrected_answer'" in warned
    caplog.clear()
    told = load(studio, answer="corrected_answer")
    assert [review.corrected for review in told] == [({"role": "assistant", "content": "Paris."},)] * 2
    assert warnings(caplog) == []


def test_the_version_that_the_project_shows_decides(studio: HTTPServer) -> None:
    predictions = [
        {"id": 7, "model_version": "v1", "result": [texts("answer", "Paris.")]},
        {"id": 8, "model_version": "v2", "result": [texts("answer", "Nice.")]},
    ]
    task = annotated(texts("answer", "Paris.")) | {"predictions": predictions, "data": {"prompt": "Hi"}}
    project(studio, '<TextArea name="answer" toName="p"/>', task, model_version="v1")

    (review,) = load(studio)

    assert (review.run.answers, review.changed) == (({"role": "assistant", "content": "Paris."},), False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"answer": "corected_answer"}, r"corected_answer.*corrected_answer"),
        ({"good_buckets": ["kept"]}, r"kept.*'keep', 'drop'"),
    ],
)
def test_names_that_the_label_config_does_not_have_are_refused(
    studio: HTTPServer, options: dict[str, Any], message: str
) -> None:
    project(studio, BETTER + RANKER)

    with pytest.raises(SettingError, match=message):
        load_reviews(url=studio.url_for(""), api_key="key", project_id=4, **options)
