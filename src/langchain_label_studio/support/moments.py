"""Read times: `resolve_moment` reads times that users write, `read_time` reads times that programs write."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from langchain_label_studio.errors import SettingError


def read_time(text: Any) -> datetime | None:
    """Return a time that a program wrote, in UTC.

    Args:
        text: ISO 8601 text, or anything else. Without a zone, the text is in UTC.

    Returns:
        The time. None if the text is not a time.
    """
    if not isinstance(text, str):
        return None
    with suppress(ValueError):
        known = datetime.fromisoformat(text)
        return known.replace(tzinfo=UTC) if known.tzinfo is None else known.astimezone(UTC)
    return None


def resolve_moment(name: str, value: datetime | str | None) -> datetime | None:
    """Return a time in UTC.

    Args:
        name: The setting.
        value: A time, or ISO 8601 text. Without a zone it is in this computer's zone.

    Raises:
        SettingError: The text is not a time.
    """
    try:
        known = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        msg = f"{name}={value!r} is no time: write it like 2026-11-21 or 2026-11-21T09:30."
        raise SettingError(msg) from None
    return None if known is None else known.astimezone(UTC)
