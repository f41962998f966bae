"""Options that the project of the reviews cannot take: nothing is learnt, and the error names what there is."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest

from langchain_label_studio import SettingError
from langchain_label_studio.datasets import TrainingSet, to_dpo, to_kto, to_prm, to_reward, to_sft
from langchain_label_studio.types import ControlTag
from langchain_label_studio.types.feedback import Feedback
from langchain_label_studio.types.review import Rating
from tests.support.reviews import asked, choices, review, stars

TAXONOMY = ControlTag(
    name="evals",
    type="Taxonomy",
    values={"Harmful": "Harmful", "Harmful / v": "Harmful / Violence", "Safe": "Safe"},
)
PROJECT = asked(
    ControlTag(name="response", type="TextArea"),
    stars("quality"),
    stars("style", 7),
    choices("topic", "billing", "other"),
    TAXONOMY,
    ControlTag(name="of_span", type="Choices", values={"rude": "rude"}, is_for_regions=True),
    ControlTag(name="free", type="Choices"),
)
REVIEWS = [
    review(ratings={"quality": stars_given, "style": Rating(value=6, scale=7)}, model="gpt-4o", **PROJECT)
    for stars_given in (1, 5)
]
EVERY = [to_sft, to_dpo, to_reward, to_kto, to_prm]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_rating": 9}, r"min_rating=9: the control 'quality' has 5 stars.*style \(7 stars\)"),
        ({"min_rating": 8, "rating": "style"}, "min_rating=8: the control 'style' has 7 stars"),
        ({"rating": "stile"}, r"rating= names 'stile'.*quality \(5 stars\).*Did you mean 'style'\?"),
        ({"rating": "topic"}, r"rating= names 'topic', which is no control with stars"),
        (
            {"choices": {"topc": "billing"}},
            r"choices= names 'topc'.*topic \(billing, other\).*Did you mean 'topic'\?",
        ),
        ({"choices": {"quality": "5"}}, "choices= names 'quality', which is no control with choices"),
        ({"choices": {"of_span": "rude"}}, "choices= names 'of_span'"),
        (
            {"choices": {"topic": "Biling"}},
            r"'Biling', but the control 'topic' has no such.*Did you mean 'billing'\?",
        ),
        ({"choices": {"evals": "Violent"}}, r"'Violent'.*Did you mean 'Violence'\?"),
        ({"exclude": {"topic": ["other", "spam"]}}, "exclude= names 'spam'"),
        ({"models": "gpt4o"}, r"models= names 'gpt4o', but no review is of it.*Did you mean 'gpt-4o'\?"),
    ],
)
@pytest.mark.parametrize("convert", EVERY)
def test_what_the_project_does_not_have_is_named(
    convert: Callable[..., TrainingSet], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        convert(REVIEWS, **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"threshold": 9}, "threshold=9: the control 'quality' has 5 stars"),
        ({"threshold": 6}, "threshold=6: the control 'quality' has 5 stars"),
        ({"threshold": 8, "rating": "style"}, "the control 'style' has 7 stars"),
        ({"good": {"topic": "biling"}, "bad": {"topic": "other"}}, "good= names 'biling'"),
        ({"good": {"topic": "billing"}, "bad": {"topics": "other"}}, "bad= names 'topics'"),
    ],
)
def test_what_a_label_cannot_be_made_of_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        to_kto(REVIEWS, **options)


@pytest.mark.parametrize("number", [-1, 0, 0.5, nan, inf, -inf, True, "4"])
def test_stars_are_a_number_from_one(number: Any) -> None:
    with pytest.raises(SettingError, match="threshold="):
        to_kto([], threshold=number)
    with pytest.raises(SettingError, match="min_rating="):
        to_sft([], min_rating=number)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"threshold": 1}, "every answer would be good"),
        ({"threshold": 3, "good": {"topic": "billing"}, "bad": {"topic": "other"}}, "leave one of them out"),
        ({"good": {"topic": ["billing", "x"]}, "bad": {"topic": "x"}}, "both name topic=x"),
        ({"choices": {"topic": "x"}, "exclude": {"topic": ["x"]}}, "both name topic=x"),
        ({"feedback": {"user_feedback": nan}}, "'user_feedback'"),
        ({"since": "2026-12-01", "until": "2026-11-01"}, "since=2026-12-01 and until=2026-11-01"),
        ({"since": "2026-12-01", "until": "2026-12-01"}, "no review is between them"),
        ({"policy": "agreed"}, r"Did you mean 'agreed-only'\?"),
        ({"format": "converstional"}, r"Did you mean 'conversational'\?"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        to_kto([], **options)


def test_without_stars_in_the_project_a_number_of_stars_says_nothing() -> None:
    reviews = [review(**asked(choices("topic", "billing")))]

    with pytest.raises(SettingError, match=r"no control has stars. The controls.*topic \(billing\)"):
        to_kto(reviews, threshold=3)
    with pytest.raises(SettingError, match="no control has stars"):
        to_sft(reviews, min_rating=3)


def test_feedback_that_nobody_gave_is_named_if_there_is_other_feedback() -> None:
    given = review(annotation_id=None, feedback={"user_feedback": Feedback(score=1)}, **PROJECT)

    with pytest.raises(SettingError, match=r"feedback= names 'userfeedback'.*Did you mean 'user_feedback'\?"):
        to_kto([given], feedback={"userfeedback": 0.5})
    assert len(to_kto([given], feedback={"user_feedback": 0.5, "later": 0.5})) == 1
    assert not to_kto(REVIEWS[:0], feedback={"userfeedback": 0.5})


def test_where_no_review_names_its_model_no_model_is_wrong() -> None:
    assert not to_sft([review(model=None, **PROJECT)], models="gpt-4o")


def test_what_fits_the_project_is_taken() -> None:
    assert [row["label"] for row in to_kto(REVIEWS, threshold=5)] == [False, True]
    assert [row["label"] for row in to_kto(REVIEWS, threshold=7, rating="style")] == [False, False]
    assert len(to_sft(REVIEWS, min_rating=5)) == 1
    assert len(to_sft(REVIEWS, models=["gpt-4o", "not there yet"])) == 1
    assert len(to_sft(REVIEWS, exclude={"evals": ["Violence", "v", "Harmful"], "free": "anything"})) == 1


def test_a_control_that_was_deleted_is_still_in_its_reviews() -> None:
    kept = review(ratings={"old": 5}, choices={"gone": "yes"}, controls={"tree": [["a", "b"]]}, **PROJECT)

    assert len(to_sft([*REVIEWS, kept], rating="old", min_rating=4)) == 1
    for control, value in (("gone", "yes"), ("tree", "a"), ("tree", "a / b"), ("tree", "b")):
        assert len(to_sft([*REVIEWS, kept], choices={control: value})) == 1
    with pytest.raises(SettingError, match="'no', but the control 'gone' has no such choice"):
        to_sft([*REVIEWS, kept], choices={"gone": "no"})


def test_without_the_label_config_nothing_is_known() -> None:
    assert not to_kto([review(rating=5)], rating="gone")
    assert not to_sft([review()], choices={"gone": "yes"}, models="other")
