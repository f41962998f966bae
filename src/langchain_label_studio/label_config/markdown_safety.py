"""Text that no `<Markdown>` tag runs: `inert`, and `active` to undo it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WORD_JOINER = "\u2060"
"""Put behind each `<` in Markdown: invisible, and no HTML tag can start there. Likewise for images.

Label Studio renders raw HTML in `<Markdown>` without cleaning it. Escaping as `&lt;` would show up
as such inside code blocks; this looks right everywhere, and is undone by removing it again.
"""


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
