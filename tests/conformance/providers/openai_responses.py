"""OpenAI's responses. A script has the items of an answer; the events of its stream are made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_openai import ChatOpenAI

from tests.conformance.script import SECRET, Provider, Script
from tests.conformance.wire import Event, named_events

_MODEL = "gpt-5.1-2025-11-13"
_IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 19,
}


def _message(*parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": list(parts),
    }


def _text(text: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def _thoughts(*summaries: str, **more: Any) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text} for text in summaries]
    return {"type": "reasoning", "id": "rs_1", "summary": summary, **more}


def _call(number: int, name: str, arguments: str) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def _tool(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "id": f"{kind}_1", "status": "completed", **fields}


def _script(name: str, *items: dict[str, Any], status: str = "completed", **seen: Any) -> Script:
    head = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1760000000,
        "model": _MODEL,
        "error": None,
        "incomplete_details": None if status == "completed" else {"reason": "max_output_tokens"},
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
    }
    whole = {**head, "status": status, "output": list(items), "usage": _USAGE}
    begin = {**head, "status": "in_progress", "output": [], "usage": None}
    events = [
        {"type": "response.created", "response": begin},
        *(event for index, item in enumerate(items) for event in _events(index, item)),
        {"type": f"response.{status}", "response": whole},
    ]
    return Script(
        name=name,
        whole=whole,
        events=[{**event, "sequence_number": number} for number, event in enumerate(events)],
        finish_reason=status,
        **seen,
    )


def _events(index: int, item: dict[str, Any]) -> Iterator[Event]:
    """Return the events of one item: its begin, its parts and its end."""
    place = {"output_index": index, "item_id": item["id"]}
    begin, parts = item, list[Event]()
    if item["type"] == "message":
        begin = {**item, "content": [], "status": "in_progress"}
        for number, part in enumerate(item["content"]):
            parts += _events_of_part({**place, "content_index": number}, part)
    elif item["type"] == "function_call":
        begin = {**item, "arguments": "", "status": "in_progress"}
        parts = [
            {"type": "response.function_call_arguments.delta", "delta": part, **place}
            for part in _halves(item["arguments"])
        ]
    elif item["type"] == "reasoning":
        begin = {**item, "summary": []}
        for number, summary in enumerate(item["summary"]):
            here = {**place, "summary_index": number}
            empty = {**summary, "text": ""}
            parts.append({"type": "response.reasoning_summary_part.added", "part": empty, **here})
            parts += [
                {"type": "response.reasoning_summary_text.delta", "delta": part, **here}
                for part in _halves(summary["text"])
            ]
    yield {"type": "response.output_item.added", "output_index": index, "item": begin}
    yield from parts
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _events_of_part(place: dict[str, Any], part: dict[str, Any]) -> Iterator[Event]:
    if part["type"] == "refusal":
        yield {"type": "response.content_part.added", "part": {**part, "refusal": ""}, **place}
        for piece in _halves(part["refusal"]):
            yield {"type": "response.refusal.delta", "delta": piece, **place}
        yield {"type": "response.refusal.done", "refusal": part["refusal"], **place}
    else:
        yield {
            "type": "response.content_part.added",
            "part": {**part, "text": "", "annotations": []},
            **place,
        }
        for piece in _halves(part["text"]):
            yield {"type": "response.output_text.delta", "delta": piece, "logprobs": [], **place}
        for number, annotation in enumerate(part["annotations"]):
            added = {"annotation_index": number, "annotation": annotation, **place}
            yield {"type": "response.output_text.annotation.added", **added}
        yield {"type": "response.output_text.done", "text": part["text"], "logprobs": [], **place}
    yield {"type": "response.content_part.done", "part": part, **place}


def _halves(text: str) -> Sequence[str]:
    middle = len(text) // 2
    return [text[:middle], text[middle:]]


_CITED_PAGE = {
    "type": "url_citation",
    "url": "https://weather.example/rome",
    "title": "Rome",
    "start_index": 0,
    "end_index": 12,
}
_CITED_FILE = {"type": "file_citation", "file_id": "file_1", "filename": "weather.pdf", "index": 12}
_ROME = ("weather", {"city": "Rome"})
_OSLO = ("weather", {"city": "Oslo", "days": 2})
_FOUND = {
    "file_id": "file_1",
    "filename": "weather.pdf",
    "score": 0.9,
    "text": "Rome: sunny.",
    "attributes": {},
}

PROVIDER = Provider(
    name="openai_responses",
    model_name=_MODEL,
    model=lambda url: ChatOpenAI(
        model="gpt-5.1", api_key="k", base_url=f"{url}/v1", max_retries=0, use_responses_api=True
    ),
    stream=named_events,
    scripts=[
        _script("text", _message(_text("It is sunny.\n\nAnd 30 °C.")), text="It is sunny.\n\nAnd 30 °C."),
        _script("two parts of a text", _message(_text("It is "), _text("sunny.")), text="It is sunny."),
        _script(
            "text and a call",
            _message(_text("Let me look.")),
            _call(1, "weather", json.dumps(_ROME[1])),
            text="Let me look.",
            calls=[_ROME],
        ),
        _script(
            "two calls side by side",
            _call(1, "weather", json.dumps(_ROME[1])),
            _call(2, "weather", json.dumps(_OSLO[1])),
            calls=[_ROME, _OSLO],
        ),
        _script(
            "a call that nobody can read",
            _call(1, "weather", '["Rome", oops'),
            invalid_calls=[("weather", '["Rome", oops')],
        ),
        _script(
            "a call with a text as its argument",
            _tool("custom_tool_call", call_id="call_1", name="run", input="print(4)"),
            calls=[("run", {"__arg1": "print(4)"})],
        ),
        _script(
            "thoughts",
            _thoughts("Rome is warm.", "So it is sunny.", encrypted_content=SECRET),
            _message(_text("It is sunny.")),
            text="It is sunny.",
            reasoning="Rome is warm.\nSo it is sunny.",
        ),
        _script(
            "thoughts that are hidden",
            _thoughts(encrypted_content=SECRET),
            _message(_text("It is sunny.")),
            text="It is sunny.",
        ),
        _script(
            "a search in the web",
            _tool(
                "web_search_call",
                action={
                    "type": "search",
                    "query": "weather Rome",
                    "sources": [{"type": "url", "url": "https://weather.example/rome"}],
                },
            ),
            _message(_text("It is sunny.", _CITED_PAGE)),
            text="It is sunny.",
            server_tools=[("web_search", "https://weather.example/rome")],
            citations=["https://weather.example/rome"],
        ),
        _script(
            "a search in files",
            _tool("file_search_call", queries=["weather Rome"], results=[_FOUND]),
            _message(_text("It is sunny.", _CITED_FILE)),
            text="It is sunny.",
            server_tools=[("file_search", "weather.pdf\nRome: sunny.")],
            citations=["weather.pdf"],
        ),
        _script(
            "code",
            _tool(
                "code_interpreter_call",
                code="print(4)",
                container_id="cntr_1",
                outputs=[{"type": "logs", "logs": "4\n"}],
            ),
            _message(_text("It is 4.")),
            text="It is 4.",
            server_tools=[("code_interpreter", "4")],
        ),
        _script(
            "a tool of an MCP server",
            {
                "type": "mcp_list_tools",
                "id": "mcpl_1",
                "server_label": "weather",
                "tools": [{"name": "forecast", "input_schema": {"type": "object"}}],
            },
            _tool(
                "mcp_call",
                name="forecast",
                server_label="weather",
                arguments='{"city": "Rome"}',
                output="sunny",
                error=None,
            ),
            _message(_text("It is sunny.")),
            text="It is sunny.",
            server_tools=[("forecast", "sunny")],
        ),
        _script(
            "an image",
            _tool(
                "image_generation_call",
                result=_IMAGE,
                output_format="png",
                revised_prompt="A sunny day in Rome",
            ),
            _message(_text("Here it is.")),
            text="Here it is.",
            notes=["[image: image/png"],
            images=1,
        ),
        _script(
            "a refusal",
            _message({"type": "refusal", "refusal": "I can't help with that."}),
            said_beside="I can't help with that.",
            notes=["[refusal]"],
        ),
        _script("cut off by the length", _message(_text("It is")), status="incomplete", text="It is"),
        _script("an empty answer"),
    ],
)
