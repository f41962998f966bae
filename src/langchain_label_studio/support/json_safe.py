"""`jsonable`: any value as JSON that PostgreSQL and a browser can hold.

Label Studio does not check the values that it stores. On PostgreSQL, one NUL byte makes a whole batch fail. One lone
surrogate makes every page of a project answer 500.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

from langchain_label_studio.support.forks import no_fork

MAX_TEXT = 1_000_000
"""The maximum number of characters of a text. A text that was cut says so."""

_MAX_DEPTH = 60
_MAX_INT = 2**63 - 1
_BASE64_KEYS = frozenset({"base64", "data", "bytes", "b64_json"})


def encode(value: Any) -> bytes:
    """Return the value as JSON. Values that JSON cannot hold are replaced as in `jsonable`."""
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError):  # includes lone surrogates, big integers, deep nesting
        return orjson.dumps(jsonable(value))


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """Return the text. A text over the limit is cut, and ends with a note about it."""
    # A little more is allowed. So a text that was cut before is not cut again in its note.
    if len(text) <= limit + limit // 10_000:
        return text
    return f"{text[:limit]}\n[cut: {len(text) - limit:,} more characters]"


def clean_text(text: str) -> str:
    """Return the text without NUL bytes and lone surrogates. A text over the limit is cut, and says so."""
    text = clip(str(text))
    try:
        text.encode()
    except UnicodeEncodeError:
        # This joins real pairs of surrogates, and turns lone surrogates into U+FFFD.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "\ufffd")


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return the value if it is a mapping, else an empty mapping. It is for JSON that other programs wrote."""
    return value if isinstance(value, Mapping) else {}


def size_of(byte_count: int) -> str:
    """Return a number of bytes for people.

    `rich.filesize` is not used, because this runs inside a callback: a process that only records does not load rich.
    """
    size = float(byte_count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def base64_size(text: str) -> int:
    """Return the number of bytes in a base64 text."""
    return len(text) * 3 // 4 - text[-2:].count("=")


def jsonable(value: Any, *, depth: int = 0) -> Any:
    """Return the value as JSON can hold it. Never raises.

    Args:
        value: Anything.
        depth: The number of lists and mappings around the value.

    Returns:
        `None`, `bool`, `int`, `float`, `str`, `list` or `dict`. NaN and infinities become `None`. Bytes and base64
        become a note with their size. Other objects become the name of their type, because their own text may hold
        secrets.
    """
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= _MAX_INT else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if depth >= _MAX_DEPTH:
        return "[nested too deeply]"
    try:
        return _jsonable_object(value, depth)
    except Exception as error:  # noqa: BLE001 (any __iter__ or model_dump may raise anything)
        return f"[{_type_name(value)} that could not be read: {type(error).__name__}]"


def _jsonable_object(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {
            clean_text(key if isinstance(key, str) else str(jsonable(key, depth=depth))): _item(
                key, item, depth
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item, depth=depth + 1) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{size_of(len(value))} of binary data]"
    if isinstance(value, Enum):
        return jsonable(value.value, depth=depth + 1)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    with no_fork():
        from pydantic import BaseModel  # noqa: PLC0415 (takes 10 ms to load; a program with a model has loaded it)

    if isinstance(value, BaseModel):
        return jsonable(value.model_dump(), depth=depth + 1)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return jsonable(fields, depth=depth + 1)
    return f"[{_type_name(value)}]"


def _item(key: Any, item: Any, depth: int) -> Any:
    if isinstance(item, str):
        if item.startswith("data:") and ";base64," in item[:200]:
            head, _, data = item.partition(";base64,")
            return f"[{head.removeprefix('data:')}, {size_of(base64_size(data))}]"
        if key in _BASE64_KEYS and len(item) > 256 and _looks_like_base64(item):
            return f"[{size_of(base64_size(item))} of base64]"
    return jsonable(item, depth=depth + 1)


def _looks_like_base64(text: str) -> bool:
    try:
        base64.b64decode(text[:256], validate=True)
    except ValueError:
        return False
    return True


def _type_name(value: Any) -> str:
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
