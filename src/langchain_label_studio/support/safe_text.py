"""`clean_text` and `clip`: texts that PostgreSQL and a browser can hold, and sizes and sentences for people.

Label Studio does not check the values that it stores. On PostgreSQL, one NUL byte makes a whole batch fail. One lone
surrogate makes every page of a project answer 500.
"""

from __future__ import annotations

MAX_TEXT = 1_000_000
"""The maximum number of characters of a text. A text that was cut says so."""


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """Return the text. A text over the limit is cut, and ends with a note about it."""
    # A little more is allowed. So a text that was cut before is not cut again in its note.
    if len(text) <= limit + limit // 10_000:
        return text
    return f"{text[:limit]}\n[cut: {len(text) - limit:,} more characters]"


def clean_text(text: str) -> str:
    """Return the text without NUL bytes and lone surrogates. A text over the limit is cut, and says so."""
    text = clip(str(text))
    try:
        text.encode()
    except UnicodeEncodeError:
        # This joins real pairs of surrogates, and turns lone surrogates into U+FFFD.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "\ufffd")


def sentence(text: str) -> str:
    """Return the text with a full stop, unless it ends a sentence already."""
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def size_of(byte_count: int) -> str:
    """Return a number of bytes for people.

    `rich.filesize` is not used, because this runs inside a callback: a process that only records does not load rich.
    """
    size = float(byte_count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def base64_size(text: str) -> int:
    """Return the number of bytes in a base64 text."""
    return len(text) * 3 // 4 - text[-2:].count("=")
