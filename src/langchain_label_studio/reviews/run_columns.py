"""`run_from_columns`: a run made of the columns and the meta of its task; `answered_by`: the same run with another answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

from langchain_label_studio.label_studio.tasks.feedback_columns import feedback_columns
from langchain_label_studio.reviews.predictions import Prediction
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.run import LLMRun, Status
from langchain_label_studio.types.run_parts import RunPriority
from langchain_label_studio.types.task_columns import COLUMNS, PANELS
from langchain_label_studio.types.turn import Turn

_FILLED = frozenset((*COLUMNS, *PANELS))
_STATUSES = get_args(Status)
_PRIORITY = RunPriority.__annotations__.keys()
_NO_VERSION = "undefined"  # Label Studio's word for a prediction without a model_version


def run_from_columns(
    data: Mapping[str, Any],
    meta: Mapping[str, Any],
    *,
    prompt: tuple[Turn, ...],
    answers: tuple[Turn, ...],
    shown_keys: tuple[str | None, ...],
) -> LLMRun:
    """Return a run with all that the columns and the meta of its task say.

    Args:
        data: The task's data.
        meta: The task's meta.
        prompt: The conversation.
        answers: The answers.
        shown_keys: The keys of both in the data. The other unknown keys are the user's own data.
    """
    not_own = {*feedback_columns(meta), *shown_keys}
    return LLMRun(
        record_id=text_in(data, "record_id") or "",
        run_id=text_in(data, "run_id") or "",
        trace_id=text_in(data, "trace_id") or "",
        parent_run_id=text_in(meta, "parent_run_id"),
        run_name=text_in(data, "run_name"),
        kind="completion" if meta.get("kind") == "completion" else "chat",
        status=data["status"] if data.get("status") in _STATUSES else "success",
        prompt=prompt,
        answers=answers,
        error=text_in(data, "error"),
        model=text_in(data, "model"),
        provider=text_in(data, "provider"),
        finish_reason=text_in(data, "finish_reason"),
        log_probability=_number(meta, "log_probability"),
        cached=data.get("cached") is True,
        input_tokens=_count(data, "input_tokens"),
        output_tokens=_count(data, "output_tokens"),
        total_tokens=_count(data, "total_tokens"),
        usage=as_mapping(meta.get("usage")),
        started_at=text_in(data, "started_at"),
        latency_ms=_number(data, "latency_ms"),
        thread_id=text_in(data, "thread_id"),
        tags=tuple((text_in(data, "tags") or "").split(", ")) if data.get("tags") else (),
        metadata=as_mapping(meta.get("metadata")),
        parameters=as_mapping(meta.get("parameters")),
        form=text_in(meta, "form") or "",
        chance=_chance(meta, "chance"),
        certain_score=_number(meta, "certain_score"),
        certain_chance=_chance(meta, "certain_chance"),
        priority=_priority(meta),
        data={key: value for key, value in data.items() if key not in _FILLED and key not in not_own},
    )


def answered_by(prediction: Prediction, run: LLMRun, texts: Sequence[str]) -> LLMRun:
    """Return a run with the answer of a prediction. The model and the figures of the run are not those of this answer."""
    return replace(
        run,
        answers=tuple({"role": "assistant", "content": text} for text in texts),
        model=version_of(prediction),
        status="success",
        error=None,
        provider=None,
        finish_reason=None,
        log_probability=None,
        cached=False,
        input_tokens=None,
        output_tokens=None,
        total_tokens=None,
        usage={},
        latency_ms=None,
        parameters={name: value for name, value in run.parameters.items() if name == "tools"},
    )


def version_of(prediction: Prediction) -> str | None:
    """Return the version of the model that made a prediction. None if it says none."""
    version = text_in(prediction, "model_version")
    return None if version == _NO_VERSION else version


def text_in(values: Mapping[str, Any], key: str) -> str | None:
    """Return a value as text. None if it is no text and no number."""
    value = values.get(key)
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def _number(values: Mapping[str, Any], key: str) -> float | None:
    value = values.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _chance(meta: Mapping[str, Any], name: str) -> float:
    """Return a chance of a run. It is 1 if the task does not say so."""
    chance = _number(meta, name)
    return chance if chance is not None and 0 < chance <= 1 else 1.0


def _priority(meta: Mapping[str, Any]) -> RunPriority | None:
    kept = as_mapping(meta.get("priority"))
    if _number(kept, "value") is None:
        return None
    return cast("RunPriority", {name: kept[name] for name in _PRIORITY if _number(kept, name) is not None})


def _count(values: Mapping[str, Any], key: str) -> int | None:
    value = _number(values, key)
    return None if value is None else int(value)
