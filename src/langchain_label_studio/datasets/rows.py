"""A row with its source, and a skipped review: `Row`, `Source`, `Skipped`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from langchain_label_studio.datasets.skip_reasons import Reason
from langchain_label_studio.support.json_safe import as_mapping, jsonable
from langchain_label_studio.types.review import Review
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.turn import Turn

RowData = dict[str, Any]
"""A row as the trainer reads it: only the keys of its format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The source of a row.

    Attributes:
        project_id: The project's number.
        task_id: The task's number.
        task_url: The address of the task.
        run_id: The run's id. Empty if this package did not record the run.
        conversation: The conversation of the row, for the split: the thread, or a hash of the first user turn.
        basis: The reason for the row, see `Basis`. None for a review that was skipped early.
        model: The model of the answer, or of its original; of two answers, the model of the better one.
        rejected_model: The model of the worse one of two answers.
        reviewers: The reviewers behind the row.
        annotation_ids: The numbers of their annotations.
        reviewed_at: The time when the last annotation was saved.
    """

    project_id: int
    task_id: int
    task_url: str
    run_id: str
    conversation: str
    basis: str | None = None
    model: str | None = None
    rejected_model: str | None = None
    reviewers: tuple[str, ...] = ()
    annotation_ids: tuple[int, ...] = ()
    reviewed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row and its source."""

    data: RowData
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Reviews that gave no row.

    Attributes:
        reason: The reason. Its words stay.
        detail: The exact cause, if the reason does not name it.
        source: The reviews.
    """

    reason: Reason
    detail: str = ""
    source: Source


def source_of(
    reviews: Sequence[Review],
    *,
    basis: str | None = None,
    model: str | None = None,
    rejected_model: str | None = None,
) -> Source:
    """Return reviews of one task as the source of a row."""
    first = reviews[0]
    people = dict.fromkeys(review.reviewer for review in reviews if review.reviewer is not None)
    return Source(
        project_id=first.project_id,
        task_id=first.task_id,
        task_url=first.task_url,
        run_id=first.run.run_id,
        conversation=conversation_of(first.run),
        basis=basis,
        model=model or first.run.model,
        rejected_model=rejected_model,
        reviewers=tuple(people),
        annotation_ids=tuple(each.annotation_id for each in reviews if each.annotation_id is not None),
        reviewed_at=max((each.saved_at for each in reviews if each.saved_at), default=None),
    )


def conversation_of(run: LLMRun) -> str:
    """Return the identity of a run's conversation: its thread, or its first user turn."""
    if run.thread_id:
        return f"thread {run.thread_id}"
    first = next((turn["content"] for turn in run.prompt if turn["role"] == "user"), None)
    text = first.encode("utf-8", "surrogatepass") if first is not None else to_json(run.prompt)
    return f"first turn {sha256(text).hexdigest()[:16]}"


def same_words(turn: Turn) -> bytes:
    """Return the text and the tool calls of an answer, without ids, for comparing."""
    every_call = (*(turn.get("tool_calls") or ()), *(turn.get("invalid_tool_calls") or ()))
    calls = [(as_mapping(call).get("name"), as_mapping(call).get("args")) for call in every_call]
    return to_json((turn["content"].strip(), calls), sort_keys=True)


def to_json(value: Any, *, sort_keys: bool = False) -> bytes:
    """Return a value as JSON in UTF-8, without needless escapes."""
    options = orjson.OPT_SORT_KEYS if sort_keys else 0
    try:
        return orjson.dumps(value, option=options)
    except TypeError:
        # An integer of more than 64 bits, or a lone surrogate: the standard library can write them.
        return json.dumps(value, sort_keys=sort_keys, separators=(",", ":"), default=jsonable).encode()
