"""`ConfigureHook`: decide for each run which handler LangChain adds to it.

`langchain_core.tracers.context.register_configure_hook` takes a context variable and a class of handlers. For each
run, LangChain adds the variable's value, unless a handler of that class is there already
(https://github.com/langchain-ai/langchain/blob/langchain-core%3D%3D1.8.3/libs/core/langchain_core/callbacks/manager.py#L2541).

Neither can decide for a single run. So this object stands in for both, and answers the three questions that LangChain
asks: `variable.get()`, `isinstance(handler, handle_class)` and `handle_class()`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from langchain_core.callbacks.base import BaseCallbackHandler


class ConfigureHook:
    """Stands in for the context variable and for the class that `register_configure_hook` takes."""

    def __init__(
        self, current: Callable[[], BaseCallbackHandler | None], is_enough: Callable[[object], bool]
    ) -> None:
        """Make a hook.

        Args:
            current: Returns the handler for a run that begins now. None if no handler hears the run.
            is_enough: Takes one of the run's own handlers. Returns True if the run needs no other handler.
        """
        self._current = current
        self._is_enough = is_enough

    def register(self, context: ModuleType, *, inheritable: bool) -> None:
        """Make LangChain ask this hook about each run.

        Args:
            context: `langchain_core.tracers.context`, which takes 300 ms to import.
            inheritable: Whether the runs inside a run get the handler, too.
        """
        context.register_configure_hook(self, inheritable=inheritable, handle_class=self)

    def get(self) -> BaseCallbackHandler | None:
        """Return the handler, as a context variable does."""
        return self._current()

    def __instancecheck__(self, handler: Any) -> bool:
        """Return whether a handler counts as one of this class. Then LangChain adds no handler."""
        return self._is_enough(handler)

    def __call__(self) -> BaseCallbackHandler:
        """Return a new handler, as a class does. It hears nothing.

        LangChain calls `get` twice. If the second answer is None, it makes a handler. This happens if somebody turns
        recording off between the calls.
        """
        return BaseCallbackHandler()
