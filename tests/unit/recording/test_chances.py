"""The chance of a run is kept with it, on its way to its task and back. What is like an earlier run is counted."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_label_studio import DeliveryStats
from langchain_label_studio.label_studio.notebook_card import render_card
from langchain_label_studio.selectors import by_tag, errors, low_rating, novel, sampled
from tests.support.annotated_tasks import recorded as task_of
from tests.support.annotated_tasks import run_of
from tests.support.recording import Recording
from tests.support.reviews import run

IN_A_TENTH = UUID(int=7)


def record(recorded: Recording, run_id: UUID = IN_A_TENTH, *, says: str = "Hello", **event: Any) -> None:
    recorded.handler.on_chat_model_start({}, [[HumanMessage("Hi")]], run_id=run_id, **event)
    message = ChatGeneration(message=AIMessage(says))
    recorded.handler.on_llm_end(LLMResult(generations=[[message]]), run_id=run_id, **event)


def broken(_: object) -> bool:
    raise ValueError


@pytest.mark.parametrize(
    ("options", "chance"),
    [
        ({}, 1),
        ({"sample_rate": 0.5}, 0.5),
        ({"select": by_tag("x") | sampled(0.2)}, 0.2),
        ({"select": ~by_tag("x") | sampled(0.2)}, 1),
        ({"sample_rate": 0.5, "select": sampled(0.2)}, 0.2),
        ({"sample_rate": 0.5, "select": ~by_tag("x")}, 0.5),
        ({"sample_rate": 0.5, "select": lambda run: True}, 0.5),
        ({"sample_rate": 0.5, "data": {"a": 1}}, 0.5),
    ],
)
def test_a_run_has_its_chance(options: dict[str, Any], chance: float) -> None:
    recorded = Recording(**options)
    record(recorded)

    assert (recorded.run.chance, recorded.run.certain_score) == (chance, None)


def test_a_run_that_is_recorded_because_select_failed_has_the_chance_of_its_sample() -> None:
    recorded = Recording(sample_rate=0.5, select=broken)
    record(recorded)

    assert recorded.run.chance == 0.5
    assert recorded.handler.stats().lost == {"select": 1}


def test_a_low_rating_is_certain() -> None:
    recorded = Recording(sample_rate=0.5, select=errors() | low_rating(0.3) | sampled(0.1))
    called_back = UUID(int=1)
    record(recorded)
    record(recorded, called_back)
    recorded.handler.feedback(called_back, score=0)

    assert [(each.chance, each.certain_score) for each in recorded.runs] == [(0.1, 0.3), (1, None)]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"chance": 0.05},
        {"chance": 0.05, "certain_score": 0.0},
        {"chance": 0.05, "certain_score": 0.0, "certain_chance": 0.5},
        {"chance": 1e-9},
    ],
)
def test_the_chance_comes_back_with_the_task(fields: dict[str, float]) -> None:
    a_run = run(**fields)
    task = task_of(a_run)

    assert run_of(task) == a_run
    assert ("chance" in task["meta"]) == bool(fields)


@pytest.mark.parametrize("wrong", [0, -1, 2, "0.5", True, None, [], float("nan")])
def test_a_chance_that_cannot_be_one_is_none(wrong: Any) -> None:
    task = task_of(run(chance=0.5))
    task["meta"]["chance"] = wrong

    assert run_of(task).chance == 1


def test_what_is_like_an_earlier_run_is_counted() -> None:
    recorded = Recording(select=by_tag("x") & novel())
    for tags in (["x"], ["x"], ["y"]):
        record(recorded, uuid4(), tags=tags)
    record(recorded, uuid4(), says="Hello again", tags=["x"])

    assert [each.answers[0]["content"] for each in recorded.runs] == ["Hello", "Hello again"]
    stats = recorded.handler.stats()
    assert (stats.excluded, stats.repeated) == (
        {"select=novel(): like an earlier run": 1, "select=by_tag('x') & novel()": 1},
        {},
    )


def test_what_is_like_an_earlier_run_can_be_recorded_and_counted() -> None:
    recorded = Recording(select=novel() | sampled(1))
    for _ in range(3):
        record(recorded, uuid4())

    stats = recorded.handler.stats()
    assert (len(recorded.runs), stats.excluded, stats.repeated) == (3, {}, {"novel()": 2})


def test_the_card_counts_repeats() -> None:
    def card(repeated: dict[str, int]) -> str:
        return render_card(title="T", url=None, stats=DeliveryStats(repeated=repeated), open_runs=0)

    assert "like an earlier one" not in card({})
    assert "like an earlier one: 2 by novel(near=0.8)<" in card({"novel(near=0.8)": 2})
    assert "<b>x" not in card({"<b>x": 1})
