"""`plain_json`: the JSON of a value that holds nothing but JSON already. `jsonable` reads all other values."""

from __future__ import annotations

from typing import Any

import orjson

from langchain_label_studio.support.safe_text import MAX_TEXT

MAX_DEPTH = 60
"""The maximum number of lists and mappings around each other."""

BASE64_KEYS = frozenset({"base64", "data", "bytes", "b64_json"})
"""The keys of a mapping whose texts may be base64."""

HOLDING = frozenset({dict, list, tuple})
"""The types of JSON's lists and mappings."""

SCALARS = frozenset({int, float, bool, type(None)})
"""The types of JSON's other values, without texts."""

_PLAIN = HOLDING | SCALARS | {str}
# Without these in the JSON, no text has a NUL, and none is an address that holds base64.
_NUL, _BASE64 = rb"\u0000", b";base64,"


def plain_json(value: Any, items: float, characters: float) -> bytes | None:
    """Return the JSON of a list or mapping that `jsonable` leaves as it is: most are. orjson is many times as quick.

    Args:
        value: A list or a mapping.
        items: The maximum number of items and keys, with those of its parts.
        characters: The maximum length of the JSON.

    Returns:
        The JSON. None if `jsonable` may change the value.
    """
    try:
        # Each item takes two characters or more. Without a bound, a value that contains itself twice would have no end.
        if not _is_small_and_plain(value, min(items, MAX_TEXT // 2)):
            return None
        plain = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except (TypeError, ValueError, KeyError, RuntimeError):
        # A lone surrogate, a big integer, a key that is no text, or another thread changes the value just now.
        return None
    if len(plain) >= min(characters, MAX_TEXT) or _NUL in plain or _BASE64 in plain:
        return None
    return plain


def _is_small_and_plain(value: Any, items: float) -> bool:
    """Return whether a value has only JSON's own types, is not too deep, and has no more items than these.

    A value with a text under a key for base64 is not plain.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        items -= sum(map(len, level))
        # Before the parts are looked at: a part in a thousand places may have a thousand parts in a thousand places.
        if items < 0:
            return False
        parts: list[Any] = []
        for each in level:
            if type(each) is not dict:
                parts += each
            elif BASE64_KEYS.isdisjoint(each) or all(
                type(each[key]) in HOLDING for key in BASE64_KEYS & each.keys()
            ):
                parts += each.values()
            else:
                return False
        kinds = set(map(type, parts))
        if not kinds <= _PLAIN:
            return False
        if kinds.isdisjoint(HOLDING):
            return True
        level = [part for part in parts if type(part) in HOLDING]
    return False
