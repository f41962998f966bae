"""`Select`, `Mask`, `Data` and `GroupBy`: the functions that users pass to a handler. `check_function` checks one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from langchain_label_studio.errors import SettingError
from langchain_label_studio.types.run import LLMRun

Select = Callable[[LLMRun], bool]
"""A function of the finished run: True records it."""

Mask = Callable[[str], str]
"""A function that takes a text, and returns it without the parts that must not leave the process."""

Data = Mapping[str, Any] | Callable[[LLMRun], Mapping[str, Any]]
"""More data for each task: a mapping, or a function that makes one from the finished run."""

GroupBy = str | Callable[[LLMRun], str | None]
"""A key of the runs' metadata, or a function of the run. Runs with the same value are compared."""

_Function = TypeVar("_Function")


def check_function(name: str, function: _Function | None, module: str) -> _Function | None:
    """Check that callbacks can call a function, and return it.

    Args:
        name: The name of the setting.
        function: The value of the setting.
        module: The module with ready-made functions for the setting.

    Raises:
        SettingError: The value is not a function, or an async function.
    """
    if function is not None and (not callable(function) or iscoroutinefunction(function)):
        msg = f"{name}={function!r}: pass a function that is not async, or what {module} has."
        raise SettingError(msg)
    return function
