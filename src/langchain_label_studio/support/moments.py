"""Dates that users write: `resolve_moment`."""

from __future__ import annotations

from datetime import UTC, datetime

from langchain_label_studio.errors import SettingError


def resolve_moment(name: str, value: datetime | str | None) -> datetime | None:
    """Return a time in UTC.

    Args:
        name: The setting.
        value: A time, or ISO 8601 text; without a zone it is this computer's.

    Raises:
        SettingError: It is text that is no time.
    """
    try:
        known = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        msg = f"{name}={value!r} is no time: write it like 2026-11-21 or 2026-11-21T09:30."
        raise SettingError(msg) from None
    return None if known is None else known.astimezone(UTC)
