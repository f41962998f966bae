"""OpenAI's chat completions."""

from __future__ import annotations

from langchain_core.messages import AIMessage, FunctionMessage, HumanMessage, convert_to_messages
from langchain_openai import ChatOpenAI

from tests.conformance.chat_completions import ChatCompletions
from tests.conformance.prompts import CALLED, COMMON, QUESTION, answered
from tests.conformance.script import Prompt, Provider
from tests.conformance.wire import server_sent_events

_ANSWERS = ChatCompletions(model="gpt-5.1-2025-11-13", usage="apart")
_CALL = {"name": "weather", "arguments": '{"city": "Rome"}'}

PROVIDER = Provider(
    name="openai_completions",
    model_name="gpt-5.1-2025-11-13",
    model=lambda url: ChatOpenAI(
        model="gpt-5.1", api_key="k", base_url=f"{url}/v1", max_retries=0, stream_usage=True
    ),
    stream=server_sent_events,
    prompts=[
        *COMMON,
        answered(
            "a refusal",
            AIMessage("", additional_kwargs={"refusal": "I can't help with that."}),
            {"role": "assistant", "content": "I can't help with that.", "notes": ["[refusal]"]},
        ),
        Prompt(
            name="dictionaries",
            messages=convert_to_messages(
                [
                    {"role": "user", "content": "How is Rome?"},
                    {
                        "role": "assistant",
                        "content": "Let me look.",
                        "tool_calls": [{"id": "call_1", "type": "function", "function": _CALL}],
                    },
                    {"role": "tool", "tool_call_id": "call_1", "content": "24 °C"},
                ]
            ),
            turns=[
                QUESTION,
                CALLED,
                {"role": "tool", "content": "24 °C", "tool_call_id": "call_1"},
            ],
        ),
        Prompt(
            name="a call of the time before tools",
            messages=[
                HumanMessage("How is Rome?"),
                AIMessage("", additional_kwargs={"function_call": _CALL}),
                FunctionMessage("24 °C", name="weather"),
            ],
            turns=[
                QUESTION,
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"name": "weather", "args": {"city": "Rome"}}],
                },
                {"role": "tool", "content": "24 °C", "name": "weather"},
            ],
        ),
    ],
    scripts=[
        *_ANSWERS.common(),
        _ANSWERS.script(
            "a refusal",
            {"content": None, "refusal": "I can't help with that."},
            [],  # langchain-openai drops it from a stream
            said_beside="I can't help with that.",
            notes=["[refusal]"],
        ),
        _ANSWERS.script(
            "audio with a transcript",
            {
                "content": None,
                "audio": {
                    "id": "audio_1",
                    "data": "QUJD" * 200,
                    "expires_at": 1,
                    "transcript": "It is sunny.",
                },
            },
            [],  # langchain-openai drops it from a stream
            said_beside="It is sunny.",
            notes=["[transcript of the audio]"],
        ),
    ],
)
