"""LangChain messages as plain role/content turns, and turns as text a person reads. Pure.

A message is read at once, inside the callback: the object is the application's own and changes later.
Its fields are looked up in its `vars`: a pydantic model is slow to give its attributes, and takes two
microseconds for one that it does not have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from langchain_label_studio.jsonsafe import base64_size, clip, jsonable, size_of

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
# Blocks that say what another field of the message says, too.
_MIRRORED = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use", "function_call"})
_MEDIA = frozenset({"image", "audio", "video", "file", "text-plain"})


class Turn(TypedDict):
    """One turn of a conversation. Only `role` and `content` are always there."""

    role: str
    content: str
    name: NotRequired[str]
    tool_calls: NotRequired[list[dict[str, Any]]]
    invalid_tool_calls: NotRequired[list[dict[str, Any]]]
    tool_call_id: NotRequired[str]
    status: NotRequired[str]
    reasoning: NotRequired[str]


def to_turns(messages: Iterable[BaseMessage]) -> list[Turn]:
    """Return the messages as turns, in order."""
    return list(map(to_turn, messages))


def to_turn(message: BaseMessage) -> Turn:
    """Return one message as a turn. Never raises.

    Args:
        message: Any message, also of a class of the user's own.

    Returns:
        Role and text; images, sound and files as a short note or link in the text (never their
        bytes); tool calls, reasoning and the like under keys of their own.
    """
    try:
        return _read(message)
    except Exception as error:  # noqa: BLE001 (a message class of the user's own may raise anything)
        note = f"[{type(message).__name__} that could not be read: {type(error).__name__}]"
        return {"role": "user", "content": note}


def show_turn(turn: Turn) -> str:
    """Return a turn as the text a reviewer sees: its content, then its tool calls."""
    parts = [turn["content"]] if turn["content"] else []
    parts += [f"→ {call.get('name')}({_arguments(call.get('args'))})" for call in turn.get("tool_calls", ())]
    parts += [
        f"→ {call.get('name')}({call.get('args')})  [invalid tool call: {call.get('error') or 'not JSON'}]"
        for call in turn.get("invalid_tool_calls", ())
    ]
    text = "\n".join(parts)
    if turn["role"] == "tool" and (name := turn.get("name")):
        failed = " (failed)" if turn.get("status") == "error" else ""
        return f"{name}{failed}: {text}"
    return text


def is_plain(turn: Turn) -> bool:
    """Say whether a turn is nothing but its role and its content."""
    return len(turn) == 2


def _read(message: BaseMessage) -> Turn:
    fields = vars(message)
    content, reasoning = fields["content"], fields["additional_kwargs"].get("reasoning_content")
    if not isinstance(content, str):
        content, thoughts = _read_blocks(message)
        reasoning = reasoning or thoughts
    kind = fields.get("type") or message.type
    # A ChatMessage brings a role of its own.
    turn: Turn = {"role": _ROLES.get(kind) or fields.get("role", kind), "content": clip(content)}
    if reasoning and isinstance(reasoning, str):
        turn["reasoning"] = clip(reasoning)
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
    return turn


def _tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what a call says, as a copy: the arguments are the application's own object."""
    return {
        key: jsonable(call.get(key)) for key in ("name", "args", "id", "error") if call.get(key) is not None
    }


def _arguments(args: Any) -> str:
    """Return arguments as Python would write them: `city="Paris", days=3`."""
    if not isinstance(args, Mapping):
        return "" if args is None else json.dumps(args, ensure_ascii=False)
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in args.items())


def _read_blocks(message: BaseMessage) -> tuple[str, str]:
    """Return the text and the reasoning of content that is a list of blocks."""
    text: list[str] = []
    thoughts: list[str] = []
    after_text = False
    for block in _blocks(message):
        kind = block.get("type")
        if kind in _MIRRORED:
            continue
        if kind in {"reasoning", "thinking"}:
            thoughts.append(_reasoning(block))
            continue
        is_text = kind in {"text", "refusal"} or (kind is None and isinstance(block.get("text"), str))
        piece = str(block.get("text") or block.get("refusal") or "") if is_text else _note(block)
        # Pieces of one text belong together; everything else stands on a line of its own.
        if text and not (is_text and after_text):
            text.append("\n")
        text.append(piece)
        after_text = is_text
    return "".join(text), "\n".join(thought for thought in thoughts if thought)


def _blocks(message: BaseMessage) -> Sequence[Mapping[str, Any]]:
    """Return the content as LangChain's standard blocks, or as they are where it cannot."""
    try:
        blocks: Sequence[Any] = message.content_blocks
    except Exception:  # noqa: BLE001 (translators raise on legal content; then the blocks are read as they are)
        blocks = message.content if isinstance(message.content, list) else [message.content]
    return [block if isinstance(block, Mapping) else {"type": "text", "text": str(block)} for block in blocks]


def _reasoning(block: Mapping[str, Any]) -> str:
    if thought := block.get("reasoning") or block.get("thinking"):
        return str(thought)
    summary = block.get("summary")
    if isinstance(summary, list):
        return "\n".join(str(part.get("text", "")) for part in summary if isinstance(part, Mapping))
    return ""


def _note(block: Mapping[str, Any]) -> str:
    """Return a block that is not text as a link or a short note: its kind, type and size."""
    kind = str(block.get("type") or "")
    if kind == "non_standard" and isinstance(block.get("value"), Mapping):
        return _note(block["value"])
    if kind == "image_url":
        url = block.get("image_url")
        return _media_note("image", {"url": url.get("url") if isinstance(url, Mapping) else url})
    if kind in _MEDIA or "mime_type" in block:
        return _media_note("text file" if kind == "text-plain" else kind or "file", block)
    return json.dumps(jsonable(block), ensure_ascii=False)


def _media_note(kind: str, block: Mapping[str, Any]) -> str:
    url = block.get("url")
    if isinstance(url, str) and url.startswith("data:"):
        head, _, data = url.partition(",")
        mime_type = head.removeprefix("data:").partition(";")[0]
        return _media_note(kind, {"base64": data, "mime_type": mime_type})
    if isinstance(url, str):
        return f"[{kind}: {url}]"
    data = block.get("base64", block.get("data"))
    facts = [str(block["mime_type"])] if block.get("mime_type") else []
    if isinstance(data, str):
        facts.append(size_of(base64_size(data)))
    elif isinstance(data, bytes | bytearray):
        facts.append(size_of(len(data)))
    elif isinstance(block.get("text"), str):
        return f"[{kind}]\n{block['text']}"
    elif file_id := block.get("file_id"):
        facts.append(f"id {file_id}")
    # Translated blocks keep what the standard does not name under `extras`.
    extras = block.get("extras")
    names = {**block, **extras} if isinstance(extras, Mapping) else block
    name = names.get("filename") or names.get("title")
    return f"[{kind}: {', '.join(facts)}]" if not name else f"[{kind} {name}: {', '.join(facts)}]"
