"""Errors for what stands before Label Studio: proxies, sign-in pages, certificates. Begin with `error_of_proxy`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from langchain_label_studio.errors import (
    AuthenticationError,
    LabelStudioError,
    NotLabelStudioError,
    PermissionDeniedError,
    ServerUnavailableError,
)
from langchain_label_studio.support.printable_text import printable

_GUIDE = "see 'A server behind a proxy' in the guide of operations"
_ADVICE = "set LABEL_STUDIO_HEADERS to the headers that it wants (in Python, pass headers=)"
_SCHEME = re.compile(r"^\s*([A-Za-z][\w-]{0,30})(?=\s|$)")
# The answers of nginx, Go and Apache to HTTP without TLS.
_WANTS_TLS = re.compile(
    r"HTTP request (?:was sent )?to (?:an )?HTTPS|plain HTTP to an SSL-enabled", re.IGNORECASE
)
_NOISE = re.compile(r"^.*certificate verify failed:\s*|^\[[^\]]*\]\s*| ?\(_ssl\.c:\d+\)")

_PEM = "as a PEM file in SSL_CERT_FILE (in Python, pass verify='/path/to/it.pem')"
_CERTIFICATES = (
    (
        re.compile(r"self.signed certificate(?! in)"),
        f"It is signed by itself. If you trust it, give the certificate {_PEM}",
    ),
    (
        re.compile(r"self.signed certificate in|unable to get .*issuer|unable to verify the first"),
        f"This computer does not know who signed it. Give the certificate of that authority {_PEM}",
    ),
    (re.compile("has expired"), "Renew it on the server, or set the clock of this computer right"),
    (re.compile("not yet valid"), "Set the clock of this computer right, or the certificate on the server"),
    (re.compile("mismatch|not valid for"), "Use the server's name as it stands in the certificate: url= or LABEL_STUDIO_URL"),
)  # fmt: skip
_NO_TLS = re.compile(
    "WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|UNKNOWN_PROTOCOL|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG"
)


def header(headers: Mapping[str, str] | None, name: str) -> str | None:
    """Return a header of an answer, or None."""
    return next((text for known, text in (headers or {}).items() if known.lower() == name), None)


def error_of_proxy(
    status: int | None, body: Any, reason: str, headers: Mapping[str, str] | None, url: str
) -> LabelStudioError | None:
    """Return the error for an answer of something before Label Studio. None if the answer is not known to be one.

    Args:
        status: The HTTP status.
        body: The answer's body, parsed if it was JSON.
        reason: The reason in it.
        headers: The answer's headers.
        url: The address of Label Studio.
    """
    # Label Studio's own refusals have details.
    if status in {401, 403} and not (isinstance(body, Mapping) and "detail" in body):
        return _refused(status, reason, headers, url)
    if status == 407:
        return _refused_on_the_way(url)
    if status == 400 and isinstance(body, str) and _WANTS_TLS.search(body):
        return _use_https(url)
    if status is not None and 300 <= status < 400:
        return _redirected(status, headers, url)
    return None


def no_connection(problem: str, url: str) -> LabelStudioError:
    """Return the error for a connection that could not be opened.

    Args:
        problem: The text of the connection's own error.
        url: The address.
    """
    reason = printable(" ".join(_NOISE.sub("", problem).split())).rstrip(".")[:200]
    if "CERTIFICATE_VERIFY_FAILED" in problem:
        advice = next((text for pattern, text in _CERTIFICATES if pattern.search(problem)), None)
        advice = advice or "Let who runs the server correct it"
        return NotLabelStudioError(f"The certificate of {url} cannot be trusted: {reason}. {advice}.")
    if _NO_TLS.search(problem):
        plain = url.replace("https:", "http:", 1)
        msg = (
            f"The port of {url} does not speak https. Use http:// instead of https://: {plain} as url= or "
            "LABEL_STUDIO_URL."
        )
        return NotLabelStudioError(msg)
    # A server that is being started or stopped ends the connection in the middle.
    if "SSL" in problem and "EOF" not in problem:
        return NotLabelStudioError(f"No secure connection to {url}: {reason}.")
    msg = f"No answer from Label Studio at {url}: is it running, and is the address right?"
    return ServerUnavailableError(msg)


def broken_off(kind: str, url: str, *, answered_before: bool) -> LabelStudioError:
    """Return the error for a connection that ended before the answer.

    Args:
        kind: The name of the connection's own error.
        url: The address.
        answered_before: Whether Label Studio has answered there.
    """
    if kind == "ProxyError":
        return _refused_on_the_way(url)
    # A port of https says nothing to http.
    hint = " Is it https:// instead of http://?" if url.startswith("http:") and not answered_before else ""
    msg = f"Label Studio at {url} broke off without an answer ({kind}).{hint}"
    return ServerUnavailableError(msg, maybe_stored=True)


def _use_https(url: str) -> NotLabelStudioError:
    """Return the error for http that was spoken to an https port. Nothing was stored."""
    secure = url.replace("http:", "https:", 1)
    msg = f"The port of {url} speaks https only. Use https:// instead of http://: {secure} as url= or LABEL_STUDIO_URL."
    return NotLabelStudioError(msg)


def _refused(status: int, reason: str, headers: Mapping[str, str] | None, url: str) -> LabelStudioError:
    """Return the error for a 401 or 403 that is not of Label Studio."""
    wanted = _SCHEME.match(header(headers, "www-authenticate") or "")
    if status == 401 and wanted:
        advice = (
            f"It wants {wanted[1].capitalize()} credentials in the header Authorization, where Label Studio's key is. Let "
            f"it take them from another header: {_GUIDE}."
        )
    else:
        advice = f"Check the headers that you pass; or {_ADVICE}: {_GUIDE}."
    msg = (
        f"Something before the Label Studio at {url} refused the request ({status}: {reason}): a proxy, or an access "
        f"gateway. {advice}"
    )
    error = AuthenticationError if status == 401 else PermissionDeniedError
    return error(msg, status=status)


def _refused_on_the_way(url: str) -> ServerUnavailableError:
    """Return the error for the proxy that the environment names. It let nothing through."""
    msg = (
        f"The proxy on the way to {url} refused: HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names it. Correct its address, "
        "with its user name and password; or add the host to NO_PROXY."
    )
    return ServerUnavailableError(msg)


def _redirected(status: int, headers: Mapping[str, str] | None, url: str) -> NotLabelStudioError | None:
    """Return the error for a redirect. None if it does not say where to."""
    try:
        target = urlsplit(urljoin(url, header(headers, "location") or ""))
        # Without a query, which may hold a secret, and without a user name.
        place = f"{target.scheme}://{target.netloc.rpartition('@')[2]}{target.path}"
    except ValueError:
        return None
    base, api, _ = place.rpartition("/api/")
    if api and f"{base}/" != url:
        advice = f"Use {printable(base)}/ as url= or LABEL_STUDIO_URL."
    elif place == url:
        return None
    else:
        advice = (
            f"That looks like the sign-in page of a proxy or an access gateway: {_ADVICE}, such as those of a "
            f"service account; {_GUIDE}."
        )
    msg = f"There is no Label Studio API at {url}: it redirects to {printable(place)[:200]} ({status}). {advice}"
    return NotLabelStudioError(msg, status=status)
