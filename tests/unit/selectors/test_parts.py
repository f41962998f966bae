"""Parts of all traces are sets of numbers, and their size is the chance of a trace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.selectors.parts import (
    ALL,
    NONE,
    Part,
    below,
    holds,
    share_of,
    size,
    union,
    without,
)

NUMBERS = st.integers(0, 64).map(lambda number: number / 64)
POINTS = st.lists(NUMBERS, unique=True, max_size=8).map(sorted)
PARTS = POINTS.map(lambda points: tuple(zip(points[::2], points[1::2], strict=False)))
STEPS = [number / 64 for number in range(64)]


def members(part: Part) -> set[float]:
    return {number for number in STEPS if holds(part, number)}


@given(PARTS, PARTS, NUMBERS)
def test_parts_are_sets(part: Part, other: Part, limit: float) -> None:
    assert members(below(part, limit)) == {number for number in members(part) if number < limit}
    assert members(without(part, other)) == members(part) - members(other)
    assert members(union(part, without(other, part))) == members(part) | members(other)
    assert size(part) == len(members(part)) / 64


@given(PARTS, st.floats(0, 1, exclude_min=True))
def test_a_share_of_a_part_is_in_it_and_has_its_size(part: Part, share: float) -> None:
    found = share_of(part, share)

    assert members(found) <= members(part)
    assert size(found) == pytest.approx(size(part) * share)


@given(PARTS)
def test_a_part_and_the_rest_are_all(part: Part) -> None:
    assert union(part, without(ALL, part)) == ALL
    assert without(part, part) == NONE
