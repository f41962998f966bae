"""Records that the destination will never take, kept with the reason until a person looks at them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_FORMAT = 1
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A record that was set aside.

    Attributes:
        path: Its file, which a person may repair.
        key: The record's key; empty where it could not be read.
        reason: Why it was refused.
        rejected_at: When, as ISO 8601 in UTC.
        body: The record, or None where the file cannot be read or sent again as it is.
    """

    path: Path
    key: str
    reason: str
    rejected_at: str
    body: bytes | None


def set_aside(directory: Path, *, key: str, body: bytes, reason: str) -> None:
    """Write a record to a file of its own; once more is the same file.

    Raises:
        OSError: The disk does not take it.
    """
    entry: dict[str, Any] = {
        "v": _FORMAT,
        "key": key,
        "reason": reason,
        "rejected_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    try:
        entry["record"] = json.loads(body)
    except ValueError:
        entry["damaged"] = body.decode(errors="backslashreplace")
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / f"{_file_name(key, body)}.json"
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        # Lone surrogates are legal in JSON as escapes only.
        json.dump(entry, file, indent=1)
    draft.replace(path)


def read_all(directory: Path) -> Iterator[Rejected]:
    """Yield what was set aside, the oldest first."""
    with suppress(FileNotFoundError):
        for path in sorted(directory.glob("*.json"), key=lambda path: (path.stat().st_mtime, path.name)):
            yield _read(path)


def _read(path: Path) -> Rejected:
    try:
        entry = json.loads(path.read_bytes())
        record = entry.get("record")
        body = None if record is None else json.dumps(record, separators=(",", ":")).encode()
        return Rejected(
            path=path,
            key=str(entry.get("key", "")),
            reason=str(entry.get("reason", "")),
            rejected_at=str(entry.get("rejected_at", "")),
            body=body,
        )
    except (ValueError, AttributeError, OSError) as error:
        reason = f"this file cannot be read any more: {type(error).__name__}"
        return Rejected(path=path, key="", reason=reason, rejected_at="", body=None)


def _file_name(key: str, body: bytes) -> str:
    if _PLAIN_NAME.fullmatch(key):
        return key
    return "damaged-" + hashlib.sha256(key.encode(errors="replace") + body).hexdigest()[:16]
