"""`inert` makes text safe for a `<Markdown>` tag. `active` undoes that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WORD_JOINER = "\u2060"
"""An invisible character. After a `<`, no HTML tag can start; between `!` and `[`, no image.

Label Studio renders raw HTML in `<Markdown>`, and does not clean it. Inside code blocks, `&lt;` would stay `&lt;`.
This character looks right everywhere. Without it, the text is the original one.
"""


def inert(value: Any) -> Any:
    """Return a value that `<Markdown>` shows as text: its HTML does not run, and its images are not fetched.

    Args:
        value: Text, or text in lists and dicts.
    """
    return _each_text(
        value, lambda text: text.replace("<", f"<{WORD_JOINER}").replace("![", f"!{WORD_JOINER}[")
    )


def active(value: Any) -> Any:
    """Return the value as it was before `inert`."""
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
