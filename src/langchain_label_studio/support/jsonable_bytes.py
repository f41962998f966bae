"""`jsonable_bytes`: what `jsonable` makes of a tree, as JSON. A tree that is fine as it is needs no walk."""

from __future__ import annotations

from math import inf
from typing import Any

import orjson

from langchain_label_studio.support.json_safe import MAX_DEPTH, jsonable, needs_care
from langchain_label_studio.support.safe_text import MAX_TEXT

# Everything that orjson knows, but `jsonable` reads otherwise, is an error of orjson: whole numbers of 54 bits and more,
# dataclasses, times, and kinds of texts, numbers, lists and dicts of the application's own.
_PLAIN_ONLY = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_STRICT_INTEGER
)


def jsonable_bytes(tree: Any) -> bytes:
    """Return `jsonable(tree)` as JSON, without limits for all items and all characters together.

    Args:
        tree: A tree of our own. What it holds of the application is nearly always plain.
    """
    try:
        encoded = orjson.dumps(tree, option=_PLAIN_ONLY)
    except (TypeError, ValueError):  # includes lone surrogates and deep nesting
        return _walked(tree)
    if len(encoded) > MAX_TEXT or needs_care(encoded):
        return _walked(tree)
    # So few lists and dicts cannot be nested too deeply.
    few = encoded.count(b"{") + encoded.count(b"[") <= MAX_DEPTH
    return encoded if few or not _is_deep(tree) else _walked(tree)


def _walked(tree: Any) -> bytes:
    return orjson.dumps(jsonable(tree, items=inf, characters=inf))


def _is_deep(tree: Any) -> bool:
    """Return whether `jsonable` would cut the tree, because too many lists and dicts are nested."""
    level = [tree]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for whole in level
            for part in (whole.values() if type(whole) is dict else whole)
            if type(part) in (dict, list, tuple)
        ]
        if not level:
            return False
    return True
