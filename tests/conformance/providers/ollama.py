"""Ollama. LangChain asks it for a stream always, also to `invoke`."""

from __future__ import annotations

from typing import Any

from langchain_ollama import ChatOllama

from tests.conformance.prompts import A_CALL, IMAGES
from tests.conformance.script import WRITINGS, Provider, Script
from tests.conformance.wire import json_lines

_MODEL = "qwen3:0.6b"


def _script(name: str, *parts: dict[str, Any], done_reason: str = "stop", **seen: Any) -> Script:
    head = {"model": _MODEL, "created_at": "2025-11-01T00:00:00Z"}
    counts = {"prompt_eval_count": 12, "eval_count": 7, "total_duration": 5}
    events = [
        *({**head, "message": {"role": "assistant", "content": "", **part}, "done": False} for part in parts),
        {
            **head,
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": done_reason,
            **counts,
        },
    ]
    return Script(name=name, events=events, finish_reason=done_reason, **seen)


def _calls(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"tool_calls": [{"function": {"name": name, "arguments": args}} for name, args in calls]}


_ROME = ("weather", {"city": "Rome"})
_OSLO = ("weather", {"city": "Oslo", "days": 2})


PROVIDER = Provider(
    name="ollama",
    model_name=_MODEL,
    model=lambda url: ChatOllama(model=_MODEL, base_url=url, reasoning=True),
    stream=json_lines,
    streams_always=True,
    prompts=[*IMAGES, A_CALL],
    scripts=[
        _script("text", {"content": "It is "}, {"content": "sunny."}, text="It is sunny."),
        _script("one call", _calls(_ROME), calls=[_ROME]),
        _script("two calls side by side", _calls(_ROME, _OSLO), calls=[_ROME, _OSLO]),
        _script("calls one after the other", _calls(_ROME), _calls(_OSLO), calls=[_ROME, _OSLO]),
        _script(
            "text and a call", {"content": "Let me look."}, _calls(_ROME), text="Let me look.", calls=[_ROME]
        ),
        _script("a call without arguments", _calls(("now", {})), calls=[("now", {})]),
        _script(
            "arguments that are no object",
            {"content": "Let me look."},
            {"tool_calls": [{"function": {"name": "weather", "arguments": '["Rome", oops'}}]},
            text="Let me look.",
            unreadable=True,
        ),
        _script(
            "thoughts",
            {"thinking": "Rome is warm. "},
            {"thinking": "So it is sunny."},
            {"content": "It is sunny."},
            text="It is sunny.",
            reasoning="Rome is warm. So it is sunny.",
        ),
        _script("cut off by the length", {"content": "It is"}, done_reason="length", text="It is"),
        _script("two calls that are the same", _calls(_ROME, _ROME), calls=[_ROME, _ROME]),
        _script(
            "a thought after a text",
            {"thinking": "Rome is warm."},
            {"content": "It is "},
            {"thinking": " So it is sunny."},
            {"content": "sunny."},
            text="It is sunny.",
            reasoning="Rome is warm. So it is sunny.",
        ),
        _script("an empty answer"),
        _script("an answer of spaces", {"content": " \n"}, text=" \n"),
        _script("characters that arrive in pieces", {"content": WRITINGS}, text=WRITINGS, cut=True),
    ],
)
