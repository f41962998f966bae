"""`read_corrections`: read corrected text back into turns and tool calls."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from langchain_label_studio.types.text import show_turn
from langchain_label_studio.types.turn import Turn

_ARROW = "→ "
_BLANKS = re.compile(r"\s*")
_DECODER = json.JSONDecoder()


class UnreadableCallError(ValueError):
    """A line looks like a tool call, but cannot be read as one."""


def read_corrections(texts: Sequence[str], originals: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the answers as the reviewer left them.

    If the reviewer added texts to the original answers, the new and the changed texts are the corrections.

    Args:
        texts: The texts as the reviewer left them, in order.
        originals: The answers that were shown, in order. An unchanged answer is returned as it was, with the parts that
            the page does not show.

    Raises:
        UnreadableCallError: A tool call was changed, and is no tool call any more.
    """
    shown = _shown(originals)
    left = tuple(_read(text, number, originals, shown) for number, text in enumerate(texts) if text.strip())
    if not originals or len(left) <= len(originals):
        return left
    return tuple(turn for turn in left if not any(turn is original for original in originals)) or tuple(
        originals
    )


def are_unchanged(texts: Sequence[str], originals: Sequence[Turn]) -> bool:
    """Return whether texts are the answers as the page shows them."""
    shown = _shown(originals)
    return len(texts) == len(shown) and all(map(_is_one_of, texts, shown))


def _shown(originals: Sequence[Turn]) -> list[AbstractSet[str]]:
    return [{_as_left(show_turn(turn, blocks=blocks)) for blocks in (True, False)} for turn in originals]


def _is_one_of(text: str, shown: AbstractSet[str]) -> bool:
    return _as_left(text) in shown


def _read(text: str, number: int, originals: Sequence[Turn], shown: Sequence[AbstractSet[str]]) -> Turn:
    left = _as_left(text)
    if number < len(shown) and left in shown[number]:
        return originals[number]
    for original, texts in zip(originals, shown, strict=True):
        if left in texts:
            return original
    # Any text may hold an arrow. The arrow is a call only if the model called something.
    if any(turn.get("tool_calls") or turn.get("invalid_tool_calls") for turn in originals):
        return _read_calls(text, originals[number] if number < len(originals) else originals[0])
    return {"role": "assistant", "content": text}


def _as_left(text: str) -> str:
    """Return text as the editor stores it without a change."""
    return text.replace("\r\n", "\n").strip()


def _read_calls(text: str, original: Turn) -> Turn:
    lines = text.rstrip().split("\n")
    calls: list[dict[str, Any]] = []
    # A call reaches from its arrow to the next call or the end. A long call has a line for each argument.
    for start in reversed([number for number, line in enumerate(lines) if line.startswith(_ARROW)]):
        written = "\n".join(lines[start:])
        name, bracket, args = written.removeprefix(_ARROW).rstrip().partition("(")
        if not bracket or not args.endswith(")") or name.split() != [name]:
            raise UnreadableCallError(_explain(written))
        calls.insert(0, {"name": name, "args": _read_arguments(args[:-1], written)})
        del lines[start:]
    turn: Turn = {"role": "assistant", "content": "\n".join(lines)}
    for call, before in zip(calls, original.get("tool_calls", ()), strict=False):
        if "id" in before:
            call["id"] = before["id"]
    if calls:
        turn["tool_calls"] = calls
    return turn


def _read_arguments(text: str, line: str) -> dict[str, Any]:
    """Return the arguments of a call such as `city="Paris", days=3`. The values are JSON, or literals of Python."""
    try:
        return _read_json_arguments(text)
    except ValueError:
        pass
    try:
        call = ast.parse(f"call({text})", mode="eval").body
        if isinstance(call, ast.Call) and not call.args:
            return {str(word.arg): ast.literal_eval(word.value) for word in call.keywords if word.arg}
    except (ValueError, SyntaxError):
        pass
    raise UnreadableCallError(_explain(line))


def _read_json_arguments(text: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    text = text.strip()
    place = 0
    while place < len(text):
        equals = text.find("=", place)
        name = text[place:equals].strip()
        if equals < 0 or not name:
            raise ValueError(text)
        value, end = _DECODER.raw_decode(text, _after_blanks(text, equals + 1))
        arguments[name] = value
        place = _after_blanks(text, end)
        if text[place : place + 1] not in {"", ","}:
            raise ValueError(text)
        place = _after_blanks(text, place + 1)
    return arguments


def _after_blanks(text: str, place: int) -> int:
    return found.end() if (found := _BLANKS.match(text, place)) else place


def _explain(line: str) -> str:
    return f'not a tool call as it should be written, → name(argument="value"): {line[:200]}'
