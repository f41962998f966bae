"""What LangChain should not do and does: ends without starts, starts without ends, everything twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolCall
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from langchain_label_studio.forms.trace_gatherer import MAX_OPEN_TRACES
from langchain_label_studio.recording import open_runs
from tests.support.recording import Recording, recording

recorded = pytest.fixture(recording)


@pytest.fixture
def with_errors() -> Iterator[Recording]:
    yield from recording(include_errors=True)


def result(text: str = "Hello", **message: Any) -> LLMResult:
    return LLMResult(generations=[[ChatGeneration(message=AIMessage(text, **message))]])


def start(recorded: Recording, run_id: UUID | None = None, prompt: str = "Hi", **event: Any) -> UUID:
    run_id = run_id or uuid4()
    recorded.handler.on_chat_model_start({}, [[HumanMessage(prompt)]], run_id=run_id, **event)
    return run_id


def test_what_langchain_tells_twice_is_one_task(recorded: Recording) -> None:
    run_id = start(recorded)
    start(recorded, run_id)
    for text in ("Hello", "another answer"):
        recorded.handler.on_llm_end(result(text), run_id=run_id)

    assert recorded.answer == "Hello"
    assert recorded.open_runs == 0


def test_an_error_after_the_end_changes_nothing(with_errors: Recording) -> None:
    run_id = start(with_errors)
    with_errors.handler.on_llm_end(result(), run_id=run_id)
    with_errors.handler.on_llm_error(asyncio.CancelledError(), run_id=run_id)

    assert with_errors.run.status == "success"


def test_an_end_without_a_start_is_recorded_and_says_so(recorded: Recording) -> None:
    parent = uuid4()
    recorded.handler.on_chain_start({}, {}, run_id=parent)
    recorded.handler.on_llm_end(result(), run_id=uuid4(), parent_run_id=parent)

    assert recorded.answer == "Hello"
    assert "not known" in recorded.task()["data"]["prompt"]
    assert "latency_ms" not in recorded.task()["data"]
    assert recorded.run.trace_id == str(parent)


def test_an_error_without_a_start_is_recorded_on_request(recorded: Recording, with_errors: Recording) -> None:
    for each in (recorded, with_errors):
        each.handler.on_llm_error(ValueError("no"), run_id=uuid4())

    assert recorded.runs == []
    assert with_errors.run.error == "ValueError: no"


@pytest.mark.parametrize("mode", ["prompt", "agent", "rag", "preference"])
@pytest.mark.parametrize("include_errors", [False, True])
def test_runs_that_never_end_are_bounded_and_counted(
    include_errors: bool, mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_runs, "MAX_OPEN_RUNS", 10)
    recorded = Recording(include_errors=include_errors, mode=mode)
    for number in range(25):
        start(recorded, prompt=f"Question {number}")

    assert recorded.open_runs == 10
    assert recorded.handler.stats().lost == {"never_ended": 15}
    assert recorded.handler.stats().excluded == {}
    given_up = [(run.prompt[0]["content"], run.status) for run in recorded.runs]
    assert given_up == [(f"Question {number}", "abandoned") for number in range(15 if include_errors else 0)]
    recorded.handler.close()


@pytest.mark.parametrize("include_errors", [False, True])
def test_traces_that_never_end_are_counted(include_errors: bool) -> None:
    recorded = Recording(include_errors=include_errors, mode="agent")
    for _ in range(MAX_OPEN_TRACES + 5):
        top = uuid4()
        recorded.handler.on_chain_start({}, {"input": "Hi"}, run_id=top)
        recorded.handler.on_tool_start({}, "Paris", run_id=uuid4(), parent_run_id=top, name="look")

    stats = recorded.handler.stats()
    assert (stats.lost, stats.excluded) == ({"never_ended": 5}, {})
    assert [run.status for run in recorded.runs] == ["abandoned"] * (5 if include_errors else 0)
    recorded.handler.close()


def test_a_run_that_is_overdue_is_given_up_and_its_late_end_ignored(
    recorded: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = start(recorded)
    now = time.perf_counter()
    monkeypatch.setattr(time, "perf_counter", lambda: now + 3700)
    young = start(recorded)
    for run_id in (old, young):
        recorded.handler.on_llm_end(result(), run_id=run_id)

    assert recorded.run.run_id == str(young)
    recorded.lost = {"never_ended": 1}


class Opaque:
    """An object of the application, whose text nobody asked for."""

    def __repr__(self) -> str:
        return "password=hunter2"


class Broken:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


SELF: dict[str, Any] = {}
SELF["self"] = SELF
ODD: dict[str, Any] = {
    "an object": Opaque(),
    "a broken object": Broken(),
    "a class": Opaque,
    "itself": SELF,
    "infinity": float("inf"),
    "not a number": float("nan"),
    "a big number": 10**30,
    "bytes": b"\x00\xff" * 1000,
    "a set": {1, 2},
    "a tuple": (1, (2, 3)),
    "a date": datetime(2026, 1, 1, tzinfo=UTC),
    "an id": UUID(int=1),
    "keys that are not text": {1: "a", (2, 3): "b", None: "c"},
    "half a character": "\ud83d",
    "a NUL": "\x00",
    "a function": print,
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_values_that_json_cannot_hold_do_no_harm(value: Any, recorded: Recording) -> None:
    call = ToolCall(name="look", args={"value": value}, id="call_1")
    run_id = start(
        recorded,
        metadata={"user_id": value, "ls_temperature": value, "ls_model_name": value, "ls_provider": value},
        invocation_params={"response_format": value, "temperature": value, "stop": [value]},
        name="\x00odd\ud83d",
    )
    recorded.handler.on_llm_end(
        result(tool_calls=[call], response_metadata={"finish_reason": value, "token_usage": value}),
        run_id=run_id,
    )

    (text,) = recorded.shown()
    assert text.startswith("Hello\n→ look(")
    assert "hunter2" not in str(recorded.task())


@pytest.mark.parametrize("text", ["\ud83d alone", "a\x00b", "\ud83d\ude00 a pair in two halves", "\u2028"])
@pytest.mark.parametrize("kind", ["chat", "completion"])
def test_text_that_would_break_label_studio_is_mended(kind: str, text: str, recorded: Recording) -> None:
    run_id = uuid4()
    if kind == "chat":
        start(recorded, run_id, text)
        recorded.handler.on_llm_end(result(text), run_id=run_id)
    else:
        recorded.handler.on_llm_start({}, [text], run_id=run_id)
        recorded.handler.on_llm_end(LLMResult(generations=[[Generation(text=text)]]), run_id=run_id)

    for shown in (recorded.task()["data"]["prompt"], *recorded.shown()):
        assert "\x00" not in shown
        assert shown.encode().decode() == shown
        assert len(shown) >= len(text) - 1


def test_a_text_that_is_too_long_is_cut_where_everybody_sees_it(recorded: Recording) -> None:
    run_id = start(recorded, prompt="p " * 1_500_000)
    recorded.handler.on_llm_end(result("a " * 1_500_000), run_id=run_id)

    for shown in (recorded.task()["data"]["prompt"], *recorded.shown()):
        assert shown.endswith("[cut: 2,000,000 more characters]")


@pytest.mark.parametrize("generations", [[], [[]]])
def test_a_result_without_generations_is_an_error_as_the_application_sees_one(
    generations: list[Any], recorded: Recording
) -> None:
    with_errors = Recording(include_errors=True)
    for each in (recorded, with_errors):
        each.handler.on_llm_end(LLMResult(generations=generations), run_id=start(each))

    assert recorded.runs == []
    assert (with_errors.run.status, with_errors.run.answers) == ("error", ())
    assert with_errors.run.error == "The model gave no answer: its list of choices is empty."


def test_a_message_of_the_applications_own_class_is_read_as_far_as_it_can_be(recorded: Recording) -> None:
    class Own(HumanMessage):
        @property
        def content_blocks(self) -> Any:
            raise NotImplementedError

    run_id = uuid4()
    recorded.handler.on_chat_model_start({}, [[Own([{"type": "text", "text": "Hi"}])]], run_id=run_id)
    recorded.handler.on_llm_end(result(), run_id=run_id)

    assert recorded.run.prompt == ({"role": "user", "content": "Hi"},)
