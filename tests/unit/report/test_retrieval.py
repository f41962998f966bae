"""How good retrieved documents are, in the report: counted by hand, and traced to the tasks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.report import Report, build_report
from langchain_label_studio.report.findings import RankMeasure
from langchain_label_studio.report.statistics.retrieval import precision, reciprocal_rank
from langchain_label_studio.types.review import Review
from tests.support.reviews import review

Said = tuple[bool | None, ...]
YES, NO = True, False


def reviews_of(*said: Said, **more: object) -> list[Review]:
    return [review(task_id=number, relevance=each, **more) for number, each in enumerate(said, start=1)]


def measure(report: Report, k: int | None, *, name: str = "precision") -> RankMeasure:
    assert report.retrieval
    [found] = [each for each in report.retrieval.measures if (each.name, each.k) == (name, k)]
    return found


@pytest.mark.parametrize(
    ("said", "at_1", "at_3", "of_all", "rank"),
    [
        ((YES, NO, YES, NO), 1, 2 / 3, 1 / 2, 1),
        ((NO, NO, YES), 0, 1 / 3, 1 / 3, 1 / 3),
        ((NO, NO), 0, None, 0, 0),
        ((YES, None, NO), 1, None, None, 1),
        ((NO, YES, None), 0, None, None, 1 / 2),
        ((None, YES, NO), None, None, None, None),
        ((NO, NO, None), 0, None, None, None),
        ((), None, None, None, 0),
    ],
)
def test_by_hand(said: Said, at_1: float, at_3: float | None, of_all: float | None, rank: float | None):
    assert precision(said, k=1) == at_1
    assert precision(said, k=3) == at_3
    assert precision(said) == of_all
    assert reciprocal_rank(said) == rank


@given(st.lists(st.sampled_from([True, False, None]), max_size=9), st.integers(1, 9))
def test_what_is_not_judged_is_never_counted(said: list[bool | None], k: int):
    share = precision(said, k=k)

    known = [bool(each) for each in said[:k] if each is not None]
    assert share == (sum(known) / k if len(known) == k else None)
    guesses = [[guess if each is None else each for each in said] for guess in (True, False)]
    if share is not None:
        assert [precision(guess, k=k) for guess in guesses] == [share, share]
    if (rank := reciprocal_rank(said)) is not None:
        assert [reciprocal_rank(guess) for guess in guesses] == [rank, rank]


def test_each_number_comes_with_its_tasks():
    report = build_report(reviews_of((YES, NO, NO), (NO, NO, NO), (NO,), (None, None), ()))

    assert report.retrieval
    assert (report.retrieval.reviews, report.retrieval.documents, report.retrieval.relevant) == (3, 7, 1)
    assert report.retrieval.task_ids == (1, 2, 3)
    first, third = measure(report, 1), measure(report, 3)
    assert (first.estimate.value, first.estimate.count) == (pytest.approx(1 / 3), 3)
    assert (first.task_ids, first.missed_task_ids) == ((1, 2, 3), (2, 3))
    assert (third.estimate.value, third.task_ids) == (pytest.approx(1 / 6), (1, 2))
    assert measure(report, 5).estimate.value is None
    rank = measure(report, None, name="reciprocal_rank")
    assert (rank.estimate.value, rank.missed_task_ids) == (pytest.approx(1 / 3), (2, 3))


def test_two_reviews_of_a_task_are_one_draw():
    twice = [
        review(task_id=task, reviewer=who, relevance=(task % 3 > 0,))
        for task in range(40)
        for who in ("ann", "bob")
    ]
    once = twice[::2]

    both, one = (measure(build_report(each), 1).estimate for each in (twice, once))

    assert (both.value, both.count) == (one.value, 2 * one.count)
    assert (both.low, both.high) == (one.low, one.high), "a second opinion is no second task"
    assert one.low is not None
    assert one.low < one.value < one.high


def test_skipped_reviews_judge_nothing():
    assert build_report(reviews_of((YES,), was_skipped=True)).retrieval is None


def test_the_report_shows_it_wherever_it_is_read():
    report = build_report(reviews_of(*[(YES, NO, YES)] * 12, *[(NO, NO, NO)] * 3))

    markdown, page = report.to_markdown(), report.to_html()

    assert "## Retrieved documents" in markdown
    assert "### 45 documents judged in 15 reviews, 24 relevant" in markdown
    assert "Reciprocal rank: 1 divided by the place" in markdown
    [row] = [line for line in markdown.splitlines() if line.startswith("| Precision at 1 ")]
    assert row.startswith("| Precision at 1 | 80 % (60 to 100 %) | 15 | 3 |")
    assert "Precision at 5" in markdown
    assert "Retrieved documents</h2>" in page
    assert "none relevant" in page
    [_, *_] = json.loads(report.to_json())["retrieval"]["measures"]


def test_a_report_without_retrieval_says_nothing_of_it():
    report = build_report([review(rating=4)])

    assert report.retrieval is None
    assert "Retrieved documents" not in report.to_markdown() + report.to_html()
    assert "Reciprocal rank" not in report.to_markdown() + report.to_html()
