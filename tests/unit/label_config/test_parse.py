"""What a label config asks for, and which tag takes what."""

from __future__ import annotations

import re

import pytest

from langchain_label_studio import LabelStudioMode, NoResponseControlError, get_default_label_configs
from langchain_label_studio.label_config.inert_text import inert
from langchain_label_studio.label_config.parse import InputTag, describe_difference, parse_label_config
from langchain_label_studio.label_config.prompt_value import prompt_value

TEXT = '<Text name="prompt" value="$prompt"/>'
ANSWER = '<TextArea name="response" toName="prompt"/>'


def view(*tags: str) -> str:
    return f"<View>{''.join(tags)}</View>"


@pytest.mark.parametrize("mode", ["prompt", LabelStudioMode.PROMPT])
def test_the_prompt_config_has_the_old_names_and_keys(mode: str | LabelStudioMode) -> None:
    xml, found = get_default_label_configs(mode)

    assert found is LabelStudioMode.PROMPT
    for tag in (
        '<Text name="prompt" value="$prompt"/>',
        '<Rating name="rating" toName="prompt" ',
    ):
        assert tag in xml
    assert re.search(
        r'<TextArea name="response" toName="prompt"\s+maxSubmissions="1" editable="true" transcription="true" required="true"',
        xml,
    )
    config = parse_label_config(xml)
    assert (config.response, config.input) == (
        "response",
        InputTag("prompt", "Text", "prompt", "text", "author"),
    )


def test_the_chat_config_has_the_old_names_and_keys() -> None:
    xml, mode = get_default_label_configs("chat")

    assert mode is LabelStudioMode.CHAT
    assert (
        '<Paragraphs name="dialogue" value="$prompt" layout="dialogue" textKey="content" nameKey="role"/>'
        in xml
    )
    assert xml.index("$answer_markdown") < xml.index('name="response"') < xml.index('name="rating"')
    config = parse_label_config(xml)
    assert (config.response, config.input) == (
        "response",
        InputTag("dialogue", "Paragraphs", "prompt", "content", "role"),
    )


def test_the_first_text_area_whose_input_can_show_a_prompt_takes_the_response() -> None:
    config = parse_label_config(
        view(
            '<Image name="image" value="$image"/>',
            '<TextArea name="caption" toName="image"/>',
            TEXT,
            '<TextArea name="per_region" toName="prompt" perRegion="true"/>',
            '<TextArea name="second" toName="image,prompt"/>',
            '<TextArea name="third" toName="prompt"/>',
        )
    )

    assert (config.response, config.input.name) == ("second", "prompt")


@pytest.mark.parametrize(
    ("names", "response"),
    [
        (("notes", "answer"), "answer"),
        (("first", "correctedText"), "correctedText"),
        (("why", "translated"), "translated"),
        (("one", "two"), "one"),
        (("notes", "one", "two"), "one"),
        (("reason_for_answer", "comment"), "reason_for_answer"),
    ],
)
def test_the_name_of_a_text_area_says_whether_it_takes_the_response(
    names: tuple[str, str], response: str
) -> None:
    areas = [f'<TextArea name="{name}" toName="prompt"/>' for name in names]

    assert parse_label_config(view(TEXT, *areas)).response == response


@pytest.mark.parametrize("tag", ["Text", "HyperText", "Markdown", "Paragraphs"])
def test_every_tag_that_can_show_a_prompt_may_take_it(tag: str) -> None:
    config = parse_label_config(view(f'<{tag} name="prompt" value="$q"/>', ANSWER))

    assert (config.input.type, config.input.key) == (tag, "q")


@pytest.mark.parametrize(
    "config",
    [
        view(TEXT),
        view(TEXT, '<TextArea name="response" toName="prompt" perRegion="true"/>'),
        view('<Text name="prompt" value="a fixed text"/>', ANSWER),
        view('<Text name="prompt" value="$url" valueType="url"/>', ANSWER),
        view('<Image name="prompt" value="$url"/>', ANSWER),
        view(f"<!-- {ANSWER} -->", TEXT),
    ],
)
def test_a_config_without_a_place_for_the_answer_is_refused(config: str) -> None:
    with pytest.raises(NoResponseControlError, match="TextArea"):
        parse_label_config(config)


