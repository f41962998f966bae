"""`inert` makes text safe for a tag that shows HTML, `unloadable` for a tag that loads an address. `active` undoes both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WORD_JOINER = "\u2060"
"""An invisible character. After a `<`, no HTML tag can start; between `!` and `[`, no image; before an address, no scheme.

Label Studio renders raw HTML in `<Markdown>`, and does not clean it. In `<HyperText>` it removes scripts, and fetches
images and style sheets. Inside code blocks, `&lt;` would stay `&lt;`. This character looks right everywhere. Without it,
the text is the original one.
"""


def inert(value: Any) -> Any:
    """Return a value that a tag shows as text: its HTML does not run, and its images are not fetched.

    Args:
        value: Text, or text in lists and dicts.
    """
    return _each_text(value, _inert)


def inert_items(value: Any) -> Any:
    """Return a value whose items show no HTML. `<List>` and `<Choices>` show the `html` of each item."""
    if isinstance(value, list):
        return [inert_items(item) for item in value]
    if isinstance(value, dict):
        return {key: inert(item) if key == "html" else inert_items(item) for key, item in value.items()}
    return value


def unloadable(value: Any) -> Any:
    """Return a value that a tag such as `<Image>` cannot load from another server, and that shows no HTML in an error."""
    return _each_text(value, lambda text: WORD_JOINER + _inert(text) if text else text)


def active(value: Any) -> Any:
    """Return the value as it was before `inert` or `unloadable`."""
    return _each_text(value, _active)


def _inert(text: str) -> str:
    return text.replace("<", f"<{WORD_JOINER}").replace("![", f"!{WORD_JOINER}[")


def _active(text: str) -> str:
    if WORD_JOINER not in text:
        return text
    return text.removeprefix(WORD_JOINER).replace(f"<{WORD_JOINER}", "<").replace(f"!{WORD_JOINER}[", "![")


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    return (
        {key: _each_text(item, change) for key, item in value.items()} if isinstance(value, dict) else value
    )
