"""What is remembered, up to a number."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def remember(known: OrderedDict[_Key, _Value], key: _Key, value: _Value, *, most: int) -> None:
    """Note a value, and forget the oldest one where there are more than so many."""
    known[key] = value
    if len(known) > most:
        known.popitem(last=False)
