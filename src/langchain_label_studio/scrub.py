"""Take secrets out of an error's text. Pure."""

from __future__ import annotations

import re

_MAX_ERROR = 2_000
_MAX_READ = 10_000  # an error may quote a whole prompt, and this runs inside a callback
_HIDDEN = "[hidden]"
_SECRETS = (
    # Headers, as they are written in a repr or a raw request; cookies are hidden to the end of the line.
    re.compile(r"(?i)((?:set-)?cookie['\"]?\s*[:=]\s*)[^\n]+"),
    re.compile(r"(?i)((?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|token|basic)?\s*)[^\s'\",;}]+"),
    re.compile(r"(?i)(\b(?:bearer|token|basic)\s+)[A-Za-z0-9._~+/=-]{12,}"),
    # key=value and "key": "value" of the names that secrets go by.
    re.compile(
        r"(?i)((?:api[_-]?key|secret|password|passwd|access[_-]?token|refresh[_-]?token)['\"]?\s*[:=]\s*['\"]?)"
        r"[^\s'\",;}]+"
    ),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),  # JWT
    re.compile(r"()\b(?:sk|pk|rk|xox[abp]|gh[pousr]|glpat|AKIA|AIza)[-_A-Za-z0-9*]{12,}"),  # known prefixes
    re.compile(r"(://[^/\s:@]+:)[^/\s@]+(?=@)"),  # user:password@host
)


def scrub_secrets(text: str) -> str:
    """Return the text with keys, tokens, passwords, cookies and authorization headers hidden."""
    for pattern in _SECRETS:
        text = pattern.sub(rf"\g<1>{_HIDDEN}", text)
    return text


def error_text(error: BaseException) -> str:
    """Return an error as one short text a person can read, without secrets."""
    message = str(error)
    if len(message) > _MAX_READ:
        # At a border between words: no pattern knows half a secret.
        message = message[:_MAX_READ].rpartition(" ")[0] or message[:_MAX_ERROR]
    message = scrub_secrets(message).strip()
    if len(message) > _MAX_ERROR:
        message = f"{message[:_MAX_ERROR]} [cut]"
    name = type(error).__name__
    return f"{name}: {message}" if message else name
