"""`when_imported`: call a function with a module as soon as somebody loads it.

`wrapt.register_post_import_hook` does the same, and was tried. An import of wrapt 2 loads 94 more modules, such as
asyncio, ssl and subprocess. That costs more than this whole package may cost a process. It may also call the function
with a module that another thread is still loading. And its finder and its loader stay afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Protocol, cast


def when_imported(name: str, then: Callable[[ModuleType], None]) -> None:
    """Call a function with a module. Call it now if the module is loaded, else when somebody loads it.

    Args:
        name: The module's full name.
        then: The function. It must not raise, because the importer of the module would get the error.
    """
    if name in sys.modules:
        then(import_module(name))  # not `sys.modules[name]`: another thread may still be loading the module
    else:
        sys.meta_path.insert(0, _Awaited(name, then))


class _Loader(Protocol):
    def exec_module(self, module: ModuleType) -> None: ...


class _Awaited:
    """A finder. The other finders find the module. This one calls the function after the module was loaded.

    See https://docs.python.org/3/reference/import.html#the-meta-path
    """

    def __init__(self, name: str, then: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        """Return the spec that the other finders find, for this one module."""
        if name != self._name:
            return None
        from importlib.util import find_spec  # noqa: PLC0415 (takes a millisecond to load)

        with suppress(ValueError):  # somebody may have restored an older list
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

        # This changes one method of this module's own loader.
        loader.exec_module = load_and_tell  # type: ignore[method-assign]
