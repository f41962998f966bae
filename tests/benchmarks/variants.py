"""The handlers that are compared, each as its users get it: by its documented way, with its default settings.

Made inside a worker, which has one of them only.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from tests.benchmarks.workload import Kind

NO_OP = "no-op handler"
FLOOR = "floor: JSON + one `write`"
OURS = "**ours**"
OURS_IN_MEMORY = '**ours**, `"memory"`'
OURS_WITH_POWER = '**ours**, `"power"`'
LANGSMITH = "LangSmith"
LANGFUSE = "Langfuse"
OLD = "langchain_community"

ALL = (NO_OP, FLOOR, OURS, OURS_IN_MEMORY, OURS_WITH_POWER, LANGFUSE, LANGSMITH, OLD)
PEERS = (LANGFUSE, LANGSMITH, OLD)
_DURABILITIES = {OURS: "process", OURS_IN_MEMORY: "memory", OURS_WITH_POWER: "power"}
_MODES: dict[Kind, str] = {"completion": "prompt", "chat": "chat", "agent step": "chat"}

FLUSH_TIMEOUT = 60.0


class NoOp(BaseCallbackHandler):
    """Costs what LangChain itself costs for a handler."""

    run_inline = True

    def on_llm_start(self, *_: Any, **__: Any) -> None: ...

    def on_chat_model_start(self, *_: Any, **__: Any) -> None: ...

    def on_llm_end(self, *_: Any, **__: Any) -> None: ...


class Floor(BaseCallbackHandler):
    """Costs what no handler can do without that has each run on the disk when its callback returns."""

    run_inline = True

    def __init__(self) -> None:
        _, self.path = tempfile.mkstemp()
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        self._asked: dict[UUID, Any] = {}

    def on_llm_start(
        self,
        serialized: Any,
        prompts: list[str],
        *,
        run_id: UUID,
        invocation_params: Mapping[str, Any],
        **_: Any,
    ) -> None:
        self._asked[run_id] = prompts, invocation_params

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        invocation_params: Mapping[str, Any],
        **_: Any,
    ) -> None:
        turns = [
            {"role": turn.type, "content": turn.content, "tool_calls": getattr(turn, "tool_calls", None)}
            for turn in messages[0]
        ]
        self._asked[run_id] = turns, invocation_params

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        generation = response.generations[0][0]
        message = generation.message if isinstance(generation, ChatGeneration) else None
        facts = message.response_metadata if message else {}
        prompt, parameters = self._asked.pop(run_id)
        record = {
            "run_id": str(run_id),
            "prompt": prompt,
            "parameters": parameters,
            "answer": generation.text,
            "tool_calls": getattr(message, "tool_calls", None),
            "output": response.llm_output,
            "facts": facts,
        }
        os.write(self._file, orjson.dumps(record) + b"\n")


@dataclass
class Variant:
    """A handler under measurement.

    Attributes:
        handler: The handler.
        flush: Waits until nothing of it goes on in the background.
        counted_as: What the sink counts its runs as, or None where it sends nothing.
    """

    handler: Any
    flush: Callable[[], None]
    counted_as: str | None = None


def make(name: str, url: str, kind: Kind = "completion") -> Variant:
    """Make a handler that sends to a server.

    Args:
        name: One of `ALL`.
        url: The server.
        kind: What it will see: the old handler has to know.
    """
    logging.disable(logging.ERROR)  # of servers that are down, again and again
    if name == NO_OP:
        return Variant(NoOp(), _nothing)
    if name == FLOOR:
        return Variant(Floor(), _nothing)
    return {LANGSMITH: _langsmith, LANGFUSE: _langfuse, OLD: _old}.get(name, _ours)(name, url, kind)


def _nothing() -> None:
    pass


def _ours(name: str, url: str, kind: Kind) -> Variant:
    from langchain_label_studio import LabelStudioCallbackHandler

    handler = LabelStudioCallbackHandler(
        "key",
        url,
        project_name=_project(name, kind),
        mode=_MODES[kind],
        connect="lazy",
        durability=_DURABILITIES[name],
    )
    return Variant(handler, lambda: _check(handler.flush(FLUSH_TIMEOUT)), _project(name, kind))


def _old(name: str, url: str, kind: Kind) -> Variant:
    from langchain_community.callbacks.labelstudio_callback import LabelStudioCallbackHandler

    handler = LabelStudioCallbackHandler("key", url, project_name=_project(name, kind), mode=_MODES[kind])
    return Variant(handler, _nothing, _project(name, kind))


def _langsmith(name: str, url: str, kind: Kind) -> Variant:
    os.environ |= {"LANGSMITH_ENDPOINT": url, "LANGSMITH_API_KEY": "key"}
    from langchain_core.tracers import LangChainTracer

    handler = LangChainTracer(project_name="benchmark")
    return Variant(handler, lambda: handler.client.flush(FLUSH_TIMEOUT), "langsmith")


def _langfuse(name: str, url: str, kind: Kind) -> Variant:
    os.environ |= {"LANGFUSE_BASE_URL": url, "LANGFUSE_PUBLIC_KEY": "key", "LANGFUSE_SECRET_KEY": "key"}
    from langfuse import get_client
    from langfuse.langchain import CallbackHandler

    client = get_client()
    return Variant(CallbackHandler(), client.flush, "langfuse")


def _project(name: str, kind: Kind) -> str:
    return f"{ALL.index(name)} {kind}"


def _check(flushed: bool) -> None:
    if not flushed:
        raise RuntimeError("not everything could be sent")
