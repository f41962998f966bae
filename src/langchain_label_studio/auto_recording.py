"""Record all runs of a process, or of a block of code, with no word in the code that makes them.

LangChain asks its configure hooks (`langchain_core.tracers.context.register_configure_hook`) which handlers to add
to a run. A handler comes in two parts. What hears models is decided for each run by itself and not inherited: it
is left out where a model brings a handler of ours of its own, so that no run is recorded twice. What hears chains,
tools and retrievers is inherited, because LangGraph asks about the outermost run alone; without it nobody knew
what a run is part of.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from langchain_core.callbacks.base import BaseCallbackHandler

from langchain_label_studio.errors import SettingError
from langchain_label_studio.handler import LabelStudioCallbackHandler
from langchain_label_studio.label_studio.settings import DEFAULT_PROJECT_NAME
from langchain_label_studio.recording.callbacks import RecordingCallbacks
from langchain_label_studio.recording.run_inline import RunInline
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.import_hook import when_imported
from langchain_label_studio.support.log import logger
from langchain_label_studio.support.redaction import error_text

SWITCH_VARIABLE = "LANGCHAIN_LABEL_STUDIO"
PROJECT_NAME_VARIABLE = "LABEL_STUDIO_PROJECT_NAME"
MODE_VARIABLE = "LABEL_STUDIO_MODE"

_SETTINGS = "LABEL_STUDIO_"
_EVENTS = [name for name in vars(RecordingCallbacks) if name.startswith("on_")]


@contextmanager
def record_runs(
    handler: LabelStudioCallbackHandler | None = None, **options: Any
) -> Iterator[LabelStudioCallbackHandler]:
    """Record all runs that begin inside the `with`, whoever makes them.

    In threads and tasks, too, where they take over the context: LangChain's own and those of asyncio do, a plain
    `threading.Thread` does not. The innermost `with` is the one that counts.

    Args:
        handler: Where the runs go. It is left open at the end.
        **options: Or the arguments of the `LabelStudioCallbackHandler` to be made, and closed at the end.

    Yields:
        The handler.

    Raises:
        LabelStudioError: As `LabelStudioCallbackHandler`.

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
        handler: Hears them. The innermost `with` is the one that counts.
        in_all_contexts: Also where the context was not taken over, such as in a plain `threading.Thread`.
    """
    attached = _Attached(handler)
    _stack.set((*_stack.get(), attached))
    if in_all_contexts:
        _in_all_contexts.append(attached)
    try:
        yield
    finally:
        # Not reset to what it was: a generator's block may end after one that began later, or in another context.
        _stack.set(tuple(other for other in _stack.get() if other is not attached))
        if in_all_contexts:
            _in_all_contexts.remove(attached)


def current_handler() -> LabelStudioCallbackHandler | None:
    """Return the handler that is told of runs here and now: of the innermost `record_runs`, else of the switch.

    For `flush`, `stats` and the like where nobody made a handler: `LANGCHAIN_LABEL_STUDIO=true` makes one.

    Returns:
        The handler, or None where nothing is recorded without an explicit one.
    """
    attached = _current()
    handler = attached.handler if attached else None
    return handler if isinstance(handler, LabelStudioCallbackHandler) else None


class _Part(BaseCallbackHandler):
    """Tells a handler one half of what happens."""

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
    def ignore_agent(self) -> bool:  # which is about tools
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
    """The handler of `LANGCHAIN_LABEL_STUDIO`, made when the first run needs it."""

    def __init__(self) -> None:
        self._made: _Attached | None = None
        self._refused: dict[str, str] | None = None
        super().__init__()

    def attached(self) -> _Attached | None:
        """Return the handler, or None where the switch is off or the settings are wrong."""
        from langchain_core.utils.env import env_var_is_set  # noqa: PLC0415 (LangChain has it loaded)

        if env_var_is_set(SWITCH_VARIABLE):
            return self._made or self._make()
        # Switched on again, it is made of the settings of then.
        self._made = self._refused = None
        return None

    def _make(self) -> _Attached | None:
        with self._lock:
            settings = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}
            if self._made or settings == self._refused:
                return self._made
            try:
                handler = LabelStudioCallbackHandler(
                    project_name=settings.get(PROJECT_NAME_VARIABLE, "").strip() or DEFAULT_PROJECT_NAME,
                    mode=settings.get(MODE_VARIABLE, "").strip() or "prompt",
                    connect="lazy",
                )
                self._made = _Attached(handler)
            except Exception as error:  # noqa: BLE001 (the user's chain has nothing to do with it)
                self._refused = settings
                logger.warning("%s is set, but no run is recorded. %s", SWITCH_VARIABLE, error_text(error))
            return self._made


class _Hook:
    """What LangChain takes for a context variable and for a class: all it asks of either is here."""

    def __init__(self, *, models: bool) -> None:
        self._models = models

    def get(self) -> _Part | None:
        """Return what is to hear a run that begins now."""
        attached = _current()
        return attached.parts[self._models] if attached else None

    def __instancecheck__(self, handler: Any) -> bool:
        """Return whether there is no need to, because of this one among the run's handlers."""
        attached = _current()
        hearer = attached.handler if attached else None
        if isinstance(handler, _Part):
            # One that was inherited may belong to a `with` around the innermost.
            return handler.models is self._models and (self._models or handler.handler is hearer)
        # What captures runs for a test hears them beside a handler of the model's own.
        return isinstance(handler, LabelStudioCallbackHandler) and isinstance(
            hearer, LabelStudioCallbackHandler
        )

    def __call__(self) -> BaseCallbackHandler:
        """Return what hears nothing: the switch was turned off since LangChain's first `get`."""
        return BaseCallbackHandler()


def _current() -> _Attached | None:
    stack = _stack.get() or _in_all_contexts
    return stack[-1] if stack else _switch.attached()


def _register(context: ModuleType) -> None:
    try:
        for models in (True, False):
            hook = _Hook(models=models)
            context.register_configure_hook(hook, inheritable=not models, handle_class=hook)
    except Exception as error:  # noqa: BLE001 (a LangChain of tomorrow goes without it)
        logger.warning("%s and record_runs() do not work here: %s", SWITCH_VARIABLE, error_text(error))


_stack: ContextVar[tuple[_Attached, ...]] = ContextVar("label_studio_handlers", default=())
_in_all_contexts: list[_Attached] = []
_switch = _Switch()
# Loaded by LangChain with the first run: it takes 300 ms.
when_imported("langchain_core.tracers.context", _register)
