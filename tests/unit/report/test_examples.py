"""The answers that a report shows to be read, and the texts that it keeps of them."""

from __future__ import annotations

import pytest

from langchain_label_studio.report import build_report
from langchain_label_studio.report.rendering.entries import difference
from langchain_label_studio.types.review import Rating
from tests.support.reviews import review, user


def test_the_worst_rated_are_the_three_with_the_smallest_share_of_their_scale() -> None:
    stars = {
        1: Rating(value=2, scale=3),
        2: Rating(value=2, scale=10),
        3: 5,
        4: 1,
        5: 4,
        6: Rating(value=1, scale=None),
    }

    examples = build_report(review(task_id=task, rating=given) for task, given in stars.items()).examples

    assert [example.task.task_id for example in examples.worst_rated] == [4, 2, 1]
    assert examples.most_changed == ()
    first = examples.worst_rated[0]
    assert [(question.control, given) for question, given in first.stars] == [("rating", 1)]
    assert (first.reviewer, first.change, first.task.prompt) == ("ann@example.org", None, "Hi")


def test_all_stars_are_no_example_of_bad_ones() -> None:
    assert build_report([review(rating=5), review()]).examples.worst_rated == ()


def test_a_task_is_an_example_once_with_its_worst_review() -> None:
    reviews = [review(task_id=1, reviewer=who, rating=stars) for who, stars in (("ann", 3), ("bob", 1))]

    (example,) = build_report(reviews).examples.worst_rated

    assert example.reviewer == "bob"


def test_the_most_changed_show_the_answer_and_the_correction() -> None:
    corrections = {1: "Paris is it.", 2: "It is Rome, of course.", 3: "Paris.", 4: "Paris!", 5: "Rome"}

    report = build_report(
        review(task_id=task, prompt="Which?", answers="Paris.", corrected=text)
        for task, text in corrections.items()
    )

    changed = report.examples.most_changed
    assert [example.task.task_id for example in changed] == [5, 2, 1]
    assert changed[0].change
    assert (changed[0].change.before, changed[0].change.after) == ("Paris.", "Rome")
    assert "- Answer: Paris.\n  - Correction: Rome" in report.to_markdown()
    assert '<a href="http://label-studio.test/projects/7/data?task=5">Task 5</a>' in report.to_html()


def test_a_long_answer_is_cut_around_its_first_difference() -> None:
    before = "word " * 400
    after = before[:1500] + "other " + before[1500:]

    (example,) = build_report([review(answers=before, corrected=after)]).examples.most_changed

    assert example.change
    assert "other" in example.change.after
    assert (
        max(len(example.change.before), len(example.change.after), len(example.task.answers[0].text)) <= 302
    )
    assert (example.change.before[0], example.change.before[-1]) == ("…", "…")


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ([user("First?"), user("Last?")], "Last?"),
        ([{"role": "system", "content": "Be kind."}], "Be kind."),
        ([], ""),
    ],
)
def test_the_prompt_is_what_was_asked_last(prompt: list[dict[str, str]], shown: str) -> None:
    (example,) = build_report([review(prompt=prompt, rating=1)]).examples.worst_rated

    assert example.task.prompt == shown


def test_a_small_correction_is_shown_word_by_word() -> None:
    assert difference("The sky is green today.", "The sky is blue today.") == (
        ("same", "The sky is "),
        ("removed", "green"),
        ("added", "blue"),
        ("same", " today."),
    )
    report = build_report([review(answers="The *sky* is green.", corrected="The *sky* is blue!")])
    assert r"- Correction: The \*sky\* is ~~green.~~**blue!**" in report.to_markdown()
    assert "The *sky* is <del>green.</del><ins>blue!</ins>" in report.to_html()


def test_texts_without_much_in_common_are_shown_one_below_the_other() -> None:
    assert difference("Paris.", "It is Rome, of course!") is None
    assert difference("", "Rome") is None


def test_an_answer_that_was_deleted_is_said() -> None:
    assert "Correction: (everything was deleted)" in build_report([review(corrected=[])]).to_markdown()
