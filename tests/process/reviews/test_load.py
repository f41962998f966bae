"""Reading reviews from a server that is away for a moment, or for good."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from langchain_label_studio import (
    NotLabelStudioError,
    RequestRefusedError,
    Review,
    ServerUnavailableError,
    get_default_label_configs,
    load_reviews,
)
from langchain_label_studio.label_studio import client as client_module
from langchain_label_studio.label_studio.bounded_transport import RequestLimits
from langchain_label_studio.reviews import load as loading

TASK = {"id": 1, "data": {"prompt": "Hi", "run_id": "a"}, "meta": {}, "predictions": [], "annotations": []}
PAGE = {"total": 1, "total_annotations": 0, "tasks": [TASK]}


@pytest.fixture
def studio(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    monkeypatch.setattr(loading, "MAX_WAIT", 0.05)
    project: dict[str, Any] = {"id": 3, "title": "P", "label_config": get_default_label_configs("prompt")[0]}
    httpserver.expect_request("/api/projects/3/").respond_with_json(project)
    httpserver.expect_request("/api/users/").respond_with_json([{"id": 1, "email": "a@b.c"}])
    return httpserver


def read(studio: HTTPServer) -> list[Review]:
    return list(load_reviews(url=studio.url_for(""), api_key="key", project_id=3, include_unreviewed=True))


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
    assert len([request for request, _ in studio.log if request.path == "/api/tasks/"]) == loading.TRIES


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
