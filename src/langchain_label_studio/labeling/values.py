"""Which tag takes what: a conversation in the shape that an input tag shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_label_studio.labeling.config import InputTag

WORD_JOINER = "\u2060"
"""Put behind each `<` in Markdown: invisible, and no HTML tag can start there. Likewise for images.

Label Studio renders raw HTML in `<Markdown>` without cleaning it. Escaping as `&lt;` would show up
as such inside code blocks; this looks right everywhere, and is undone by removing it again.
"""

# HyperText is a page of its own: without a background, it is black on black in the dark theme.
_PAGE = "background: white; color: black; padding: 12px; border-radius: 8px; font-family: sans-serif"

Turns = Sequence[tuple[str, str]]
"""A conversation as it is shown: `(role, text)`, in order."""


def prompt_value(tag: InputTag, turns: Turns) -> Any:
    """Return the conversation in the shape the tag needs.

    Args:
        tag: The input tag.
        turns: The conversation; empty counts as one empty turn, because `Paragraphs`
            with an empty list blanks Label Studio's page.

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


def transcript(turns: Turns) -> str:
    """Return the conversation as plain text; a single user turn is its text alone."""
    if _is_plain_prompt(turns):
        return turns[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in turns)


def inert(value: Any) -> Any:
    """Return a value that `<Markdown>` shows as text: no HTML of it runs, no image of it is fetched.

    Args:
        value: Text, or text in lists and dicts.
    """
    return _each_text(
        value, lambda text: text.replace("<", f"<{WORD_JOINER}").replace("![", f"!{WORD_JOINER}[")
    )


def active(value: Any) -> Any:
    """Undo `inert`: return the value as it was."""
    return _each_text(
        value, lambda text: text.replace(f"<{WORD_JOINER}", "<").replace(f"!{WORD_JOINER}[", "![")
    )


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    return (
        {key: _each_text(item, change) for key, item in value.items()} if isinstance(value, dict) else value
    )


def _is_plain_prompt(turns: Turns) -> bool:
    return len(turns) == 1 and turns[0][0] == "user"


def _hypertext(turns: Turns) -> str:
    import html  # noqa: PLC0415 (takes 1 ms to load: not for an import)

    def block(text: str) -> str:
        return f'<div style="white-space: pre-wrap">{html.escape(text)}</div>'

    if _is_plain_prompt(turns):
        shown = block(turns[0][1])
    else:
        shown = "".join(f"<p><b>{html.escape(role)}</b></p>{block(text)}" for role, text in turns)
    return f'<div style="{_PAGE}">{shown}</div>'


def _markdown(turns: Turns) -> str:
    if _is_plain_prompt(turns):
        return turns[0][1]
    return "\n\n".join(f"**{role}**\n\n{text}" for role, text in turns)
