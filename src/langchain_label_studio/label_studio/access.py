"""Access to a server: its address and key, headers and certificates. Begin with `resolve_url`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from langchain_label_studio.errors import MissingApiKeyError, SettingError
from langchain_label_studio.support.user_directories import expanded

API_KEY_VARIABLE = "LABEL_STUDIO_API_KEY"
URL_VARIABLE = "LABEL_STUDIO_URL"
HEADERS_VARIABLE = "LABEL_STUDIO_HEADERS"

DEFAULT_URL = "http://localhost:8080"

Headers = tuple[tuple[str, SecretStr], ...]
"""Names and values. The values are secrets, as the key is."""

Verify = bool | str
"""Whether the server's certificate is checked, or the path of the certificates to trust."""

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_MAX_SHOWN = 100
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# A request that is sent or read in another way than the client means it.
_OF_THE_CLIENT = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect"),
        *("keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)


def resolve_api_key(
    api_key: str | SecretStr | None = None, *, environ: Mapping[str, str] = os.environ
) -> SecretStr:
    """Return the key: argument, else environment.

    Raises:
        MissingApiKeyError: There is none.
        SettingError: It cannot be one.
    """
    given = api_key.get_secret_value() if isinstance(api_key, SecretStr) else api_key
    if given is not None and not isinstance(given, str):
        msg = f"api_key is a {type(given).__name__}: pass a text."
        raise SettingError(msg)
    # A newline at its end would make the HTTP library refuse the header, and print the key.
    key = (given or "").strip() or environ.get(API_KEY_VARIABLE, "").strip()
    if not key:
        msg = (
            "No Label Studio API key. In Label Studio, click your initials at the top right, then "
            "Account & Settings -> Personal Access Token, create one and copy it. Set "
            f"{API_KEY_VARIABLE} to it (in Python, api_key= takes it, too). "
            "(No Label Studio yet? `langchain-label-studio up` starts one and prints its key.)"
        )
        raise MissingApiKeyError(msg)
    if not key.isascii() or not key.isprintable() or " " in key:
        msg = "The Label Studio API key has characters no key can have. Copy it again, whole and alone."
        raise SettingError(msg)
    return SecretStr(key)


def resolve_url(url: str | None = None, *, environ: Mapping[str, str] = os.environ) -> str:
    """Return Label Studio's address, ending in exactly one slash: argument, else environment, else default.

    Raises:
        SettingError: It cannot be one.
    """
    address = str(url or environ.get(URL_VARIABLE) or DEFAULT_URL).strip()
    try:
        parts = urlsplit(address)
        can_be_one = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        can_be_one = False
    if not can_be_one or not address.isprintable() or " " in address:
        # It may hold a password.
        shown = "The Label Studio URL" if "@" in address else repr(address[:_MAX_SHOWN])
        msg = (
            f"{shown} is not the address of a Label Studio: it has to start with http:// or https://, and to hold no "
            "blank, such as http://localhost:8080."
        )
        raise SettingError(msg)
    if parts.username or parts.password:
        msg = (
            "The Label Studio URL holds a user name or password. Take it out (in Python, Label Studio's key goes to "
            "api_key=, and what a proxy wants to headers=)."
        )
        raise SettingError(msg)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


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
