"""What most runs are takes a lean path. It leads to the same record as the general one."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_label_studio import LLMRun
from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.support.safe_text import MAX_TEXT
from tests.support.private_parts import read_as_any_message
from tests.support.recording import Recording
from tests.unit.recording.test_messages_never_raise import ANYTHING, JSON, NOT_SLOW, TEXT
from tests.unit.recording.test_messages_never_raise import messages as any_message


class OfTheApplication(HumanMessage):
    """A message with a field that others have, too."""

    tool_call_id: str = "call_1"


PLAIN = st.one_of(
    st.builds(HumanMessage, TEXT),
    st.builds(SystemMessage, TEXT),
    st.builds(
        AIMessage, TEXT, response_metadata=st.dictionaries(TEXT, JSON, max_size=2), id=st.none() | TEXT
    ),
    st.builds(AIMessageChunk, TEXT),
    st.builds(ToolMessage, TEXT, tool_call_id=TEXT),
    st.builds(HumanMessage, TEXT, name=TEXT),
    st.builds(OfTheApplication, TEXT),
)


@given(PLAIN | any_message())
@NOT_SLOW
def test_a_message_that_is_only_a_text_is_read_as_any_other(message: BaseMessage) -> None:
    try:
        read = read_as_any_message(message)
    except Exception:  # noqa: BLE001 (a message class of the user may raise anything)
        return
    assert to_turn(message) == read


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage("x" * (MAX_TEXT + 1_000)),
        AIMessage(
            "Hi",
            response_metadata={"grounding_metadata": {"grounding_chunks": [{"web": {"uri": "https://a"}}]}},
        ),
        AIMessage("Hi", tool_calls=[{"name": "look", "args": {}, "id": None}]),
        AIMessage("Hi", invalid_tool_calls=[{"name": "look", "args": "{", "id": None, "error": None}]),
        HumanMessage(HumanMessage("Hi").text),
        OfTheApplication("Hi"),
    ],
    ids=["too long", "with sources", "with a call", "with a bad call", "a text of LangChain", "with a field"],
)
def test_what_is_more_than_a_text_is_read_whole(message: BaseMessage) -> None:
    assert to_turn(message) == read_as_any_message(message)


TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": f"tool_{number}", "description": "x" * 100}}
    for number in range(10)
]
PARAMETERS = st.dictionaries(
    st.sampled_from(["tools", "model", "stop", "temperature", "response_format", "output_config", "secret"]),
    ANYTHING | st.just(TOOLS) | st.just([*TOOLS, object()]) | st.just([*TOOLS, "\ud800"]),
)
FACTS = st.dictionaries(
    st.sampled_from(["thread_id", "ls_model_name", "ls_provider", "my own"]) | TEXT, ANYTHING
)


def recorded(
    run_id: UUID, event: dict[str, Any], prompt: list[BaseMessage], answer: AIMessage, **options: Any
) -> LLMRun:
    recording = Recording(include_errors=True, **options)
    for _ in range(2):  # the second time, the parameters come again
        recording.handler.on_chat_model_start({}, [prompt], run_id=run_id, tags=["a"], **event)
        recording.handler.on_llm_end(
            LLMResult(generations=[[ChatGeneration(message=answer)]]), run_id=run_id, tags=["b"]
        )
    _, run = recording.runs
    recording.handler.close()
    return run


@given(PARAMETERS, FACTS, st.lists(any_message(), max_size=3), TEXT)
@settings(NOT_SLOW, max_examples=30)
def test_a_handler_whose_runs_nobody_looks_into_records_the_same(
    parameters: dict[str, Any], facts: dict[str, Any], prompt: list[BaseMessage], answer: str
) -> None:
    run_id, event = uuid4(), {"invocation_params": parameters, "metadata": facts}
    lean = recorded(run_id, event, prompt, AIMessage(answer))
    looked_into = recorded(
        run_id, event, prompt, AIMessage(answer), select=lambda run: run.parameters is not None
    )

    for name in LLMRun.__slots__:
        if name not in {"record_id", "started_at", "latency_ms"}:
            assert getattr(lean, name) == getattr(looked_into, name), name


def test_tools_that_change_between_two_runs_are_those_of_each_run() -> None:
    recording = Recording()
    tools = [dict(tool) for tool in TOOLS]
    for number in range(3):
        tools[0] = {**tools[0], "number": number}
        run_id = uuid4()
        event: dict[str, Any] = {"invocation_params": {"tools": tools}}
        recording.handler.on_chat_model_start({}, [[HumanMessage("Hi")]], run_id=run_id, **event)
        tools[1]["changed after the start"] = number
        recording.handler.on_llm_end(
            LLMResult(generations=[[ChatGeneration(message=AIMessage("Ho"))]]), run_id=run_id
        )

    said = [run.parameters["tools"] for run in recording.runs]
    assert [each[0]["number"] for each in said] == [0, 1, 2]
    assert [each[1].get("changed after the start") for each in said] == [None, 0, 1]
    recording.handler.close()
