"""`Responses`: answers in the shape of OpenAI's responses, which xAI copies.

A script has the items of an answer; the events of its stream are made of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance.script import SECRET, STREAMS, WHOLE, WRITINGS, Script, halves
from tests.conformance.wire import Event

_ROME = ("weather", {"city": "Rome"})
_OSLO = ("weather", {"city": "Oslo", "days": 2})
_USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 19,
}


def message(*parts: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """Return an item with texts."""
    return {
        "type": "message",
        "id": f"msg_{number}",
        "role": "assistant",
        "status": "completed",
        "content": list(parts),
    }


def text(text: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    """Return a text, with its sources."""
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def thoughts(*summaries: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """Return thoughts."""
    summary = [{"type": "summary_text", "text": text} for text in summaries]
    return {"type": "reasoning", "id": f"rs_{number}", "summary": summary, **more}


def call(number: int, name: str, arguments: str) -> dict[str, Any]:
    """Return a call of a tool of the application."""
    return {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def tool(kind: str, **fields: Any) -> dict[str, Any]:
    """Return a call of a tool of the provider, with its result."""
    return {"type": kind, "id": f"{kind}_1", "status": "completed", **fields}


@dataclass(frozen=True, kw_only=True)
class Responses:
    """The answers of one provider.

    Attributes:
        model: The name of the model in the answers.
    """

    model: str

    def common(self) -> list[Script]:
        """Return the shapes that all of these providers have."""
        return [
            self.script(
                "text", message(text("It is sunny.\n\nAnd 30 °C.")), text="It is sunny.\n\nAnd 30 °C."
            ),
            self.script("two parts of a text", message(text("It is "), text("sunny.")), text="It is sunny."),
            self.script(
                "text and a call",
                message(text("Let me look.")),
                call(1, "weather", json.dumps(_ROME[1])),
                text="Let me look.",
                calls=[_ROME],
            ),
            self.script(
                "two calls side by side",
                call(1, "weather", json.dumps(_ROME[1])),
                call(2, "weather", json.dumps(_OSLO[1])),
                calls=[_ROME, _OSLO],
            ),
            self.script(
                "a call without arguments",
                call(1, "now", "{}"),
                calls=[("now", {})],
            ),
            self.script(
                "two calls with one id",
                call(1, "weather", json.dumps(_ROME[1])),
                {**call(2, "weather", json.dumps(_OSLO[1])), "call_id": "call_1"},
                calls=[_ROME, _OSLO],
            ),
            self.script(
                "a call without an id",
                {**call(1, "weather", json.dumps(_ROME[1])), "call_id": None},
                calls=[_ROME],
            ),
            self.script(
                "a call that nobody can read",
                call(1, "weather", '["Rome", oops'),
                invalid_calls=[("weather", '["Rome", oops')],
            ),
            self.script(
                "thoughts",
                thoughts("Rome is warm.", "So it is sunny.", encrypted_content=SECRET),
                message(text("It is sunny.")),
                text="It is sunny.",
                reasoning="Rome is warm.\nSo it is sunny.",
            ),
            self.script("cut off by the length", message(text("It is")), status="incomplete", text="It is"),
            self.script("an empty answer"),
            self.script(
                "a call that is cut off by the length",
                call(1, "weather", '{"city": "Ro'),
                status="incomplete",
                ways=WHOLE,
                invalid_calls=[("weather", '{"city": "Ro')],
            ),
            self.script(
                "a call that is cut off by the length, streamed",
                call(1, "weather", '{"city": "Ro'),
                status="incomplete",
                ways=STREAMS,
                calls=[("weather", {"city": "Ro"})],  # LangChain completes it
            ),
            self.script(
                "thoughts between texts and calls",
                thoughts("Rome is warm."),
                message(text("It is ")),
                thoughts("So it is sunny.", number=2),
                message(text("sunny."), number=2),
                call(1, "weather", json.dumps(_ROME[1])),
                text="It is sunny.",
                calls=[_ROME],
                reasoning="Rome is warm.\nSo it is sunny.",
                lost_in=["v0"],
            ),
            self.script("an answer of spaces", message(text(" \n")), text=" \n"),
            self.script("characters that arrive in pieces", message(text(WRITINGS)), text=WRITINGS, cut=True),
        ]

    def script(self, name: str, *items: dict[str, Any], status: str = "completed", **seen: Any) -> Script:
        """Return a script.

        Args:
            name: Its name.
            items: The items of the answer.
            status: How the answer ended.
            seen: What an application sees.
        """
        head = {
            "id": "resp_1",
            "object": "response",
            "created_at": 1760000000,
            "model": self.model,
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
            for part in halves(item["arguments"])
        ]
    elif item["type"] == "reasoning":
        begin = {**item, "summary": []}
        for number, summary in enumerate(item["summary"]):
            here = {**place, "summary_index": number}
            empty = {**summary, "text": ""}
            parts.append({"type": "response.reasoning_summary_part.added", "part": empty, **here})
            parts += [
                {"type": "response.reasoning_summary_text.delta", "delta": part, **here}
                for part in halves(summary["text"])
            ]
    yield {"type": "response.output_item.added", "output_index": index, "item": begin}
    yield from parts
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _events_of_part(place: dict[str, Any], part: dict[str, Any]) -> Iterator[Event]:
    if part["type"] == "refusal":
        yield {"type": "response.content_part.added", "part": {**part, "refusal": ""}, **place}
        for piece in halves(part["refusal"]):
            yield {"type": "response.refusal.delta", "delta": piece, **place}
        yield {"type": "response.refusal.done", "refusal": part["refusal"], **place}
    else:
        yield {
            "type": "response.content_part.added",
            "part": {**part, "text": "", "annotations": []},
            **place,
        }
        for piece in halves(part["text"]):
            yield {"type": "response.output_text.delta", "delta": piece, "logprobs": [], **place}
        for number, annotation in enumerate(part["annotations"]):
            added = {"annotation_index": number, "annotation": annotation, **place}
            yield {"type": "response.output_text.annotation.added", **added}
        yield {"type": "response.output_text.done", "text": part["text"], "logprobs": [], **place}
    yield {"type": "response.content_part.done", "part": part, **place}
