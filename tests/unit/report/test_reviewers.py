"""How far reviewers agree: on documents and steps, with the others, with the ground truth; and what they disagree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from langchain_label_studio.report import Report, build_report
from langchain_label_studio.report.reviewer_findings import Alpha, Reviewer
from langchain_label_studio.report.statistics.reviewers import median_of
from langchain_label_studio.types.review import Review, StepVerdict
from tests.support.reviews import preference, review

STARS = {"ann": {1: 5, 2: 1, 3: 4}, "bob": {1: 3, 2: 1}, "cem": {1: 5}}


def rated(*, truth: str | None = None) -> list[Review]:
    """Return reviews with `STARS`. Those of one person may be ground truth."""
    return [
        review(task_id=task, reviewer=who, rating=stars, ground_truth=who == truth)
        for who, given_stars in STARS.items()
        for task, stars in given_stars.items()
    ]


def reviewer(report: Report, name: str) -> Reviewer:
    (found,) = (each for each in report.reviewers if each.name == name)
    return found


def alpha(report: Report, kind: str) -> Alpha:
    (found,) = (each for each in report.agreement.alphas if each.question.kind == kind)
    return found


def test_a_reviewer_is_compared_with_all_others_on_the_same_tasks() -> None:
    report = build_report(rated())

    ann, bob, cem = (reviewer(report, name).with_others for name in STARS)
    assert ann
    assert bob
    assert cem
    # Two stars of five apart are half of the scale.
    assert (ann.estimate.value, ann.estimate.count, ann.task_ids) == (
        pytest.approx((0.5 + 1 + 1) / 3),
        3,
        (1, 2),
    )
    assert (bob.estimate.value, bob.task_ids) == (pytest.approx((0.5 + 0.5 + 1) / 3), (1, 2))
    assert (cem.estimate.value, cem.task_ids) == (pytest.approx((1 + 0.5) / 2), (1,))


def test_a_reviewer_is_compared_with_the_ground_truth_of_others() -> None:
    report = build_report(rated(truth="ann"))

    ann, bob, cem = (reviewer(report, name).with_ground_truth for name in STARS)
    assert ann is None, "nobody is compared with oneself"
    assert bob
    assert cem
    assert (bob.estimate.value, bob.estimate.count, bob.task_ids) == (0.75, 2, (1, 2))
    assert (cem.estimate.value, cem.task_ids) == (1.0, (1,))


def test_each_question_is_compared_with_the_ground_truth() -> None:
    reviews = [
        review(task_id=task, reviewer=who, rating=stars, choices={"mood": mood}, ground_truth=who == "ann")
        for task in range(1, 13)
        for who, stars, mood in (
            ("ann", 5, "Sad"),
            ("bob", 5 if task < 9 else 3, "Sad" if task < 4 else "Glad"),
        )
    ]

    report = build_report(reviews)

    found = {gold.question.kind: gold for gold in reviewer(report, "bob").gold_answers}
    stars, mood = found["rating"], found["choice"]
    assert (stars.closeness.estimate.value, stars.closeness.estimate.count) == (pytest.approx(10 / 12), 12)
    assert stars.closeness.estimate.low < 10 / 12 < stars.closeness.estimate.high
    assert (stars.same, mood.same) == (8, 3)
    assert mood.closeness.estimate.value == 0.25
    assert mood.closeness.task_ids == tuple(range(1, 13))
    assert reviewer(report, "ann").gold_answers == ()
    table = report.to_markdown().split("Like the ground truth")[-1]
    assert "25 %" in table
    assert "3 of 12 answers the same" in table


def test_without_ground_truth_and_without_others_nothing_is_compared() -> None:
    (ann,) = build_report([review(rating=3)]).reviewers

    assert (ann.with_others, ann.with_ground_truth, ann.gold_answers) == (None, None, ())


def test_the_ground_truth_of_an_unknown_person_is_ground_truth() -> None:
    report = build_report(
        [
            review(task_id=1, reviewer=None, choices={"mood": "Sad"}, ground_truth=True),
            review(task_id=1, reviewer="ann", choices={"mood": "Happy"}),
        ]
    )

    closeness = reviewer(report, "ann").with_ground_truth
    assert closeness
    assert closeness.estimate.value == 0


def test_the_median_time_has_an_interval() -> None:
    seconds = [float(value) for value in range(1, 100)]

    found = median_of(seconds)

    theirs = bootstrap((seconds,), np.median, method="percentile").confidence_interval
    assert (found.value, found.count) == (np.median(seconds), 99)
    assert found.low == pytest.approx(theirs.low, abs=3)
    assert found.high == pytest.approx(theirs.high, abs=3)
    assert median_of([]).value is None
    assert median_of([4.0, 9.0]).note == "2 reviews: too few for an interval"


def on_documents(sheet: Sequence[Sequence[tuple[bool | None, bool | None]]]) -> list[Review]:
    """Return the verdicts of two people on the documents of tasks."""
    return [
        review(task_id=task, reviewer=who, relevance=tuple(pair[place] for pair in documents))
        for task, documents in enumerate(sheet)
        for place, who in enumerate(("ann", "bob"))
    ]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=4), min_size=2, max_size=9
    )
)
def test_agreement_on_documents_is_that_on_single_documents(sheet: list[list[tuple[bool, bool]]]) -> None:
    found = alpha(build_report(on_documents(sheet)), "relevance")

    units = [pair for documents in sheet for pair in documents]
    assert (found.units, found.task_ids) == (len(units), tuple(range(len(sheet))))
    if len({value for pair in units for value in pair}) == 1:
        assert found.estimate.value is None
    else:
        theirs = krippendorff.alpha(
            value_counts=[[pair.count(False), pair.count(True)] for pair in units],
            value_domain=[0, 1],
            level_of_measurement="nominal",
        )
        assert found.estimate.value == pytest.approx(theirs)


def test_the_documents_of_one_task_are_drawn_together() -> None:
    verdicts = [(bool(number % 2), bool(number % 3)) for number in range(30)]
    apart = alpha(build_report(on_documents([[pair] for pair in verdicts])), "relevance").estimate
    together = alpha(build_report(on_documents([[pair] * 4 for pair in verdicts])), "relevance").estimate

    assert together.value == pytest.approx(apart.value, abs=0.02)
    assert apart.low is not None
    assert together.low == pytest.approx(apart.low, abs=0.05), "four documents alike make nothing surer"


def test_documents_that_one_person_did_not_judge_are_not_compared() -> None:
    report = build_report(on_documents([[(True, None), (None, None), (True, False)]]))

    assert alpha(report, "relevance").units == 1
    (dispute,) = report.agreement.disputes
    (disputed,) = dispute.questions
    assert (disputed.place, disputed.answers) == (3, (("ann", "relevant"), ("bob", "not relevant")))


def test_agreement_on_steps_is_by_their_place() -> None:
    verdicts = {
        "ann": [StepVerdict(index=0, verdict="correct"), StepVerdict(index=4, verdict="incorrect")],
        "bob": [StepVerdict(index=4, verdict="partial"), StepVerdict(index=0, verdict="correct")],
        "cem": [StepVerdict(index=0, comment="why?")],
    }
    report = build_report(
        replace(review(task_id=1, reviewer=who), steps=tuple(steps)) for who, steps in verdicts.items()
    )

    found = alpha(report, "step")
    assert (found.units, found.estimate.count, found.level) == (2, 1, "nominal")
    (dispute,) = report.agreement.disputes
    assert [(each.place, each.answers) for each in dispute.questions] == [
        (4, (("ann", "incorrect"), ("bob", "partial")))
    ]
    assert "Step 4: ann: incorrect; bob: partial" in report.to_markdown()


def test_a_dispute_shows_the_prompt_the_answer_and_who_said_what() -> None:
    report = build_report(
        [
            review(task_id=1, reviewer="ann", prompt="Why?", answers="So.", corrected="Because.", rating=1),
            review(task_id=1, reviewer="bob", prompt="Why?", answers="So.", corrected="So.", rating=5),
        ]
    )

    (dispute,) = report.agreement.disputes
    assert (dispute.task.prompt, [answer.text for answer in dispute.task.answers]) == ("Why?", ["So."])
    said = {each.question.kind: dict(each.answers) for each in dispute.questions}
    assert said == {
        "rating": {"ann": "1", "bob": "5"},
        "correction": {"ann": "corrected: Because.", "bob": "left as it was"},
    }
    for shown in (report.to_markdown(), report.to_html()):
        for text in ("Why?", "So.", "ann: 1; bob: 5", "ann: corrected: Because.; bob: left as it was"):
            assert text in shown


def test_a_dispute_on_a_comparison_shows_both_answers_with_their_models() -> None:
    def compared(who: str, *ranking: tuple[int, ...]) -> Review:
        shown = preference("It is A.", "It is B.", models=("m1", "m2"), ranking=ranking)
        return review(task_id=1, reviewer=who, model=None, preference=shown)

    unreviewed = review(task_id=1, model=None, was_skipped=True, reviewer="dora")
    report = build_report(
        [unreviewed, compared("ann", (0,), (1,)), compared("bob", (0, 1)), compared("cem", (1,), (0,))]
    )

    (dispute,) = report.agreement.disputes
    assert [(each.name, each.model, each.text) for each in dispute.task.answers] == [
        ("answer1", "m1", "It is A."),
        ("answer2", "m2", "It is B."),
    ]
    assert dispute.questions[0].answers == (("ann", "answer1"), ("bob", "no difference"), ("cem", "answer2"))
    assert "answer2 (m2): It is B." in report.to_markdown()


def test_of_many_reviewers_those_who_say_the_same_are_named_together() -> None:
    report = build_report(
        review(task_id=1, reviewer=f"reviewer {number:02}", rating=1 if number else 5) for number in range(40)
    )

    first = ", ".join(f"reviewer {number:02}" for number in range(1, 6))
    assert f"reviewer 00: 5; {first}, 34 more: 1" in report.to_markdown()
    assert len(report.agreement.disputes[0].questions[0].answers) == 40
