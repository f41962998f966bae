"""`record_runs` and `LANGCHAIN_LABEL_STUDIO=true`: record runs of code that passes no callback.

For each run, LangChain asks a `ConfigureHook` which handler to add. A handler is added as two parts:

- The part for models is not inherited, because LangChain asks about each run of a model. A model with a handler of this
  package gets no second one. So no run is recorded twice.
- The part for chains, tools and retrievers is inherited, because LangGraph asks about the outermost run only. This part
  finds the trace of a run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from types import ModuleType
from typing import Any

from langchain_core.callbacks.base import BaseCallbackHandler

from langchain_label_studio.errors import SettingError
from langchain_label_studio.handler import LabelStudioCallbackHandler
from langchain_label_studio.recording.callbacks import RecordingCallbacks
from langchain_label_studio.recording.configure_hook import ConfigureHook
from langchain_label_studio.recording.run_inline import RunInline
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.import_hook import when_imported
from langchain_label_studio.support.log import log_warning
from langchain_label_studio.support.redaction import error_text

SWITCH_VARIABLE = "LANGCHAIN_LABEL_STUDIO"

_SETTINGS = "LABEL_STUDIO_"
_YES = frozenset({"1", "on", "t", "true", "y", "yes"})
_NO = frozenset({"", "0", "f", "false", "n", "no", "off"})
_MAX_SHOWN = 40
_EVENTS = [name for name in vars(RecordingCallbacks) if name.startswith("on_")]


@contextmanager
def record_runs(
    handler: LabelStudioCallbackHandler | None = None, **options: Any
) -> Iterator[LabelStudioCallbackHandler]:
    """Record all runs that begin inside the `with` block.

    Runs in other threads and tasks are recorded, too, if these copy the context. The threads and tasks of LangChain and
    asyncio do. A plain `threading.Thread` does not. Of nested blocks, only the innermost records.

    Args:
        handler: The handler that records the runs. It stays open at the end of the block.
        **options: The arguments of a new `LabelStudioCallbackHandler`, in place of `handler`. It is closed at the end
            of the block.

    Yields:
        The handler.

    Raises:
        LabelStudioError: The handler cannot be made: see `LabelStudioCallbackHandler`. Or a handler and options were
            passed.

    Example:
        >>> with record_runs(project_name="My project", mode="chat") as handler:
        ...     agent.invoke({"messages": [("user", "Hi")]})
        >>> print(handler.project_url)
    """
    if handler and options:
        msg = f"record_runs() takes a handler or {', '.join(options)}, not both: a handler has its settings."
        raise SettingError(msg)
    hearer = handler or LabelStudioCallbackHandler(**options)
    try:
        with hear_runs(hearer):
            yield hearer
    finally:
        if not handler:
            hearer.close()


@contextmanager
def hear_runs(handler: RecordingCallbacks, *, in_all_contexts: bool = False) -> Iterator[None]:
    """Let a handler hear all runs that begin inside the `with`.

    Args:
        handler: The handler. Of nested `with` statements, the innermost counts.
        in_all_contexts: Whether runs without a copy of the context count, too, such as in a plain `threading.Thread`.
    """
    attached = _Attached(handler)
    _stack.set((*_stack.get(), attached))
    if in_all_contexts:
        _in_all_contexts.append(attached)
    try:
        yield
    finally:
        # The old value is not restored, because a generator's block may end after a later block, or in another context.
        _stack.set(tuple(other for other in _stack.get() if other is not attached))
        if in_all_contexts:
            _in_all_contexts.remove(attached)


def current_handler() -> LabelStudioCallbackHandler | None:
    """Return the handler that records runs here and now.

    It is the handler of the innermost `record_runs` block, or else the handler that `LANGCHAIN_LABEL_STUDIO=true`
    makes. Use it to call `flush` or `stats` if your code has no handler of its own.

    Returns:
        The handler. None if only handlers that your code passes record runs.
    """
    attached = _current()
    handler = attached.handler if attached else None
    return handler if isinstance(handler, LabelStudioCallbackHandler) else None


class _Part(BaseCallbackHandler):
    """A part of a handler: it passes on the events of models, or the events of chains, tools and retrievers."""

    run_inline = RunInline()

    def __init__(self, handler: RecordingCallbacks, *, models: bool) -> None:
        self.handler = handler
        self.models = models
        for event in _EVENTS:
            setattr(self, event, getattr(handler, event))

    @property
    def ignore_llm(self) -> bool:
        return not self.models

    @property
    def ignore_chat_model(self) -> bool:
        return not self.models

    @property
    def ignore_chain(self) -> bool:
        return self.models

    @property
    def ignore_agent(self) -> bool:  # LangChain's name for tools
        return self.models

    @property
    def ignore_retriever(self) -> bool:
        return self.models


class _Attached:
    """A handler, and its two parts."""

    def __init__(self, handler: RecordingCallbacks) -> None:
        self.handler = handler
        self.parts = {models: _Part(handler, models=models) for models in (True, False)}


class _Switch(ForkSafe):
    """The handler of `LANGCHAIN_LABEL_STUDIO=true`. The first run makes it."""

    def __init__(self) -> None:
        self._made: _Attached | None = None
        self._refused: dict[str, str] | None = None
        self._unclear = ""
        super().__init__()

    def attached(self) -> _Attached | None:
        """Return the handler. None if the switch is off, or the settings are wrong."""
        if self._is_on(os.environ.get(SWITCH_VARIABLE, "").strip().lower()):
            return self._made or self._make()
        # If the switch is turned on again, a new handler takes the settings of that moment.
        self._made = self._refused = None
        return None

    def _is_on(self, word: str) -> bool:
        if word in _YES:
            return True
        if word not in _NO and word != self._unclear:
            self._unclear = word
            log_warning(
                "switch_unclear",
                "%s=%r is no clear yes, so no run is recorded. Set it to true or false.",
                SWITCH_VARIABLE,
                word[:_MAX_SHOWN],
            )
        return False

    def _make(self) -> _Attached | None:
        with self._lock:
            settings = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}
            if self._made or settings == self._refused:
                return self._made
            try:
                self._made = _Attached(LabelStudioCallbackHandler(connect="lazy"))
            except Exception as error:  # noqa: BLE001 (the user's chain must not fail)
                self._refused = settings
                log_warning(
                    "switch_failed",
                    "%s is set, but no run is recorded. %s",
                    SWITCH_VARIABLE,
                    error_text(error),
                    reason=error_text(error),
                )
            return self._made


def _current() -> _Attached | None:
    stack = _stack.get() or _in_all_contexts
    return stack[-1] if stack else _switch.attached()


def _current_part(*, models: bool) -> _Part | None:
    attached = _current()
    return attached.parts[models] if attached else None


def _is_enough(handler: object, *, models: bool) -> bool:
    """Return whether a run with this handler needs no further part."""
    attached = _current()
    hearer = attached.handler if attached else None
    if isinstance(handler, _Part):
        # An inherited part may come from an outer `with`. Then the part of the innermost `with` is still missing.
        return handler.models is models and (models or handler.handler is hearer)
    # A handler that captures runs for a test hears them beside a model's own handler.
    return isinstance(handler, LabelStudioCallbackHandler) and isinstance(hearer, LabelStudioCallbackHandler)


def _register(context: ModuleType) -> None:
    try:
        for models in (True, False):
            hook = ConfigureHook(partial(_current_part, models=models), partial(_is_enough, models=models))
            hook.register(context, inheritable=not models)
    except Exception as error:  # noqa: BLE001 (a later LangChain must work without it)
        log_warning(
            "switch_failed",
            "%s and record_runs() do not work here: %s",
            SWITCH_VARIABLE,
            error_text(error),
            reason=error_text(error),
        )


_stack: ContextVar[tuple[_Attached, ...]] = ContextVar("label_studio_handlers", default=())
_in_all_contexts: list[_Attached] = []
_switch = _Switch()
# LangChain loads this module with the first run. That takes 300 ms.
when_imported("langchain_core.tracers.context", _register)
