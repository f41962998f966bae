"""What reviewers of one task said, side by side, without their names; and whether they disagree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from langchain_label_studio.reviews.judgements import judgements_html, read_judgements
from langchain_label_studio.types.review import Rating, Review, StepVerdict
from tests.support.reviews import preference, review, run

ANN, BOB, CEM = "ann@example.com", "bob@example.com", "cem@example.com"
A_FIRST = preference("a", "b")


def by_two(one: dict[str, Any], other: dict[str, Any]) -> list[Review]:
    the_run = run("2+2?", "5")
    plain = [
        review(run=the_run, task_id=7, reviewer=who, **_plain(said))
        for who, said in ((ANN, one), (BOB, other))
    ]
    return [
        replace(each, steps=said.get("steps", ())) for each, said in zip(plain, (one, other), strict=True)
    ]


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    # A run has steps, too.
    return {name: value for name, value in said.items() if name != "steps"}


def are_disputed(reviews: Sequence[Review], *, stars: float = 2) -> bool:
    return read_judgements(reviews).are_disputed(stars=stars)


def table(reviews: Sequence[Review], *, stars: float = 2) -> list[list[str]]:
    """Return the rows of the table, each as its cells."""
    html = judgements_html(read_judgements(reviews), stars=stars)
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in rows]


@pytest.mark.parametrize(
    ("one", "other", "disputed"),
    [
        ({"rating": 5}, {"rating": 3}, True),
        ({"rating": 5}, {"rating": 4}, False),
        ({"choices": {"mood": "Sad"}}, {"choices": {"mood": "Glad"}}, True),
        ({"choices": {"mood": "Sad"}}, {"choices": {"tone": "Glad"}}, False),
        ({"corrected": "4"}, {"corrected": "5"}, True),
        ({"corrected": "4"}, {"corrected": "four"}, False),
        ({"preference": A_FIRST}, {"preference": replace(A_FIRST, ranking=((1,), (0,)))}, True),
        ({"preference": A_FIRST}, {"preference": A_FIRST}, False),
        ({"relevance": (True, None)}, {"relevance": (True, False)}, False),
        ({"relevance": (True, True)}, {"relevance": (True, False)}, True),
        ({"steps": (StepVerdict(index=1, verdict="correct"),)}, {"steps": (StepVerdict(index=1, verdict="partial"),)}, True),
        ({"controls": {"score": 3}}, {"controls": {"score": 4}}, True),
        ({"rating": 5}, {"rating": 1, "was_skipped": True}, False),
    ],
)  # fmt: skip
def test_people_disagree_who_answer_one_question_differently(
    one: dict[str, Any], other: dict[str, Any], disputed: bool
) -> None:
    assert are_disputed(by_two(one, other)) is disputed
    assert are_disputed(by_two(other, one)) is disputed


def test_how_many_stars_are_a_disagreement_is_the_user_s_to_say() -> None:
    reviews = by_two({"rating": 5}, {"rating": 4})

    assert are_disputed(reviews, stars=1)
    assert not are_disputed(reviews, stars=1.5)


def test_the_latest_review_of_a_person_counts() -> None:
    first, other = by_two({"rating": 1}, {"rating": 5})
    later = replace(
        first,
        annotation_id=999,
        ratings={"rating": Rating(value=5, scale=5)},
        updated_at=datetime(2027, 1, 1, tzinfo=UTC),
    )

    assert are_disputed([first, other])
    assert not are_disputed([first, other, later])
    assert not are_disputed([later, other, first])


def test_the_judgements_stand_side_by_side_without_names_and_without_html_of_others() -> None:
    one = {"rating": 5, "corrected": "5", "choices": {"mood": "Glad"}}
    other = {
        "rating": 1,
        "corrected": "<img src=x>\n4",
        "choices": {"mood": "Glad"},
        "comments": {"why": ("It is <b>4</b>.",)},
    }

    rows = table(by_two(one, other))

    assert rows[0] == ["", "Reviewer A", "Reviewer B"]
    said = {name.removeprefix("<b>").removesuffix("</b>"): texts for name, *texts in rows[1:]}
    assert sorted(said["rating (1 to 5)"]) == ["<b>1</b>", "<b>5</b>"]
    assert said["mood"] == ["Glad", "Glad"]
    assert set(said["corrected answer"]) == {"<b>not changed</b>", "<b>&lt;img src=x&gt;<br>4</b>"}
    place = said["corrected answer"].index("<b>not changed</b>")
    assert said["rating (1 to 5)"][place] == "<b>5</b>", "a column is one person"
    assert said["why"][1 - place] == "It is &lt;b&gt;4&lt;/b&gt;."
    assert "example.com" not in str(rows)


def test_disagreements_come_first_then_what_people_wrote_then_what_they_agree_on() -> None:
    one = {"rating": 4, "choices": {"mood": "Sad"}, "comments": {"why": ("So.",)}, "relevance": (True, True)}
    other = {"rating": 4, "choices": {"mood": "Glad"}, "relevance": (True, False)}

    rows = table(by_two(one, other))

    assert [name for name, *_ in rows] == ["", "<b>mood</b>", "<b>document 2</b>", "why", "rating (1 to 5)", "document 1"]  # fmt: skip


def test_an_answer_that_was_not_corrected_has_no_row() -> None:
    assert [name for name, *_ in table(by_two({"rating": 1}, {"rating": 5}))] == [
        "",
        "<b>rating (1 to 5)</b>",
    ]


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ({"rating": 3, "choices": {"rating": "good"}}, {"rating": 1, "choices": {"rating": "bad"}}, "rating"),
        (
            {"preference": A_FIRST, "choices": {"better": "Left"}},
            {"preference": replace(A_FIRST, ranking=((1,), (0,))), "choices": {"better": "Right"}},
            "better",
        ),
    ],
)
def test_what_was_made_of_a_choice_is_said_once_in_the_words_of_the_page(
    one: dict[str, Any], other: dict[str, Any], name: str
) -> None:
    assert [row[0] for row in table(by_two(one, other))] == ["", f"<b>{name}</b>"]


def test_steps_have_the_numbers_of_the_page() -> None:
    """The step before the first one is the question, which the page does not show."""
    rows = table(
        by_two(*({"steps": (StepVerdict(index=2, verdict=said),)} for said in ("correct", "partial")))
    )

    assert rows[1][0] == "<b>step 2</b>"


def test_the_order_of_the_columns_does_not_tell_who_it_was() -> None:
    """Else the first column would always be the same person, whom the reader might know by the comments."""
    first = {
        read_judgements([review(task_id=task, reviewer=who, rating=3) for who in (ANN, BOB, CEM)])
        .reviews[0]
        .reviewer
        for task in range(30)
    }

    assert first == {ANN, BOB, CEM}
