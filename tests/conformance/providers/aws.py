"""Bedrock's Converse. A script has the blocks of an answer; the events of its stream are made of them."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from langchain_aws import ChatBedrockConverse
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from tests.conformance.prompts import (
    A_CALL,
    CALL,
    CALLED,
    IMAGE_NOTE,
    IMAGE_URL,
    IMAGES,
    QUESTION,
    STANDARD_CALL,
    THOUGHT,
    image,
)
from tests.conformance.script import IMAGE, SECRET, STREAMS, WHOLE, WRITINGS, Prompt, Provider, Script, halves
from tests.conformance.wire import Event, aws_event_stream

_MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def _text(text: str) -> dict[str, Any]:
    return {"text": text}


def _thoughts(text: str) -> dict[str, Any]:
    return {"reasoningContent": {"reasoningText": {"text": text, "signature": SECRET}}}


def _call(call_id: str, given: Any, name: str = "weather") -> dict[str, Any]:
    return {"toolUse": {"toolUseId": call_id, "name": name, "input": given}}


def _script(name: str, *blocks: dict[str, Any], stop_reason: str = "end_turn", **more: Any) -> Script:
    counts = {
        "usage": {"inputTokens": 12, "outputTokens": 7, "totalTokens": 19},
        "metrics": {"latencyMs": 5},
    }
    message = {"role": "assistant", "content": list(blocks)}
    events = [
        {"messageStart": {"role": "assistant"}},
        *(event for index, block in enumerate(blocks) for event in _events(index, block)),
        {"messageStop": {"stopReason": stop_reason}},
        {"metadata": counts},
    ]
    return Script(
        name=name,
        whole={"output": {"message": message}, "stopReason": stop_reason, **counts},
        events=events,
        finish_reason=stop_reason,
        **more,
    )


def _events(index: int, block: dict[str, Any]) -> Iterator[Event]:
    """Return the events of one block: its begin if it has one, its parts and its end."""
    ((kind, held),) = block.items()
    place = {"contentBlockIndex": index}
    deltas: list[dict[str, Any]]
    if kind == "text":
        deltas = [{"text": part} for part in halves(held)]
    elif kind == "toolUse":
        start = {key: value for key, value in held.items() if key != "input"}
        yield {"contentBlockStart": {"start": {"toolUse": start}, **place}}
        deltas = [{"toolUse": {"input": part}} for part in halves(_json(held["input"]))]
    elif kind == "toolResult":
        start = {key: value for key, value in held.items() if key != "content"}
        yield {"contentBlockStart": {"start": {"toolResult": start}, **place}}
        deltas = [{"toolResult": [part]} for part in held["content"]]
    elif kind == "citationsContent":
        deltas = [*held["content"], *({"citation": citation} for citation in held["citations"])]
    elif "reasoningText" in held:
        thought = held["reasoningText"]
        deltas = [{"reasoningContent": {"text": part}} for part in halves(thought["text"])]
        deltas.append({"reasoningContent": {"signature": thought["signature"]}})
    else:
        deltas = [{"reasoningContent": held}]
    for delta in deltas:
        yield {"contentBlockDelta": {"delta": delta, **place}}
    yield {"contentBlockStop": place}


def _json(given: Any) -> str:
    """Return the arguments of a call as a stream has them. A text is JSON already, or what the model took for it."""
    return given if isinstance(given, str) else json.dumps(given)


def _result(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": "tooluse_1", "type": kind, "status": "success", "content": [content]}}


_IMAGE_BLOCK = {"image": {"format": "png", "source": {"bytes": b64decode(IMAGE)}}}
_SEARCH = (
    {
        "toolUse": {
            "toolUseId": "tooluse_1",
            "name": "nova_grounding",
            "input": {"query": "weather Rome"},
            "type": "server_tool_use",
        }
    },
    _result("nova_grounding_result", {"text": "Rome: sunny."}),
    {
        "citationsContent": {
            "content": [{"text": "It is sunny."}],
            "citations": [{"location": {"web": {"url": "https://weather.example/rome"}}}],
        }
    },
)

PROVIDER = Provider(
    name="aws",
    model_name=_MODEL,
    model=lambda url: ChatBedrockConverse(
        model=_MODEL,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="k",
    ),
    stream=aws_event_stream,
    prompts=[
        *IMAGES,
        A_CALL,
        STANDARD_CALL,  # a tool of a provider in standard blocks makes a KeyError in langchain-aws
        image("Bedrock", _IMAGE_BLOCK),
        Prompt(
            name="marks for a cache, and guarded text",
            messages=[
                SystemMessage([{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]),
                HumanMessage(
                    [
                        {"guardContent": {"text": {"text": "How is Rome?", "qualifiers": ["query"]}}},
                        {"cachePoint": {"type": "default"}},
                    ]
                ),
            ],
            turns=[{"role": "system", "content": "Be brief."}, QUESTION],
        ),
        Prompt(
            name="thoughts, a call and its result",
            messages=[
                HumanMessage([_text("How is Rome?")]),
                AIMessage(
                    [
                        _thoughts("Rome is warm."),
                        _text("Let me look."),
                        _call("call_1", {"city": "Rome"}),
                    ]
                ),
                HumanMessage(
                    [
                        {
                            "toolResult": {
                                "toolUseId": "call_1",
                                "status": "success",
                                "content": [_text("24 °C"), {"json": {"celsius": 24}}, _IMAGE_BLOCK],
                            }
                        },
                        _text("And in Oslo?"),
                    ]
                ),
            ],
            turns=[
                QUESTION,
                THOUGHT,
                {
                    "role": "user",
                    "content": f'24 °C\n{{"celsius": 24}}\n{IMAGE_NOTE}\nAnd in Oslo?',
                    "images": [IMAGE_URL],
                },
            ],
        ),
        Prompt(
            name="a result that is data",
            messages=[
                HumanMessage("How is Rome?"),
                AIMessage("Let me look.", tool_calls=[CALL]),
                ToolMessage([{"json": {"celsius": 24}}], tool_call_id="call_1"),
            ],
            turns=[
                QUESTION,
                CALLED,
                {"role": "tool", "content": '{"celsius": 24}', "tool_call_id": "call_1"},
            ],
        ),
    ],
    scripts=[
        _script("text", _text("It is sunny.\n\nAnd 30 °C."), text="It is sunny.\n\nAnd 30 °C."),
        _script("texts side by side", _text("It is "), _text("sunny."), text="It is sunny."),
        _script(
            "text and a call",
            _text("Let me look."),
            _call("tooluse_1", {"city": "Rome"}),
            stop_reason="tool_use",
            text="Let me look.",
            calls=[("weather", {"city": "Rome"})],
        ),
        _script(
            "two calls side by side",
            _call("tooluse_1", {"city": "Rome"}),
            _call("tooluse_2", {"city": "Oslo"}),
            stop_reason="tool_use",
            calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})],
        ),
        _script(
            "a call without arguments",
            _call("tooluse_1", {}, "now"),
            stop_reason="tool_use",
            calls=[("now", {})],
        ),
        _script(
            "two calls with one id",
            _call("tooluse_1", {"city": "Rome"}),
            _call("tooluse_1", {"city": "Oslo"}),
            stop_reason="tool_use",
            calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})],
        ),
        _script(
            "a call without an id",
            _call("", {"city": "Rome"}),
            stop_reason="tool_use",
            calls=[("weather", {"city": "Rome"})],
        ),
        _script(
            "a call that nobody can read",
            _call("tooluse_1", '["Rome", oops'),
            stop_reason="tool_use",
            ways=STREAMS,
            invalid_calls=[("weather", '["Rome", oops')],
        ),
        _script(
            "arguments that are no object", _call("tooluse_1", '["Rome", oops'), ways=WHOLE, unreadable=True
        ),
        _script(
            "a call that is cut off by the length",
            _call("tooluse_1", '{"city": "Ro'),
            stop_reason="max_tokens",
            ways=STREAMS,
            calls=[("weather", {"city": "Ro"})],  # LangChain completes it
        ),
        _script(
            "thoughts",
            _thoughts("Rome is warm. So it is sunny."),
            _text("It is sunny."),
            text="It is sunny.",
            reasoning="Rome is warm. So it is sunny.",
        ),
        _script(
            "thoughts between texts and calls",
            _thoughts("Rome is warm."),
            _text("It is "),
            _thoughts("So it is sunny."),
            _text("sunny."),
            _call("tooluse_1", {"city": "Rome"}),
            stop_reason="tool_use",
            text="It is sunny.",
            calls=[("weather", {"city": "Rome"})],
            reasoning="Rome is warm.\nSo it is sunny.",
        ),
        _script(
            "thoughts that are hidden",
            {"reasoningContent": {"redactedContent": SECRET}},
            _text("It is sunny."),
            text="It is sunny.",
            notes=["[thoughts that the provider hides]"],
        ),
        _script(
            "a search in the web",
            *_SEARCH,
            ways=WHOLE,
            text="It is sunny.",
            server_tools=[("nova_grounding", "Rome: sunny.")],
            citations=["https://weather.example/rome"],
        ),
        _script(
            "a search in the web, streamed",
            *_SEARCH,
            ways=STREAMS,
            sent_back=False,  # langchain-aws raises a KeyError
            text="It is sunny.",
            # langchain-aws makes of the arguments a call without a name, besides.
            calls=[("", {"query": "weather Rome"})],
            server_tools=[("nova_grounding", "Rome: sunny.")],
            citations=["https://weather.example/rome"],
        ),
        _script(
            "code",
            {
                "toolUse": {
                    "toolUseId": "tooluse_1",
                    "name": "nova_code_interpreter",
                    "input": {"snippet": "print(4)"},
                    "type": "server_tool_use",
                }
            },
            _result("nova_code_interpreter_result", {"json": {"stdOut": "4\n", "stdErr": "", "exitCode": 0}}),
            _text("It is 4."),
            ways=WHOLE,
            text="It is 4.",
            server_tools=[("nova_code_interpreter", "4")],
        ),
        _script(
            "sources in a document",
            _text("It is "),
            {
                "citationsContent": {
                    "content": [{"text": "sunny."}],
                    "citations": [
                        {
                            "title": "Weather report",
                            "sourceContent": [{"text": "Rome: sunny."}],
                            "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 12}},
                        }
                    ],
                }
            },
            text="It is sunny.",
            citations=["Weather report"],
        ),
        _script(
            "an image",
            _text("Here it is."),
            {"image": {"format": "png", "source": {"bytes": IMAGE}}},
            ways=WHOLE,  # langchain-aws cannot stream an image
            text="Here it is.",
            notes=["[image: image/png"],
            images=1,
        ),
        _script("cut off by the length", _text("It is"), stop_reason="max_tokens", text="It is"),
        _script("a guard that steps in", _text("No."), stop_reason="guardrail_intervened", text="No."),
        _script("an empty answer"),
        _script("an answer of spaces", _text(" \n"), text=" \n"),
        _script("characters that arrive in pieces", _text(WRITINGS), text=WRITINGS, cut=True),
    ],
)
