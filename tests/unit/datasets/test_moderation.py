"""Configs of moderation and assessment, read from annotations as Label Studio stores them, and what is learnt of them."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_label_studio import Review, SettingError
from langchain_label_studio.datasets import to_kto, to_sft
from tests.support.annotated_tasks import of_template, region, template

CHAT = [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "5"}]
SHOW = '<Paragraphs name="chat" value="$chat" layout="dialogue" nameKey="role" textKey="content"/>'
MODERATION = template(
    show=SHOW,
    ask='<Taxonomy name="evals" toName="chat">'
    '<Choice value="Harmful content"><Choice value="Self-harm"/><Choice value="Hate"/><Choice value="Violence"/></Choice>'
    '<Choice value="Regulation"><Choice value="Copyright"/><Choice value="Privacy and security"/></Choice>'
    '<Choice value="Hallucination"><Choice value="Ungrounded content: non-factual"/></Choice>'
    '<Choice value="Other categories"><Choice value="Transparency"/></Choice></Taxonomy>',
)
ASSESSMENT = template(
    show=SHOW,
    ask='<Rating name="likert_scale" maxRating="7"/>'
    + "".join(
        f'<Choices name="{name}" toName="chat"><Choice value="Yes"/><Choice value="No"/></Choices>'
        for name in ("hallucination", "satisfies_constraint", "expresses_opinion")
    ),
)
WITH_ALIASES = template(
    show=SHOW,
    ask='<Choices name="safety" toName="chat"><Choice value="Harmful" alias="h"/><Choice value="Fine" alias="f"/></Choices>',
)


def moderated(*path: str) -> Review:
    return of_template(MODERATION, {"chat": CHAT}, region("evals", "taxonomy", taxonomy=[list(path)]))


def assessed(**chosen: str) -> Review:
    said = [region(name, "choices", choices=[value]) for name, value in chosen.items()]
    return of_template(ASSESSMENT, {"chat": CHAT}, region("likert_scale", "rating", rating=6), *said)


def marked(alias: str) -> Review:
    return of_template(WITH_ALIASES, {"chat": CHAT}, region("safety", "choices", choices=[alias]))


@pytest.mark.parametrize(
    "path",
    [
        ("Harmful content", "Violence"),
        ("Harmful content",),
        ("Regulation", "Copyright"),
        ("Other categories", "Transparency"),
    ],
)
def test_whatever_moderation_finds_is_not_learnt(path: tuple[str, ...]) -> None:
    rows = to_sft([moderated(*path)])

    assert {reason: each[0].detail for reason, each in rows.skipped.items()} == {
        "a choice calls the answer harmful or bad": f"evals: {' / '.join(path)}"
    }


def test_who_finds_nothing_chooses_nothing() -> None:
    assert len(to_sft([of_template(MODERATION, {"chat": CHAT})])) == 1


def test_silence_about_something_else_is_no_approval() -> None:
    topics = MODERATION.replace("Harmful content", "Cooking").replace("Regulation", "Travel")
    topics = topics.replace("Hallucination", "Sport").replace("Other categories", "Music")
    for fault in (
        "Self-harm",
        "Hate",
        "Violence",
        "Copyright",
        "Privacy and security",
        "Ungrounded content: non-factual",
    ):
        topics = topics.replace(fault, "Other")

    assert list(to_sft([of_template(topics, {"chat": CHAT})]).skipped) == [
        "nobody said whether the answer is good"
    ]


@pytest.mark.parametrize(
    ("chosen", "learnt"),
    [
        ({"hallucination": "No", "satisfies_constraint": "Yes", "expresses_opinion": "Yes"}, 1),
        ({"hallucination": "Yes"}, 0),
        ({"satisfies_constraint": "No"}, 0),
    ],
)
def test_an_assessment_with_yes_and_no(chosen: dict[str, str], learnt: int) -> None:
    assert len(to_sft([assessed(**chosen)])) == learnt
    assert [row["label"] for row in to_kto([assessed(**chosen)])] == [True] * learnt


@pytest.mark.parametrize("name", ["Harmful content", "Harmful content / Violence", "Violence"])
def test_a_value_of_a_taxonomy_is_chosen_by_each_of_its_names(name: str) -> None:
    reviews = [moderated("Harmful content", "Violence"), moderated("Regulation", "Copyright")]

    assert len(to_sft(reviews, choices={"evals": name})) == 1
    labels = to_kto(reviews, good={"evals": "Copyright"}, bad={"evals": name})
    assert [row["label"] for row in labels] == [False, True]


def test_what_the_taxonomy_does_not_have_is_refused() -> None:
    with pytest.raises(SettingError, match=r"'Violense'.*Did you mean 'Violence'\?"):
        to_sft([moderated("Regulation")], exclude={"evals": "Violense"})


def test_an_alias_stands_for_its_value() -> None:
    reviews = [marked("h"), marked("f")]

    assert len(to_sft(reviews)) == 1, "what is harmful is known by its value"
    bad: Any
    for good, bad in (("Fine", "Harmful"), ("f", "h"), ("Fine", ["h"])):
        labels = to_kto(reviews, good={"safety": good}, bad={"safety": bad})
        assert [row["label"] for row in labels] == [False, True]
