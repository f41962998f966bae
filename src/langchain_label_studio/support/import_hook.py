"""Something to do as soon as a module is there, without loading it for that."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Protocol, cast


def when_imported(name: str, then: Callable[[ModuleType], None]) -> None:
    """Call a function with a module: now if it is loaded, else when somebody loads it.

    Args:
        name: The module's full name.
        then: What to call with it. It must not raise: whoever loads the module would get the error.
    """
    if name in sys.modules:
        then(import_module(name))  # not `sys.modules[name]`: another thread may be in the middle of it
    else:
        sys.meta_path.insert(0, _Awaited(name, then))


class _Loader(Protocol):
    def exec_module(self, module: ModuleType) -> None: ...


class _Awaited:
    """A finder that finds nothing itself: it steps aside for the others, and tells when they have.

    See https://docs.python.org/3/reference/import.html#the-meta-path
    """

    def __init__(self, name: str, then: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        """Return what the others find, if it is the module that is waited for."""
        if name != self._name:
            return None
        from importlib.util import find_spec  # noqa: PLC0415 (takes a millisecond to load)

        with suppress(ValueError):  # somebody else may have put back the list as it was
            sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec and spec.loader:
            self._follow(cast("_Loader", spec.loader))
        return spec

    def _follow(self, loader: _Loader) -> None:
        load = loader.exec_module

        def load_and_tell(module: ModuleType) -> None:
            load(module)
            self._then(module)

        # On this one loader of this one module: it stays what it is to all who ask it for more.
        loader.exec_module = load_and_tell  # type: ignore[method-assign]
