"""Answers of a model that does what it is asked: it calls the tools it is offered, and then answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.support.openai_stub import Reply, Request, call_tool, say


def oblige(request: Request) -> Reply:
    """Call the first tool that was not called yet, else answer; `n` answers differ from each other."""
    asked = request.last_text
    if schema := (request.body.get("response_format") or {}).get("json_schema"):
        return say(json.dumps(_example(schema["schema"], asked)))
    if tool := _next_tool(request.body):
        return call_tool(tool["name"], _example(tool["parameters"], asked))
    number = request.body.get("n") or 1
    texts = [f"About {asked[:60]!r}: it depends." if len(asked) > 0 else "Hello."] * number
    return say(*(f"{text} That is answer {place}." for place, text in enumerate(texts, 1)))


def _next_tool(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    turns = body.get("messages", [])
    last_question = max((place for place, turn in enumerate(turns) if turn["role"] == "user"), default=0)
    called = {
        call["function"]["name"] for turn in turns[last_question:] for call in turn.get("tool_calls") or ()
    }
    tools = [tool["function"] for tool in body.get("tools") or ()]
    return next((tool for tool in tools if tool["name"] not in called), None)


def _example(schema: Mapping[str, Any], asked: str) -> Any:
    """Return a value that fits the schema; texts are the last name in the question."""
    kind = schema.get("type")
    if kind == "object":
        return {name: _example(inner, asked) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_example(schema.get("items", {}), asked)]
    names = re.findall(r"\b[A-Z]\w+", asked)
    values = {"string": names[-1] if names else "something", "integer": 1, "number": 1.0, "boolean": True}
    return schema["enum"][0] if "enum" in schema else values.get(kind)
