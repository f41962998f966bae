"""`repeated_json`: JSON of values that come again with each run, such as the tools that are bound to a model."""

from __future__ import annotations

from typing import Any

import orjson

from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.json_safe import MAX_CHARACTERS, MAX_ITEMS, jsonable
from langchain_label_studio.support.plain_json import plain_json

_MAX_REMEMBERED = 32
_SMALLEST = 500
_LARGEST = 200_000

# While a value is here, no other value gets its id.
_remembered: BoundedDict[int, tuple[Any, bytes]] = BoundedDict(_MAX_REMEMBERED)


def repeated_json(value: Any) -> Any:
    """Return what `jsonable` returns. A large list or mapping stays JSON: an `orjson.Fragment`.

    If the very same object comes again, unchanged, it is not walked again. Its JSON shows whether it is unchanged.

    Args:
        value: Anything.
    """
    if type(value) is not list and type(value) is not dict:
        return jsonable(value)
    known = _remembered.get(id(value))
    if known is not None and known[0] is value and _is_unchanged(value, known[1]):
        return orjson.Fragment(known[1])
    plain = plain_json(value, MAX_ITEMS, MAX_CHARACTERS)
    if plain is None:
        return jsonable(value)
    if not _SMALLEST <= len(plain) <= _LARGEST:
        return orjson.loads(plain)
    _remembered[id(value)] = (value, plain)
    return orjson.Fragment(plain)


def _is_unchanged(value: Any, plain: bytes) -> bool:
    try:
        return orjson.dumps(value) == plain
    except (TypeError, ValueError):
        return False
