"""The order of work: the higher the priority the sooner, equal ones in the order of arrival, nobody twice and nobody never."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.priority.place import column_of, dislike, score_of, task_place

NOW = datetime(2026, 11, 30, tzinfo=UTC)
NUMBERS = st.floats(-1e6, 1e6)


def record_id(seconds: float = 0.0) -> str:
    made = NOW + timedelta(seconds=seconds)
    return f"run-{int(made.timestamp() * 1e6):014x}00000000"


def score(
    value: float, *, after: float = 0.0, given: dict[str, Any] | None = None, **weights: float
) -> float:
    place = task_place({"value": value, **weights}, record_id=record_id(after), feedback=given or {})
    return score_of(place)


def said(number: float | None) -> dict[str, Any]:
    return {"user_feedback": {"score": number}}


@given(NUMBERS, NUMBERS)
def test_the_higher_priority_comes_first(one: float, other: float) -> None:
    low, high = sorted((one, other))
    if high - low > 0.015 * max(0.01, abs(low), abs(high)):
        assert score(high, after=86_400) < score(low)


@given(NUMBERS, st.floats(30e-6, 4 * 10**8))
def test_equal_priorities_come_in_the_order_of_their_arrival(value: float, later: float) -> None:
    assert score(value) < score(value, after=later)


@given(st.floats(allow_nan=False) | st.integers(), st.integers(-(10**9), 10**9))
def test_a_score_is_one_that_every_label_studio_takes(value: float, after: float) -> None:
    assert sys.float_info.min <= score(max(-1e300, min(value, 1e300)), after=after) < 1


@pytest.mark.parametrize(
    ("feedback", "disliked"),
    [
        ({}, 0),
        (said(1), 0),
        (said(0), 1),
        (said(0.25), 0.75),
        (said(-1), 1),
        (said(5), 0),
        (said(None), 0),
        (said(True), 0),
        (said(False), 1),
        (said(nan), 0),
        (said(-inf), 0),
        (said("0"), 0),
        ({"user_feedback": "bad"}, 0),
        ({**said(1), "helpful": {"score": 0}}, 1),
        ({**said(1), "helpful": {"comment": "no"}}, 0),
    ],
)
def test_the_lowest_score_of_users_counts(feedback: dict[str, Any], disliked: float) -> None:
    assert dislike(feedback) == disliked


def test_a_dislike_brings_a_task_to_the_front_and_a_like_does_not() -> None:
    def waits(feedback: dict[str, Any], *, after: float = 0.0) -> float:
        return score(0, after=after, given=feedback, feedback=2.0)

    assert waits(said(0), after=9999) < waits({}) < score(-1)
    assert waits(said(1)) == waits(said(None)) == waits({})


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 2000)), min_size=2, max_size=20))
def test_a_task_that_waits_is_overtaken_for_so_long_only(arrivals: list[tuple[float, float]]) -> None:
    """Nobody starves with `waiting`: a task comes before each one that arrives later than its priority is worth."""
    first = score(0, waiting=1.0)
    for value, days in arrivals:
        later = score(value, after=days * 86_400, waiting=1.0)
        if days > 7 * value + 2:
            assert first < later


@pytest.mark.parametrize("priority", [{}, {"value": None}, {"value": "9"}, {"value": nan}, {"value": [1]}])
def test_a_priority_that_somebody_spoilt_is_none(priority: dict[str, Any]) -> None:
    assert score_of(task_place(priority, record_id=record_id(), feedback={})) == score(0)
    assert 0 < score_of(task_place(priority, record_id="of an earlier version", feedback={})) < 1


@given(NUMBERS, NUMBERS)
def test_the_column_has_the_order_of_the_scores(one: float, other: float) -> None:
    low, high = sorted(
        task_place({"value": value}, record_id=record_id(), feedback={}) for value in (one, other)
    )

    assert (score_of(low) < score_of(high)) == (column_of(low) < column_of(high)) == (low < high)
    assert {len(column_of(low)), len(column_of(high))} == {16}
