"""Several reviewers of one task: whose word counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from langchain_label_studio import SettingError
from langchain_label_studio.datasets import Reason, TrainingSet, to_dpo, to_kto, to_sft
from langchain_label_studio.types.review import Rating, Review
from tests.support.reviews import preference, review, run
from tests.unit.datasets.test_convert import answers, pairs, reasons

PEOPLE = ("ann", "bob", "cleo", "dan")


def of_one_task(*words: dict[str, Any], **all_of_them: Any) -> list[Review]:
    """Return reviews of one task by different people, one after the other."""
    the_run = run("2+2?", all_of_them.pop("answers", "5"))
    task_id = all_of_them.pop("task_id", 77)
    return [
        review(**{"run": the_run, "task_id": task_id, "reviewer": person, **all_of_them, **word})
        for person, word in zip(PEOPLE, words, strict=False)
    ]


def by(rows: TrainingSet) -> list[tuple[str, ...]]:
    return [source.reviewers for source in rows.sources]


def test_all_takes_each_review_for_itself() -> None:
    rows = to_sft(of_one_task({"corrected": "4"}, {"corrected": "four"}, {"corrected": "5"}))

    assert answers(rows) == ["4", "four", "5"]
    assert by(rows) == [("ann",), ("bob",), ("cleo",)]


def test_latest_takes_the_review_that_was_saved_last() -> None:
    later = datetime(2030, 1, 1, tzinfo=UTC)

    rows = to_sft(of_one_task({"corrected": "4", "updated_at": later}, {"corrected": "5"}), policy="latest")

    assert answers(rows) == ["4"]
    assert [each.source.reviewers for each in rows.skipped[Reason.OLDER]] == [("bob",)]


def test_the_latest_word_stands_also_where_an_older_one_would_do() -> None:
    rated = of_one_task({"rating": 5}, {"rating": 1})

    assert not to_sft(rated, policy="latest", min_rating=3)


class TestMajority:
    def test_the_answer_that_most_people_left_is_learnt(self) -> None:
        reviews = of_one_task(
            {"corrected": "4"}, {"corrected": "5"}, {"corrected": " 4 "}, {"corrected": "four"}
        )

        rows = to_sft(reviews, policy="majority")

        assert answers(rows) == ["4"]
        assert by(rows) == [("ann", "cleo")]
        assert reasons(rows) == {Reason.NOT_COUNTED: 2}

    def test_a_tie_is_no_row(self) -> None:
        rows = to_sft(of_one_task({"corrected": "4"}, {"corrected": "5"}), policy="majority")

        assert reasons(rows) == {Reason.TIE: 1}
        assert rows.skipped[Reason.TIE][0].source.reviewers == ("ann", "bob")

    def test_whoever_says_nothing_of_the_answer_does_not_vote(self) -> None:
        rows = to_dpo(of_one_task({"corrected": "4"}, {"rating": 1}, {"rating": 2}), policy="majority")

        assert pairs(rows) == [("4", "5")]
        assert reasons(rows) == {Reason.NOT_COUNTED: 2}

    def test_stars_are_counted_as_their_mean(self) -> None:
        reviews = of_one_task({"rating": 1}, {"rating": 4}, {"rating": 5})

        assert [row["label"] for row in to_kto(reviews, policy="majority")] == [True]
        assert by(to_kto(reviews, policy="majority")) == [("ann", "bob", "cleo")]
        assert len(to_sft(reviews, policy="majority", min_rating=3.3)) == 1
        assert not to_sft(reviews, policy="majority", min_rating=3.4)

    def test_stars_of_different_scales_have_no_mean(self) -> None:
        reviews = of_one_task(
            {"rating": Rating(value=4, scale=5)}, {"rating": Rating(value=4, scale=10)}, corrected="5"
        )

        assert reasons(to_kto(reviews, policy="majority")) == {Reason.DIFFERENT_SCALES: 1}
        assert reasons(to_sft(reviews, policy="majority")) == {Reason.DIFFERENT_SCALES: 1}

    def test_a_choice_counts_that_more_than_half_made(self) -> None:
        thumbs = {"good": {"thumb": "up"}, "bad": {"thumb": "down"}}
        up, down = {"choices": {"thumb": "up"}}, {"choices": {"thumb": "down"}}

        assert [row["label"] for row in to_kto(of_one_task(up, down, up), policy="majority", **thumbs)] == [
            True
        ]
        rows = to_kto(of_one_task(up, down), policy="majority", **thumbs)
        assert reasons(rows) == {Reason.NEITHER_CHOSEN: 1}
        assert len(to_sft(of_one_task(up, down, up), policy="majority", choices={"thumb": "up"})) == 1
        assert not to_sft(of_one_task(up, down, up), policy="majority", choices={"thumb": "down"})

    def test_each_pair_is_decided_for_itself(self) -> None:
        reviews = of_one_task(
            {"preference": preference("a", "b", "c", ranking=[[0], [1], [2]])},
            {"preference": preference("a", "b", "c", ranking=[[1], [0], [2]])},
            {"preference": preference("a", "b", "c", ranking=[[1], [2], [0]])},
            {"preference": preference("a", "b", "c", ranking=[[0], [2], [1]])},
        )

        rows = to_dpo(reviews, policy="majority")

        assert pairs(rows) == [("a", "c"), ("b", "c")]
        assert by(rows) == [("ann", "bob", "dan"), ("ann", "bob", "cleo")]
        assert reasons(rows) == {Reason.TIE: 1}, "of a and b"
        assert answers(to_sft(reviews, policy="majority")) == ["a", "b"]

    def test_preferences_that_go_round_have_no_best(self) -> None:
        reviews = of_one_task(
            *(
                {"preference": preference("a", "b", "c", ranking=[[place] for place in ranking])}
                for ranking in ([0, 1, 2], [1, 2, 0], [2, 0, 1])
            )
        )

        assert reasons(to_sft(reviews, policy="majority")) == {Reason.TIE: 1}
        assert set(pairs(to_dpo(reviews, policy="majority"))) == {("a", "b"), ("b", "c"), ("c", "a")}


class TestAgreement:
    def test_agreed_only_takes_tasks_of_which_all_say_the_same(self) -> None:
        agreed = of_one_task({"corrected": "4"}, {"corrected": "4"}, task_id=1)
        disputed = of_one_task({"corrected": "4"}, {"corrected": "5"}, task_id=2)
        alone = of_one_task({"corrected": "four"}, task_id=3)

        rows = to_sft([*agreed, *disputed, *alone], policy="agreed-only")

        assert answers(rows) == ["4", "four"]
        assert by(rows) == [("ann", "bob"), ("ann",)]
        assert reasons(rows) == {Reason.DISAGREEMENT: 2}

    def test_unanimous_needs_two_people(self) -> None:
        agreed = of_one_task({"corrected": "4"}, {"corrected": "4"}, task_id=1)
        disputed = of_one_task({"corrected": "4"}, {"corrected": "5"}, task_id=2)
        alone = of_one_task({"corrected": "four"}, task_id=3)
        reviews = [*agreed, *disputed, *alone]

        assert answers(to_sft(reviews, unanimous=True)) == ["4", "4"], "policy 'all' takes each"
        rows = to_sft(reviews, unanimous=True, policy="latest")
        assert answers(rows) == ["4"]
        assert reasons(rows) == {Reason.OLDER: 1, Reason.NOT_UNANIMOUS: 3}

    def test_people_agree_on_what_the_rows_show(self) -> None:
        """On the label, though they give different stars; on the answer, though they like it differently."""
        good = of_one_task({"rating": 4}, {"rating": 5})
        split = of_one_task({"rating": 2}, {"rating": 5})

        assert [row["label"] for row in to_kto(good, policy="agreed-only", unanimous=True)] == [True]
        assert reasons(to_kto(split, policy="agreed-only")) == {Reason.DISAGREEMENT: 2}
        assert len(to_sft(split, policy="agreed-only", unanimous=True)) == 1

    def test_whoever_leaves_the_answer_as_it_was_disagrees_with_who_corrects_it(self) -> None:
        reviews = of_one_task({"corrected": "4"}, {"corrected": "5"})

        assert reasons(to_dpo(reviews, policy="agreed-only")) == {Reason.DISAGREEMENT: 2}

    def test_whoever_says_nothing_of_it_does_not_disagree(self) -> None:
        one = {"preference": preference("a", "b")}

        assert pairs(to_dpo(of_one_task(one, {}, one), policy="agreed-only", unanimous=True)) == [("a", "b")]
        assert reasons(to_dpo(of_one_task(one, {}), unanimous=True)) == {Reason.NOT_UNANIMOUS: 2}
        other = {"preference": preference("a", "b", ranking=[[1], [0]])}
        assert reasons(to_dpo(of_one_task(one, other), policy="agreed-only")) == {Reason.DISAGREEMENT: 2}
        assert reasons(to_sft(of_one_task(one, other), policy="agreed-only")) == {Reason.DISAGREEMENT: 2}

    def test_the_middle_is_an_opinion_too(self) -> None:
        assert reasons(to_kto(of_one_task({"rating": 3}, {"rating": 5}), policy="agreed-only")) == {
            Reason.DISAGREEMENT: 2
        }
        assert reasons(to_kto(of_one_task({"rating": 3}, {"rating": 3}), policy="agreed-only")) == {
            Reason.RATED_IN_THE_MIDDLE: 1
        }


def test_a_person_has_one_voice() -> None:
    reviews = of_one_task(
        {"corrected": "5", "reviewer": "ann"}, {"corrected": "5", "reviewer": "ann"}, {"corrected": "4"}
    )

    rows = to_sft(reviews, policy="majority")

    assert reasons(rows) == {Reason.OLDER_OF_PERSON: 1, Reason.TIE: 1}
    assert reasons(to_sft(reviews[:2], unanimous=True)) == {
        Reason.OLDER_OF_PERSON: 1,
        Reason.NOT_UNANIMOUS: 1,
    }


def test_people_without_a_name_are_different_people() -> None:
    reviews = of_one_task({"corrected": "4", "reviewer": None}, {"corrected": "4", "reviewer": None})

    assert len(to_sft(reviews, policy="agreed-only", unanimous=True)) == 1


def test_what_does_not_count_does_not_vote() -> None:
    reviews = of_one_task({"corrected": "5"}, {"corrected": "5", "was_skipped": True}, {"corrected": "4"})

    assert reasons(to_sft(reviews, policy="majority")) == {Reason.TASK_SKIPPED: 1, Reason.TIE: 1}


def test_tasks_of_two_projects_are_different_tasks() -> None:
    here, there = of_one_task({"corrected": "4"}), of_one_task({"corrected": "5"}, project_id=8)

    assert answers(to_sft([*here, *there], policy="latest")) == ["4", "5"]


def test_reviews_of_a_task_that_are_apart_are_not_taken_for_two_tasks() -> None:
    one, two = of_one_task({"corrected": "4"}, {"corrected": "5"})
    mixed = [one, review(), two]

    assert len(to_sft(mixed)) == 3, "each for itself"
    with pytest.raises(SettingError, match="sort"):
        to_sft(mixed, policy="majority")


@pytest.mark.parametrize(
    "options", [{}, {"policy": "majority"}, {"policy": "agreed-only"}, {"unanimous": True}]
)
def test_on_a_task_with_a_ground_truth_only_that_counts(options: dict[str, Any]) -> None:
    gold = of_one_task({"corrected": "four"}, {"corrected": "4", "ground_truth": True}, {"corrected": "four"})
    other = of_one_task({"corrected": "5"}, {"corrected": "5"}, task_id=78)

    rows = to_sft([*gold, *other], **options)

    assert answers(rows)[0] == "4"
    assert by(rows)[0] == ("bob",)
    assert set(answers(rows)[1:]) == {"5"}
    assert len(rows.skipped[Reason.NOT_GROUND_TRUTH]) == 2


def test_a_skipped_task_is_no_ground_truth() -> None:
    rows = to_sft(of_one_task({"was_skipped": True, "ground_truth": True}, {"corrected": "4"}))

    assert answers(rows) == ["4"]
