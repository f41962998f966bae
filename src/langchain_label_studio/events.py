"""What LangChain's events say of a run. Pure, but for the conversation's id, which only a context holds."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from langchain_core.outputs import LLMResult
from langchain_core.runnables.config import var_child_runnable_config

from langchain_label_studio.jsonsafe import jsonable
from langchain_label_studio.messages import Turn
from langchain_label_studio.results import has_answer, read_result, text_or_none
from langchain_label_studio.runs import PARAMETERS_SENT, LLMRun, StartedRun, Status, utc_now
from langchain_label_studio.scrub import error_text

THREAD_KEYS = ("thread_id", "session_id", "conversation_id")
"""Where a run's metadata may name its conversation, first hit wins."""

_INTERNAL_TAG = re.compile(r"(seq:step|map:key|graph:step|retry:attempt):|langsmith:")


def read_start(
    kind: Literal["chat", "completion"],
    prompt: Sequence[Turn],
    *,
    run_id: UUID,
    parent_run_id: UUID | None,
    trace_id: UUID,
    tags: Sequence[str] | None,
    metadata: Mapping[str, Any] | None,
    event: Mapping[str, Any],
) -> StartedRun:
    """Return a run as its start event describes it.

    Args:
        kind: Which of the two start events it was.
        prompt: The conversation so far.
        run_id: The run's id.
        parent_run_id: Id of the run that called it.
        trace_id: Id of the outermost run known.
        tags: The run's tags.
        metadata: The run's metadata.
        event: The event's other arguments.
    """
    metadata = metadata or {}
    parameters = event.get("invocation_params") or {}
    sent = {key: jsonable(parameters[key]) for key in PARAMETERS_SENT.intersection(parameters)}
    return StartedRun(
        run=LLMRun(
            run_id=str(run_id),
            trace_id=str(trace_id),
            parent_run_id=str(parent_run_id) if parent_run_id else None,
            run_name=text_or_none(event.get("name")),
            kind=kind,
            prompt=tuple(prompt),
            # Not `model_name` of the parameters: after `bind(model=...)` it still names the old one.
            model=text_or_none(metadata.get("ls_model_name")) or text_or_none(parameters.get("model")),
            provider=text_or_none(metadata.get("ls_provider")),
            started_at=utc_now(),
            thread_id=_thread_id(metadata),
            tags=tuple(str(tag) for tag in tags or () if not _INTERNAL_TAG.match(str(tag))),
            metadata=metadata,
            parameters={key: value for key, value in sent.items() if value is not None},
        ),
        clock=time.perf_counter(),
        batch_size=event.get("batch_size") or 1,
    )


def read_end(started: StartedRun, response: LLMResult) -> LLMRun:
    """Return a run that came to its end."""
    return started.finish(**read_result(response, started.run, batch_size=started.batch_size))


def read_error(started: StartedRun, error: BaseException, response: LLMResult | None) -> LLMRun:
    """Return a run that ended otherwise, with what of the answer had come."""
    known = read_result(response, started.run, batch_size=started.batch_size) if response else {}
    if has_answer(known.get("answers", ())):
        known["status"] = "partial"
    else:
        # An empty message may stand there for what the server said of the failure.
        known |= {"status": _status(error), "answers": ()}
    if not isinstance(error, GeneratorExit | asyncio.CancelledError):
        known["error"] = error_text(error)
    return started.finish(**known)


def unknown_start(run_id: UUID, parent_run_id: UUID | None, trace_id: UUID) -> StartedRun:
    """Return what stands in for a start that never came."""
    note: Turn = {"role": "user", "content": "[the prompt is not known: LangChain did not announce this run]"}
    run = LLMRun(
        run_id=str(run_id),
        trace_id=str(trace_id),
        parent_run_id=str(parent_run_id) if parent_run_id else None,
        prompt=(note,),
    )
    return StartedRun(run=run, clock=time.perf_counter())


def _status(error: BaseException) -> Status:
    if isinstance(error, GeneratorExit):
        return "abandoned"
    return "cancelled" if isinstance(error, asyncio.CancelledError) else "error"


def _thread_id(metadata: Mapping[str, Any]) -> str | None:
    for key in THREAD_KEYS:
        if metadata.get(key):
            return str(metadata[key])
    # Plain chains do not copy it into the metadata, but run with it.
    config = var_child_runnable_config.get() or {}
    thread_id = (config.get("configurable") or {}).get("thread_id")
    return str(thread_id) if thread_id else None
