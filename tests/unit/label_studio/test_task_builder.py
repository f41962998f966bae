"""Tasks that are made ahead are those that would be made later, or they are not used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import orjson
import pytest

from langchain_label_studio import LLMRun, get_default_label_configs
from langchain_label_studio.delivery import DeliveryFailedError, Record
from langchain_label_studio.forms.form import Filled, Form
from langchain_label_studio.forms.registry import register_form
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.destinations import task_builder
from langchain_label_studio.label_studio.destinations.task_builder import TaskBuilder
from langchain_label_studio.label_studio.projects import Project
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.types.run_record import encode_run

PROMPT, CHAT = (parse_label_config(get_default_label_configs(mode)[0]) for mode in ("prompt", "chat"))
PROJECT = Project(id=1, title="t", config=PROMPT, created=False)


@pytest.fixture
def builder() -> TaskBuilder:
    return TaskBuilder(ThrottledLog(), model_version="m")


@pytest.fixture
def fills() -> list[str]:
    """The prompts for which the form of `recorded` filled a task."""
    return []


@pytest.fixture(autouse=True)
def counting_form(fills: list[str]) -> Iterator[None]:
    def fill(run: LLMRun) -> Filled:
        prompt = run.prompt[0]["content"]
        fills.append(prompt)
        if prompt == "bad":
            raise ValueError(prompt)
        return Filled()

    register_form(Form(name="counts", label_config="<View/>", keys=frozenset(), fill=fill))
    yield


def recorded(prompt: str) -> Record:
    run_id = UUID(int=len(prompt))
    turns = ({"role": "user", "content": prompt},)
    body = encode_run(
        {"record_id": prompt, "run_id": run_id, "trace_id": run_id, "prompt": turns, "form": "counts"}
    )
    return Record(prompt, body)


def test_a_task_that_was_made_ahead_is_not_made_again(builder: TaskBuilder, fills: list[str]) -> None:
    records = [recorded(prompt) for prompt in ("a", "b", "c")]
    expected = TaskBuilder(ThrottledLog(), model_version="m").build(records, PROJECT)
    fills.clear()

    builder.build_ahead([record.body for record in records[:2]], PROJECT)
    tasks = builder.build(records, PROJECT)

    assert tasks == expected
    assert fills == ["a", "b", "c"]


def test_after_a_change_of_the_project_tasks_are_made_anew(builder: TaskBuilder, fills: list[str]) -> None:
    builder.build_ahead([recorded("a").body], PROJECT)

    [task] = builder.build([recorded("a")], replace(PROJECT, config=CHAT))

    assert orjson.loads(task.body)["data"]["prompt"] == [{"role": "user", "content": "a"}]
    assert fills == ["a", "a"]


def test_a_halved_batch_does_not_cost_the_tasks_of_the_next_one(
    builder: TaskBuilder, fills: list[str]
) -> None:
    upcoming = [recorded("next").body]
    for half in ("a", "b"):
        builder.build([recorded(half)], PROJECT)
        builder.build_ahead(upcoming, PROJECT)

    assert fills == ["a", "next", "b"]


def test_only_one_batch_is_kept(builder: TaskBuilder, fills: list[str]) -> None:
    builder.build_ahead([recorded("a").body], PROJECT)
    builder.build_ahead([recorded("b").body], PROJECT)
    fills.clear()

    builder.build([recorded("a"), recorded("b")], PROJECT)

    assert fills == ["a"]


def test_a_record_that_cannot_become_a_task_fails_when_its_turn_comes(builder: TaskBuilder) -> None:
    builder.build_ahead([b"{damaged", recorded("bad").body, recorded("a").body], PROJECT)

    [task] = builder.build([recorded("a")], PROJECT)
    with pytest.raises(
        DeliveryFailedError, match="run bad could not be made into a task: ValueError"
    ) as caught:
        builder.build([recorded("bad")], PROJECT)

    assert task.key == "a"
    assert caught.value.status == 422


def test_a_slow_form_does_not_hold_up_the_answer(
    builder: TaskBuilder, fills: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_builder, "_SECONDS_AHEAD", -1.0)

    builder.build_ahead([recorded("a").body], PROJECT)

    assert fills == []
