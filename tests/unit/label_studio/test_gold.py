"""Which reviews become ground truth, and which of their tasks all reviewers get."""

from __future__ import annotations

import pytest

from langchain_label_studio import SettingError
from langchain_label_studio.label_studio.gold import (
    ReviewedTask,
    SavedReview,
    choose_reviews,
    choose_tasks,
)

ANN, BOB = "ann@example.com", "bob@example.com"


def task(number: int, *people: str | None, gold: str | None = None, reviewers: int = 1) -> ReviewedTask:
    reviews = [
        SavedReview(annotation_id=10 * number + place, reviewer=who, ground_truth=who == gold and bool(gold))
        for place, who in enumerate(people)
    ]
    return ReviewedTask(id=number, reviewers=reviewers, reviews=tuple(reviews))


def chosen(tasks: list[ReviewedTask], **options: object) -> dict[int, int]:
    found = choose_reviews(tasks, **options)  # type: ignore[arg-type]
    return {task_id: review.annotation_id for task_id, review in found.items()}


def test_a_person_s_reviews_are_chosen_the_latest_of_each_task() -> None:
    tasks = [task(1, ANN, BOB), task(2, BOB), task(3, ANN, BOB, ANN)]

    assert chosen(tasks, reviewer=ANN) == {1: 10, 3: 32}


def test_the_ground_truth_of_another_person_stays_unless_its_task_is_named() -> None:
    tasks = [task(1, ANN, BOB, gold=BOB), task(2, ANN, gold=ANN)]

    assert chosen(tasks, reviewer=ANN) == {2: 20}
    assert chosen(tasks, reviewer=ANN, task_ids=[1]) == {1: 10}


def test_a_task_that_one_person_reviewed_needs_no_name() -> None:
    assert chosen([task(1, ANN), task(2, ANN, ANN), task(3, BOB)], task_ids=[1, 2]) == {1: 10, 2: 21}
    assert chosen([task(1, None)], task_ids=[1]) == {1: 10}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"task_ids": [1]}, "Several people have reviewed task 1. Pass --reviewer"),
        ({"task_ids": [9, 2, 8]}, r"Nobody has reviewed tasks 9, 8\. Pass the numbers"),
        ({"task_ids": [2], "reviewer": ANN}, r"ann@example.com has not reviewed task 2\."),
        ({"reviewer": "an@example.com"}, r"nothing in this project\. Did you mean 'ann@example.com'\?"),
        ({"reviewer": "zoe"}, r"Its reviewers: ann@example.com, bob@example.com\."),
        ({"task_ids": range(3, 11)}, "reviewed tasks 3, 4, 5, 6, 7 and 3 more"),
    ],
)
def test_what_cannot_be_chosen_is_said(options: dict[str, object], problem: str) -> None:
    with pytest.raises(SettingError, match=problem):
        chosen([task(1, ANN, BOB), task(2, BOB)], **options)


def test_all_reviewers_get_the_same_tasks_again_and_then_others() -> None:
    gold = [task(number, ANN, gold=ANN) for number in range(1, 31)]

    first = choose_tasks(gold, count=10, default=1)
    handed = [task(each.id, ANN, gold=ANN, reviewers=9 if each in first else 1) for each in gold]
    more = choose_tasks([*handed, task(99, BOB, gold=BOB)], count=12, default=1)

    assert len(first) == 10
    assert [each.id for each in first] != list(range(1, 11)), "not only the oldest ones"
    assert {each.id for each in first} < {each.id for each in more}
    assert len(more) == 12
    assert choose_tasks(gold, count=0, default=1) == []
    assert len(choose_tasks(gold, count=99, default=1)) == 30
