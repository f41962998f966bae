"""`task_place`: the place of a task in the order of work, for the score of its prediction and for a column."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from math import asinh, inf
from typing import Any

from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.record_id import record_time

_PLACES = 130_000
"""The places that priorities are put in. Tasks in the same place come in the order of their arrival.

No two scores should be equal: PostgreSQL gives equal ones in any order, and a list of them page by page leaves some out.
"""

_MOST = 1e300
_WEEK = 7 * 86_400.0
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_TICKS = 2**45
_SPAN = 16 * 365.25 * 86_400.0
"""The seconds from 2026 on in which arrivals are told apart: to 14 microseconds."""


def task_place(priority: Mapping[str, Any], *, record_id: str, feedback: Mapping[str, Any]) -> int:
    """Return the place of a task in the order of work: the lower, the sooner.

    Args:
        priority: The run's priority. Whoever may write tasks may have changed it.
        record_id: The id of the run's record, which says when it arrived.
        feedback: The feedback in the task's meta, by its key.
    """
    arrived = _seconds(record_id)
    value = _number(priority, "value") + _number(priority, "feedback") * dislike(feedback)
    value -= _number(priority, "waiting") * arrived / _WEEK
    # Any number fits between -1 and 1. Between small ones, the distance stays almost as it is.
    bent = asinh(value)
    sooner = bent / (1 + abs(bent))
    place = round((1 - sooner) / 2 * _PLACES)
    tick = max(0, min(round(arrived / _SPAN * _TICKS), _TICKS - 1))
    # The first 128 would be scores without their first digit, which not every program takes.
    return (128 + place) * _TICKS + tick


def score_of(place: int) -> float:
    """Return the score of the prediction of a task in this place, above 0 and below 1.

    With "Uncertainty sampling", Label Studio gives the task with the lowest score first
    (`projects/functions/next_task.py` of Label Studio 1.23.2).
    """
    # Numbers from 0 to 1 are in the order of their bits (IEEE 754). Label Studio and its databases keep each bit.
    [score] = struct.unpack("<d", struct.pack("<Q", place))
    return float(score)


def column_of(place: int) -> str:
    """Return the text of a task in this place, for a column by which lists are ordered.

    In a project without tasks, Label Studio cannot order by the scores of predictions: its list shows an error.
    """
    return f"{place:016x}"


def dislike(feedback: Mapping[str, Any]) -> float:
    """Return how much users dislike a run, from 0 to 1. Of several scores, the lowest one counts."""
    scores = [_number(as_mapping(said), "score", 1.0) for said in feedback.values()]
    return max(0.0, 1 - max(0.0, min(scores, default=1.0)))


def _seconds(record_id: str) -> float:
    made = record_time(record_id)
    return (datetime.fromisoformat(made) - _BEGIN).total_seconds() if made else 0.0


def _number(values: Mapping[str, Any], key: str, default: float = 0.0) -> float:
    value = values.get(key, default)
    is_number = isinstance(value, int | float) and -inf < value < inf
    return max(-_MOST, min(value, _MOST)) if is_number else default
