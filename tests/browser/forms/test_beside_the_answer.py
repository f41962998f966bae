"""What a model says beside its answer, as a reviewer reads it: server tools, sources, a refusal, a transcript."""

from __future__ import annotations

import re

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from playwright.sync_api import expect

from tests.browser.conftest import Record
from tests.browser.pages import Reviewer

EVIL = "<img src=x onerror='window.top.__hit = 1'>"
SEARCHED = AIMessage(
    [
        {"type": "thinking", "thinking": "They ask for today's weather.", "signature": "EqQBCgIYAhIM"},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "weather Paris"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "s1",
            "content": [
                {
                    "type": "web_search_result",
                    "title": f"Paris: today {EVIL}",
                    "url": "https://weather.test/paris",
                    "encrypted_content": "EqgfCioIARgBIiQ3YTAwMjY1Mi1mZjM5LTQ1NGUtODgxNC1kNjNjNTk1ZWI3Y",
                }
            ],
        },
        {
            "type": "text",
            "text": "It is 21 degrees in Paris.",
            "citations": [
                {
                    "type": "web_search_result_location",
                    "title": f"Paris: today {EVIL}",
                    "url": "https://weather.test/paris?a=1&b=2",
                    "cited_text": "21 degrees, and no rain before the evening",
                },
                {
                    "type": "web_search_result_location",
                    "title": "Bad",
                    "url": "javascript:window.top.__hit=2",
                },
            ],
        },
    ],
    response_metadata={"model_provider": "anthropic"},
)


def test_server_tools_and_sources_stand_beside_an_answer(record: Record, reviewer: Reviewer):
    asked: list[str] = []
    reviewer.page.context.route(
        "https://**/*", lambda route: asked.append(route.request.url) or route.abort()
    )
    conversation = [HumanMessage("How is the weather?"), SEARCHED, HumanMessage("And in Rome?")]
    handler = record(conversation, SEARCHED.model_copy(deep=True), mode="chat")

    reviewer.open_task(handler.project_url)

    _, said, _, answer = reviewer.task.locator(".lls-turn").all()
    for turn in (said, answer):
        expect(turn).to_contain_text("→ web_search")
        expect(turn).to_contain_text("weather Paris")
        source, unsafe = turn.locator(".lls-note", has_text=re.compile(r"^\d\. ")).all()
        expect(source).to_contain_text("21 degrees, and no rain before the evening")
        link = source.locator("a")
        expect(link).to_have_text("https://weather.test/paris?a=1&b=2")
        expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
        expect(unsafe.locator("a")).to_have_count(0)
        expect(turn).not_to_contain_text("EqgfCioIARgB")
        expect(turn).not_to_contain_text('"type"')
    expect(said).to_contain_text("It is 21 degrees in Paris.")
    reviewer.sees_responses("It is 21 degrees in Paris.")
    assert reviewer.page.evaluate("window.__hit") is None
    assert asked == [], "a source is fetched only if somebody clicks it"


def test_a_refusal_and_a_transcript_are_text_with_a_mark(record: Record, reviewer: Reviewer):
    conversation = [
        HumanMessage("Say hello."),
        AIMessage(
            "", additional_kwargs={"audio": {"id": "a", "data": "UklGRg==", "transcript": "Hello there."}}
        ),
        HumanMessage("How do I pick a lock?"),
    ]
    refused = AIMessage("", additional_kwargs={"refusal": "I'm sorry, I can't help with that."})
    handler = record(conversation, refused, mode="chat")

    reviewer.open_task(handler.project_url)

    _, spoken, _, answer = reviewer.task.locator(".lls-turn").all()
    expect(spoken).to_contain_text("Hello there.")
    expect(spoken).to_contain_text("[transcript of the audio]")
    expect(answer).to_contain_text("[refusal]")
    expect(reviewer.responses).to_have_value(re.compile("I'm sorry, I can't help with that."))


def open_task(reviewer: Reviewer, project_url: str | None) -> None:
    """Open the only task. The page of an agent has no stars."""
    reviewer.open_stream(project_url)
    expect(reviewer.responses).to_have_count(1)
    reviewer.photograph("task")


@pytest.mark.parametrize("mode", ["prompt", "rag", "agent"])
def test_sources_and_images_stand_in_the_answer_of_each_form(record: Record, reviewer: Reviewer, mode: str):
    picture = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
    )
    drawn = AIMessage([*SEARCHED.content, {"type": "image", "base64": picture, "mime_type": "image/png"}])
    handler = record([HumanMessage("How is the weather?")], drawn, mode=mode)

    open_task(reviewer, handler.project_url)

    beside = reviewer.task.locator(".lls-answer")
    expect(beside).to_contain_text("→ web_search")
    expect(beside).to_contain_text("21 degrees, and no rain before the evening")
    expect(beside.locator("a")).to_have_text("https://weather.test/paris?a=1&b=2")
    expect(beside.locator("img")).to_be_visible()
    reviewer.sees_responses("It is 21 degrees in Paris.")


@pytest.mark.parametrize("mode", ["prompt", "rag", "agent"])
def test_an_answer_of_text_has_nothing_beside_it(record: Record, reviewer: Reviewer, mode: str):
    handler = record([HumanMessage("Hi")], AIMessage("Hello."), mode=mode)

    open_task(reviewer, handler.project_url)

    reviewer.sees_responses("Hello.")
    answer = reviewer.task.locator(".lls-answer .lls-turn")
    expect(answer).to_contain_text("Hello.")
    expect(answer.locator("img, a, .lls-call, .lls-note:not(.lls-role + *)")).to_have_count(0)


def test_an_answer_that_is_only_an_image_is_shown_and_can_be_rated(record: Record, reviewer: Reviewer):
    picture = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
    handler = record([HumanMessage("Draw a point.")], AIMessage([picture]), mode="chat")

    reviewer.open_task(handler.project_url)

    expect(reviewer.task.locator(".lls-answer img")).to_have_count(1)
    reviewer.sees_responses("[image: image/png, 8 B]")
