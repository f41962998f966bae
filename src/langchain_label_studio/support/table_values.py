"""`is_table`, `table_values` and more: what numpy and pandas hold, as plain values.

Neither is imported here: a program with such a value has loaded it.
"""

from __future__ import annotations

import math
import sys
from typing import Any

_COST_OF_A_COLUMN = 10
_FINER_THAN_PYTHON = frozenset({"ns", "ps", "fs", "as"})
_OF_NO_FIXED_LENGTH = frozenset({"Y", "M"})


def is_table(value: Any) -> bool:
    """Return whether a value is an array, a single value of numpy, or a table or column of pandas."""
    return (hasattr(value, "dtype") and hasattr(value, "tolist")) or _is_frame(value)


def table_size(value: Any) -> int:
    """Return the number of items in a table."""
    return math.prod(getattr(value, "shape", ()))


def extra_cost(value: Any) -> int:
    """Return how many items more a table costs: to take a column out of a `DataFrame` is as slow as ten items."""
    return _COST_OF_A_COLUMN * len(value.columns) if _is_frame(value) else 0


def table_values(value: Any) -> Any:
    """Return what a table holds: a value, lists, or a mapping from the name of each column to its array.

    Args:
        value: A value for which `is_table` is true.
    """
    if _is_frame(value):
        return dict(value.items())
    numpy: Any = sys.modules.get("numpy")
    # pandas has types of its own, such as one for whole numbers of which some are missing.
    if numpy and isinstance(value.dtype, numpy.dtype):
        array = value.to_numpy() if hasattr(value, "to_numpy") else value
        if isinstance(array, numpy.ndarray | numpy.generic):
            return _numpy_values(numpy, numpy.asanyarray(array))
    return value.tolist()


def pandas_scalar(value: Any) -> Any:
    """Return a missing value of pandas as None, a period or an interval as text. Others stay as they are.

    A time difference becomes one of numpy, because pandas' own seconds end at the microseconds.
    """
    if not _is_of_pandas(value):
        return value
    name = type(value).__name__
    if name in {"NAType", "NaTType"}:
        return None
    if name == "Timedelta":
        return value.to_timedelta64()
    return str(value) if name in {"Period", "Interval"} else value


def _is_frame(value: Any) -> bool:
    return hasattr(value, "dtypes") and hasattr(value, "columns") and _is_of_pandas(value)


def _is_of_pandas(value: Any) -> bool:
    return any(base.__module__.partition(".")[0] == "pandas" for base in type(value).__mro__)


def _numpy_values(numpy: Any, array: Any) -> Any:
    dtype = array.dtype
    if dtype.names:
        return {name: array[name] for name in dtype.names}
    if dtype.kind == "M" and numpy.datetime_data(dtype)[0] in _FINER_THAN_PYTHON:
        array = array.astype("M8[us]")  # else it becomes a number
    elif dtype.kind == "m":
        if numpy.datetime_data(dtype)[0] in _OF_NO_FIXED_LENGTH:
            array = array.astype("m8[s]")  # of a mean month
        array = array / numpy.timedelta64(1, "s")
    elif dtype.kind == "f" and dtype.itemsize < 8:
        array = array.astype(str).astype(float)  # else 0.1 becomes 0.10000000149
    elif dtype.kind == "f":
        array = array.astype(float)
    elif dtype.kind == "c":
        array = array.astype(str)
    return array.tolist()
