"""The address of object storage: `check_store_url`. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from langchain_label_studio.errors import SettingError

SCHEMES = ("s3", "gs", "az", "abfs", "abfss", "https", "file")
_MAX_SHOWN = 100


def check_store_url(url: Any, *, setting: str = "deliver_to") -> str:
    """Return the address of object storage, without a slash at its end.

    Args:
        url: The address, such as `s3://bucket/prefix` or `file:///path`.
        setting: The name of the setting, for the message of an error.

    Raises:
        SettingError: It cannot be one.
    """
    address = url.strip() if isinstance(url, str) else ""
    shown = repr(url if isinstance(url, str) else type(url).__name__)[:_MAX_SHOWN]
    try:
        parts = urlsplit(address)
        known = parts.scheme in SCHEMES and address.isprintable()
        place = bool(parts.path.strip("/")) if parts.scheme == "file" else bool(parts.hostname)
        has_secret = "@" in parts.netloc and parts.scheme not in {"abfs", "abfss"}
        has_secret = has_secret or bool(parts.password or parts.query)
    except ValueError:
        known = place = has_secret = False
    if has_secret:
        msg = (
            f"{setting}= has a user, a password or a query in it. An address is written down and shown: set what opens the "
            "storage in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
        raise SettingError(msg)
    if not known or not place:
        msg = f"{setting}={shown}: pass an address such as s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///path."
        raise SettingError(msg)
    if parts.scheme == "file" and parts.netloc:
        msg = f"{setting}={shown}: a path begins after three slashes, such as file:///{parts.netloc}{parts.path}."
        raise SettingError(msg)
    return address.rstrip("/")