def test_required_keys_are_those_of_named_tags_as_on_the_server() -> None:
    config = parse_label_config(
        view(
            TEXT,
            ANSWER,
            '<Header value="$unnamed"/>',
            '<Header name="head" value="Model: $model"/>',
            '<Choices name="c" toName="prompt" value="$options"/>',
            '<Image name="picture" value="$picture"/>',
        )
    )

    assert set(config.required) == {"prompt", "model", "options", "picture"}


@pytest.mark.parametrize(
    ("tag", "nothing"),
    [
        ('<Paragraphs name="x" value="$x" textKey="says" nameKey="who"/>', [{"who": "", "says": ""}]),
        ('<Paragraphs name="x" value="$x"/>', [{"author": "", "text": ""}]),
        ('<Table name="x" value="$x"/>', {}),
        ('<List name="x" value="$x"/>', []),
        ('<Image name="x" value="$x"/>', ""),
    ],
)
def test_a_required_key_knows_what_its_tag_shows_as_nothing(tag: str, nothing: object) -> None:
    """Anything else replaces the whole task with an error."""
    assert parse_label_config(view(TEXT, ANSWER, tag)).required["x"] == nothing


def test_keys_that_markdown_shows_are_known_named_or_not() -> None:
    config = parse_label_config(
        view(TEXT, ANSWER, '<Markdown value="# $title"/>', '<Markdown name="m" value="$prompt"/>')
    )

    assert config.active.markdown == {"title", "prompt"}


TURNS = [("system", "Be brief."), ("user", "Hi <b>")]


@pytest.mark.parametrize(
    ("tag", "turns", "expected"),
    [
        ("Text", [("user", "Hi")], "Hi"),
        ("Text", TURNS, "system: Be brief.\n\nuser: Hi <b>"),
        ("Text", [("assistant", "Hi")], "assistant: Hi"),
        ("Text", [], ""),
        ("Markdown", [("user", "a < b")], "a < b"),
        ("Markdown", TURNS, "**system**\n\nBe brief.\n\n**user**\n\nHi <b>"),
    ],
)
def test_text_tags_take_a_transcript(tag: str, turns: list, expected: str) -> None:
    assert prompt_value(InputTag("p", tag, "p"), turns) == expected


def test_hypertext_takes_escaped_html_readable_in_both_themes() -> None:
    shown = prompt_value(InputTag("p", "HyperText", "p"), [("user", "a\n<b>")])

    assert '<div style="white-space: pre-wrap">a\n&lt;b&gt;</div>' in shown
    assert "background: white; color: black" in shown


def test_what_markdown_shows_runs_nothing_and_fetches_nothing() -> None:
    shown = {"text": "<script> ![x](http://x)", "turns": [{"role": "a<b"}], "n": 1}

    assert inert(shown) == {
        "text": "<\u2060script> !\u2060[x](http://x)",
        "turns": [{"role": "a<\u2060b"}],
        "n": 1,
    }


def test_paragraphs_take_turns_under_the_keys_the_config_names() -> None:
    tag = InputTag("p", "Paragraphs", "p", text_key="says", name_key="who")

    assert prompt_value(tag, TURNS) == [
        {"who": "system", "says": "Be brief."},
        {"who": "user", "says": "Hi <b>"},
    ]
    assert prompt_value(tag, []) == [{"who": "user", "says": ""}], "an empty list blanks the page"


def test_a_difference_names_what_lacks_and_what_is_more() -> None:
    wanted = parse_label_config(view(TEXT, ANSWER, '<Rating name="rating" toName="prompt"/>'))
    found = parse_label_config(
        view(TEXT, ANSWER, '<Choices name="mood" toName="prompt"><Choice value="a"/></Choices>')
    )

    assert describe_difference(wanted, wanted) is None
    assert (
        describe_difference(wanted, found) == 'it lacks <Rating name="rating">; it has <Choices name="mood">'
    )
