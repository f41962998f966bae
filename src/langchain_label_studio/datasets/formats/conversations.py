"""Check a conversation for every format, and link tool calls with their results: `check_conversation`, `link`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.turn import Turn

ROLES = frozenset({"system", "user", "assistant", "tool"})

# The notes that `recording.messages` and `json_safe.clip` write for images, files, unreadable messages and cut texts.
_NOTE = re.compile(
    r"^\[(?:(?:image|audio|video|file|text file|media)(?: [^\]\n]*)?: [^\n]*|\w+ that could not be read: \w+"
    r"|block: [^\n]*|cut: [\d,]+ more characters)\]$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call: its id, the tool's name, and the arguments."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Linked:
    """A turn with its tool calls. A result with its call, if the call is known."""

    turn: Turn
    calls: tuple[Call, ...] = ()
    result_of: Call | None = None


def check_conversation(prompt: Sequence[Turn], answers: Iterable[Turn]) -> None:
    """Check that a format can hold the conversation.

    Args:
        prompt: The conversation.
        answers: The answers.

    Raises:
        Unfit: The conversation is empty or ends with an answer, an answer is empty, or a turn is only a note.
    """
    if not prompt:
        raise Unfit(Reason.NO_PROMPT)
    if prompt[-1]["role"] == "assistant":
        raise Unfit(Reason.ENDS_WITH_ANSWER)
    for turn in prompt:
        _check_turn(turn)
    for answer in answers:
        _check_turn(answer)
        if answer["role"] != "assistant":
            raise Unfit(Reason.UNKNOWN_ROLE, f"an answer by {answer['role']!r}")
        if not answer["content"].strip() and not answer.get("tool_calls"):
            raise Unfit(Reason.EMPTY_ANSWER)


def link(turns: Iterable[Turn]) -> list[Linked]:
    """Link turns with their tool calls, and results with their calls. Each call gets an id.

    A result without an id belongs to the call without a result, if there is only one.

    Raises:
        Unfit: A tool call is broken.
    """
    linked: list[Linked] = []
    waiting: list[Call] = []
    number = 0
    for turn in turns:
        if turn["role"] == "tool":
            answered = _answered(turn, waiting)
            waiting = [call for call in waiting if call is not answered]
            linked.append(Linked(turn, result_of=answered))
        else:
            calls = [
                _call(call, number + place) for place, call in enumerate(turn.get("tool_calls") or (), 1)
            ]
            number += len(calls)
            waiting = calls
            linked.append(Linked(turn, tuple(calls)))
    return linked


def tools_of(run: LLMRun) -> list[dict[str, Any]]:
    """Return the tools of a run, as OpenAI and chat templates write them.

    Tools of Anthropic and of OpenAI's Responses API have the same content under other keys.

    Raises:
        Unfit: A tool is not a function, such as a search by the provider.
    """
    tools = run.parameters.get("tools") or []
    offered = tools if isinstance(tools, list) else [tools]
    return [{"type": "function", "function": _function(tool)} for tool in offered]


def _answered(result: Turn, waiting: Sequence[Call]) -> Call | None:
    if wanted := result.get("tool_call_id"):
        return next((call for call in waiting if call.id == wanted), None)
    return waiting[0] if len(waiting) == 1 else None


def _check_turn(turn: Turn) -> None:
    if turn["role"] not in ROLES:
        raise Unfit(Reason.UNKNOWN_ROLE, repr(turn["role"]))
    if turn.get("invalid_tool_calls"):
        raise Unfit(Reason.BROKEN_CALL)
    for text in (turn["content"], *turn.get("notes", ())):
        # Few texts have a bracket. The others need no search.
        if "[" in text and (note := _NOTE.search(text)):
            raise Unfit(Reason.NOTE_ONLY, note[0][:100])


def _call(call: Any, number: int) -> Call:
    call = as_mapping(call)
    name, arguments = call.get("name"), call.get("args", {})
    if not isinstance(name, str) or not name or not isinstance(arguments, Mapping):
        raise Unfit(Reason.BROKEN_CALL)
    return Call(str(call.get("id") or f"call_{number}"), name, dict(arguments))


def _function(tool: Any) -> dict[str, Any]:
    if isinstance(tool, Mapping):
        if isinstance(function := tool.get("function"), Mapping) and function.get("name"):
            return dict(function)
        if tool.get("name") and (parameters := tool.get("parameters", tool.get("input_schema"))) is not None:
            said = {key: tool[key] for key in ("name", "description", "strict") if key in tool}
            return {**said, "parameters": parameters}
    raise Unfit(Reason.NOT_A_FUNCTION, _kind(tool))


def _kind(tool: Any) -> str:
    return str(tool.get("type") or tool.get("name") or "") if isinstance(tool, Mapping) else ""
