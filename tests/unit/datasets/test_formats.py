"""Tool calls in each format's own shape, and what a format cannot hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_label_studio.datasets import Reason, TrainingSet, to_dpo, to_kto, to_reward, to_sft
from langchain_label_studio.recording.messages import to_turn, to_turns
from langchain_label_studio.support.safe_text import clip
from langchain_label_studio.types.review import Review
from tests.support.openai_formats import check_chat_row, check_preference_row
from tests.support.reviews import WEATHER_TOOL, assistant, call, preference, review, tool, turn, user

PARIS, ROME = call(id="call_p", city="Paris"), call(id="call_r", city="Rome")
SYSTEM = turn("system", "Be brief.")
AGENT = (SYSTEM, user("Paris or Rome?"), assistant(tool_calls=[PARIS, ROME]), tool("21 °C", id="call_p"))
AGENT = (*AGENT, tool("25 °C", id="call_r", name=None))
ONE_CALL = (SYSTEM, user("Paris?"), assistant(tool_calls=[PARIS]), tool("21 °C", id="call_p"))
OFFERED = {"tools": [WEATHER_TOOL], "parallel_tool_calls": False}

SFT = ("prompt-completion", "messages", "plain", "openai", "sharegpt")
CHATS = ("prompt-completion", "messages", "openai", "sharegpt")


def agent_review(**changes: Any) -> Review:
    return review(
        **{"prompt": AGENT, "answers": "Rme", "corrected": "Rome", "rating": 5, "parameters": OFFERED}
        | changes
    )


def only_reason(rows: TrainingSet) -> Reason:
    assert not rows
    ((skipped,),) = rows.skipped.values()
    return skipped.reason


CALLS = [
    {"type": "function", "function": {"name": "get_weather", "arguments": {"city": city}}}
    for city in ("Paris", "Rome")
]
IN_TRL = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Paris or Rome?"},
    {"role": "assistant", "content": "", "tool_calls": CALLS},
    {"role": "tool", "content": "21 °C", "name": "get_weather"},
    {"role": "tool", "content": "25 °C", "name": "get_weather"},
]
RIGHT, WRONG = {"role": "assistant", "content": "Rome"}, {"role": "assistant", "content": "Rme"}
COLUMN = {"tools": [WEATHER_TOOL]}


class TestTrl:
    def test_arguments_are_objects_and_tools_a_column(self) -> None:
        one = [agent_review()]

        assert list(to_sft(one)) == [{"prompt": IN_TRL, "completion": [RIGHT], **COLUMN}]
        assert list(to_sft(one, format="messages")) == [{"messages": [*IN_TRL, RIGHT], **COLUMN}]
        assert list(to_dpo(one)) == [{"prompt": IN_TRL, "chosen": [RIGHT], "rejected": [WRONG], **COLUMN}]
        assert list(to_kto(one)) == [{"prompt": IN_TRL, "completion": [WRONG], "label": True, **COLUMN}]
        assert list(to_reward(one)) == [
            {
                "chosen": [*IN_TRL, RIGHT],
                "rejected": [*IN_TRL, WRONG],
                **COLUMN,
            }
        ]

    def test_a_call_can_be_what_is_learnt(self) -> None:
        (row,) = to_sft([review(prompt="Paris?", answers=assistant(tool_calls=[PARIS]))])

        assert row["completion"] == [{"role": "assistant", "content": "", "tool_calls": CALLS[:1]}]

    def test_a_row_has_nothing_that_the_format_does_not_know(self) -> None:
        said = assistant("4", name="calculator", reasoning="2+2")

        (row,) = to_sft([review(prompt=[turn("user", "2+2?", name="ann")], answers=said)])

        assert row == {
            "prompt": [{"role": "user", "content": "2+2?"}],
            "completion": [{"role": "assistant", "content": "4"}],
        }

    def test_results_of_a_conversation_that_was_cut_keep_the_name_they_have(self) -> None:
        (row,) = to_sft([review(prompt=[tool("21 °C"), tool("?", name=None), user("so?")])])

        assert [message.get("name") for message in row["prompt"]] == ["get_weather", None, None]


class TestOpenAI:
    def test_arguments_are_text_and_results_name_their_call(self) -> None:
        earlier = [user("Hi"), assistant("Hello")]

        (row,) = to_sft([agent_review(prompt=[*earlier, *AGENT])], format="openai")

        check_chat_row(row)
        assert row == {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello", "weight": 0},
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Paris or Rome?"},
                {
                    "role": "assistant",
                    "tool_calls": [
                        {
                            "id": call_id,
                            "type": "function",
                            "function": {"name": "get_weather", "arguments": f'{{"city":"{city}"}}'},
                        }
                        for call_id, city in (("call_p", "Paris"), ("call_r", "Rome"))
                    ],
                    "weight": 0,
                },
                {"role": "tool", "content": "21 °C", "tool_call_id": "call_p"},
                {"role": "tool", "content": "25 °C", "tool_call_id": "call_r"},
                {"role": "assistant", "content": "Rome"},
            ],
            "tools": [WEATHER_TOOL],
            "parallel_tool_calls": False,
        }

    def test_preferences_are_one_message_each(self) -> None:
        (row,) = to_dpo([agent_review()], format="openai")

        check_preference_row(row)
        assert list(row) == ["input", "preferred_output", "non_preferred_output"]
        assert row["preferred_output"] == [{"role": "assistant", "content": "Rome"}]
        assert row["non_preferred_output"] == [{"role": "assistant", "content": "Rme"}]
        assert row["input"]["messages"][-1]["tool_call_id"] == "call_r"
        assert row["input"]["tools"] == [WEATHER_TOOL]

    def test_calls_without_an_id_get_one(self) -> None:
        nameless = {"name": "get_weather", "args": {}}
        prompt = [user("?"), assistant(tool_calls=[nameless]), tool("21", id=None)]

        (row,) = to_sft([review(prompt=prompt, answers=assistant(tool_calls=[nameless]))], format="openai")

        check_chat_row(row)
        assert row["messages"][2]["tool_call_id"] == "call_1"
        assert row["messages"][3]["tool_calls"][0]["id"] == "call_2"

    def test_speakers_keep_their_names(self) -> None:
        (row,) = to_sft([review(prompt=[turn("user", "Hi", name="ann")])], format="openai")

        check_chat_row(row)
        assert row["messages"][0]["name"] == "ann"

    @pytest.mark.parametrize(
        ("prompt", "reason"),
        [
            ([user("?"), assistant(tool_calls=[PARIS]), user("well?")], Reason.CALL_UNANSWERED),
            ([*AGENT[:-1], user("well?")], Reason.CALL_UNANSWERED),
            (AGENT[:-1], Reason.CALL_UNANSWERED),
            ([tool("21 °C"), user("well?")], Reason.RESULT_UNASKED),
            ([*AGENT, tool("21 °C", id="call_p")], Reason.RESULT_UNASKED),
            ([*AGENT[:3], tool("21 °C", id=None), tool("22 °C", id=None)], Reason.RESULT_UNASKED),
            ([user("?"), assistant(tool_calls=[PARIS, PARIS]), tool("21", id="call_p")], Reason.BROKEN_CALL),
            ([user("?"), assistant(""), user("well?")], Reason.EMPTY_TURN),
            ([turn("user", "Hi", name="Ann B.")], Reason.NAME_REFUSED),
            ([user("?"), assistant(tool_calls=[call("get weather")]), tool("21")], Reason.NAME_REFUSED),
        ],
    )
    def test_what_the_api_refuses_is_skipped(self, prompt: list, reason: Reason) -> None:
        assert only_reason(to_sft([review(prompt=prompt)], format="openai")) == reason
        assert only_reason(to_dpo([review(prompt=prompt, corrected="x")], format="openai")) == reason
        assert len(to_sft([review(prompt=prompt)])) == 1, "TRL's formats have no such rule"

    def test_names_of_tools_are_checked(self) -> None:
        named = {"type": "function", "function": {"name": "get weather", "parameters": {}}}

        one = review(parameters={"tools": [named]})
        assert only_reason(to_sft([one], format="openai")) == Reason.NAME_REFUSED

    @pytest.mark.parametrize("side", ["answers", "corrected"])
    def test_a_preferred_call_is_no_text(self, side: str) -> None:
        one = review(**{"answers": "a", "corrected": "b"} | {side: assistant(tool_calls=[PARIS])})

        assert only_reason(to_dpo([one], format="openai")) == Reason.NEEDS_TOOLS
        assert len(to_dpo([one])) == 1


class TestShareGpt:
    def test_calls_and_results_are_turns_of_their_own(self) -> None:
        (row,) = to_sft([agent_review(prompt=ONE_CALL)], format="sharegpt")

        assert row == {
            "conversations": [
                {"from": "system", "value": "Be brief."},
                {"from": "human", "value": "Paris?"},
                {"from": "function_call", "value": '{"name":"get_weather","arguments":{"city":"Paris"}}'},
                {"from": "observation", "value": "21 °C"},
                {"from": "gpt", "value": "Rome"},
            ],
            "tools": row["tools"],
        }
        assert json.loads(row["tools"]) == [WEATHER_TOOL["function"]]

    def test_several_calls_are_a_list(self) -> None:
        (row,) = to_sft(
            [review(prompt="Where?", answers=assistant(tool_calls=[PARIS, ROME]))], format="sharegpt"
        )

        calls = json.loads(row["conversations"][-1]["value"])
        assert [each["arguments"]["city"] for each in calls] == ["Paris", "Rome"]
        assert "tools" not in row

    @pytest.mark.parametrize(
        ("prompt", "reason"),
        [
            (AGENT, Reason.NOT_ALTERNATING),
            ([user("Hi"), user("Hello?")], Reason.NOT_ALTERNATING),
            ([assistant("Hi, what is it?"), user("2+2?")], Reason.NOT_ALTERNATING),
            ([user("Hi"), SYSTEM, user("2+2?")], Reason.NOT_ALTERNATING),
            ([SYSTEM, SYSTEM, user("2+2?")], Reason.NOT_ALTERNATING),
            ([SYSTEM], Reason.NOT_ALTERNATING),
            (
                [user("?"), assistant("Let me see.", tool_calls=[PARIS]), tool("21", id="call_p")],
                Reason.TEXT_BESIDE_CALL,
            ),
        ],
    )
    def test_what_its_readers_would_drop_is_skipped(self, prompt: list, reason: Reason) -> None:
        assert only_reason(to_sft([review(prompt=prompt)], format="sharegpt")) == reason
        assert len(to_sft([review(prompt=prompt)])) == 1


class TestPlain:
    def test_texts_are_as_they_were_recorded(self) -> None:
        one = review(kind="completion", prompt="The sky is", answers=" green.", corrected=" blue.", rating=1)

        assert list(to_sft([one], format="plain")) == [{"prompt": "The sky is", "completion": " blue."}]
        assert list(to_dpo([one], format="plain")) == [
            {"prompt": "The sky is", "chosen": " blue.", "rejected": " green."}
        ]
        assert list(to_reward([one], format="plain")) == [
            {"chosen": "The sky is blue.", "rejected": "The sky is green."}
        ]
        assert list(to_kto([one], format="plain")) == [
            {"prompt": "The sky is", "completion": " green.", "label": False}
        ]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"prompt": [SYSTEM, user("Hi")]}, Reason.NEEDS_CHAT),
            ({"prompt": [SYSTEM]}, Reason.NEEDS_CHAT),
            ({"prompt": [user("Hi"), assistant("Hello"), user("2+2?")]}, Reason.NEEDS_CHAT),
            ({"parameters": OFFERED}, Reason.NEEDS_TOOLS),
            ({"answers": assistant("Let me see.", tool_calls=[PARIS])}, Reason.NEEDS_TOOLS),
        ],
    )
    def test_what_text_cannot_say_is_skipped(self, changes: dict, reason: Reason) -> None:
        one = review(**{"answers": "x", "rating": 5} | changes)

        assert only_reason(to_sft([one], format="plain")) == reason
        assert only_reason(to_kto([one], format="plain")) == reason
        compared = review(**changes | {"preference": preference("a", "b")})
        if "answers" not in changes:
            assert only_reason(to_dpo([compared], format="plain")) == reason
            assert only_reason(to_reward([compared], format="plain")) == reason

    def test_a_rejected_call_is_no_text(self) -> None:
        one = review(answers=assistant(tool_calls=[PARIS]), corrected="I cannot know.")

        assert only_reason(to_dpo([one], format="plain")) == Reason.NEEDS_TOOLS


def _noted(block: dict[str, Any]) -> list:
    return to_turns([HumanMessage([{"type": "text", "text": "What is this?"}, block])])


class TestAnyFormat:
    @pytest.mark.parametrize("format", SFT)
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"prompt": ()}, Reason.NO_PROMPT),
            ({"prompt": [user("Hi"), assistant("I will")]}, Reason.ENDS_WITH_ANSWER),
            ({"prompt": [user("Hi"), turn("critic", "No.")]}, Reason.UNKNOWN_ROLE),
            ({"prompt": [turn("developer", "Be brief."), user("Hi")]}, Reason.UNKNOWN_ROLE),
            ({"answers": turn("user", "Hi")}, Reason.UNKNOWN_ROLE),
            ({"answers": assistant("\n ")}, Reason.EMPTY_ANSWER),
            ({"answers": assistant("", invalid_tool_calls=[{"name": "f", "args": "{"}])}, Reason.BROKEN_CALL),
        ],
    )
    def test_what_is_no_conversation_with_an_answer_is_skipped(
        self,
        format: Any,  # noqa: A002
        changes: dict,
        reason: Reason,
    ) -> None:
        assert only_reason(to_sft([review(**changes)], format=format)) == reason

    @pytest.mark.parametrize("format", CHATS)
    @pytest.mark.parametrize(
        "broken",
        [{"name": "", "args": {}}, {"args": {}}, {"name": "f", "args": "x"}, {"name": "f", "args": []}],
    )
    def test_a_call_that_is_none_is_skipped(self, format: Any, broken: Any) -> None:  # noqa: A002
        one = review(answers=assistant(tool_calls=[broken]))

        assert only_reason(to_sft([one], format=format)) == Reason.BROKEN_CALL

    @pytest.mark.parametrize(
        "prompt",
        [
            _noted({"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}),
            _noted({"type": "image", "base64": "aGVsbG8=", "mime_type": "image/png"}),
            _noted({"type": "audio", "url": "https://example.org/cat.mp3"}),
            _noted({"type": "video", "file_id": "f-1"}),
            _noted(
                {"type": "file", "base64": "aGVsbG8=", "mime_type": "application/pdf", "filename": "a.pdf"}
            ),
            _noted({"type": "text-plain", "url": "https://example.org/a.txt"}),
            _noted({"type": "media", "data": "aGVsbG8=", "mime_type": "video/mp4"}),
            [to_turn(object())],  # type: ignore[arg-type]
            [user(clip("x" * 3_000_000))],
        ],
    )
    def test_what_only_a_note_was_recorded_of_is_skipped(self, prompt: list) -> None:
        for format in SFT:  # noqa: A001
            assert only_reason(to_sft([review(prompt=prompt)], format=format)) == Reason.NOTE_ONLY
        assert only_reason(to_dpo([review(prompt=prompt, corrected="A cat")])) == Reason.NOTE_ONLY

    @pytest.mark.parametrize("kind", ["image", "audio", "no such kind"])
    def test_an_answer_with_more_than_text_is_no_text(self, kind: str) -> None:
        block = {"type": kind, "base64": "aGVsbG8=", "mime_type": f"{kind}/png"}
        for content in ([block], ["Here it is:", block]):
            said = to_turn(AIMessage(content))
            for prompt in ([user("Draw")], [user("Draw"), said, user("Another one")]):
                rated = review(prompt=prompt, answers=[said], rating=5)
                for format in SFT:  # noqa: A001
                    assert only_reason(to_sft([rated], format=format)) == Reason.NOTE_ONLY

    def test_what_a_model_says_outside_of_its_content_is_text(self) -> None:
        said = to_turn(AIMessage("", additional_kwargs={"refusal": "I can't."}))
        (row,) = to_sft([review(prompt="Hi", answers=[said], rating=5)])
        assert row["completion"] == [{"role": "assistant", "content": "I can't."}]

    @pytest.mark.parametrize(
        "text", ["see [image: a cat] there", "[1]: https://example.org", "[note: none]", "[file] a.txt"]
    )
    def test_text_in_brackets_is_text(self, text: str) -> None:
        assert len(to_sft([review(prompt=text)])) == 1

    def test_a_text_file_that_was_recorded_whole_is_text(self) -> None:
        assert len(to_sft([review(prompt=_noted({"type": "text-plain", "text": "the file"}))])) == 1

    @pytest.mark.parametrize(
        "offered",
        [
            {"name": "f", "description": "d", "input_schema": {"type": "object"}},
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
            {"name": "f", "description": "d", "parameters": {"type": "object"}},
        ],
    )
    def test_tools_of_other_providers_say_the_same(self, offered: dict) -> None:
        (row,) = to_sft([review(parameters={"tools": [offered]})])

        assert row["tools"] == [
            {
                "type": "function",
                "function": {"name": "f", "description": "d", "parameters": {"type": "object"}},
            }
        ]

    @pytest.mark.parametrize(
        "offered", [{"type": "web_search"}, {"function_declarations": []}, "search", None]
    )
    def test_a_tool_that_is_no_function_is_skipped(self, offered: Any) -> None:
        for format in CHATS:  # noqa: A001
            rows = to_sft([review(parameters={"tools": [offered]})], format=format)
            assert only_reason(rows) == Reason.NOT_A_FUNCTION

    def test_turns_of_others_may_name_what_they_have_not(self) -> None:
        said = assistant("Hello", tool_calls=None, invalid_tool_calls=None)

        for format in SFT:  # noqa: A001
            assert len(to_sft([review(answers=said, corrected=said)], format=format)) == 1

    def test_a_conversation_as_langchain_has_it_goes_through_every_chat_format(self) -> None:
        messages = [
            SystemMessage("Be brief."),
            HumanMessage("Paris?"),
            AIMessage("", tool_calls=[{"name": "get_weather", "args": {"city": "Paris"}, "id": "1"}]),
        ]
        prompt = [*to_turns(messages), tool("21 °C", id="1")]

        for format in CHATS:  # noqa: A001
            assert len(to_sft([review(prompt=prompt)], format=format)) == 1
