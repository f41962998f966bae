"""`jsonable`: any value as JSON that PostgreSQL and a browser can hold. It takes no longer than what it keeps of it.

A value of an application may contain itself, may name the same part in a thousand places, or may hold a table of a
million rows. So a walk knows the path to the place where it is, and has a budget for the value as a whole.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import re
from collections import UserString, deque
from collections.abc import Iterable, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from numbers import Integral, Real
from pathlib import PurePath
from types import SimpleNamespace
from typing import Any, get_origin
from uuid import UUID

import orjson

from langchain_label_studio.support.plain_json import BASE64_KEYS, MAX_DEPTH, SCALARS, plain_json
from langchain_label_studio.support.pydantic_values import is_model, model_value, schema_of, url_text
from langchain_label_studio.support.safe_text import MAX_TEXT, base64_size, clean_text, clip, size_of
from langchain_label_studio.support.table_values import (
    extra_cost,
    is_table,
    pandas_scalar,
    table_size,
    table_values,
)

MAX_ITEMS = 10_000
"""The maximum number of items and keys of a value, with those of its parts. A value that was cut says so."""

MAX_CHARACTERS = 2 * MAX_TEXT
"""The maximum number of characters of all texts of a value together."""

_SHORT = 1000
_MAX_INT = 2**63 - 1
_NUL = rb"\u0000"
_MAX_BITS = 10_000
# Their own text is all that they hold.
_WITH_A_TEXT = (UUID, PurePath, tzinfo, IPv4Address, IPv6Address, IPv4Network, IPv6Network)


def encode(tree: Any) -> bytes:
    """Return a tree of our own as JSON. What JSON cannot hold is replaced as in `jsonable`.

    Args:
        tree: A tree. Values of the application in it have passed `jsonable`.
    """
    try:
        return orjson.dumps(tree)
    except (TypeError, ValueError):  # includes lone surrogates, big integers, deep nesting
        return orjson.dumps(_walked(tree))


def encode_clean(tree: Any) -> bytes:
    """Return a tree as `encode` does. Here its texts are clean, too: see `clean_text`.

    Args:
        tree: A tree. Values of the application in it have passed `jsonable`, and may have been changed since.
    """
    encoded = encode(tree)
    # Most JSON has no backslash, or not this one.
    if len(encoded) < MAX_TEXT and not (b"\\" in encoded and _NUL in encoded):
        return encoded
    return orjson.dumps(_walked(tree))


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return the value if it is a mapping, else an empty mapping. It is for JSON that other programs wrote."""
    return value if isinstance(value, Mapping) else {}


def jsonable(value: Any, *, items: float = MAX_ITEMS, characters: float = MAX_CHARACTERS) -> Any:
    """Return the value as JSON can hold it. Never raises.

    Args:
        value: Anything.
        items: The maximum number of items and keys that are kept. `math.inf` is only for trees of our own.
        characters: The maximum number of characters that are kept.

    Returns:
        `None`, `bool`, `int`, `float`, `str`, `list` or `dict`. NaN and infinities become `None`. Numbers of other
        types become numbers, times, paths and addresses become text, and a time difference its seconds. A table
        becomes its columns. Classes with fields and types such as `list[int]` become their JSON schema. Bytes and
        base64 become a note with their size. Other objects become the name of their type, because their own text may
        hold secrets. A part that contains itself becomes a note, and so does everything over the limits.
    """
    kind = type(value)
    if kind is str and len(value) <= min(_SHORT, characters) and value.isascii() and "\0" not in value:
        return value  # as nearly all are
    if kind in SCALARS:
        return _scalar(value)
    if (kind is dict or kind is list) and (plain := plain_json(value, items, characters)) is not None:
        return orjson.loads(plain)
    return _Walk(items, characters).read(value, 0)


def characters_in(tree: Any) -> int:
    """Return about how much memory a tree needs, in characters. Each part counts one more.

    Args:
        tree: A tree of our own, or one that passed `jsonable`.
    """
    total = 0
    parts = [tree]
    while parts:
        part = parts.pop()
        total += 1
        kind = type(part)
        if kind is str:
            total += len(part)
        elif kind is list or kind is tuple:
            parts += part
        elif kind is dict or (kind not in SCALARS and isinstance(part, Mapping)):
            total += sum([len(key) for key in part if type(key) is str])
            parts += part.values()
        elif isinstance(part, str):  # LangChain's own kind of text
            total += len(part)
    return total


def _walked(tree: Any) -> Any:
    return _Walk(math.inf, math.inf).read(tree, 0)


