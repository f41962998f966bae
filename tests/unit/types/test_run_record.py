"""A run on its way from LangChain's events to its line in the outbox."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from langchain_label_studio import LLMRun
from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.types.run import RunFields, pick
from langchain_label_studio.types.run_record import (
    METADATA_SENT,
    decode_run,
    encode_run,
    make_run,
    read_record_id,
)
from tests.support.recording import Recording

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)  # without lone surrogates
NUMBER = st.integers(-(2**53), 2**53)
PLAIN = st.none() | st.booleans() | NUMBER | st.floats(allow_nan=False, allow_infinity=False) | TEXT
PLAINS = st.dictionaries(TEXT, PLAIN | st.lists(PLAIN, max_size=3), max_size=3)
TURN = st.fixed_dictionaries({"role": TEXT, "content": TEXT}, optional={"name": TEXT, "reasoning": TEXT})
TURNS = st.lists(TURN, max_size=3).map(tuple)
FACTS = st.fixed_dictionaries(
    {"run_id": st.uuids().map(str), "trace_id": st.uuids() | st.uuids().map(str)},
    optional={
        "parent_run_id": st.uuids() | st.uuids().map(str),
        "run_name": TEXT,
        "kind": st.sampled_from(["chat", "completion"]),
        "status": st.sampled_from(["success", "partial", "error", "cancelled", "abandoned"]),
        "prompt": TURNS,
        "answers": TURNS,
        "error": TEXT,
        "model": TEXT,
        "provider": TEXT,
        "finish_reason": TEXT,
        "log_probability": st.floats(-20, 0),
        "input_tokens": NUMBER,
        "output_tokens": NUMBER,
        "total_tokens": NUMBER,
        "usage": PLAINS,
        "started_at": st.floats(0, 4e9) | st.just("2026-11-21T09:55:13.656Z"),
        "latency_ms": st.floats(0, 1e9),
        "cached": st.booleans(),
        "thread_id": TEXT,
        "tags": st.lists(TEXT, max_size=3).map(tuple),
        # As it is after the walk that all metadata takes.
        "metadata": st.dictionaries(st.sampled_from(sorted(METADATA_SENT)), PLAIN).map(jsonable),
        "parameters": PLAINS,
        "data": PLAINS,
    },
)


@given(FACTS)
def test_a_run_survives_the_way_through_the_outbox(facts: RunFields) -> None:
    line = encode_run(facts)

    assert b"\n" not in line
    assert decode_run(line) == make_run(facts)


def test_ids_and_times_become_text_for_whoever_looks_at_a_run() -> None:
    run = make_run(
        {"run_id": "r", "trace_id": UUID(int=1), "parent_run_id": UUID(int=2), "started_at": 1792000000.5}
    )

    assert (run.trace_id, run.parent_run_id) == (str(UUID(int=1)), str(UUID(int=2)))
    assert run.started_at == "2026-10-14T17:46:40.500Z"


def answer(message: AIMessage) -> LLMResult:
    return LLMResult(generations=[[ChatGeneration(message=message)]])


def test_a_data_function_gets_the_run_as_it_is_recorded_with_all_of_its_metadata() -> None:
    seen: list[LLMRun] = []
    recorded = Recording(data=lambda run: seen.append(run) or {})
    run_id = uuid4()
    recorded.handler.on_chat_model_start(
        {},
        [[HumanMessage("Hi")]],
        run_id=run_id,
        parent_run_id=uuid4(),
        tags=["seq:step:1", "mine"],
        name="joke",
        metadata={"user_id": 7, "secret": "hunter2"},
        invocation_params={"temperature": 0.5, "api_key": "hunter2"},
    )
    message = AIMessage(
        "Hello",
        id="resp_1",
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        response_metadata={"model_name": "m-1", "model_provider": "p", "finish_reason": "stop"},
    )
    recorded.handler.on_llm_end(answer(message), run_id=run_id)

    (run,) = seen
    assert run.metadata == {"user_id": 7, "secret": "hunter2"}
    assert replace(run, metadata={"user_id": 7}) == recorded.run
    assert (run.model, run.provider, run.total_tokens, run.tags) == ("m-1", "p", 3, ("mine",))
    recorded.handler.close()


def test_what_the_application_changes_later_changes_no_run() -> None:
    arguments, metadata = {"city": "Paris"}, {"user_id": 7}
    parameters: dict[str, Any] = {"stop": ["a"]}
    question = AIMessage("", tool_calls=[ToolCall(name="look", args=arguments, id="1")])
    recorded = Recording()
    run_id = uuid4()
    recorded.handler.on_chat_model_start(
        {}, [[question]], run_id=run_id, metadata=metadata, invocation_params=parameters
    )
    question.content, arguments["city"], metadata["user_id"] = "changed", "Rome", 8
    question.tool_calls[0]["name"] = "changed"
    parameters["stop"].append("b")
    recorded.handler.on_llm_end(answer(AIMessage("Hello")), run_id=run_id)

    (turn,) = recorded.run.prompt
    assert turn["tool_calls"] == [{"name": "look", "args": {"city": "Paris"}, "id": "1"}]
    assert turn["content"] == ""
    assert recorded.run.metadata == {"user_id": 7}
    assert recorded.run.parameters == {"stop": ["a"]}
    recorded.handler.close()


def test_the_token_counts_of_a_request_of_several_prompts_are_left_out() -> None:
    recorded = Recording()
    result = LLMResult(
        generations=[[Generation(text="Hello")]], llm_output={"token_usage": {"total_tokens": 30}}
    )
    run_ids = [uuid4(), uuid4()]
    for run_id, batch_size in zip(run_ids, (1, 3), strict=True):
        recorded.handler.on_llm_start({}, ["Hi"], run_id=run_id, batch_size=batch_size)
        recorded.handler.on_llm_end(result, run_id=run_id)

    assert [run.total_tokens for run in recorded.runs] == [30, None]
    recorded.handler.close()


class Narrator(BaseMessage):
    """A class of the application's own, whose kind is no field."""

    type: ClassVar[str] = "narrator"


