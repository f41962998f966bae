"""Both handlers before a server: how projects are found, how runs get there, and what happens when it is down."""

from __future__ import annotations

import logging
import os
import time
import warnings
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
import requests
from langchain_community.callbacks.labelstudio_callback import LabelStudioCallbackHandler as OldHandler
from langchain_community.callbacks.labelstudio_callback import LabelStudioMode as OldMode
from langchain_community.callbacks.labelstudio_callback import get_default_label_configs as old_configs
from langchain_core.language_models import FakeListLLM

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LabelStudioMode,
    LabelStudioWarning,
    get_default_label_configs,
)
from langchain_label_studio.label_config.parse import parse_label_config
from tests.support.loopback_label_studio import LoopbackLabelStudio


def token(kind: str) -> str:
    """Return a personal access token, or what one is exchanged for."""
    return jwt.encode({"token_type": kind, "exp": time.time() + 3600}, "0" * 32, algorithm="HS256")


def ask(*handlers: Any) -> str:
    return FakeListLLM(responses=["Hello"], callbacks=list(handlers)).invoke("Hi")


def imports(loopback: LoopbackLabelStudio) -> int:
    return sum(path.endswith("/import") for _, path in loopback.requests)


def test_difference_8_delivery_in_the_background(loopback: LoopbackLabelStudio) -> None:
    old = OldHandler("key", loopback.url, project_name="Old")
    ask(old), ask(old)
    assert (imports(loopback), len(loopback.tasks)) == (2, 2)

    with LabelStudioCallbackHandler("key", loopback.url, project_name="New", flush_interval=60) as new:
        ask(new), ask(new)
        assert (imports(loopback), new.stats().pending) == (2, 2)
        waiting = [path for path in Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).rglob("*") if path.is_file()]
        assert any(b'"Hello"' in path.read_bytes() for path in waiting)
        assert new.flush()
        assert (imports(loopback), len(loopback.tasks)) == (3, 4)


def test_difference_9_the_title_of_a_project(loopback: LoopbackLabelStudio) -> None:
    loopback.add_project("Support, the one of last year")
    loopback.add_project("Support")
    old = OldHandler("key", loopback.url, project_name="Support")
    new = LabelStudioCallbackHandler("key", loopback.url, project_name="Support")

    assert (old.project_id, new.project_id) == (1, 2)


def test_difference_10_personal_access_tokens(loopback: LoopbackLabelStudio) -> None:
    loopback.good_key = token("access")
    personal = token("refresh")
    with pytest.raises(requests.HTTPError, match="401"):
        OldHandler(personal, loopback.url)

    new = LabelStudioCallbackHandler(personal, loopback.url)
    assert new.ls_client.get_project(1).title == new.ls_project.title


def test_difference_11_label_studio_is_down_at_the_start(loopback: LoopbackLabelStudio) -> None:
    url, port = loopback.url, loopback.stop()
    with pytest.raises(requests.ConnectionError):
        OldHandler("key", url)

    with pytest.warns(LabelStudioWarning, match="No answer"):
        new = LabelStudioCallbackHandler("key", url)
    ask(new)
    assert new.stats().pending == 1
    loopback.start(port)
    assert new.flush(30)
    assert len(loopback.tasks) == 1


def test_difference_12_label_studio_is_down_when_a_run_ends(
    loopback: LoopbackLabelStudio, caplog: pytest.LogCaptureFixture
) -> None:
    old = OldHandler("key", loopback.url)
    new = LabelStudioCallbackHandler("key", loopback.url, flush_interval=60)
    port = loopback.stop()
    ask(old, new)
    assert "Error in LabelStudioCallbackHandler.on_llm_end callback" in caplog.text
    assert new.stats().pending == 1

    loopback.start(port)
    assert new.flush(30)
    assert len(loopback.tasks) == 1


def test_difference_13_no_url() -> None:
    # What was a warning is an error of its own with version 2 of the SDK.
    with pytest.raises(AttributeError, match="LABEL_STUDIO_DEFAULT_URL"):
        OldHandler("key")

    assert LabelStudioCallbackHandler("key", connect="lazy").url == "http://localhost:8080/"


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_difference_14_the_address(loopback: LoopbackLabelStudio, end: str) -> None:
    assert OldHandler("key", loopback.url + end).url == loopback.url + end
    assert LabelStudioCallbackHandler("key", loopback.url + end).url == f"{loopback.url}/"


