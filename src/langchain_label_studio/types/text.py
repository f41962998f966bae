"""`show_turn`, `short_line` and `step_text`: turns, tool calls and steps as text for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_label_studio.support.readable_json import readable_json
from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.turn import Turn, is_plain

_LINE_WIDTH = 90
_SHORT = 200


def show_turn(turn: Turn, *, blocks: bool = True, beside: bool = False) -> str:
    """Return a turn as reviewers see it: its content, then its tool calls.

    A turn without both is shown as what is beside them: the calls of the provider's own tools, and notes of images.

    Args:
        turn: The turn.
        beside: Whether what is beside them is always shown.
        blocks: Whether a long call has a line for each argument. Earlier versions wrote it in one line.
    """
    if is_plain(turn):
        return turn["content"]
    parts = [turn["content"]] if turn["content"] else []
    parts += [_show_call(call, block=blocks) for call in turn.get("tool_calls", ())]
    parts += [
        f"→ {call.get('name')}({call.get('args')})  [invalid tool call: {call.get('error') or 'not JSON'}]"
        for call in turn.get("invalid_tool_calls", ())
    ]
    if beside or not parts:
        parts += [_show_call(call, block=blocks) for call in turn.get("server_tools", ())]
        parts += turn.get("notes", ())
    text = "\n".join(parts)
    if turn["role"] == "tool" and (name := turn.get("name")):
        failed = " (failed)" if turn.get("status") == "error" else ""
        return f"{name}{failed}: {text}"
    return text


def short_line(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split(maxsplit=_SHORT)[:_SHORT])  # so many words are longer than the line
    return line if len(line) <= _SHORT else f"{line[:_SHORT].rstrip()}…"


def _show_call(call: Mapping[str, Any], *, block: bool) -> str:
    args = call.get("args")
    line = f"→ {_written_call(call.get('name'), args)}"
    if not block or len(line) <= _LINE_WIDTH or not isinstance(args, Mapping):
        return line
    given = "".join(f"  {name}={readable_json(value, indent=2)},\n" for name, value in args.items())
    return f"→ {call.get('name')}(\n{given})"


def _written_call(name: Any, args: Any) -> str:
    """Return a call as Python would write it: `get_weather(city="Paris", days=3)`."""
    if isinstance(args, Mapping):
        written = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in args.items())
    else:
        written = "" if args is None else json.dumps(args, ensure_ascii=False)
    return f"{name}({written})"


Turns = Sequence[tuple[str, str]]
"""A conversation for people: `(role, text)`, in order."""


def transcript(turns: Turns) -> str:
    """Return the conversation as plain text. A single turn of the user is its text alone."""
    if is_plain_prompt(turns):
        return turns[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in turns)


def is_plain_prompt(turns: Turns) -> bool:
    """Return whether a conversation is a single turn of the user."""
    return len(turns) == 1 and turns[0][0] == "user"


def step_text(step: Step) -> str:
    """Return a step as plain text: its thoughts and words, or its call and the outcome."""
    parts = [step.get("summary", ""), step.get("content", "")]
    if "tool" in step:
        parts.append(f"→ {call_text(step)}")
    if "result" in step:
        parts.append(step["result"]["preview"])
    if "error" in step:
        parts.append(f"error: {step['error']['message']}")
    if step.get("cancelled"):
        parts.append("cancelled")
    return "\n".join(part for part in parts if part)


def call_text(step: Step) -> str:
    """Return a step's call as Python would write it: `get_weather(city="Paris")`."""
    return _written_call(step.get("tool", ""), step.get("args"))
