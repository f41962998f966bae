"""No input makes a callback raise, and no legal message is lost."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.types.text import show_turn
from tests.support.recording import CONFIGS, Recording, check_task

TEXT = st.text(st.characters(), max_size=40)  # lone surrogates among them
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ANYTHING = (
    JSON
    | st.binary(max_size=40)
    | st.uuids()
    | st.datetimes()
    | st.sets(st.integers(), max_size=3)
    | st.sampled_from([object(), object, print, ValueError("no")])
)
KINDS = st.sampled_from(
    [
        *(
            "text",
            "reasoning",
            "thinking",
            "refusal",
            "image",
            "image_url",
            "audio",
            "input_audio",
            "video",
            "file",
        ),
        *("text-plain", "media", "document", "tool_use", "tool_call", "tool_result", "server_tool_call"),
        *("non_standard", "function_call", "redacted_thinking", "no such type"),
    ]
)
FIELDS = st.sampled_from(
    [
        *(
            "text",
            "reasoning",
            "thinking",
            "url",
            "base64",
            "data",
            "mime_type",
            "file_id",
            "id",
            "source_type",
        ),
        *(
            "image_url",
            "input_audio",
            "file",
            "source",
            "value",
            "extras",
            "summary",
            "name",
            "args",
            "index",
        ),
    ]
)
BLOCK = st.builds(
    lambda kind, fields: {**fields, **kind},
    st.fixed_dictionaries({}, optional={"type": KINDS}),
    st.dictionaries(FIELDS, ANYTHING, max_size=4),
)
CONTENT = TEXT | st.lists(TEXT | BLOCK, max_size=4)
CALL = st.fixed_dictionaries(
    {"name": TEXT, "args": st.dictionaries(TEXT, ANYTHING, max_size=3), "id": TEXT | st.none()}
)
BAD_CALL = st.fixed_dictionaries(
    {"name": TEXT | st.none(), "args": TEXT | st.none(), "id": TEXT | st.none(), "error": TEXT | st.none()}
)
EXTRA = st.dictionaries(st.sampled_from(["reasoning_content", "tool_calls", "refusal", "audio"]), ANYTHING)
NAME = st.none() | TEXT
MESSAGE = st.one_of(
    st.builds(HumanMessage, CONTENT, name=NAME),
    st.builds(SystemMessage, CONTENT),
    st.builds(AIMessage, CONTENT, name=NAME, tool_calls=st.lists(CALL, max_size=2)),
    st.builds(AIMessage, CONTENT, invalid_tool_calls=st.lists(BAD_CALL, max_size=2)),
    st.builds(AIMessageChunk, CONTENT),
    st.builds(ChatMessage, CONTENT, role=TEXT),
    st.builds(FunctionMessage, CONTENT, name=TEXT),
    st.builds(
        ToolMessage, CONTENT, tool_call_id=TEXT, name=NAME, status=st.sampled_from(["success", "error"])
    ),
)
FACTS = st.dictionaries(
    st.sampled_from(
        [
            *(
                "model_name",
                "model_provider",
                "finish_reason",
                "stop_reason",
                "token_usage",
                "usage",
                "status",
            ),
            *("input_tokens", "prompt_tokens", "total_tokens", "output_token_details"),
            *("logprobs", "logprobs_result", "avg_logprobs"),
        ]
    ),
    ANYTHING,
    max_size=4,
)
NOT_SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@st.composite
def messages(draw: st.DrawFn) -> BaseMessage:
    message: BaseMessage = draw(MESSAGE)
    # Set afterwards, as applications do: the constructor would check some of it.
    message.additional_kwargs = draw(EXTRA)
    message.response_metadata = draw(FACTS)
    return message


@given(messages())
@NOT_SLOW
def test_every_message_becomes_a_turn_that_json_can_hold(message: BaseMessage) -> None:
    turn = to_turn(message)

    assert "could not be read" not in turn["content"] or "could not be read" in str(message.content)
    assert isinstance(show_turn(turn), str)
    json.dumps(jsonable(turn), allow_nan=False).encode()


@given(st.lists(messages(), max_size=3), messages(), FACTS, st.dictionaries(TEXT, ANYTHING), ANYTHING)
@NOT_SLOW
def test_no_legal_run_is_lost(
    prompt: list[BaseMessage], answer: BaseMessage, output: dict[str, Any], facts: dict[str, Any], odd: Any
) -> None:
    recorded = Recording(include_errors=True)
    run_id = uuid4()
    recorded.handler.on_chat_model_start(
        {},
        [prompt],
        run_id=run_id,
        tags=["a", odd],
        metadata=facts | {"thread_id": odd, "ls_model_name": odd, "ls_provider": odd},
        invocation_params=facts | {"temperature": odd, "model": odd, "tools": [odd]},
        name=odd,
        batch_size=1,
    )
    generation = ChatGeneration(message=AIMessage("")).model_copy(
        update={"message": answer, "generation_info": output}
    )
    response = LLMResult.model_construct(generations=[[generation]], llm_output=output)
    recorded.handler.on_llm_end(response, run_id=run_id)

    recorded.check()
    check_task(recorded.task("chat"), recorded.run)
    recorded.handler.close()


EVENTS = st.sampled_from(
    [
        *(
            "on_llm_start",
            "on_chat_model_start",
            "on_llm_end",
            "on_llm_error",
            "on_chain_start",
            "on_chain_end",
        ),
        *("on_chain_error", "on_tool_start", "on_tool_end", "on_retriever_start", "on_retriever_end"),
        *("on_llm_new_token", "on_text", "on_retry"),
    ]
)
RESULT = st.builds(
    LLMResult, generations=st.lists(st.lists(st.builds(Generation, text=TEXT), max_size=2), max_size=2)
)
ARGUMENT = ANYTHING | RESULT | st.lists(st.lists(messages(), max_size=2), max_size=2)
STEP = st.tuples(EVENTS, ARGUMENT, st.integers(0, 3), st.none() | st.integers(0, 3), st.dictionaries(
    st.sampled_from(["tags", "metadata", "invocation_params", "name", "batch_size", "response"]), ARGUMENT,
))  # fmt: skip


@given(st.lists(STEP, max_size=12))
@NOT_SLOW
def test_no_order_of_events_and_no_argument_makes_a_callback_raise(steps: list[Any]) -> None:
    recorded = Recording(include_errors=True)
    for name, argument, run, parent, further in steps:
        event = {"run_id": UUID(int=run), "parent_run_id": parent and UUID(int=parent), **further}
        first = {} if name.endswith("start") else argument
        rest = (argument,) if name.endswith("start") else ()
        getattr(recorded.handler, name)(first, *rest, **event)

    for run in recorded.runs:
        for config in CONFIGS.values():
            check_task(build_task(run, config, model_version="langchain"), run)
    recorded.handler.close()
