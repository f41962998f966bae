"""The statistics of a report, against published examples, against krippendorff and against nltk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nltk.metrics import interval_distance
from nltk.metrics.agreement import AnnotationTask

from langchain_label_studio.report import build_report
from langchain_label_studio.report.measures import Level
from langchain_label_studio.report.statistics.agreement_coefficients import cohen_kappa, krippendorff_alpha
from langchain_label_studio.report.statistics.bootstrap import (
    Sum,
    draws,
    estimate,
    interval,
    mean_of_tasks,
    patterns_of,
    ratio,
)
from langchain_label_studio.report.statistics.leaderboard import bradley_terry, chances
from langchain_label_studio.report.statistics.texts import edit_distance
from tests.support.reviews import assistant, call, preference, review

# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, part C: four observers, twelve units.
KRIPPENDORFF = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)

# American League 1987: wins of the row against the column. Agresti (2002), Categorical Data Analysis, table 10.10;
# the abilities as in Turner and Firth (2012), Bradley-Terry Models in R, with Baltimore as 0.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WINS = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)
ABILITIES = (1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0)

sheets = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 5), min_size=2), min_size=2, max_size=30
)


def alpha_of(units: Sequence[Sequence[int]], level: Level) -> float:
    values = sorted({value for unit in units for value in unit})
    patterns, tasks = patterns_of(tuple(sorted(values.index(value) for value in unit)) for unit in units)
    return float(krippendorff_alpha(patterns, np.array(values, dtype=float), level)(tasks[np.newaxis])[0])


def kappa_of(pairs: Sequence[tuple[int, int]], *, squared: bool = False) -> float:
    values = sorted({value for pair in pairs for value in pair})
    patterns, tasks = patterns_of((values.index(one), values.index(other)) for one, other in pairs)
    positions = np.array(values, dtype=float)
    return float(cohen_kappa(patterns, positions, squared=squared)(tasks[np.newaxis])[0])


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_krippendorffs_own(level: Level, published: float) -> None:
    units = [[value for value in unit if value] for unit in zip(*KRIPPENDORFF, strict=True)]

    assert alpha_of([unit for unit in units if len(unit) > 1], level) == pytest.approx(published, abs=5e-4)


def test_a_report_of_krippendorffs_example_says_his_numbers() -> None:
    reviews = [
        review(task_id=unit, reviewer=f"observer {number}", rating=value, choices={"same": f"value {value}"})
        for number, observer in enumerate(KRIPPENDORFF)
        for unit, value in enumerate(observer)
        if value
    ]

    alphas = build_report(reviews).agreement.alphas

    said = {(alpha.question.kind, alpha.level): round(alpha.estimate.value or 0, 3) for alpha in alphas}
    assert said == {("rating", "ordinal"): 0.815, ("rating", "interval"): 0.849, ("choice", "nominal"): 0.743}
    assert {alpha.estimate.count for alpha in alphas} == {11}, "the twelfth unit has one observer only"


@given(sheets)
def test_alpha_is_nltks(units: list[dict[str, int]]) -> None:
    assume(len({value for unit in units for value in unit.values()}) > 1)
    records = [(coder, item, value) for item, unit in enumerate(units) for coder, value in unit.items()]
    given_values = [list(unit.values()) for unit in units]

    nominal, by_difference = AnnotationTask(records), AnnotationTask(records, distance=interval_distance)

    assert alpha_of(given_values, "nominal") == pytest.approx(nominal.alpha())
    assert alpha_of(given_values, "interval") == pytest.approx(by_difference.alpha())


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@given(units=sheets)
def test_alpha_is_that_of_the_package_krippendorff(level: Level, units: list[dict[str, int]]) -> None:
    values = sorted({value for unit in units for value in unit.values()})
    assume(len(values) > 1)
    given_values = [list(unit.values()) for unit in units]

    theirs = krippendorff.alpha(
        value_counts=[[unit.count(value) for value in values] for unit in given_values],
        value_domain=values,
        level_of_measurement=level,
    )

    assert alpha_of(given_values, level) == pytest.approx(theirs)


@given(sheets, st.lists(st.integers(1, 9), min_size=5, max_size=5))
def test_ordinal_alpha_knows_nothing_but_the_order(units: list[dict[str, int]], steps: list[int]) -> None:
    values = [list(unit.values()) for unit in units]
    assume(len({value for unit in values for value in unit}) > 1)
    stretched = [[sum(steps[:value]) for value in unit] for unit in values]

    assert alpha_of(stretched, "ordinal") == pytest.approx(alpha_of(values, "ordinal"))


def test_alpha_where_all_always_say_the_same_is_none() -> None:
    assert math.isnan(alpha_of([[3, 3]] * 20, "nominal"))
    assert math.isnan(alpha_of([[3, 3]] * 20, "interval"))
    assert math.isnan(alpha_of([[3, 3]] * 20, "ordinal"))


def test_kappa_is_that_of_the_textbook() -> None:
    # 50 grant proposals, two readers: https://en.wikipedia.org/wiki/Cohen%27s_kappa#Simple_example
    proposals = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15

    assert kappa_of(proposals) == pytest.approx(0.4)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=40))
def test_kappa_is_nltks(pairs: list[tuple[int, int]]) -> None:
    assume(len({one for one, _ in pairs} | {other for _, other in pairs}) > 1)
    records = [
        (coder, item, value)
        for item, pair in enumerate(pairs)
        for coder, value in zip("ab", pair, strict=True)
    ]

    assert kappa_of(pairs) == pytest.approx(AnnotationTask(records).kappa_pairwise("a", "b"))
    squared = AnnotationTask(records, distance=interval_distance)
    assert kappa_of(pairs, squared=True) == pytest.approx(squared.weighted_kappa_pairwise("a", "b"))


def test_a_pair_of_reviewers_is_compared_on_what_both_rated() -> None:
    ratings = {"ann": {1: 5, 2: 1, 3: 5, 9: 2}, "bob": {1: 5, 2: 1, 3: 1, 8: 2}}

    report = build_report(
        review(task_id=task, reviewer=who, rating=stars)
        for who, given_stars in ratings.items()
        for task, stars in given_stars.items()
    )

    (pair,) = report.agreement.pairs
    assert (pair.reviewers, pair.task_ids, pair.estimate.count) == (("ann", "bob"), (1, 2, 3), 3)
    assert pair.estimate.value == pytest.approx(kappa_of([(5, 5), (1, 1), (5, 1)], squared=True))


def test_the_leaderboard_is_that_of_the_american_league() -> None:
    strengths = bradley_terry(np.array(WINS, dtype=float))

    assert strengths - strengths[-1] == pytest.approx(ABILITIES, abs=1e-4)


def test_a_report_of_the_american_league_says_who_is_stronger() -> None:
    reviews = [
        review(preference=preference("x", "y", models=(winner, loser)))
        for winner, losers in zip(TEAMS, WINS, strict=True)
        for loser, wins in zip(TEAMS, losers, strict=True)
        for _ in range(wins)
    ]

    preferences = build_report(reviews).preferences

    assert preferences
    assert [one.model for one in preferences.contenders] == list(TEAMS)
    best = preferences.contenders[0]
    others = [1 / (1 + math.exp(other - ABILITIES[0])) for other in ABILITIES[1:]]
    assert best.strength
    assert best.strength.value == pytest.approx(sum(others) / 6, abs=1e-4)
    assert best.strength.low
    assert best.strength.high
    assert best.strength.low < sum(others) / 6 < best.strength.high
    assert (best.wins, best.comparisons) == (50, 78)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=6))
def test_chances_are_shares_and_in_the_order_of_the_strengths(strengths: list[float]) -> None:
    found = chances(np.array(strengths))

    assert ((found >= 0) & (found <= 1)).all()
    assert found.mean() == pytest.approx(0.5), "what one wins another loses"
    for one, other in permutations(range(len(strengths)), 2):
        assert strengths[one] < strengths[other] or found[one] >= found[other] - 1e-12


def test_an_interval_is_as_wide_as_the_standard_error_says() -> None:
    random = np.random.default_rng(1)
    stars = random.integers(1, 6, size=900)

    mean = mean_of_tasks([(int(value), 1, 1) for value in stars], unit="rating")

    half = 1.96 * stars.std() / 30
    assert mean.value == pytest.approx(stars.mean())
    assert mean.low == pytest.approx(stars.mean() - half, abs=0.12 * half)
    assert mean.high == pytest.approx(stars.mean() + half, abs=0.12 * half)


def test_a_second_reviewer_who_says_the_same_makes_nothing_surer() -> None:
    stars = [int(value) for value in np.random.default_rng(2).integers(1, 6, size=300)]

    once = mean_of_tasks([(value, 1, 1) for value in stars], unit="rating")
    twice = mean_of_tasks([(2 * value, 2, 1) for value in stars], unit="rating")

    assert (twice.value, twice.low, twice.high) == pytest.approx((once.value, once.low, once.high), abs=0.02)
    assert twice.count == 2 * once.count


@pytest.mark.parametrize(
    ("sums", "note"),
    [
        ([(3, 1, 1)], "1 rating: too few for an interval"),
        ([(3, 1, 1), (4, 1, 1), (9, 2, 1)], "4 ratings: too few for an interval"),
        ([(5, 1, 1)] * 40, "all say the same: no interval"),
        ([(5, 1, 1)] * 40 + [(5, 1, 1 / 0.3)] * 40, "all say the same: no interval"),
        (
            [(3, 1, 1), (4, 1, 1)] * 40 + [(5, 1, 500)] * 3,
            "83 ratings of very different weight: too few for an interval",
        ),
    ],
)
def test_too_little_is_said(sums: list[Sum], note: str) -> None:
    mean = mean_of_tasks(sums, unit="rating")

    assert mean.value is not None
    assert (mean.low, mean.high, mean.note) == (None, None, note)


def test_where_most_draws_have_no_number_there_is_no_interval() -> None:
    # One task of ten tells agreement from chance: a third of all draws is without it.
    patterns, tasks = patterns_of([(0, 0)] * 9 + [(1, 1)])
    alpha = estimate(krippendorff_alpha(patterns, np.arange(2.0), "nominal"), tasks, count=10, unit="task")

    assert (alpha.value, alpha.low, alpha.note) == (1.0, None, "nearly all say the same: no interval")


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 4), st.sampled_from([1.0, 1 / 0.3, 20.0])),
        min_size=10,
        max_size=40,
    ),
    st.randoms(),
)
def test_an_interval_does_not_depend_on_the_order_of_tasks(sums: list[Sum], random) -> None:
    shuffled = random.sample(sums, len(sums))

    assert mean_of_tasks(sums, unit="x") == mean_of_tasks(shuffled, unit="x")


def test_streams_are_independent() -> None:
    patterns, tasks = patterns_of([(value, 1) for value in range(1, 6)] * 40)
    statistic = ratio(np.array(patterns, dtype=float))

    one, other = draws(statistic, tasks, stream=1), draws(statistic, tasks, stream=2)

    assert abs(np.corrcoef(one, other)[0, 1]) < 0.15
    assert interval(one) != interval(other)


@pytest.mark.parametrize(
    ("before", "after", "distance"),
    [
        ("kitten", "sitting", 3 / 7),
        ("same", "same", 0.0),
        ("gone", "", 1.0),
        ("word " * 20_000, "word " * 19_999 + "other ", 1 / 20_000),
    ],
    ids=["textbook", "same", "gone", "long"],
)
def test_the_edit_distance_is_levenshteins(before: str, after: str, distance: float) -> None:
    assert edit_distance([assistant(before)], [assistant(after)]) == pytest.approx(distance)


def test_a_changed_tool_call_is_a_change() -> None:
    paris, rome = (assistant(tool_calls=[call(city=city)]) for city in ("Paris", "Rome"))

    assert 0 < edit_distance([paris], [rome]) < 1