@pytest.mark.parametrize(
    ("message", "role"),
    [
        (Narrator(content="Hi"), "narrator"),
        (ChatMessage("Hi", role="critic"), "critic"),
        (ChatMessage("Hi", role=""), ""),
        (HumanMessage("Hi", role="critic"), "user"),
        (ToolMessage("Hi", tool_call_id="1"), "tool"),
    ],
)
def test_whose_turn_it_is(message: BaseMessage, role: str) -> None:
    turn = to_turn(message)

    assert (turn["role"], turn["content"]) == (role, "Hi")


def test_the_fields_of_a_run_on_its_way_are_those_of_a_run_and_what_a_gatherer_says() -> None:
    on_its_way = {"covers", "excluded", "given_up", "metadata_size"}
    assert set(RunFields.__annotations__) == {field.name for field in fields(LLMRun)} | on_its_way


def test_picked_fields_are_those_that_are_known() -> None:
    assert pick({"run_id": uuid4(), "model": "m"}, ("model", "provider")) == {"model": "m"}


@pytest.mark.parametrize("record_id", ["7d9e-0001", 'a "quoted" one', "back\\slash", "ünïcode", "a}"])
def test_the_id_of_a_record_is_read_without_the_rest(record_id: str) -> None:
    run_id = UUID(int=7)
    line = encode_run({"run_id": run_id, "prompt": (), "record_id": record_id})

    assert line.startswith(b'{"record_id":')
    assert read_record_id(line) == record_id
    assert read_record_id(encode_run({"run_id": run_id})) == str(run_id), "of an earlier version"


@pytest.mark.parametrize(
    "line", [b'{"record_id":"7d9e', b'{"record_id":"7d9e"', b"{}", b"[]", b"null", b"", b'{"record_id":7']
)
def test_a_line_that_is_no_record_has_no_id(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_record_id(line)
