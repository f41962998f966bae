"""`read_extras`: what providers say in the `additional_kwargs` of a message, outside of its content.

`read_grounding`: the sources that Google names in its `response_metadata`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_label_studio.recording.citations import read_citations
from langchain_label_studio.recording.media import media_of
from langchain_label_studio.recording.message_content import MessageContent
from langchain_label_studio.support.json_safe import as_mapping

_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thinking_blocks", "reasoning_details")
_CITATIONS = ("citations", "search_results", "annotations")
_SERVER_TOOLS = ("executed_tools", "server_tool_calls")


def read_extras(said: Mapping[str, Any], found: MessageContent) -> None:
    """Add what is said outside of the content.

    Args:
        said: The `additional_kwargs`.
        found: What the content says. What it says already is not added again.
    """
    for key in _THOUGHTS:
        if not found.thoughts:
            found.think(said.get(key))
    if isinstance(refusal := said.get("refusal"), str):
        found.say_beside(refusal, "[refusal]")
    audio = said.get("audio")
    heard = any(note.startswith("[audio") for note in found.notes)
    if isinstance(audio, bytes) and not heard and (note := media_of("audio", {"data": audio})):
        found.note(note)  # Google
    if isinstance(transcript := as_mapping(audio).get("transcript"), str):
        found.say_beside(transcript, "[transcript of the audio]")
    # OpenAI's way before tools. Histories that were stored then still have it.
    found.add_call(as_mapping(said.get("function_call")))
    for given in _lists(said, _CITATIONS):
        found.citations += read_citations(given)
    if not found.server_tools.calls:  # else they are in the content, too
        _read_server_tools(said, found)


def read_grounding(grounding: Any, found: MessageContent) -> None:
    """Add the sources that Google found.

    Args:
        grounding: The `grounding_metadata`.
        found: What the message says. If it names sources, these are the same ones.
    """
    chunks = _lists(as_mapping(grounding), ("grounding_chunks", "groundingChunks"))
    for given in () if found.citations else chunks:
        found.citations += read_citations(given)


def _read_server_tools(said: Mapping[str, Any], found: MessageContent) -> None:
    # OpenAI's way before they were in the content: blocks of all kinds, as they would be there.
    for given in _lists(said, ("tool_outputs",)):
        for block in filter(None, map(as_mapping, given)):
            found.read({"type": "server_tool_call", **block})
    # Each of these is a call, whatever its type.
    for given in _lists(said, _SERVER_TOOLS):
        for block in filter(None, map(as_mapping, given)):
            kind = block.get("type")
            found.server_tools.read(kind if isinstance(kind, str) and kind else "server_tool_call", block)


def _lists(said: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[list[Any]]:
    return (given for key in keys if isinstance(given := said.get(key), list))
