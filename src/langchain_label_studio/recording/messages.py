"""`to_turn` and `to_turns`: LangChain messages as plain turns.

A message is read inside the callback, because the application may change the object later. Its fields are read with
`vars`, because attributes of a pydantic model are slow: a missing attribute takes two microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_label_studio.recording.media import MAX_IMAGES, image_of, note_of
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.support.safe_text import clip
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
# Another field of the message has the content of these blocks, too.
_MIRRORED = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use", "function_call"})


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
        return _read(message)
    except Exception as error:  # noqa: BLE001 (a message class of the user may raise anything)
        note = f"[{type(message).__name__} that could not be read: {type(error).__name__}]"
        return {"role": "user", "content": note}


def _read(message: BaseMessage) -> Turn:
    fields = vars(message)
    content, reasoning = fields["content"], fields["additional_kwargs"].get("reasoning_content")
    images: list[str] = []
    if not isinstance(content, str):
        content, thoughts, images = _read_blocks(message)
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
    if images:
        turn["images"] = images
    return turn


def _tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a call. Its arguments are an object of the application."""
    return {
        key: jsonable(call.get(key)) for key in ("name", "args", "id", "error") if call.get(key) is not None
    }


def _read_blocks(message: BaseMessage) -> tuple[str, str, list[str]]:
    """Return the text, the reasoning and the images of content that is a list of blocks."""
    text: list[str] = []
    thoughts: list[str] = []
    images: list[str] = []
    after_text = False
    for block in _blocks(message):
        kind = block.get("type")
        if kind in _MIRRORED:
            continue
        if kind in {"reasoning", "thinking"}:
            thoughts.append(_reasoning(block))
            continue
        is_text = kind in {"text", "refusal"} or (kind is None and isinstance(block.get("text"), str))
        piece = str(block.get("text") or block.get("refusal") or "") if is_text else note_of(block)
        if not is_text and (image := image_of(block)):
            images.append(image)
        # The pieces of a text stay together. Everything else gets a line of its own.
        if text and not (is_text and after_text):
            text.append("\n")
        text.append(piece)
        after_text = is_text
    return "".join(text), "\n".join(thought for thought in thoughts if thought), images


def _blocks(message: BaseMessage) -> Sequence[Mapping[str, Any]]:
    """Return the content as LangChain's standard blocks. If LangChain cannot translate it, return it as it is."""
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
