"""One text as inert HTML, as it is: `plain_html`, `code_html`. Pure.

Label Studio renders the HTML of a `<Markdown>` tag as it is. So everything in a text is escaped here. Line breaks are
written as `&#10;`, because Label Studio does not change a line of HTML without an empty line in it.
"""

from __future__ import annotations

import html
import json

from langchain_label_studio.support.readable_json import readable_json

MAX_RENDERED_TEXT = 200_000
"""The maximum number of characters of a text that are shown."""

_MAX_JSON = 50_000


def escape(text: str) -> str:
    """Return text for one line of HTML. Its line breaks are kept."""
    one_kind = text.replace("\r\n", "\n").replace("\r", "\n")
    return html.escape(one_kind, quote=False).replace("\n", "&#10;")


def plain_html(text: str) -> str:
    """Return HTML that shows a text as it is."""
    return f'<div class="lls-text" dir="auto">{escape(text)}</div>' if text else ""


def code_html(text: str, *, language: str = "") -> str:
    """Return HTML that shows a text as code."""
    label = f'<span class="lls-language">{escape(language)}</span>' if language else ""
    return f'{label}<pre class="lls-text lls-code" dir="ltr"><code>{escape(text)}</code></pre>'


def pretty_json(text: str) -> str | None:
    """Return the JSON object or list of a text, with line breaks. None if the text is something else."""
    text = text.strip()
    if not text.startswith(("{", "[")) or len(text) > _MAX_JSON:
        return None
    try:
        return readable_json(json.loads(text))
    except (ValueError, RecursionError):
        return None
