"""A person opens a recorded run in Label Studio, rates and corrects it, and the annotation is there."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from playwright.sync_api import expect

from tests.browser.conftest import AnnotationOf, Record
from tests.browser.pages import Reviewer
from tests.support.label_configs import OLD_DOCUMENTATION

SEVERAL_LINES = "The Louvre.\n\nIt is huge:\n- go early\n- book ahead"
CALL = {"name": "get_weather", "args": {"city": "Paris", "days": 3}, "id": "call-1"}
PICTURE = base64.b64encode(b"not really a picture" * 100).decode()
MULTI_MODAL = HumanMessage(
    [
        {"type": "text", "text": "What do these show?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        {"type": "image", "base64": PICTURE, "mime_type": "image/jpeg"},
        {"type": "audio", "base64": PICTURE, "mime_type": "audio/wav"},
    ]
)


@dataclass(frozen=True)
class Case:
    """A run, what the reviewer sees of it, and the words to correct."""

    mode: str
    prompt: Any
    answers: Sequence[str | AIMessage]
    shown: Sequence[str]
    responses: Sequence[str]
    correction: tuple[str, str]


CASES = {
    "prompt": Case(
        mode="prompt",
        prompt="Which museum should I see?\n\n1. old art\n2. quiet",
        answers=[SEVERAL_LINES],
        shown=["Which museum should I see?", "quiet"],
        responses=[SEVERAL_LINES],
        correction=("go early", "go late"),
    ),
    "chat": Case(
        mode="chat",
        prompt=[
            SystemMessage("You are a guide to Paris.\nBe brief."),
            HumanMessage("Where should I eat?"),
            AIMessage("Try Le Comptoir."),
            HumanMessage("And which museum should I see?"),
        ],
        answers=[SEVERAL_LINES],
        shown=[
            "You are a guide to Paris.\nBe brief.",
            "Where should I eat?",
            "Try Le Comptoir.",
        ],
        responses=[SEVERAL_LINES],
        correction=("go early", "go late"),
    ),
    "tool-call": Case(
        mode="chat",
        prompt=[
            HumanMessage("How is the weather?"),
            AIMessage("", tool_calls=[CALL | {"args": {"city": "Rome"}}]),
            ToolMessage('{"celsius": 21}', tool_call_id="call-1", name="get_weather"),
            HumanMessage("And in Paris?"),
        ],
        answers=[AIMessage("", tool_calls=[CALL])],
        shown=["→ get_weather", '"Rome"', '"celsius": 21', "And in Paris?"],
        responses=['→ get_weather(city="Paris", days=3)'],
        correction=("days=3", "days=4"),
    ),
    "multi-modal": Case(
        mode="prompt",
        prompt=[MULTI_MODAL],
        answers=["A cat."],
        shown=["What do these show?", "audio/wav"],
        responses=["A cat."],
        correction=("cat", "lynx"),
    ),
    "candidates": Case(
        mode="prompt",
        prompt="Tell me a joke.",
        answers=["The first joke.", "The second joke."],
        shown=["Tell me a joke."],
        responses=["The first joke.", "The second joke."],
        correction=("first", "funny"),
    ),
    "candidates-chat": Case(
        mode="chat",
        prompt="Tell me a joke.",
        answers=["The first joke.", "The second joke."],
        shown=["Tell me a joke."],
        responses=["The first joke.", "The second joke."],
        correction=("first", "funny"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_review(
    case: Case, record: Record, reviewer: Reviewer, annotation_of: AnnotationOf, asked: list[str]
):
    handler = record(case.prompt, *case.answers, mode=case.mode)

    reviewer.open_data_manager(handler.project_url, columns=["model"])
    reviewer.label_all_tasks()
    for earlier in reviewer.task.locator(".lls-earlier > summary").all():
        earlier.click()
    for text in case.shown:
        expect(reviewer.task.get_by_text(text).first).to_be_visible()
    reviewer.sees_responses(*case.responses)
    reviewer.correct(*case.correction)
    reviewer.rate(4)
    reviewer.submit()

    corrected = [text.replace(*case.correction) for text in case.responses]
    assert annotation_of(handler) == {
        "response": {"text": corrected},
        "rating": {"rating": 4},
    }


def test_images_are_shown_and_are_notes_in_the_plain_prompt(
    record: Record, reviewer: Reviewer, asked: list[str]
):
    handler = record([MULTI_MODAL], "A cat.", mode="prompt")

    reviewer.open_task(handler.project_url)

    expect(reviewer.task.locator(".lls-user img")).to_have_count(2)
    assert asked == ["https://example.com/cat.png"]
    for note in ("[image: https://example.com/cat.png]", "[image: image/jpeg, "):
        expect(reviewer.task.get_by_text(note)).to_be_hidden()
    reviewer.open_panel("The prompt as plain text")
    for note in ("[image: https://example.com/cat.png]", "[image: image/jpeg, "):
        expect(reviewer.task.get_by_text(note)).to_be_visible()


def test_config_of_the_old_documentation(record: Record, reviewer: Reviewer, annotation_of: AnnotationOf):
    handler = record("Tell me a joke.", "Knock, knock.", project_config=OLD_DOCUMENTATION)

    reviewer.open_task(handler.project_url)
    expect(reviewer.task.get_by_text("Tell me a joke.")).to_be_visible()
    expect(reviewer.responses).to_have_text(["Knock, knock."])
    reviewer.write("Not funny.", control=1)
    reviewer.task.get_by_text("Negative").click()
    reviewer.rate(1)
    reviewer.submit()

    assert annotation_of(handler) == {
        "response": {"text": ["Knock, knock."]},
        "user_feedback": {"text": ["Not funny."]},
        "rating": {"rating": 1},
        "sentiment": {"choices": ["Negative"]},
    }