class _Walk:
    """A walk through one value. See `jsonable`."""

    __slots__ = ("_characters", "_items", "_path")

    def __init__(self, items: float, characters: float) -> None:
        self._items = items
        self._characters = characters
        self._path: set[int] = set()

    def read(self, value: Any, depth: int) -> Any:
        """Return the value as JSON can hold it.

        Args:
            value: Anything.
            depth: The number of lists and mappings around it.
        """
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind in SCALARS:
            return _scalar(value)
        if depth >= MAX_DEPTH:
            return "[nested too deeply]"
        if id(value) in self._path:
            return f"[{_type_name(value)} that contains itself]"
        self._path.add(id(value))
        try:
            return self._read_object(value, depth)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 (any __iter__ may raise anything; a panic of Rust is no Exception)
            return f"[{_type_name(value)} that could not be read: {type(error).__name__}]"
        finally:
            self._path.discard(id(value))

    def _text(self, text: str) -> str:
        limit = int(min(MAX_TEXT, max(0, self._characters)))
        self._characters -= len(text)
        return clean_text(clip(text, limit))

    def _read_object(self, value: Any, depth: int) -> Any:
        if isinstance(value, Enum):  # first: it may be a text or a number, too
            return self.read(value.value, depth + 1)
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, UserString):  # each of its characters is one, too
            return self.read(value.data, depth + 1)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, bytes | bytearray | memoryview):
            return f"[{size_of(memoryview(value).nbytes)} of binary data]"
        if isinstance(value, Sequence | AbstractSet | ValuesView | deque):
            return self._list(value, len(value), depth)
        if type(value) is datetime:  # of these, an array may hold thousands
            return value.isoformat()
        return self._read_type_or_table(value, depth)

    def _read_type_or_table(self, value: Any, depth: int) -> Any:
        if isinstance(value, type) or get_origin(value) is not None:
            schema = schema_of(value)
            return f"[{_type_name(value)}]" if schema is None else self.read(schema, depth + 1)
        if is_table(value):  # before numbers: numpy's time differences call themselves whole numbers
            cost = extra_cost(value)
            if table_size(value) + cost <= self._items:
                self._items -= cost
                return self.read(table_values(value), depth + 1)
            size = f"{_type_name(value)}, {' by '.join(map(str, value.shape))}"
            return f"[{size}, {value.dtype}]" if hasattr(value, "dtype") else f"[{size}]"
        if (plain := pandas_scalar(value)) is not value:  # before times: pandas' missing time is one
            return self.read(plain, depth + 1)
        if (text := _text_of(value)) is not None:
            return self._text(text)
        if isinstance(value, Real | Decimal | complex | timedelta):
            return _number(value)
        return self._read_fields(value, depth)

    def _read_fields(self, value: Any, depth: int) -> Any:
        if is_model(value):
            return self.read(model_value(value), depth + 1)
        if dataclasses.is_dataclass(value):
            return self._mapping(
                {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, depth
            )
        if isinstance(value, SimpleNamespace):
            return self._mapping(vars(value), depth)
        if isinstance(value, orjson.Fragment):
            return self.read(orjson.loads(orjson.dumps(value)), depth)
        return f"[{_type_name(value)}]"

    def _list(self, values: Iterable[Any], length: int, depth: int) -> list[Any]:
        kept: list[Any] = []
        for value in values:
            if self._is_spent():
                kept.append(f"[cut: {length - len(kept):,} more items]")
                break
            self._items -= 1
            kept.append(self.read(value, depth + 1))
        return kept

    def _mapping(self, values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in values.items():
            if self._is_spent():
                kept["…"] = f"[cut: {len(values) - len(kept):,} more items]"
                break
            self._items -= 1
            name = self._text(key) if type(key) is str else str(self.read(key, depth + 1))
            if name in kept:  # such as 1 beside "1"
                name += f" ({len(kept) + 1})"
            kept[name] = self._item(key, value, depth)
        return kept

    def _item(self, key: Any, value: Any, depth: int) -> Any:
        if isinstance(value, str) and len(value) > len(";base64,"):
            if value.startswith("data:") and ";base64," in value[:200]:
                head, _, data = value.partition(";base64,")
                return self._text(f"[{head.removeprefix('data:')}, {size_of(base64_size(data))}]")
            if key in BASE64_KEYS and len(value) > 256 and _looks_like_base64(value):
                return f"[{size_of(base64_size(value))} of base64]"
        return self.read(value, depth + 1)

    def _is_spent(self) -> bool:
        return self._items <= 0 or self._characters <= 0


def _scalar(value: float | None) -> Any:
    """Return a value of one of `SCALARS` as JSON can hold it."""
    if type(value) is int:
        return _whole_number(value)
    if type(value) is float and not math.isfinite(value):
        return None
    return value


def _whole_number(number: int) -> int | str:
    """Return a whole number. A database cannot hold all of them as numbers, nor Python all of them as text."""
    if abs(number) <= _MAX_INT:
        return int(number)
    bits = number.bit_length()
    if bits > _MAX_BITS:
        return f"[a whole number of {int(bits * math.log10(2)) + 1:,} digits]"
    return str(number)


def _text_of(value: Any) -> str | None:
    """Return the text of a time, an id, a path, an address or a pattern. None for anything else."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, _WITH_A_TEXT):
        return str(value)
    return str(value.pattern) if isinstance(value, re.Pattern) else url_text(value)


def _number(value: Any) -> int | float | str | None:
    """Return a number of any type, such as `Decimal` or `Fraction`. Of a time difference, the seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Integral):
        return _whole_number(int(value))
    if isinstance(value, complex):
        return str(value)
    if isinstance(value, Decimal) and value.is_nan():
        return None  # one kind of it cannot become a float
    number = float(value)
    if math.isfinite(number):
        return number
    huge = isinstance(value, Decimal) and value.is_finite()
    return str(value) if huge else None


def _looks_like_base64(text: str) -> bool:
    try:
        base64.b64decode(text[:256], validate=True)
    except ValueError:
        return False
    return True


def _type_name(value: Any) -> str:
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
