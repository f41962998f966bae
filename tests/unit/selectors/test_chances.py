"""The chance that a run had to be chosen is how often runs like it are chosen."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import LLMRun
from langchain_label_studio.selectors import (
    Selector,
    at_most_per_day,
    balanced,
    by_tag,
    errors,
    first_per_thread,
    low_rating,
    novel,
    sampled,
)
from langchain_label_studio.selectors import selector as selector_module
from langchain_label_studio.selectors.selector import as_selector, choose


def run(number: int = 0, **more: object) -> LLMRun:
    question = {"role": "user", "content": f"Question {number}"}
    return LLMRun(run_id=str(number), trace_id=str(UUID(int=number)), prompt=(question,), **more)


MANY = 4000
SELECTORS: list[tuple[Callable[[], Selector], float]] = [
    (lambda: sampled(0.3), 0.3),
    (lambda: sampled(0.3) & sampled(0.2), 0.2),
    (lambda: sampled(0.3) | sampled(0.2), 0.3),
    (lambda: ~sampled(0.2), 0.8),
    (lambda: sampled(0.5) & ~sampled(0.2), 0.3),
    (lambda: ~(sampled(0.5) & ~sampled(0.2)), 0.7),
    (lambda: by_tag("x") & sampled(0.3) | sampled(0.1), 0.3),
    (lambda: ~by_tag("x") & sampled(0.3) | sampled(0.1), 0.1),
    (lambda: (sampled(0.1) & errors()) | sampled(0.3) & by_tag("x"), 0.3),
    (lambda: errors() | low_rating() | by_tag("x"), 1.0),
    (lambda: sampled(0.3) & at_most_per_day(10**6), 0.3),
    (lambda: sampled(0.3) | at_most_per_day(10**6), 1.0),
    (lambda: at_most_per_day(0) | sampled(0.3), 0.3),
    (lambda: first_per_thread() & sampled(0.3), 0.3),
    (lambda: novel() & sampled(0.3), 0.3),
    (lambda: sampled(0.3) & novel(), 0.3),
    (lambda: novel() | sampled(0.3), 1.0),
]


@pytest.mark.parametrize(("make", "chance"), SELECTORS)
@pytest.mark.parametrize("sample_rate", [1.0, 0.25])
def test_the_chance_is_the_share_that_is_chosen(
    make: Callable[[], Selector], chance: float, sample_rate: float
) -> None:
    selector = make()
    choices = [choose(selector, run(number, tags=("x",)), sample_rate=sample_rate) for number in range(MANY)]
    chances = {choice.chance for choice in choices} - {0}

    (found,) = chances
    assert sum(choice.chance > 0 for choice in choices) / MANY == pytest.approx(found, abs=0.03)
    if sample_rate == 1:
        assert found == pytest.approx(chance)


LEAVES = st.sampled_from(
    [
        *(f"sampled({eighths / 8})" for eighths in range(9)),
        'by_tag("x")',
        'by_tag("y")',
        "at_most_per_day(1000)",
    ]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds("({} & {})".format, inner, inner)
        | st.builds("({} | {})".format, inner, inner)
        | st.builds("(~{})".format, inner)
    ),
    max_leaves=8,
)


@given(EXPRESSIONS, st.integers(1, 8).map(lambda eighths: eighths / 8))
def test_of_each_expression_the_chance_is_exact(expression: str, sample_rate: float) -> None:
    selector = eval(expression)
    chances = []
    for sixteenth in range(1, 16, 2):
        with patch.object(selector_module, "trace_number", return_value=sixteenth / 16):
            chances.append(choose(selector, run(tags=("x",)), sample_rate=sample_rate).chance)

    chosen = [chance for chance in chances if chance]
    assert chosen == [len(chosen) / 8] * len(chosen)


def test_a_rule_and_a_function_leave_nothing_to_chance() -> None:
    for selector in (errors() | by_tag("x"), as_selector(lambda run: run.tags == ("x",))):
        assert choose(selector, run(tags=("x",))).chance == 1
        assert choose(selector, run()).chance == 0


def test_chances_count_all_runs_also_where_each_has_its_own() -> None:
    """Horvitz and Thompson: the chosen runs, each divided by its chance, are as many as there were."""
    for selector in (
        balanced(by="model", per_day=50),
        sampled(0.3) & balanced(by="model", per_day=50),
        balanced(by="model", per_day=50) | sampled(0.02),
        ~balanced(by="model", per_day=500) & sampled(0.5),
    ):
        chances = [choose(selector, run(number, model="a")).chance for number in range(2 * MANY)]
        assert sum(1 / chance for chance in chances if chance) == pytest.approx(2 * MANY, rel=0.12)


def test_a_costly_function_is_not_asked_about_traces_outside_the_sample() -> None:
    asked: list[str] = []

    def costly(given: LLMRun) -> bool:
        asked.append(given.run_id)
        return True

    selector = sampled(0.1) & costly
    chosen = [str(number) for number in range(200) if selector(run(number))]

    assert asked == chosen
