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
_SERVER_TOOLS = ("tool_outputs", "executed_tools", "server_tool_calls")


def read_extras(said: Mapping[str, Any], found: MessageContent) -> None:
    """Add what is said outside of the content.

    Args:
        said: The `additional_kwargs`.
        found: What the content says. What it says already is not added again.
    """
    for key in _THOUGHTS:
        if said.get(key) and not found.thoughts:
            found.think(said[key])
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
    in_content = bool(found.server_tools.calls)
    for given in () if in_content else _lists(said, _SERVER_TOOLS):
        for block in map(as_mapping, given):
            found.server_tools.read(str(block.get("type") or "server_tool_call"), block)


def read_grounding(grounding: Any, found: MessageContent) -> None:
    """Add the sources that Google found.

    Args:
        grounding: The `grounding_metadata`.
        found: What the message says. If it names sources, these are the same ones.
    """
    for given in () if found.citations else _lists(as_mapping(grounding), ("grounding_chunks",)):
        found.citations += read_citations(given)


def _lists(said: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[list[Any]]:
    return (given for key in keys if isinstance(given := said.get(key), list))
