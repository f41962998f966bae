"""`printable`: text that cannot change how a terminal, an editor or a log shows other text. Pure."""

from __future__ import annotations

import json
import unicodedata


def printable(text: str) -> str:
    """Return text with unprintable characters as JSON escapes.

    These are the control characters (ESC begins a command to a terminal, and so do some of U+0080 to U+009F), the
    characters that change the direction of text, other invisible characters, and line ends.
    """
    if text.isprintable():
        return text
    return "".join(char if _is_visible(char) else json.dumps(char)[1:-1] for char in text)


def printable_lines(text: str) -> str:
    """Return text with the same characters as JSON escapes, but for line ends."""
    return "\n".join(map(printable, text.split("\n")))


def _is_visible(char: str) -> bool:
    # To Python, the blanks of French and Chinese are not printable.
    return char.isprintable() or unicodedata.category(char) == "Zs"
