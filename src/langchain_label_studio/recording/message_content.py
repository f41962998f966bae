"""`MessageContent`: the texts, thoughts, calls and more in the content of a message, whichever provider wrote it.

The blocks are read as they are. LangChain's `content_blocks` translates them for each provider, and drops what it does
not know. The rule of `BaseMessage.text` decides what the application sees as the text of a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_label_studio.recording.call_arguments import parsed
from langchain_label_studio.recording.citations import read_citations
from langchain_label_studio.recording.media import image_of, media_of
from langchain_label_studio.recording.server_tools import ServerTools, is_server_tool
from langchain_label_studio.support.json_safe import as_mapping, jsonable
from langchain_label_studio.support.readable_json import readable_json
from langchain_label_studio.support.safe_text import clip

_Block = Mapping[str, Any]

_MAX_DEPTH = 5
_MAX_READS = 10_000
"""The maximum number of blocks within the blocks of a message. They may contain themselves."""
_MAX_KIND = 60
_REASONING_KEYS = (
    "reasoning",
    "thinking",
    "reasoning_content",
    "reasoning_text",
    "reasoningText",
    "text",
    "summary",
    "content",
)
# Bedrock's own blocks have no type. They have one key, which names it. In a prompt, LangChain makes it their type, too.
_BEDROCK = {
    "cachePoint": "cache_point",
    "citationsContent": "citations_content",
    "guardContent": "guard_content",
    "reasoningContent": "reasoning_content",
    "searchResult": "search_result",
    "toolResult": "tool_result",
    "toolUse": "tool_use",
}
_CALLS = frozenset(
    {
        "tool_call",
        "tool_use",
        "toolUse",
        "function_call",
        "custom_tool_call",
        "tool_call_chunk",
        "invalid_tool_call",
    }
)
# These say nothing to a reader: marks for a cache, and parts of calls that are whole elsewhere.
_SILENT = frozenset(
    {"cache_point", "cachePoint", "input_json_delta", "server_tool_call_chunk", "mcp_list_tools"}
)
# The method for the blocks of a type.
_READERS = {
    "citations_content": "_read_nested",
    "guard_content": "_read_nested",
    "json": "_read_json",
    "mcp_approval_request": "_read_approval",
    "non_standard": "_read_non_standard",
    "reasoning": "_read_thoughts",
    "reasoning_content": "_read_thoughts",
    "redacted_reasoning": "_read_redacted",
    "redacted_thinking": "_read_redacted",
    "refusal": "_read_refusal",
    "search_result": "_read_nested",
    "thinking": "_read_thoughts",
    "tool_result": "_read_tool_result",
}
_HOLDING = ("content", "text", "output", "guard_content")
"""The keys under which a block holds other blocks or a text."""
_WRAPPING = frozenset({"type", "value", "index"})
_REDACTED = "[thoughts that the provider hides]"


class MessageContent:
    """What the content of a message says.

    Attributes:
        thoughts: The thoughts of the model.
        notes: Notes about everything that is not text. Only of an answer: in other messages, they are in the text.
        images: Links and small `data:` URLs of the images.
        calls: The calls in the content. Other fields of the message have most of them, too.
        server_tools: The calls that the provider itself carried out, with their results.
        citations: The sources that the model names for its text.
    """

    def __init__(self, *, of_answer: bool) -> None:
        """Begin without content.

        Args:
            of_answer: Whether a model wrote the message. Then its text is what the application sees as its text, and
                nothing else.
        """
        self._of_answer = of_answer
        self._reads_left = _MAX_READS
        self._seen: list[str] = []
        self._unseen: list[str] = []
        self._said_beside: list[str] = []
        self._after_text = False
        self.thoughts: list[str] = []
        self.notes: list[str] = []
        self.images: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self.server_tools = ServerTools()
        self.citations: list[dict[str, str]] = []

    @property
    def text(self) -> str:
        """The text, with what a model says outside of it on lines of its own."""
        parts: list[str] = []
        for text in ("".join(self._seen), "".join(self._unseen), *self._said_beside):
            if text and text not in parts:
                parts.append(text)
        return "\n".join(parts)

    def read(self, block: Any, depth: int = 0) -> None:
        """Read one block. If a value in it is not what it should be, what is read until then is kept.

        Args:
            block: A text, a block of any provider, or anything else.
            depth: The number of blocks around it.
        """
        if depth:
            self._reads_left -= 1
            if self._reads_left < 0:
                if self._reads_left == -1:
                    self.note(f"[block: after {_MAX_READS:,} others]")
                return
        try:
            self._read(block, depth)
        except Exception as error:  # noqa: BLE001 (the value of any key may be anything)
            self.note(f"[block that could not be read: {type(error).__name__}]")

    def _read(self, block: Any, depth: int) -> None:
        if not isinstance(block, Mapping):
            self.say(block if isinstance(block, str) else str(jsonable(block)))
            return
        kind = block.get("type")
        if not isinstance(kind, str) or not kind:
            self._read_untyped(block, depth)
        elif kind in _BEDROCK and kind in block:
            self._read_untyped({kind: block[kind]}, depth)
        elif kind in {"text", "input_text", "output_text"}:
            self._read_text(block, seen=kind == "text")
        elif reader := _READERS.get(kind):
            getattr(self, reader)(block, depth)
        else:
            self._read_special(kind, block, depth)

    def _read_special(self, kind: str, block: _Block, depth: int) -> None:
        if kind in _CALLS:
            self.add_call(block)
        elif kind.endswith("_output") and not self._of_answer:
            self._read_nested(block, depth)  # what OpenAI gets back from the application's tools
        elif is_server_tool(kind, block):
            self.server_tools.read(kind, block)
        elif kind not in _SILENT:
            self._read_media(kind, block, depth)

    def read_all(self, blocks: Iterable[Any], depth: int = 0) -> None:
        """Read blocks, in order."""
        for block in blocks:
            self.read(block, depth)

    def say(self, text: str) -> None:
        """Add text that the application sees."""
        if text:
            if self._seen and not self._after_text and not self._of_answer:
                self._seen.append("\n")
            self._seen.append(text)
            self._after_text = True

    def say_beside(self, text: str, note: str) -> None:
        """Add text that the model said outside of its content, once, with a note about where."""
        if text and text not in self._said_beside:
            self._said_beside.append(text)
            self.notes.append(note)

    def note(self, note: str) -> None:
        """Add a note about something that is not text."""
        if self._of_answer:
            self.notes.append(note)
            return
        self._seen.append(f"\n{note}" if self._seen else note)
        self._after_text = False

    def think(self, value: Any) -> None:
        """Add thoughts, in any shape."""
        self.thoughts += filter(None, _texts_in(jsonable(value)))

    def add_call(self, block: _Block) -> None:
        """Add a call of a tool."""
        args: Any = next((block[key] for key in ("args", "input", "arguments") if block.get(key)), {})
        args = args or block.get("partial_json") or {}
        call = {
            "name": block.get("name"),
            "args": parsed(args),
            # OpenAI gives a call an id of its own, and an id as an item.
            "id": block.get("call_id") or block.get("id") or block.get("toolUseId"),
        }
        if block.get("name"):
            self.calls.append({key: value for key, value in call.items() if value is not None})

    def _read_text(self, block: _Block, *, seen: bool) -> None:
        text = block.get("text")
        if seen or not self._of_answer:
            self.say(text if isinstance(text, str) else "")
        elif isinstance(text, str):
            self._unseen.append(text)
        # LangChain adds a block of a stream to the text before it, if the text did not say where it belongs.
        self.think(block.get("reasoning"))
        if isinstance(kind := block.get("mime_type"), str) and "base64" in block:
            media = {"mime_type": kind, "base64": block["base64"]}
            self._read_media(kind.partition("/")[0], media, 0)
        for key in ("annotations", "citations"):
            if isinstance(found := block.get(key), list):
                self.citations += read_citations(found)

    def _read_untyped(self, block: _Block, depth: int) -> None:
        if isinstance(text := block.get("text"), str):
            self._read_text(block, seen=False)
            return
        if isinstance(text, Mapping) and depth < _MAX_DEPTH:  # Bedrock: guarded text
            self.read(text, depth + 1)
            return
        key = next(iter(block), None) if len(block) == 1 else None
        if key in _BEDROCK and depth < _MAX_DEPTH:
            self.read({**as_mapping(block[key]), "type": _BEDROCK[key]}, depth + 1)
        elif key == "json":
            self._read_json(block, depth)
        elif isinstance(key, str) and "format" in (value := as_mapping(block[key])):
            self._read_media(key, value, depth)
        elif block:
            self._read_media("", block, depth)

    def _read_media(self, kind: str, block: _Block, depth: int) -> None:
        if held := as_mapping(block.get("source")).get("content"):  # a document that is made of blocks
            self._read_nested({"title": block.get("title") or block.get("name"), "content": held}, depth)
        elif media := media_of(kind, block):
            self.note(media)
            if image := image_of(kind, block):
                self.images.append(image)
        else:
            self.note(f"[block: {clip(kind, _MAX_KIND) or 'without a type'}]")

    def _read_thoughts(self, block: _Block, depth: int) -> None:  # noqa: ARG002 (all readers are alike)
        inner = (block.get("reasoning_content"), block.get("extras"))
        if any(
            key in found
            for found in (block, *map(as_mapping, inner))
            for key in ("redacted_content", "redactedContent")
        ):
            self.note(_REDACTED)
        self.think(block)

    def _read_redacted(self, block: _Block, depth: int) -> None:  # noqa: ARG002
        self.note(_REDACTED)

    def _read_refusal(self, block: _Block, depth: int) -> None:  # noqa: ARG002
        if isinstance(text := block.get("refusal") or block.get("text"), str):
            self.say_beside(text, "[refusal]")

    def _read_approval(self, block: _Block, depth: int) -> None:  # noqa: ARG002
        name = block.get("name")
        self.note(f"[asks for approval: {clip(name, _MAX_KIND) if isinstance(name, str) else 'a call'}]")

    def _read_non_standard(self, block: _Block, depth: int) -> None:
        if depth < _MAX_DEPTH and isinstance(value := block.get("value"), Mapping):
            # LangChain puts the later parts of a stream beside the first one, not into it.
            later = {key: part for key, part in block.items() if key not in _WRAPPING and part is not None}
            inner = {**value, **later}
            # The application does not see its text.
            self.read({**inner, "type": "output_text"} if inner.get("type") == "text" else inner, depth + 1)
        else:
            self.note("[block: non_standard]")

    def _read_tool_result(self, block: _Block, depth: int) -> None:
        if self._of_answer:  # Bedrock: of a tool that the provider ran
            self.server_tools.read("tool_result", block)
        else:
            self._read_nested(block, depth)

    def _read_nested(self, block: _Block, depth: int) -> None:
        """Read what a block of a person or a tool holds: a result, a document that was found, guarded text."""
        inner = MessageContent(of_answer=False)
        inner._reads_left = self._reads_left
        for key in ("title", "source"):
            if isinstance(text := block.get(key), str):
                inner.note(text)
        for held in map(block.get, _HOLDING):
            if depth < _MAX_DEPTH and held:
                inner.read_all(held if isinstance(held, list) else [held], depth + 1)
        self._reads_left = inner._reads_left
        if inner.text:
            self.note(clip(inner.text))
        self.images += inner.images

    def _read_json(self, block: _Block, depth: int) -> None:  # noqa: ARG002
        # A tool answers with values. In an answer of a model, they would be no text.
        self.note("[block: json]" if self._of_answer else clip(readable_json(jsonable(block.get("json")))))


def _texts_in(value: Any, depth: int = 0) -> list[str]:
    """Return the texts in a block of thoughts: its own, or those of its parts."""
    if isinstance(value, str):
        return [value]
    if depth > _MAX_DEPTH:
        return []
    if isinstance(value, list | tuple):
        return [text for part in value for text in _texts_in(part, depth + 1)]
    if isinstance(value, Mapping):
        found = (value[key] for key in _REASONING_KEYS if value.get(key))
        return _texts_in(next(found, None), depth + 1)
    return []
