"""The conversation that a tag shows becomes turns: of any roles, and in the shape of providers' APIs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import to_kto, to_sft
from langchain_label_studio.reviews.conversation import read_turns
from langchain_label_studio.types.turn import Turn
from tests.support.annotated_tasks import of_template, region, template
from tests.support.reviews import assistant, call, turn, user

DIALOGUE = template(
    show='<Paragraphs name="dialogue" value="$messages" nameKey="role" textKey="content"/>',
    ask='<Rating name="rating" toName="dialogue"/>',
)
FIVE = region("rating", "rating", rating=5)


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ("User", "user"),
        ("HUMAN", "user"),
        ("Assistant", "assistant"),
        ("AI", "assistant"),
        ("Robot", "assistant"),
        ("System", "system"),
        ("DEVELOPER", "system"),
        ("TOOL", "tool"),
        ("function", "tool"),
        ("Jules", "Jules"),
    ],
)
def test_roles_in_capitals_are_roles(said: str, role: str) -> None:
    assert read_turns([{"role": said, "content": "Hi"}]) == (turn(role, "Hi"),)


def test_a_rated_dialogue_with_roles_in_capitals_is_a_row() -> None:
    messages = [{"role": "USER", "content": "Hi"}, {"role": "ASSISTANT", "content": "Hello"}]

    (row,) = to_kto([of_template(DIALOGUE, {"messages": messages}, FIVE)])

    assert row == {"prompt": [user("Hi")], "completion": [assistant("Hello")], "label": True}


def test_paragraphs_are_one_text() -> None:
    # Label Studio's template "LLM Response Grading".
    config = template(
        show='<Text name="document" value="$document"/><Text name="summary" value="$summary"/>',
        ask='<Rating name="rating" toName="summary"/>',
    )

    review = of_template(config, {"document": ["One.", "", "Two."], "summary": "Both."}, FIVE)

    assert (review.run.prompt, review.run.answers) == ((user("One.\n\nTwo."),), (assistant("Both."),))


def api_call(name: str, arguments: str, number: str = "c1") -> dict[str, Any]:
    return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_messages_of_the_openai_api_keep_their_calls() -> None:
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [api_call("get_weather", '{"city": "Rome"}')]},
        {"role": "tool", "tool_call_id": "c1", "content": "21 degrees"},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "It is "}, {"type": "text", "text": "warm."}],
        },
    ]

    review = of_template(DIALOGUE, {"messages": messages}, FIVE)

    assert review.run.prompt == (
        turn("system", "Be brief."),
        user("Weather?"),
        assistant("", tool_calls=[call(city="Rome", id="c1")]),
        turn("tool", "21 degrees") | {"tool_call_id": "c1"},
    )
    assert review.run.answers == (assistant("It is warm."),)
    (row,) = to_kto([review])
    assert row["prompt"][2]["tool_calls"][0]["function"] == {
        "name": "get_weather",
        "arguments": {"city": "Rome"},
    }


def test_an_answer_that_is_a_call_is_an_answer() -> None:
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "tool_calls": [api_call("get_weather", '{"city": "Rome"}')]},
    ]

    assert of_template(DIALOGUE, {"messages": messages}).run.answers == (
        assistant("", tool_calls=[call(city="Rome", id="c1")]),
    )


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (
            {
                "role": "user",
                "content": [{"type": "text", "text": "See"}, {"type": "input_audio", "input_audio": {}}],
            },
            user("See\n[audio: ]"),
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.org/a.png"}}]},
            user("[image: https://x.org/a.png]") | {"images": ["https://x.org/a.png"]},
        ),
        (
            {"role": "assistant", "content": None, "refusal": "I cannot."},
            assistant("I cannot.", notes=["[refusal]"]),
        ),
        (
            {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": '{"a": 1}'}},
            assistant("", tool_calls=[{"name": "f", "args": {"a": 1}}]),
        ),
        (
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "7", "name": "f", "input": {"a": 1}}],
            },
            assistant("", tool_calls=[{"name": "f", "args": {"a": 1}, "id": "7"}]),
        ),
        ({"role": "function", "name": "f", "content": "1"}, turn("tool", "1") | {"name": "f"}),
        ({"role": "user", "content": {"type": "text", "text": "alone"}}, user("alone")),
        ({"role": "user", "content": 4}, user("4")),
    ],
)
def test_content_in_parts_is_text_and_notes(message: dict[str, Any], found: Turn) -> None:
    assert read_turns([message]) == (found,)


some_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
some_message = st.dictionaries(
    st.sampled_from(
        ["role", "content", "tool_calls", "tool_call_id", "name", "refusal", "audio", "function_call"]
    ),
    some_json,
)


@given(st.lists(some_message | some_json, max_size=3))
def test_any_list_is_read(messages: list[Any]) -> None:
    for each in read_turns(messages):
        assert isinstance(each["role"], str)
        assert isinstance(each["content"], str)


def test_plain_text_under_a_dialogue_is_what_a_user_says() -> None:
    (row,) = to_sft(
        [
            of_template(
                template(
                    show='<Paragraphs name="d" value="$dialogue"/>',
                    ask='<TextArea name="response" toName="d"/>',
                ),
                {"dialogue": [{"author": "user", "text": "Hi"}]},
                region("response", "textarea", text=["Hello"]),
            )
        ]
    )

    assert row == {"prompt": [user("Hi")], "completion": [assistant("Hello")]}
