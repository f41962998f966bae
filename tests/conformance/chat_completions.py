"""`ChatCompletions`: answers in the shape that OpenAI began, and that many providers copy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tests.conformance.script import STREAMS, WHOLE, WRITINGS, Script, halves
from tests.conformance.wire import Event

_USAGE = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}


@dataclass(frozen=True, kw_only=True)
class ChatCompletions:
    """The answers of one provider.

    Attributes:
        model: The name of the model in the answers.
        usage: Where a stream has its token counts: in an event of their own, in the last event, or in Groq's own key.
        splits_arguments: Whether the arguments of a call come in pieces.
    """

    model: str
    usage: Literal["apart", "last", "x_groq"]
    splits_arguments: bool = True

    def script(
        self,
        name: str,
        message: Mapping[str, Any],
        deltas: Sequence[Mapping[str, Any]],
        *,
        finish_reason: str = "stop",
        beside: Mapping[str, Any] | None = None,
        **seen: Any,
    ) -> Script:
        """Return a script.

        Args:
            name: Its name.
            message: The message, when it comes at once.
            deltas: Its parts, when it comes as a stream.
            finish_reason: Why the model stopped.
            beside: What the answer has beside its choices, and the last event of a stream.
            seen: What an application sees.
        """
        return Script(
            name=name,
            whole=self._whole(message, finish_reason, beside or {}),
            events=self._events(deltas, finish_reason, beside or {}) if deltas else None,
            finish_reason=finish_reason,
            **seen,
        )

    def common(self) -> list[Script]:
        """Return the shapes that all of these providers have."""
        rome = ("weather", {"city": "Rome"})
        oslo = ("weather", {"city": "Oslo", "days": 2})
        return [
            self.script(
                "text", {"content": "It is sunny."}, [{"content": "It is sunny."}], text="It is sunny."
            ),
            self.script(
                "text in chunks",
                {"content": "It is sunny.\n\nAnd 30 °C."},
                [{"content": part} for part in ("It ", "is", " sunny.\n", "\nAnd 30 °C.")],
                text="It is sunny.\n\nAnd 30 °C.",
            ),
            self._calls("one call", [rome], content=None),
            self._calls("two calls side by side", [rome, oslo], content=None),
            self._calls("text and a call", [rome], content="Let me look."),
            self._calls("a call without arguments", [("now", {})], content=None),
            self._calls("two calls with one id", [rome, oslo], content=None, id="call_0"),
            self._calls("a call without an id", [rome], content=None, id=None),
            self._broken_call("a call that nobody can read", '["Rome", oops'),
            self._broken_call(
                "a call that is cut off by the length",
                '{"city": "Ro',
                finish_reason="length",
                invalid_calls=[("weather", '{"city": "Ro')],
                ways=WHOLE,
            ),
            self._broken_call(
                "a call that is cut off by the length, streamed",
                '{"city": "Ro',
                finish_reason="length",
                calls=[("weather", {"city": "Ro"})],  # LangChain completes it
                ways=STREAMS,
            ),
            self.script(
                "cut off by the length",
                {"content": "It is"},
                [{"content": "It"}, {"content": " is"}],
                finish_reason="length",
                text="It is",
            ),
            self.script("an empty answer", {"content": ""}, [{"content": ""}]),
            self.script("an answer of spaces", {"content": " \n"}, [{"content": " \n"}], text=" \n"),
            self.script(
                "characters that arrive in pieces",
                {"content": WRITINGS},
                [{"content": WRITINGS}],
                text=WRITINGS,
                cut=True,
            ),
        ]

    def thoughts(self, key: str) -> Script:
        """Return a script of thoughts in a field of their own."""
        return self.script(
            "thoughts",
            {"content": "It is sunny.", key: "Rome is warm. So it is sunny."},
            [{key: "Rome is warm. "}, {key: "So it is sunny."}, {"content": "It is "}, {"content": "sunny."}],
            text="It is sunny.",
            reasoning="Rome is warm. So it is sunny.",
        )

    def _calls(
        self, name: str, calls: Sequence[tuple[str, dict[str, Any]]], *, content: str | None, **more: Any
    ) -> Script:
        whole = [
            {**_call(place, called, json.dumps(args)), **more} for place, (called, args) in enumerate(calls)
        ]
        message = {"content": content, "tool_calls": [_without_index(call) for call in whole]}
        deltas: list[dict[str, Any]] = [{"content": content}] if content else []
        if self.splits_arguments:
            deltas += [{"tool_calls": [part]} for call in whole for part in _pieces(call)]
        else:
            deltas.append({"tool_calls": whole})
        return self.script(name, message, deltas, finish_reason="tool_calls", text=content or "", calls=calls)

    def _broken_call(
        self, name: str, arguments: str, *, finish_reason: str = "tool_calls", **seen: Any
    ) -> Script:
        seen = seen or {"invalid_calls": [("weather", arguments)]}
        call = _call(0, "weather", arguments)
        return self.script(
            name,
            {"content": None, "tool_calls": [_without_index(call)]},
            [{"tool_calls": [call]}],
            finish_reason=finish_reason,
            **seen,
        )

    def _whole(self, message: Mapping[str, Any], finish_reason: str, beside: Mapping[str, Any]) -> Event:
        choice = {
            "index": 0,
            "message": {"role": "assistant", **message},
            "finish_reason": finish_reason,
            "logprobs": None,
        }
        return {**self._head("chat.completion"), "choices": [choice], "usage": _USAGE, **beside}

    def _events(
        self, deltas: Sequence[Mapping[str, Any]], finish_reason: str, beside: Mapping[str, Any]
    ) -> list[Event]:
        head = self._head("chat.completion.chunk")
        ends: list[str | None] = [*[None] * (len(deltas) + 1), finish_reason]
        parts = [{"role": "assistant", "content": ""}, *deltas, {}]
        events = [
            {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": end, "logprobs": None}]}
            for delta, end in zip(parts, ends, strict=True)
        ]
        events[-1] |= beside
        if self.usage == "apart":
            events.append({**head, "choices": [], "usage": _USAGE})
        elif self.usage == "last":
            events[-1]["usage"] = _USAGE
        else:
            events[-1]["x_groq"] = {"id": "req_1", "usage": _USAGE}
        return events

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1760000000, "model": self.model}


def _call(index: int, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": f"call_{index}", "type": "function", "function": function}


def _without_index(call: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in call.items() if key != "index"}


def _pieces(call: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a call as a stream has it: first the name, then the arguments in two pieces."""
    first = {**call, "function": {**call["function"], "arguments": ""}}
    rest = halves(call["function"]["arguments"])
    return [first, *({"index": call["index"], "function": {"arguments": part}} for part in rest)]
