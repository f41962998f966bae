"""Anthropic's messages. A script has the blocks of an answer; the events of its stream are made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from tests.conformance.prompts import COMMON, IMAGE_NOTE, IMAGE_URL, QUESTION, THOUGHT, answered, image
from tests.conformance.script import IMAGE, SECRET, STREAMS, WHOLE, WRITINGS, Prompt, Provider, Script, halves
from tests.conformance.wire import Event, named_events

# Made up: the package warns of models that will end.
_MODEL = "claude-of-the-script"
_USAGE = {"input_tokens": 12, "output_tokens": 7}
_WEATHER = {
    "name": "weather",
    "description": "The weather.",
    "input_schema": {"type": "object", "properties": {}},
}
_TOOLS = {"tools": [_WEATHER]}
_SEARCH = {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}
_CODE = {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]}
_MCP = {"mcp_servers": [{"type": "url", "url": "https://mcp.example/sse", "name": "weather"}]}
_THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4096}


def _text(text: str, *citations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": text, "citations": list(citations) or None}


def _thoughts(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": SECRET}


def _call(call_id: str, city: str, kind: str = "tool_use", name: str = "weather") -> dict[str, Any]:
    return {"type": kind, "id": call_id, "name": name, "input": {"city": city}}


def _server_call(name: str, **given: Any) -> dict[str, Any]:
    return {"type": "server_tool_use", "id": "srvtoolu_1", "name": name, "input": given}


def _result(tool: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": f"{tool}_tool_result", "tool_use_id": "srvtoolu_1", "content": content, **more}


_FOUND = {
    "type": "web_search_result",
    "title": "Rome",
    "url": "https://weather.example/rome",
    "encrypted_content": SECRET,
    "page_age": "1 day ago",
}
_CITED_PAGE = {
    "type": "web_search_result_location",
    "title": "Rome",
    "url": "https://weather.example/rome",
    "cited_text": "It is sunny.",
    "encrypted_index": SECRET,
}
_IMAGE_SOURCE = {"type": "base64", "media_type": "image/png", "data": IMAGE}
_CITED_DOCUMENT = {
    "type": "char_location",
    "cited_text": "It is sunny.",
    "document_index": 0,
    "document_title": "Weather report",
    "start_char_index": 0,
    "end_char_index": 12,
    "file_id": None,
}


def _script(name: str, *blocks: dict[str, Any], stop_reason: str = "end_turn", **seen: Any) -> Script:
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": _MODEL, "stop_sequence": None}
    begin = {**head, "content": [], "stop_reason": None, "usage": {**_USAGE, "output_tokens": 1}}
    end = {"stop_reason": stop_reason, "stop_sequence": None}
    return Script(
        name=name,
        whole={**head, "content": list(blocks), "stop_reason": stop_reason, "usage": _USAGE},
        events=[
            {"type": "message_start", "message": begin},
            {"type": "ping"},
            *(event for index, block in enumerate(blocks) for event in _events(index, block)),
            {"type": "message_delta", "delta": end, "usage": _USAGE},
            {"type": "message_stop"},
        ],
        finish_reason=stop_reason,
        **seen,
    )


def _events(index: int, block: dict[str, Any]) -> Iterator[Event]:
    """Return the events of one block: its begin, its parts and its end."""
    kind = block["type"]
    begin: dict[str, Any] = dict(block)
    parts: list[dict[str, Any]] = []
    if kind == "text":
        begin["text"], begin["citations"] = "", None
        parts = [{"type": "text_delta", "text": part} for part in halves(block["text"])]
        parts += [{"type": "citations_delta", "citation": each} for each in block["citations"] or ()]
    elif kind == "thinking":
        begin["thinking"], begin["signature"] = "", ""
        parts = [{"type": "thinking_delta", "thinking": part} for part in halves(block["thinking"])]
        parts.append({"type": "signature_delta", "signature": block["signature"]})
    elif kind.endswith("tool_use"):
        begin["input"] = {}
        pieces = ["", *halves(_json(block["input"]))] if block["input"] else [""]
        parts = [{"type": "input_json_delta", "partial_json": part} for part in pieces]
    yield {"type": "content_block_start", "index": index, "content_block": begin}
    for part in parts:
        yield {"type": "content_block_delta", "index": index, "delta": part}
    yield {"type": "content_block_stop", "index": index}


def _json(given: Any) -> str:
    """Return the arguments of a call as a stream has them. A text is JSON already, or what the model took for it."""
    return given if isinstance(given, str) else json.dumps(given)


_RAN = {"type": "bash_code_execution_result", "stdout": "4\n", "stderr": "", "return_code": 0, "content": []}

PROVIDER = Provider(
    name="anthropic",
    model_name=_MODEL,
    model=lambda url: ChatAnthropic(model=_MODEL, api_key="k", base_url=url, max_retries=0),
    stream=named_events,
    prompts=[
        *COMMON,
        image("Anthropic", {"type": "image", "source": _IMAGE_SOURCE}),
        Prompt(
            name="a mark for the cache, and what was found",
            messages=[
                SystemMessage([{**_text("Be brief."), "cache_control": {"type": "ephemeral"}}]),
                HumanMessage(
                    [
                        {
                            "type": "search_result",
                            "source": "https://weather.example",
                            "title": "Rome",
                            "content": [{"type": "text", "text": "It is sunny."}],
                        },
                        {"type": "text", "text": "How is Rome?"},
                    ]
                ),
            ],
            turns=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Rome\nhttps://weather.example\nIt is sunny.\nHow is Rome?"},
            ],
        ),
        Prompt(
            name="thoughts, a call and its result",
            messages=[
                HumanMessage("How is Rome?"),
                AIMessage([_thoughts("Rome is warm."), _text("Let me look."), _call("call_1", "Rome")]),
                HumanMessage(
                    [
                        {
                            "type": "tool_result",
                            "tool_use_id": "call_1",
                            "content": [
                                {"type": "text", "text": "24 °C"},
                                {"type": "image", "source": _IMAGE_SOURCE},
                            ],
                        },
                        {"type": "text", "text": "And in Oslo?"},
                    ]
                ),
            ],
            turns=[
                QUESTION,
                THOUGHT,
                {
                    "role": "user",
                    "content": f"24 °C\n{IMAGE_NOTE}\nAnd in Oslo?",
                    "images": [IMAGE_URL],
                },
            ],
        ),
        answered(
            "a search in the web",
            AIMessage(
                [
                    _server_call("web_search", query="weather Rome"),
                    _result("web_search", [_FOUND]),
                    _text("It is sunny.", _CITED_PAGE),
                ]
            ),
            {
                "role": "assistant",
                "content": "It is sunny.",
                "server_tools": [
                    {
                        "name": "web_search",
                        "args": {"query": "weather Rome"},
                        "id": "srvtoolu_1",
                        "result": "Rome\nhttps://weather.example/rome",
                    }
                ],
                "citations": [
                    {"title": "Rome", "url": "https://weather.example/rome", "text": "It is sunny."}
                ],
            },
        ),
    ],
    scripts=[
        _script("text", _text("It is sunny.\n\nAnd 30 °C."), text="It is sunny.\n\nAnd 30 °C."),
        _script("texts side by side", _text("It is "), _text("sunny."), options=_TOOLS, text="It is sunny."),
        _script(
            "text and a call",
            _text("Let me look."),
            _call("toolu_1", "Rome"),
            stop_reason="tool_use",
            options=_TOOLS,
            text="Let me look.",
            calls=[("weather", {"city": "Rome"})],
        ),
        _script(
            "two calls side by side",
            _call("toolu_1", "Rome"),
            _call("toolu_2", "Oslo"),
            stop_reason="tool_use",
            options=_TOOLS,
            calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})],
        ),
        _script(
            "a call without arguments",
            {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}},
            stop_reason="tool_use",
            options=_TOOLS,
            calls=[("now", {})],
        ),
        _script(
            "two calls with one id",
            _call("toolu_1", "Rome"),
            _call("toolu_1", "Oslo"),
            stop_reason="tool_use",
            options=_TOOLS,
            calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})],
        ),
        _script(
            "a call without an id",
            {**_call("", "Rome"), "id": None},
            stop_reason="tool_use",
            options=_TOOLS,
            calls=[("weather", {"city": "Rome"})],
        ),
        _script(
            "a call that nobody can read",
            {**_call("toolu_1", ""), "input": '["Rome", oops'},
            stop_reason="tool_use",
            options=_TOOLS,
            ways=STREAMS,
            invalid_calls=[("weather", '["Rome", oops')],
        ),
        _script(
            "arguments that are no object",
            {**_call("toolu_1", ""), "input": '["Rome", oops'},
            options=_TOOLS,
            ways=WHOLE,
            unreadable=True,
        ),
        _script(
            "a call that is cut off by the length",
            {**_call("toolu_1", ""), "input": '{"city": "Ro'},
            stop_reason="max_tokens",
            options=_TOOLS,
            ways=STREAMS,
            calls=[("weather", {"city": "Ro"})],  # LangChain completes it
        ),
        _script(
            "thoughts",
            _thoughts("Rome is warm. So it is sunny."),
            _text("It is sunny."),
            options=_THINKING,
            text="It is sunny.",
            reasoning="Rome is warm. So it is sunny.",
        ),
        _script(
            "thoughts that nobody asked for: strings among blocks",
            _thoughts("Rome is warm. So it is sunny."),
            _text("It is sunny."),
            text="It is sunny.",
            reasoning="Rome is warm. So it is sunny.",
        ),
        _script(
            "thoughts between calls",
            _thoughts("I need the weather."),
            _text("Let me look."),
            _call("toolu_1", "Rome"),
            stop_reason="tool_use",
            options={**_THINKING, **_TOOLS},
            text="Let me look.",
            calls=[("weather", {"city": "Rome"})],
            reasoning="I need the weather.",
        ),
        _script(
            "thoughts between texts and calls",
            _thoughts("Rome is warm."),
            _text("It is "),
            _thoughts("So it is sunny."),
            _text("sunny."),
            _call("toolu_1", "Rome"),
            stop_reason="tool_use",
            options={**_THINKING, **_TOOLS},
            text="It is sunny.",
            calls=[("weather", {"city": "Rome"})],
            reasoning="Rome is warm.\nSo it is sunny.",
        ),
        _script(
            "thoughts between texts, and nobody asked for them",
            _text("It is "),
            _thoughts("Rome is warm."),
            _text("sunny."),
            text="It is sunny.",
            reasoning="Rome is warm.",
        ),
        _script(
            "thoughts that are hidden",
            {"type": "redacted_thinking", "data": SECRET},
            _text("It is sunny."),
            options=_THINKING,
            text="It is sunny.",
            notes=["[thoughts that the provider hides]"],
        ),
        _script(
            "a search in the web",
            _text("I look it up. "),
            _server_call("web_search", query="weather Rome"),
            _result("web_search", [_FOUND]),
            _text("It is sunny.", _CITED_PAGE),
            options=_SEARCH,
            text="I look it up. It is sunny.",
            server_tools=[("web_search", "https://weather.example/rome")],
            citations=["https://weather.example/rome"],
        ),
        _script(
            "a search that fails",
            _server_call("web_search", query="weather Rome"),
            _result(
                "web_search", {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
            ),
            _text("I don't know."),
            options=_SEARCH,
            text="I don't know.",
            server_tools=[("web_search", "max_uses_exceeded")],
        ),
        _script(
            "code",
            _server_call("bash_code_execution", command="echo 4"),
            _result("bash_code_execution", _RAN),
            _text("It is 4."),
            options=_CODE,
            text="It is 4.",
            server_tools=[("bash_code_execution", "4")],
        ),
        _script(
            "a tool of an MCP server",
            {
                "type": "mcp_tool_use",
                "id": "srvtoolu_1",
                "name": "forecast",
                "server_name": "weather",
                "input": {"city": "Rome"},
            },
            _result("mcp", [{"type": "text", "text": "sunny", "citations": None}], is_error=False),
            _text("It is sunny."),
            options=_MCP,
            text="It is sunny.",
            server_tools=[("forecast", "sunny")],
        ),
        _script(
            "sources in a document",
            _text("It is sunny.", _CITED_DOCUMENT),
            options=_TOOLS,
            text="It is sunny.",
            citations=["Weather report"],
        ),
        _script("a refusal", _text("I can't"), stop_reason="refusal", text="I can't"),
        _script("cut off by the length", _text("It is"), stop_reason="max_tokens", text="It is"),
        _script("an empty answer"),
        _script("an answer of spaces", _text(" \n"), text=" \n"),
        _script("characters that arrive in pieces", _text(WRITINGS), text=WRITINGS, cut=True),
    ],
)
