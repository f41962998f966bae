"""What `priority=` says of a run, and what it cannot be."""

from __future__ import annotations

import pickle
from decimal import Decimal
from math import inf, log, nan
from typing import Any
from uuid import UUID

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_label_studio import LLMRun, SettingError
from langchain_label_studio.errors import LabelStudioWarning, MissingExtraError
from langchain_label_studio.priority.rule import resolve_priority
from langchain_label_studio.selectors import errors
from langchain_label_studio.types.run import RunFields
from tests.support.extras import without_the_extra
from tests.support.recording import Recording


def length(run: LLMRun) -> float:
    return len(run.answers[0]["content"])


def broken(run: LLMRun) -> float:
    raise ValueError(run.run_id)


async def slow(run: LLMRun) -> float:
    return 1.0


def rate(priority: Any, **fields: Any) -> dict[str, float]:
    rule = resolve_priority(priority)
    assert rule is not None
    run: RunFields = {"run_id": UUID(int=1), "trace_id": UUID(int=1), "status": "success", **fields}  # type: ignore[typeddict-item]
    return dict(rule.rate(run))


@pytest.mark.parametrize("status", ["partial", "error", "cancelled", "abandoned"])
def test_what_is_no_whole_answer_is_an_error(status: str) -> None:
    assert rate("errors", status=status) == {"value": 1.0}


@pytest.mark.parametrize(
    ("log_probability", "value"), [(None, 0.0), (0.0, 0.0), (log(0.25), 0.75), (-inf, 1.0), (0.3, 0.0)]
)
def test_the_less_probable_an_answer_the_more_uncertain_it_is(
    log_probability: float | None, value: float
) -> None:
    assert rate("uncertain", log_probability=log_probability)["value"] == pytest.approx(value)


def test_weights_add_up() -> None:
    answer = ({"role": "assistant", "content": "four"},)
    priority = {"feedback": 3, "errors": 0.5, length: 2, "waiting": 0.1}

    assert rate(priority, status="error", answers=answer) == {"value": 8.5, "feedback": 3, "waiting": 0.1}
    assert rate(["errors", length], answers=answer) == {"value": 4.0}
    assert rate(("feedback", "new")) == {"value": 0.0, "feedback": 1.0, "new": 1.0}
    assert rate({"errors"}, status="error") == {"value": 1.0}


@pytest.mark.parametrize(
    ("returned", "value"),
    [(True, 1), (Decimal("2.5"), 2.5), (-3, -3), (inf, 1e300), (-inf, -1e300), (10**300, 1e300)],
)
def test_a_function_may_return_any_number(returned: Any, value: float) -> None:
    assert rate(lambda run: returned)["value"] == value


@pytest.mark.parametrize("returned", [None, "5", nan, [1], 10**400])
def test_a_function_that_returns_no_number_costs_no_run(returned: Any) -> None:
    recorded = Recording(priority={"feedback": 2, (lambda run: returned): 1})
    record(recorded)

    assert recorded.run.priority == {"value": 0.0, "feedback": 2}
    assert recorded.handler.stats().lost == {"priority": 1}


def test_a_function_that_fails_leaves_the_rest_of_the_priority() -> None:
    recorded = Recording(priority=["feedback", broken, "waiting"])
    record(recorded)

    assert recorded.run.priority == {"value": 0.0, "feedback": 1.0, "waiting": 1.0}
    assert recorded.handler.stats().lost == {"priority": 1}


def test_without_a_setting_a_run_has_no_priority() -> None:
    recorded = Recording()
    record(recorded)

    assert recorded.run.priority is None
    assert "priority" not in recorded.task()["meta"]
    assert "score" not in recorded.task()["predictions"][0]


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_setting_is_none(nothing: Any) -> None:
    assert resolve_priority(nothing) is None


@pytest.mark.parametrize(
    ("priority", "says"),
    [
        ("error", "Did you mean 'errors'?"),
        (["errors", "nwe"], "Did you mean 'new'?"),
        (slow, "slow"),
        (5, "use 'feedback'"),
        ([], "is empty"),
        ({}, "is empty"),
        ({"errors": 0}, "above 0"),
        ({"errors": -1}, "above 0"),
        ({"errors": nan}, "above 0"),
        ({"errors": inf}, "above 0"),
        ({"errors": True}, "above 0"),
        ({length: "2"}, "{length: '2'}"),
        ([["errors"]], "use 'feedback'"),
    ],
)
def test_a_mistake_says_what_to_do(priority: Any, says: str) -> None:
    with pytest.raises(SettingError, match=r"^priority=") as raised:
        Recording(priority=priority)

    assert says in str(raised.value)


def test_errors_that_are_not_recorded_are_a_warning() -> None:
    with pytest.warns(LabelStudioWarning, match="include_errors=True"):
        Recording(priority=["feedback", "errors"])
    for recorded in ({"include_errors": True}, {"select": errors()}):
        Recording(priority="errors", **recorded)


def test_new_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    without_the_extra(monkeypatch, "datasketch")
    with pytest.raises(MissingExtraError, match="near"):
        resolve_priority("new")


def test_a_rule_travels_with_its_handler() -> None:
    rule = resolve_priority({"errors": 2, length: 1})

    assert pickle.loads(pickle.dumps(rule)) == rule


def record(recorded: Recording) -> None:
    run_id = UUID(int=7)
    recorded.handler.on_chat_model_start({}, [[HumanMessage("Hi")]], run_id=run_id)
    answer = ChatGeneration(message=AIMessage("Hello"))
    recorded.handler.on_llm_end(LLMResult(generations=[[answer]]), run_id=run_id)
