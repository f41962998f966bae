"""Finding, creating and reading projects in a real Label Studio."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from langchain_label_studio import (
    AuthenticationError,
    LabelConfigError,
    LabelStudioCallbackHandler,
    LabelStudioError,
    LabelStudioWarning,
    ProjectNotFoundError,
    TaskDataError,
)
from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.studio import StudioApi

CUSTOM = (
    '<View><Text name="customer" value="$customer"/><Paragraphs name="p" value="$question"/>'
    '<TextArea name="answer" toName="p"/><Header name="m" value="By $model"/></View>'
)


def connect(
    server: LocalLabelStudio, *, url: str | None = None, **options: object
) -> LabelStudioCallbackHandler:
    return LabelStudioCallbackHandler(server.api_key, url or server.url, **options)


def title() -> str:
    return f"Test {uuid4().hex[:8]}"


def test_a_project_is_created_once_and_found_again(label_studio: LocalLabelStudio, studio: StudioApi) -> None:
    name = title()

    first = connect(label_studio, project_name=name)
    second = connect(label_studio, project_name=f"  {name} ", url=f"{label_studio.url}/")

    assert [first.project_id] == [second.project_id] == studio.project_ids(name)
    project = studio.get(f"/api/projects/{first.project_id}/")
    assert project["model_version"] == "langchain"
    assert 'name="prompt"' in project["label_config"]
    assert first.project_url == f"{label_studio.url}/projects/{first.project_id}/data"


def test_the_sdk_s_objects_that_the_old_handler_had(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    """With a personal access token, which they refuse by themselves."""
    handler = connect(label_studio, project_name=title())
    FakeListLLM(responses=["Hello"], callbacks=[handler]).invoke("Hi")
    assert handler.flush()

    assert handler.ls_client.get_project(handler.project_id).title == handler.ls_project.title
    assert [task["data"]["prompt"] for task in handler.ls_project.get_tasks()] == ["Hi"]
    taken = handler.parsed_label_config[handler.from_name]
    assert (taken["type"], taken["to_name"]) == ("TextArea", [handler.to_name])
    assert (taken["inputs"][0]["value"], taken["inputs"][0]["type"]) == (handler.value, handler.input_type)


def test_the_title_is_matched_exactly_among_all_pages(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    name = title()
    for number in range(105):
        studio.post("/api/projects/", {"title": f"{name} {number}"})
    wanted = connect(label_studio, project_name=name).project_id

    assert connect(label_studio, project_name=name).project_id == wanted
    assert connect(label_studio, project_name=name.lower()).project_id != wanted


def test_processes_that_create_at_the_same_time_end_in_one_project(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    name = title()
    code = (
        "import sys; from langchain_label_studio import *;"
        "handler = LabelStudioCallbackHandler(sys.argv[1], sys.argv[2], project_name=sys.argv[3], connect='lazy');"
        "print(handler.ls_project.id)"  # other than the constructor, this has all the time it needs
    )
    command = [sys.executable, "-c", code, label_studio.api_key, label_studio.url, name]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    found = {process.communicate(timeout=60)[0].strip() for process in processes}

    assert found == {str(project_id) for project_id in studio.project_ids(name)}
    assert len(found) == 1


def test_a_project_is_found_by_id_also_from_the_environment(
    label_studio: LocalLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = connect(label_studio, project_name=title()).project_id

    assert connect(label_studio, project_id=known).project_id == known
    monkeypatch.setenv("LABEL_STUDIO_PROJECT_ID", str(known))
    assert connect(label_studio, project_name="not this one").project_id == known
    with pytest.raises(ProjectNotFoundError, match="There is no project 999999"):
        connect(label_studio, project_id=999_999)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (
            '<View><Text name="p" value="$p"/><TextArea name="a" toName="p"/><Rating name="a" toName="p"/></View>',
            "non-unique names",
        ),
        (
            '<View><Text name="p" value="$p"/><TextArea name="a" toName="p"/><Rating name="r" toName="zzz"/></View>',
            "zzz",
        ),
    ],
)
def test_a_config_that_label_studio_refuses_is_an_error_with_its_reason(
    label_studio: LocalLabelStudio, config: str, says: str
) -> None:
    with pytest.raises(LabelConfigError, match=says):
        connect(label_studio, project_name=title(), project_config=config)


def test_a_project_made_by_hand_without_a_place_for_answers_is_an_error(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    made = studio.post("/api/projects/", {"title": title()})

    with pytest.raises(LabelStudioError, match="Supervised Language Model Fine-tuning"):
        connect(label_studio, project_id=made["id"])


def test_a_legacy_token_works_where_they_are_switched_on_and_says_so_where_not(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    token = studio.get("/api/current-user/token")["token"]
    name = title()
    studio.post("/api/jwt/settings", {"legacy_api_tokens_enabled": False})
    with pytest.raises(AuthenticationError, match="legacy tokens are switched off"):
        LabelStudioCallbackHandler(token, label_studio.url, project_name=name)

    studio.post("/api/jwt/settings", {"legacy_api_tokens_enabled": True})

    assert LabelStudioCallbackHandler(token, label_studio.url, project_name=name).project_id


@pytest.fixture
def behind_a_prefix(label_studio: LocalLabelStudio, httpserver: HTTPServer) -> Iterator[str]:
    """Label Studio behind a proxy, under a path of its own."""
    with httpx.Client(base_url=label_studio.url, timeout=60) as http:

        def forward(request: Request) -> Response:
            path = request.full_path.removeprefix("/tools/ls")
            headers = {k: v for k, v in request.headers if k.lower() in {"authorization", "content-type"}}
            answer = http.request(request.method, path, content=request.data, headers=headers)
            return Response(
                answer.content, answer.status_code, content_type=answer.headers.get("content-type")
            )

        import re

        httpserver.expect_request(re.compile("/tools/ls/.*")).respond_with_handler(forward)
        yield httpserver.url_for("/tools/ls")


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_address_with_a_path_prefix_works(
    label_studio: LocalLabelStudio, studio: StudioApi, behind_a_prefix: str, slash: str
) -> None:
    handler = connect(label_studio, url=behind_a_prefix + slash, project_name=title())
    FakeListLLM(responses=["Hello"], callbacks=[handler]).invoke("Hi")

    assert handler.flush(30)
    [task] = studio.tasks(handler.project_id or 0)
    assert handler.task_url() == f"{behind_a_prefix}/projects/{handler.project_id}/data?task={task['id']}"


def test_data_of_ones_own_fills_the_tags_of_ones_own(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    name = title()
    with pytest.raises(TaskDataError, match="customer"):
        connect(label_studio, project_name=name, project_config=CUSTOM)
    fixed = connect(label_studio, project_name=name, project_config=CUSTOM, data={"customer": "ACME"})
    made = connect(
        label_studio, project_name=name, data=lambda run: {"customer": run.metadata["customer"], "words": 1}
    )

    FakeListChatModel(responses=["Hello"]).invoke("Hi", {"callbacks": [fixed]})
    FakeListChatModel(responses=["Hello"]).invoke(
        "Hi", {"callbacks": [made], "metadata": {"customer": "Bolt"}}
    )
    FakeListChatModel(responses=["Hello"]).invoke("Hi", {"callbacks": [made]})

    assert fixed.flush(30)
    assert made.flush(30)
    tasks = studio.tasks(fixed.project_id)
    assert [task["data"]["customer"] for task in tasks] == ["ACME", "Bolt", ""]
    assert [task["data"]["question"] for task in tasks] == [[{"author": "user", "text": "Hi"}]] * 3
    assert made.stats().lost == {"data": 1}, "the third run had no such metadata"


def test_a_text_area_for_markdown_is_a_warning_because_the_editor_cannot_show_it(
    label_studio: LocalLabelStudio,
) -> None:
    config = '<View><Markdown name="p" value="$p"/><TextArea name="a" toName="p"/></View>'
    with pytest.warns(LabelStudioWarning, match="without a name"):
        handler = connect(label_studio, project_name=title(), project_config=config)
    FakeListLLM(responses=["Hello"], callbacks=[handler]).invoke("Hi <b>")

    assert handler.flush(30)


def test_a_project_that_selects_another_version_is_a_warning_that_says_what_to_do(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    handler = connect(label_studio, project_name=title(), model_version="mine")
    FakeListLLM(responses=["Hello"], callbacks=[handler]).invoke("Hi")
    assert handler.flush(30)

    with pytest.warns(LabelStudioWarning, match="model_version='mine'"):
        connect(label_studio, project_id=handler.project_id)
    studio.patch(f"/api/projects/{handler.project_id}/", {"show_collab_predictions": False})
    with pytest.warns(LabelStudioWarning, match="prelabel"):
        connect(label_studio, project_id=handler.project_id, model_version="mine")
