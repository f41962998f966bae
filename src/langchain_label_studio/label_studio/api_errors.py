"""Errors for the answers of Label Studio, with advice: `error_for_status`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_label_studio.errors import (
    AuthenticationError,
    LabelStudioError,
    NotLabelStudioError,
    PermissionDeniedError,
    ProjectNotFoundError,
    RequestRefusedError,
    ServerUnavailableError,
    UnsupportedVersionError,
)
from langchain_label_studio.label_config.page_tags import read_release
from langchain_label_studio.label_studio.proxy_errors import error_of_proxy, header
from langchain_label_studio.support.printable_text import printable
from langchain_label_studio.support.redaction import scrub_secrets

LOWEST_RELEASE = (1, 16)
"""The lowest version of Label Studio that works. It has legacy tokens only, and says its edition as the first one."""

_MAX_REASON = 300
_MAX_PAGE = 5_000
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
_HIDDEN = "[hidden]"
_REFUSED = frozenset({400, 413, 414, 422, 431})
_PASSING = frozenset({408, 409, 421, 423, 425, 429, 499})
_NOT_STORED = frozenset({425, 429, 503})


def error_for_status(
    status: int | None,
    body: Any,
    headers: Mapping[str, str] | None,
    url: str,
    *,
    secrets: Iterable[str] = (),
) -> LabelStudioError:
    """Return the error for an answer of Label Studio.

    Args:
        status: The HTTP status. None if the SDK itself gave up.
        body: The answer's body, parsed if it was JSON.
        headers: The answer's headers. Few of them are read, because they hold a session cookie.
        url: The address of Label Studio.
        secrets: Texts of the request that the error must not show. Some proxies repeat it.
    """
    reason = reason_in(body, secrets=secrets)
    if error := error_of_proxy(status, body, reason, headers, url):
        return error
    if status == 401:
        return AuthenticationError(_key_refused(reason, url), status=status)
    if status == 403:
        msg = f"The key's owner may not do this in Label Studio at {url} (403: {reason})."
        return PermissionDeniedError(msg, status=status)
    if status in _REFUSED:
        return RequestRefusedError(f"Label Studio refused the request ({status}): {reason}", status=status)
    if status is not None and (status >= 500 or status in _PASSING):
        msg = f"Label Studio at {url} answered {status}: {reason}"
        return ServerUnavailableError(
            msg,
            status=status,
            maybe_stored=status not in _NOT_STORED,
            # Label Studio repeats the status in the body of each of its errors. No proxy does.
            ended=isinstance(body, Mapping) and body.get("status_code") == status,
            retry_after=retry_after(headers),
        )
    if status == 404 and isinstance(body, Mapping):
        msg = f"Label Studio at {url} has no such project, or the key's owner may not see it."
        return ProjectNotFoundError(msg, status=status)
    return not_label_studio(url, status)


def not_label_studio(url: str, status: int | None = None) -> NotLabelStudioError:
    """Return the error for an answer that is not of Label Studio's API.

    Args:
        url: The address.
        status: The HTTP status. None for an answer with an unexpected body.
    """
    msg = (
        f"There is no Label Studio API at {url}. Use the address of Label Studio's start page, such as "
        "http://localhost:8080, without /projects or /api. If a sign-in page of a proxy answers there, set "
        "LABEL_STUDIO_HEADERS to the headers that it wants (in Python, pass headers=)."
    )
    return NotLabelStudioError(msg, status=status)


def too_old(release: str, url: str) -> UnsupportedVersionError | None:
    """Return the error for a version of Label Studio that is too old. None if it is not."""
    known = read_release(release)
    if known is None or known >= LOWEST_RELEASE:
        return None
    lowest = ".".join(map(str, LOWEST_RELEASE))
    msg = f"Label Studio {printable(release)[:20]} at {url} is too old for this package: update it to {lowest} or later."
    return UnsupportedVersionError(msg)


def unreadable(url: str) -> ServerUnavailableError:
    """Return the error for an answer that does not tell whether something was stored."""
    msg = f"The answer of Label Studio at {url} cannot be read."
    return ServerUnavailableError(msg, maybe_stored=True)


def reason_in(body: Any, *, secrets: Iterable[str] = ()) -> str:
    """Return the reason in an answer's body: one short line, without the data of the request.

    Args:
        body: The body, parsed if it was JSON.
        secrets: Texts that are hidden.
    """
    if isinstance(body, Mapping):
        details = body.get("validation_errors")
        text = _flatten(details) if details else _flatten(body.get("detail"))
    elif isinstance(body, str):
        text = _title(body) if "<html" in body[:500].lower() else body
    else:
        text = _flatten(body)
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    # Label Studio repeats the whole task after " :: ".
    text = printable(" ".join(scrub_secrets(text.partition(" :: ")[0]).split()))
    return text.rstrip(".") if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]}…"


def retry_after(headers: Mapping[str, str] | None) -> float | None:
    """Return the seconds in a `Retry-After` header. It holds a number or a date (RFC 9110, 10.2.3)."""
    value = header(headers, "retry-after")
    if value is None:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value.strip()):
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _flatten(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_flatten(item)}" for key, item in value.items() if item)
    if isinstance(value, list | tuple):
        return "; ".join(text for text in map(_flatten, value) if text)
    return "" if value is None else str(value)


def _title(page: str) -> str:
    found = _TITLE.search(page[:_MAX_PAGE])
    return found[1].strip() if found and found[1].strip() else "no reason given"


def _key_refused(reason: str, url: str) -> str:
    where = f"in {url}user/account -> Personal Access Token"
    if "legacy" in reason.lower():
        advice = (
            "This is a legacy token, and legacy tokens are switched off there (the default). Create a personal "
            f"access token {where}, or let the organization's owner switch legacy tokens on."
        )
    elif "expired" in reason.lower():
        advice = f"It has expired: create a new personal access token {where}."
    else:
        advice = f"Copy the personal access token again, whole, or create a new one {where}."
    return f"Label Studio at {url} refused the API key (401: {reason}). {advice}"
