"""`prompt_value`: a conversation in the shape that an input tag shows."""

from __future__ import annotations

from typing import Any

from langchain_label_studio.label_config.parse import InputTag
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.types.text import Turns, is_plain_prompt, transcript

# HyperText is a page of its own: without a background, it is black on black in the dark theme.
_PAGE = "background: white; color: black; padding: 12px; border-radius: 8px; font-family: sans-serif"


def prompt_value(tag: InputTag, turns: Turns) -> Any:
    """Return the conversation in the shape the tag needs.

    Args:
        tag: The input tag.
        turns: The conversation. An empty one becomes one empty turn, because an empty list in `Paragraphs` leaves
            Label Studio's page blank.

    Returns:
        A list of turns for `Paragraphs`, else text.
    """
    turns = turns or [("user", "")]
    if tag.type == "Paragraphs":
        return [{tag.name_key: role, tag.text_key: text} for role, text in turns]
    if tag.type == "HyperText":
        return _hypertext(turns)
    if tag.type == "Markdown":
        return _markdown(turns)
    return transcript(turns)


def _hypertext(turns: Turns) -> str:
    with no_fork():
        import html  # noqa: PLC0415 (takes 1 ms to load: not for an import)

    def block(text: str) -> str:
        return f'<div style="white-space: pre-wrap">{html.escape(text)}</div>'

    if is_plain_prompt(turns):
        shown = block(turns[0][1])
    else:
        shown = "".join(f"<p><b>{html.escape(role)}</b></p>{block(text)}" for role, text in turns)
    return f'<div style="{_PAGE}">{shown}</div>'


def _markdown(turns: Turns) -> str:
    if is_plain_prompt(turns):
        return turns[0][1]
    return "\n\n".join(f"**{role}**\n\n{text}" for role, text in turns)
