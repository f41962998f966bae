"""`jsonable_bytes`: what `jsonable` makes of a tree, as JSON. A tree that is fine as it is needs no walk."""

from __future__ import annotations

from math import inf
from typing import Any

import orjson

from langchain_label_studio.support.json_safe import BASE64_KEYS, MAX_DEPTH, jsonable
from langchain_label_studio.support.safe_text import MAX_TEXT

# Everything that orjson knows, but `jsonable` reads otherwise, is an error of orjson: whole numbers of 54 bits and more,
# dataclasses, times, and kinds of texts, numbers, lists and dicts of the application's own.
_PLAIN_ONLY = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_STRICT_INTEGER
)
# Without these in the JSON, no text has a NUL, and none is an address that holds base64.
_NUL, _BASE64 = rb"\u0000", b";base64,"
_WITH_PARTS = frozenset({dict, list, tuple})


def jsonable_bytes(tree: Any) -> bytes:
    """Return `jsonable(tree)` as JSON, without limits for all items and all characters together.

    Args:
        tree: A tree of our own. What it holds of the application is nearly always plain.
    """
    try:
        encoded = orjson.dumps(tree, option=_PLAIN_ONLY)
    except (TypeError, ValueError):  # includes lone surrogates and deep nesting
        encoded = b""
    if (
        encoded
        and len(encoded) <= MAX_TEXT
        and _NUL not in encoded
        and _BASE64 not in encoded
        and _is_fine(tree)
    ):
        return encoded
    return orjson.dumps(jsonable(tree, items=inf, characters=inf))


def _is_fine(tree: Any) -> bool:
    """Return whether no key is for base64, and no more lists and dicts are nested than `jsonable` keeps."""
    level = [tree]
    for _ in range(MAX_DEPTH):
        inner = []
        for whole in level:
            if type(whole) is not dict:
                parts = whole
            elif BASE64_KEYS.isdisjoint(whole) or _holds_parts(whole):
                parts = whole.values()
            else:
                return False
            inner += [part for part in parts if type(part) in _WITH_PARTS]
        if not inner:
            return True
        level = inner
    return False


def _holds_parts(whole: dict[str, Any]) -> bool:
    """Return whether the keys for base64 have lists and dicts, as the key `data` of a task has."""
    return all(type(whole[key]) in _WITH_PARTS for key in BASE64_KEYS & whole.keys())
