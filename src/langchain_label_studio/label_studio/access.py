"""Access to a server behind a proxy: `resolve_headers`, `resolve_verify`, `trusted_certificates`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr

from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.user_directories import expanded

HEADERS_VARIABLE = "LABEL_STUDIO_HEADERS"

Headers = tuple[tuple[str, SecretStr], ...]
"""Names and values. The values are secrets, as the key is."""

Verify = bool | str
"""Whether the server's certificate is checked, or the path of the certificates to trust."""

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# A request that is sent or read in another way than the client means it.
_OF_THE_CLIENT = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect"),
        *("keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)


def resolve_headers(
    headers: Mapping[str, str | SecretStr] | None = None, *, environ: Mapping[str, str] = os.environ
) -> Headers:
    """Return the headers of each request to the server: argument, else environment, else none.

    Args:
        headers: The names and the values.
        environ: The environment. `LABEL_STUDIO_HEADERS` is `name=value,name=value`, with values as in an address: a
            comma is `%2C`. OpenTelemetry writes its headers so.

    Raises:
        SettingError: A header cannot be sent. The message never shows a value.
    """
    if headers is not None and not isinstance(headers, Mapping):
        msg = f"headers is a {type(headers).__name__}: pass a dict, such as {{'X-Gateway-Key': '...'}}."
        raise SettingError(msg)
    if headers:
        return _checked(headers, "headers=")
    return _checked(dict(_pairs(environ.get(HEADERS_VARIABLE, ""))), HEADERS_VARIABLE)


def resolve_verify(verify: Any) -> Verify:
    """Return how the server's certificate is checked: True, False, or the absolute path of trusted certificates.

    Raises:
        SettingError: There is no such file.
    """
    if isinstance(verify, bool):
        return verify
    if verify is None or verify == "":
        return True
    try:
        path = expanded(verify)
        exists = path.exists()
    except (TypeError, ValueError, RuntimeError, OSError):
        exists = False
    if not exists:
        msg = (
            f"verify={verify!r}: there is no such file. Pass the path of a PEM file with the certificates to trust, "
            "or True for those that this computer trusts."
        )
        raise SettingError(msg)
    return str(path)


def trusted_certificates(verify: Verify, *, environ: Mapping[str, str] = os.environ) -> tuple[Verify, str]:
    """Return the certificates to trust, and the setting that says so.

    Args:
        verify: True, False, or a path.
        environ: The environment. The variables are those of OpenSSL and of requests.

    Returns:
        A path; or True for the usual certificates, or False for no check.
    """
    if verify is True:
        for variable in _CERTIFICATES:
            if environ.get(variable):
                return environ[variable], variable
    return verify, "verify="


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for number, item in enumerate(text.split(","), start=1):
        if item.strip():
            name, equals, value = item.partition("=")
            if not equals:
                msg = f"{HEADERS_VARIABLE}: part {number} has no `=`. Write name=value,name=value, and a comma as %2C."
                raise SettingError(msg)
            yield unquote(name).strip(), unquote(value)


def _checked(headers: Mapping[Any, Any], source: str) -> Headers:
    return tuple((_name(name, source), _value(name, value, source)) for name, value in headers.items())


def _name(name: Any, source: str) -> str:
    # A name that no header can have may be a value. So it is not shown.
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        msg = f"{source} has a name that no header can have: use letters, digits and `-`, such as X-Gateway-Key."
        raise SettingError(msg)
    if name.lower() == "authorization":
        msg = (
            f"{source} has {name!r}, but Label Studio reads its key from that header, and a request has only one. Let "
            "your proxy take its credentials from another header: see 'A server behind a proxy' in the guide of "
            "operations."
        )
        raise SettingError(msg)
    if name.lower() in _OF_THE_CLIENT:
        msg = f"{source} has {name!r}, which depends on each request. Take it out."
        raise SettingError(msg)
    return name


def _value(name: str, value: Any, source: str) -> SecretStr:
    given = value.get_secret_value() if isinstance(value, SecretStr) else value
    text = given.strip() if isinstance(given, str) else ""
    if not text or not text.isascii() or not text.isprintable():
        msg = (
            f"The value of {name!r} in {source} cannot be sent: it has to be a text of letters, digits and signs "
            "(ASCII) in one line, and not empty."
        )
        raise SettingError(msg)
    return SecretStr(text)
