"""Rejected records, one file each with the reason: `set_aside` writes one, `put_back` retries it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.support.atomic_files import make_directory, write_whole
from langchain_label_studio.support.process_lock import DirectoryLock

_FORMAT = 1
_LOCK = "retry.lock"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A rejected record.

    Attributes:
        path: Its file, or its object in a store. A person may repair it.
        key: The record's key. Empty if it could not be read.
        reason: The reason why Label Studio refuses it.
        rejected_at: The time of the refusal, as ISO 8601 in UTC.
        body: The record. None if the file cannot be read, or cannot be sent again as it is.
    """

    path: PurePath
    key: str
    reason: str
    rejected_at: str
    body: bytes | None


def rejected_file(*, key: str, body: bytes, reason: str) -> tuple[str, bytes]:
    """Return the name and the content of the file for a rejected record. The same record has the same name."""
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
    # Lone surrogates are legal in JSON as escapes only.
    return f"{_file_name(key, body)}.json", json.dumps(entry, indent=1).encode()


def set_aside(directory: Path, *, key: str, body: bytes, reason: str) -> int:
    """Write a record to a file of its own. The same record goes to the same file.

    Returns:
        The size of the file in bytes.

    Raises:
        OSError: The disk does not take the record.
    """
    name, content = rejected_file(key=key, body=body, reason=reason)
    make_directory(directory)
    write_whole(directory / name, content)
    return len(content)


def read_all(directory: Path) -> Iterator[Rejected]:
    """Yield the rejected records, the oldest first."""
    found = []
    for path in directory.glob("*.json"):
        with suppress(FileNotFoundError):  # another process has just taken it away
            found.append((path.stat().st_mtime, path))
    for _, path in sorted(found):
        yield _read(path)


def record_in(content: bytes) -> bytes:
    """Return the record in the content of a file. A person may have repaired the file.

    Raises:
        ValueError: There is no record in it. The text of the error says what is wrong, and quotes nothing.
    """
    try:
        entry = json.loads(content)
    except json.JSONDecodeError as error:
        msg = f"it is not JSON: {error.msg}, line {error.lineno}, column {error.colno}"
        raise ValueError(msg) from None
    except (UnicodeDecodeError, RecursionError) as error:
        msg = f"it is not JSON: {type(error).__name__}"
        raise ValueError(msg) from None
    record = _record_of(entry) if isinstance(entry, dict) else None
    if not isinstance(record, dict):
        msg = 'it has no "record"'
        raise ValueError(msg)  # noqa: TRY004 (the file is wrong, not a type in the code)
    return json.dumps(record, separators=(",", ":")).encode()


def read_rejected(content: bytes, path: PurePath) -> Rejected:
    """Return the rejected record in the content of a file, whatever happened to it.

    Args:
        content: The content.
        path: The file.
    """
    try:
        entry = json.loads(content)
        record = _record_of(entry)
        body = None if record is None else json.dumps(record, separators=(",", ":")).encode()
        return Rejected(
            path=path,
            key=str(entry.get("key", "")),
            reason=str(entry.get("reason", "not known any more: a retry was interrupted")),
            rejected_at=str(entry.get("rejected_at", "")),
            body=body,
        )
    except (ValueError, AttributeError, RecursionError) as error:
        return _unreadable(path, error)


@contextmanager
def alone(directory: Path) -> Iterator[bool]:
    """Keep others from putting back the records of a directory. Yields False if another process does that now.

    Raises:
        OSError: The directory cannot be written.
    """
    lock = DirectoryLock.take(directory, _LOCK)
    try:
        yield lock is not None
    finally:
        if lock:
            (directory / _LOCK).unlink(missing_ok=True)
            lock.release()


def put_back(lane: Lane, path: Path, body: bytes) -> None:
    """Move a file into a lane, so that its record is sent again. At any moment, the file is in exactly one place.

    Call this inside `alone`: two callers at the same time would send the record twice.

    Args:
        lane: The lane.
        path: The file.
        body: Its record.

    Raises:
        OSError: The file could not be moved.
    """
    # First the file gets the content of a batch, in its old place. Then it moves into the lane.
    write_whole(path, body + b"\n")
    lane.take_in(path)


def _record_of(entry: dict[str, Any]) -> Any:
    """Return the record in an entry. After an interrupted `put_back`, the whole entry is the record."""
    return entry.get("record") if {"record", "damaged", "reason"} & entry.keys() else entry


def _read(path: Path) -> Rejected:
    try:
        return read_rejected(path.read_bytes(), path)
    except OSError as error:
        return _unreadable(path, error)


def _unreadable(path: PurePath, error: Exception) -> Rejected:
    reason = f"this file cannot be read any more: {type(error).__name__}"
    return Rejected(path=path, key="", reason=reason, rejected_at="", body=None)


def _file_name(key: str, body: bytes) -> str:
    if _PLAIN_NAME.fullmatch(key):
        return key
    return "damaged-" + hashlib.sha256(key.encode(errors="replace") + body).hexdigest()[:16]
