"""`to_turn` and `to_turns`: LangChain messages as plain turns. `message_of_api`: a message as APIs write it.

A message is read inside the callback, because the application may change the object later. Its fields are read with
`vars`, because attributes of a pydantic model are slow: a missing attribute takes two microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from langchain_label_studio.recording.citations import unique_citations
from langchain_label_studio.recording.media import MAX_IMAGES
from langchain_label_studio.recording.message_content import MessageContent
from langchain_label_studio.recording.message_extras import read_extras, read_grounding
from langchain_label_studio.support.json_safe import as_mapping, jsonable
from langchain_label_studio.support.safe_text import MAX_TEXT, clip
from langchain_label_studio.types.turn import Turn

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_ROLES = {
    "system": "system",
    "human": "user",
    "ai": "assistant",
    "tool": "tool",
    "function": "tool",
    "HumanMessageChunk": "user",
    "AIMessageChunk": "assistant",
    "SystemMessageChunk": "system",
    "ToolMessageChunk": "tool",
    "FunctionMessageChunk": "tool",
}


def to_turns(messages: Iterable[BaseMessage]) -> list[Turn]:
    """Return the messages as turns, in order. The latest images are kept, up to `MAX_IMAGES`."""
    turns = list(map(to_turn, messages))
    left = MAX_IMAGES
    # The answer is about the latest images.
    for turn in reversed([turn for turn in turns if "images" in turn]):
        kept = []
        for url in turn["images"]:
            left -= len(url)
            if left >= 0:
                kept.append(url)
        if kept:
            turn["images"] = kept
        else:
            del turn["images"]
    return turns


def to_turn(message: BaseMessage) -> Turn:
    """Return one message as a turn. Never raises.

    Args:
        message: Any message. Its class may be the user's own.

    Returns:
        The role and the text. For images, sound and files, the text has a short note or a link, never their bytes.
        Tool calls, reasoning and so on have their own keys.
    """
    try:
        return _plain_turn(vars(message)) or _read(message)
    except Exception as error:  # noqa: BLE001 (a message class of the user may raise anything)
        note = f"[{type(message).__name__} that could not be read: {type(error).__name__}]"
    try:
        return {"role": _role(message), "content": clip(str(message.text)) or note}
    except Exception:  # noqa: BLE001
        return {"role": "user", "content": note}


def message_of_api(role: str, content: Any, message: Mapping[str, Any]) -> Turn:
    """Return a message as providers' APIs write it as a turn. Never raises.

    Args:
        role: The role, in our words.
        content: The content: a text, or parts of any provider.
        message: The message, with `tool_calls`, `tool_call_id`, `name` and more beside the content.
    """
    found = MessageContent(of_answer=role == "assistant")
    try:
        found.read_all(content if isinstance(content, list) else [content])
        read_extras(message, found)
        _read_calls(message, found)
    except Exception as error:  # noqa: BLE001 (the value of any key may be anything)
        found.note(f"[message that could not be read: {type(error).__name__}]")
    turn: Turn = {"role": role, "content": clip(found.text)}
    if role == "tool" and isinstance(name := message.get("name"), str) and name:
        turn["name"] = name
    if isinstance(tool_call_id := message.get("tool_call_id"), str) and tool_call_id:
        turn["tool_call_id"] = tool_call_id
    _add(turn, found)
    return turn


def _read_calls(message: Mapping[str, Any], found: MessageContent) -> None:
    calls = message.get("tool_calls")
    for call in map(as_mapping, calls if isinstance(calls, list) else ()):
        found.add_call({**call, **as_mapping(call.get("function"))})


def _role(message: BaseMessage) -> str:
    fields = vars(message)
    kind = str(fields.get("type") or message.type)
    # A ChatMessage brings a role of its own.
    return _ROLES.get(kind) or str(fields.get("role", kind))


def _plain_turn(fields: Mapping[str, Any]) -> Turn | None:
    """Return a message as `_read` does, if it is nothing but a text: most are. Else return None.

    Args:
        fields: The `vars` of the message.
    """
    known = fields.get
    try:
        content = fields["content"]
        if (
            type(content) is not str
            or len(content) > MAX_TEXT
            or fields["additional_kwargs"]
            or known("name")
            or known("tool_calls")
            or known("tool_call_id")
            or known("invalid_tool_calls")
            or ((response := known("response_metadata")) and response.get("grounding_metadata"))
        ):
            return None
        return {"role": _ROLES[fields["type"]], "content": content}
    except (AttributeError, KeyError, TypeError):  # a message class of the user
        return None


def _read(message: BaseMessage) -> Turn:
    fields = vars(message)
    role = _role(message)
    content, said_outside = fields["content"], fields["additional_kwargs"]
    grounding = (fields.get("response_metadata") or {}).get("grounding_metadata")
    found: MessageContent | None = None
    if said_outside or grounding or not isinstance(content, str):
        found = MessageContent(of_answer=role == "assistant")
        found.read_all([content] if isinstance(content, str) else content)
        _read_outside(fields, grounding, found)
        content = found.text
    turn: Turn = {"role": role, "content": clip(content)}
    if name := fields.get("name"):
        turn["name"] = name
    if calls := fields.get("tool_calls"):
        turn["tool_calls"] = [_tool_call(call) for call in calls]
    if calls := fields.get("invalid_tool_calls"):
        turn["invalid_tool_calls"] = [_tool_call(call) for call in calls]
    if tool_call_id := fields.get("tool_call_id"):
        turn["tool_call_id"] = str(tool_call_id)
        if fields.get("status") == "error":
            turn["status"] = "error"
    if found:
        _add(turn, found)
    return turn


def _read_outside(fields: Mapping[str, Any], grounding: Any, found: MessageContent) -> None:
    said = fields["additional_kwargs"]
    try:
        if said:
            read_extras(said, found)
        read_grounding(grounding, found)
        # Other than an AIMessage, a ChatMessage does not read its calls.
        if "tool_calls" not in fields:
            _read_calls(said, found)
    except Exception as error:  # noqa: BLE001 (the value of any key may be anything)
        found.note(f"[additional_kwargs that could not be read: {type(error).__name__}]")


def _add(turn: Turn, found: MessageContent) -> None:
    """Add what is in the content beside the text."""
    if found.thoughts:
        turn["reasoning"] = clip("\n".join(found.thoughts))
    known = {
        call.get("id") or None for call in (*turn.get("tool_calls", ()), *turn.get("invalid_tool_calls", ()))
    }
    # Without ids, a call cannot be told from those that are known.
    by_id = None not in known
    if calls := [
        call for call in found.calls if not known or (by_id and call.get("id") and call["id"] not in known)
    ]:
        turn["tool_calls"] = [*turn.get("tool_calls", ()), *map(_tool_call, calls)]
    if found.server_tools.calls:
        turn["server_tools"] = found.server_tools.calls
    if left_out := found.server_tools.left_out:
        found.note(f"[left out: {left_out:,} more calls of tools of the provider]")
    if found.images:
        turn["images"] = found.images
    if found.citations:
        turn["citations"] = unique_citations(found.citations)
    if found.notes:
        turn["notes"] = list(map(clip, found.notes))


def _tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a call. Its arguments are an object of the application."""
    return {
        key: jsonable(call.get(key)) for key in ("name", "args", "id", "error") if call.get(key) is not None
    }