def test_difference_15_the_project_s_number(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LabelStudioCallbackHandler("key", loopback.url, connect="lazy").project_id is None
    loopback.add_project("Support")
    monkeypatch.setenv("LABEL_STUDIO_PROJECT_ID", "1")

    assert OldHandler("key", loopback.url).project_id == "1"
    assert LabelStudioCallbackHandler("key", loopback.url).project_id == 1


class Failing(FakeListLLM):
    def _call(self, *_: Any, **__: Any) -> str:
        raise ValueError("broken")


def test_difference_16_runs_that_fail(loopback: LoopbackLabelStudio) -> None:
    old = OldHandler("key", loopback.url)
    new = LabelStudioCallbackHandler("key", loopback.url)
    all_runs = LabelStudioCallbackHandler("key", loopback.url, project_name="All", include_errors=True)
    with pytest.raises(ValueError, match="broken"):
        Failing(responses=["x"], callbacks=[old, new, all_runs]).invoke("Hi")

    assert len(old.payload) == 1
    assert (new.stats().submitted, new.stats().excluded) == (0, {"include_errors=False": 1})
    assert all_runs.flush()
    assert [task["data"]["status"] for task in loopback.tasks] == ["error"]


def test_difference_17_a_mistake_in_a_callback(
    loopback: LoopbackLabelStudio, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(AttributeError):
        OldHandler("key", loopback.url).on_llm_end(None, run_id=uuid4())

    new = LabelStudioCallbackHandler("key", loopback.url)
    caplog.clear()
    for _ in range(2):
        new.on_llm_end(None, run_id=uuid4())
    assert new.stats().lost == {"callback_error": 2}
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_difference_18_a_new_page_and_the_same_questions() -> None:
    old, new = old_configs("chat")[0], get_default_label_configs("chat")[0]

    assert (parse_label_config(old).active.markdown, parse_label_config(new).active.markdown) == (
        set(),
        {"prompt_markdown", "answer_markdown"},
    )
    assert parse_label_config(new).controls > parse_label_config(old).controls


def test_difference_23_more_modes() -> None:
    assert [mode.value for mode in OldMode] == ["prompt", "chat"]
    assert [mode.value for mode in LabelStudioMode] == ["prompt", "chat", "preference", "rag", "agent"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "chat", "project_name": "Support %Y"},
        {"mode": LabelStudioMode.PROMPT},
        {"project_config": get_default_label_configs("chat")[0]},
        {"project_id": 1},
    ],
)
def test_attributes_are_the_same(loopback: LoopbackLabelStudio, options: dict[str, Any]) -> None:
    loopback.add_project("One")
    new = LabelStudioCallbackHandler("key", loopback.url, **options)
    if isinstance(options.get("mode"), LabelStudioMode):
        options["mode"] = OldMode(options["mode"].value)
    old = OldHandler("key", loopback.url, **options)

    same = (
        "project_name",
        "project_id",
        "parsed_label_config",
        "from_name",
        "to_name",
        "value",
        "input_type",
    )
    assert {name: getattr(new, name) for name in same} == {name: getattr(old, name) for name in same}
    assert (new.mode and new.mode.value) == (old.mode and old.mode.value)
    if "project_config" in options:
        assert new.project_config == old.project_config
    assert new.DEFAULT_PROJECT_NAME == OldHandler.DEFAULT_PROJECT_NAME == "LangChain-%Y-%m-%d"
    assert (type(new.ls_client), type(new.ls_project)) == (type(old.ls_client), type(old.ls_project))
    assert (new.ls_project.id, new.ls_project.title) == (old.ls_project.id, old.ls_project.title)
    assert new.ls_project.import_tasks([{"data": {"prompt": "Hi"}, "predictions": []}]) == [1]


def test_attributes_before_label_studio_was_reached() -> None:
    handler = LabelStudioCallbackHandler("key", connect="lazy", mode="chat")

    assert (handler.from_name, handler.to_name, handler.value) == ("response", "dialogue", "prompt")
    assert handler.input_type == "Paragraphs"


@pytest.mark.parametrize(
    ("mode", "known"), [("agent", LabelStudioMode.AGENT), ("preference", LabelStudioMode.PREFERENCE)]
)
def test_modes_that_the_old_handler_had_not(mode: str, known: LabelStudioMode) -> None:
    assert LabelStudioCallbackHandler("key", connect="lazy", mode=mode).mode is known


@pytest.mark.parametrize(("name", "instead"), [("api_key", "LABEL_STUDIO_API_KEY"), ("payload", "stats")])
def test_attributes_that_are_not_kept(name: str, instead: str) -> None:
    handler = LabelStudioCallbackHandler("key", connect="lazy")

    with pytest.raises(AttributeError, match=f"has no '{name}'.*{instead}"):
        getattr(handler, name)
    assert not hasattr(handler, name)


def test_the_key_shows_nowhere(loopback: LoopbackLabelStudio) -> None:
    loopback.good_key = "a-very-secret-key"
    handler = LabelStudioCallbackHandler("a-very-secret-key", loopback.url)

    shown = [
        vars(handler.ls_client),
        vars(handler.ls_project),
        vars(handler.ls_project.session),
        vars(handler),
    ]
    assert [values for values in map(repr, shown) if "a-very-secret-key" in values] == []


def test_a_subclass_that_overrides_add_prompts_generations_is_warned_of_once() -> None:
    with pytest.warns(
        LabelStudioWarning, match="Mine.add_prompts_generations is never called.*data="
    ) as told:

        class Mine(LabelStudioCallbackHandler):
            def add_prompts_generations(self, *_: Any) -> None:
                raise AssertionError

    assert [warning.filename for warning in told] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        class Yours(Mine):
            pass

        Yours("key", connect="lazy")
