"""Remove secrets from text: `scrub_secrets` for any text, `error_text` for errors. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from langchain_label_studio.support.secret_shapes import KEYS, NAMED_SECRETS, SecretShape

MAX_SCRUBBED = 2_000
"""The maximum number of characters of a scrubbed text. An error may quote a whole prompt."""

_HIDDEN = "[hidden]"
_CUT = "[cut]"
# A secret has only such characters. Texts in Chinese have no blanks, but a word ends there at any sign.
_IN_WORDS = "".join(map(chr, range(0x21, 0x7F))).replace('"', "")


def scrub_secrets(text: str, *, limit: int = MAX_SCRUBBED) -> str:
    """Return the text with keys, tokens, passwords, cookies and authorization headers hidden.

    Args:
        text: Any text. It is cut first, between words: no half of a secret is left that nobody recognises.
        limit: The maximum number of characters that are read. A text that was cut says so.
    """
    head = _cut(text, limit)
    hidden = scrub_keys(_hide(head, NAMED_SECRETS, _HIDDEN, signs_in=head.lower()), _HIDDEN)
    return hidden if len(head) == len(text) else f"{hidden} {_CUT}".lstrip()


def scrub_keys(text: str, hidden: str) -> str:
    """Return the text without everything that looks like a key. The words around a key do not count.

    Args:
        text: Any text. People may talk about passwords and cookies in it.
        hidden: The text in place of a key.
    """
    return _hide(text, KEYS, hidden, signs_in=text)


def _hide(text: str, shapes: Sequence[SecretShape], hidden: str, *, signs_in: str) -> str:
    for shape in shapes:
        if any(sign in signs_in for sign in shape.signs):
            text = _compiled(shape).sub(rf"\g<1>{hidden}", text)
    return text


@cache
def _compiled(shape: SecretShape) -> re.Pattern[str]:
    return shape.pattern()


def _cut(text: str, limit: int) -> str:
    """Return the beginning of a text, without the word in which it is cut."""
    if len(text) <= limit:
        return text
    return text[:limit].rstrip(_IN_WORDS).rstrip()


def error_text(error: BaseException) -> str:
    """Return an error as a short text for people, without secrets."""
    message = scrub_secrets(str(error)).strip()
    name = type(error).__name__
    return f"{name}: {message}" if message else name
