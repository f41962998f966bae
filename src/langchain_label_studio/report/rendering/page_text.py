"""`visible`: text from outside as a page, a chart and Markdown can show it. Pure."""

from __future__ import annotations

import json
import re

_INVISIBLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""Control characters, line ends but "\\n", characters that turn the direction of text, and what is no character.

XML forbids most of them: the program that draws charts ends the whole process, and a page with a lone surrogate cannot
be written. The joiners of emojis, of Persian and of the scripts of India stay.
"""


def visible(text: str) -> str:
    r"""Return text with the characters that nobody sees as JSON escapes, such as `\u001b`."""
    return _INVISIBLE.sub(lambda found: json.dumps(found[0])[1:-1], text)
