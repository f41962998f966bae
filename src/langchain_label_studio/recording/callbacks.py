"""`RecordingCallbacks`: the methods that LangChain calls. They neither wait nor raise."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, ParamSpec
from uuid import UUID

from langchain_core.callbacks.base import BaseCallbackHandler

from langchain_label_studio.recording.recorder import Recorder
from langchain_label_studio.recording.run_inline import RunInline

if TYPE_CHECKING:  # these take long to load, and LangChain has loaded them before it calls
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import LLMResult

_P = ParamSpec("_P")
_Callback = Callable[..., None]


def _guarded(callback: Callable[_P, None]) -> Callable[_P, None]:
    """Wrap a callback so that its errors are counted and logged, and never reach the user's chain."""

    @functools.wraps(callback)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 (the one place where everything is caught)
            recorder: Recorder = vars(args[0])["_recorder"]
            message = "A run was not recorded, because a callback failed."
            recorder.lose("callback_error", message, error, run_id=kwargs.get("run_id"))

    return guarded


def _around(kind: Literal["chain", "tool", "retriever"]) -> tuple[_Callback, _Callback, _Callback]:
    """Return three callbacks: for the start, the end and the failure of a chain, a tool or a retriever."""

    @_guarded
    def start(
        self: RecordingCallbacks, serialized: Any, inputs: Any, /, *, run_id: UUID, **event: Any
    ) -> None:  # positional: a tool's `event` has `inputs`, too
        self._recorder.enter(kind, serialized, inputs, run_id, event)

    @_guarded
    def end(self: RecordingCallbacks, outputs: Any = None, *, run_id: UUID, **event: Any) -> None:
        self._recorder.leave(kind, run_id, event, outputs=outputs)

    @_guarded
    def fail(self: RecordingCallbacks, error: BaseException, *, run_id: UUID, **event: Any) -> None:
        self._recorder.leave(kind, run_id, event, error=error)

    return start, end, fail


class RecordingCallbacks(BaseCallbackHandler):
    """A callback handler that passes every event to its `Recorder`."""

    run_inline = RunInline()
    _recorder: Recorder

    @_guarded
    def on_llm_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 (may hold secrets: never looked at)
        prompts: list[str],
        *,
        run_id: UUID,
        **event: Any,
    ) -> None:
        """Note a completion model's prompt. LangChain sends one prompt at a time."""
        self._recorder.start("completion", prompts, run_id, event)

    @_guarded
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 (may hold secrets: never looked at)
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        **event: Any,
    ) -> None:
        """Note a chat model's conversation. LangChain sends one conversation at a time."""
        self._recorder.start("chat", messages, run_id, event)

    @_guarded
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **event: Any) -> None:
        """Record a run that ended without an error."""
        self._recorder.end(response, run_id, event)

    @_guarded
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **event: Any) -> None:
        """Record a run that failed or was cut off, if it has a part of the answer or errors are included."""
        self._recorder.fail(error, run_id, event)

    # A run finds the root of its trace through the chains, tools and retrievers around it. Some forms show them.
    on_chain_start, on_chain_end, on_chain_error = _around("chain")
    on_tool_start, on_tool_end, on_tool_error = _around("tool")
    on_retriever_start, on_retriever_end, on_retriever_error = _around("retriever")
