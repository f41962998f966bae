"""What the place on the screen does to comparisons, and how far users and reviewers go together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from langchain_label_studio.report import Report, build_report
from langchain_label_studio.report.preference_findings import FirstShown
from langchain_label_studio.report.statistics.bootstrap import patterns_of
from langchain_label_studio.report.statistics.user_feedback import rank_correlation
from langchain_label_studio.types.feedback import Feedback
from langchain_label_studio.types.review import Candidate, Preference
from tests.support.reviews import assistant, preference, review

LEFT, RIGHT, TIE = ((0,), (1,)), ((1,), (0,)), ((0, 1),)


def first_shown(report: Report) -> FirstShown:
    assert report.preferences
    assert report.preferences.first_shown
    return report.preferences.first_shown


@pytest.mark.parametrize(
    ("left", "effect"),
    [(36, "the first one wins more often"), (24, "none can be seen"), (10, "the first one wins less often")],
)
def test_how_often_the_left_answer_wins_is_said(left: int, effect: str) -> None:
    report = build_report(
        review(task_id=task, preference=preference("x", "y", ranking=LEFT if task < left else RIGHT))
        for task in range(48)
    )

    first = first_shown(report)
    assert (first.share.value, first.share.count) == (left / 48, 48)
    assert first.task_ids == tuple(range(48))
    assert first.share.low is not None
    assert first.share.high is not None
    assert first.share.low < left / 48 < first.share.high
    assert effect in report.to_markdown()


def test_the_place_is_that_on_the_screen_not_that_of_the_run() -> None:
    second, first = (Candidate(id=name, answer=assistant(name)) for name in ("answer2", "answer1"))
    turned = Preference(candidates=(second, first), ranking=((0,), (1,)))

    assert first_shown(build_report([review(preference=turned)])).share.value == 0


def test_ties_and_answers_of_which_nobody_knows_the_place_are_not_counted() -> None:
    listed = Preference(
        candidates=tuple(Candidate(id=name, answer=assistant(name), model=name) for name in ("b7", "a1")),
        ranking=((0,), (1,)),
    )
    tie = preference("x", "y", models=("a1", "b7"), ranking=TIE)

    preferences = build_report([review(preference=listed), review(task_id=9, preference=tie)]).preferences

    assert preferences
    assert preferences.first_shown is None
    assert preferences.tied_task_ids == (9,)
    assert [duel.wins for duel in preferences.duels] == [1]


def test_answers_that_are_worse_than_the_best_are_no_tie() -> None:
    best = replace(preference("x", "y", "z", models=("a", "b", "c"), ranking=((1,),)), worse=(0, 2))

    preferences = build_report([review(preference=best)]).preferences

    assert preferences
    assert preferences.tied_task_ids == ()
    assert sum(duel.wins for duel in preferences.duels) == 2


def test_only_ties_are_comparisons_too() -> None:
    report = build_report([review(preference=preference("x", "y", models=("a", "b"), ranking=TIE))])

    assert report.preferences
    assert report.preferences.contenders == ()
    assert "In 1 task answers were found equally good." in report.to_markdown()


def test_a_run_that_compares_models_is_of_none_of_them() -> None:
    compared = review(model=None, preference=preference("x", "y", models=("a", "b")))
    waiting = review(model=None, annotation_id=None, candidates=({"model": "a"}, {"model": "b"}))

    report = build_report([compared, waiting, review(model=None)])

    assert [(group.name, len(group.task_ids)) for group in report.models] == [(None, 1)]
    assert len(report.everything.task_ids) == 3
    assert report.notes == ("1 run does not name the model. The report calls it “model not known”.",)


def thumbs(*pairs: tuple[float | None, int]) -> Report:
    return build_report(
        review(task_id=task, rating=stars, feedback={"thumb": Feedback(score=score, comment="!")})
        for task, (score, stars) in enumerate(pairs, start=1)
    )


def test_feedback_of_users_stands_beside_the_stars_of_reviewers() -> None:
    (feedback,) = thumbs((1, 5), (1, 4), (0, 2), (None, 1)).feedback

    assert (feedback.key, feedback.task_ids) == ("thumb", (1, 2, 3))
    up, down = feedback.scores
    assert (up.score, up.task_ids, up.quality.ratings[0].mean.value) == (1, (1, 2), 4.5)
    assert (down.score, down.task_ids, down.quality.ratings[0].mean.value) == (0, (3,), 2)
    (stars,) = feedback.correlations
    assert (stars.question.control, stars.estimate.count, stars.task_ids) == ("rating", 3, (1, 2, 3))
    assert stars.estimate.value == pytest.approx(spearmanr([1, 1, 0], [5, 4, 2]).statistic)


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([(1, 5), (0, 2), (1, 4), (0, 1)] * 10, "more stars"),
        ([(1, 1), (0, 4), (1, 2), (0, 5)] * 10, "fewer stars"),
        ([(1, 1), (0, 1), (1, 5), (0, 5)] * 10, "no connection can be seen"),
        ([(1, 5), (0, 1)], "not known"),
        ([(1, 5), (1, 1)] * 20, "not known"),
    ],
)
def test_how_far_users_and_reviewers_go_together_is_said(pairs: list[tuple[float, int]], says: str) -> None:
    [row] = [
        line
        for line in thumbs(*pairs).to_markdown().splitlines()
        if line.startswith("| rating (1 to 5) | ") and "stars)" not in line and "ratings" not in line
    ]

    assert row.endswith(f"| {says} |")


def test_many_different_scores_are_not_shown_one_by_one() -> None:
    (feedback,) = thumbs(*((number / 7, 1 + number % 5) for number in range(20))).feedback

    assert feedback.scores == ()
    assert feedback.correlations[0].estimate.count == 20


def test_a_score_that_is_no_number_is_no_score() -> None:
    assert thumbs((float("nan"), 3), (float("inf"), 3), (None, 3)).feedback == ()


values = st.integers(0, 4).map(float)


@settings(deadline=None)
@given(st.lists(st.tuples(values, values), min_size=2, max_size=30))
def test_the_rank_correlation_is_spearmans(pairs: list[tuple[float, float]]) -> None:
    patterns, counts = patterns_of(pairs)

    ours = rank_correlation(np.array(patterns))(counts[np.newaxis])[0]

    if any(len(set(column)) == 1 for column in zip(*pairs, strict=True)):
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(spearmanr(pairs).statistic)
        assert ours == pytest.approx(pd.DataFrame(pairs).corr(method="spearman").iloc[0, 1])


def test_where_users_like_an_answer_it_is_corrected_less_often() -> None:
    report = build_report(
        review(
            answers="A",
            corrected="A" if liked or number % 5 == 0 else "B",
            feedback={"thumb": Feedback(score=liked)},
        )
        for number in range(40)
        for liked in (0, 1)
    )

    assert "| corrected or not | \N{MINUS SIGN}0.82 (" in report.to_markdown()
    assert "| 80 | corrected less often |" in report.to_markdown()
