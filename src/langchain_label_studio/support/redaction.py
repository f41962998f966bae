"""Remove secrets from text: `scrub_secrets` for any text, `error_text` for errors. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_ERROR = 2_000
_MAX_READ = 10_000  # an error may quote a whole prompt, and this runs inside a callback
_HIDDEN = "[hidden]"
_NAMED = (
    # Headers, as in a repr or a raw request. Cookies are hidden to the end of the line.
    re.compile(r"(?i)((?:set-)?cookie['\"]?\s*[:=]\s*)[^\n]+"),
    re.compile(r"(?i)((?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|token|basic)?\s*)[^\s'\",;}]+"),
    re.compile(r"(?i)(\b(?:bearer|token|basic)\s+)[A-Za-z0-9._~+/=-]{12,}"),
    # key=value and "key": "value" with the usual names of secrets.
    re.compile(
        r"(?i)((?:api[_-]?key|secret|password|passwd|access[_-]?token|refresh[_-]?token)['\"]?\s*[:=]\s*['\"]?)"
        r"[^\s'\",;}]+"
    ),
)
# A pattern first looks for the beginning of a key, because that is quick. Then it checks that no word continues here:
# without this check, every letter of a long word would be tried as the beginning of a key.
_KEYS = (
    re.compile(
        r"()-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
    ),
    re.compile(r"()eyJ(?<![\w-]eyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),  # JWT
    # Keys with a known prefix: of OpenAI, Anthropic, Stripe, Slack, GitHub, GitLab, AWS, Google, Hugging Face,
    # LangSmith, npm, PyPI and SendGrid.
    re.compile(
        r"()[sprghlnxSA](?<![\w-].)"
        r"(?:(?:(?<=[spr])k|(?<=g)(?:h[pousr]|ithub_pat)|(?<=h)f|(?<=l)sv2|(?<=n)pm)[-_]"
        r"|(?<=x)ox[a-z]-|(?<=g)lpat-|(?<=p)ypi-|(?<=S)G\.|(?<=A)(?:KIA|SIA|Iza))[-_.A-Za-z0-9*]{12,}"
    ),
    re.compile(r"([Bb](?<!\w.)(?i:earer)\s+)(?=[A-Za-z._~+/=-]*[0-9])[A-Za-z0-9._~+/=-]{12,}"),
    re.compile(r"(://[^/\s:@]+:)[^/\s@]+(?=@)"),  # user:password@host
)


def scrub_secrets(text: str) -> str:
    """Return the text with keys, tokens, passwords, cookies and authorization headers hidden."""
    return _hide(text, (*_NAMED, *_KEYS), _HIDDEN)


def scrub_keys(text: str, hidden: str) -> str:
    """Return the text without everything that looks like a key. The words around a key do not count.

    Args:
        text: Any text. People may talk about passwords and cookies in it.
        hidden: The text in place of a key.
    """
    return _hide(text, _KEYS, hidden)


def _hide(text: str, patterns: Sequence[re.Pattern[str]], hidden: str) -> str:
    for pattern in patterns:
        text = pattern.sub(rf"\g<1>{hidden}", text)
    return text


def error_text(error: BaseException) -> str:
    """Return an error as a short text for people, without secrets."""
    message = str(error)
    if len(message) > _MAX_READ:
        # Cut between words: no pattern finds half a secret.
        message = message[:_MAX_READ].rpartition(" ")[0] or message[:_MAX_ERROR]
    message = scrub_secrets(message).strip()
    if len(message) > _MAX_ERROR:
        message = f"{message[:_MAX_ERROR].rpartition(' ')[0] or message[:_MAX_ERROR]} [cut]"
    name = type(error).__name__
    return f"{name}: {message}" if message else name
