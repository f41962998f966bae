"""A conversation as a reviewer reads it: images to look at, folded prompts, tool calls as blocks, nothing that acts."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from playwright.sync_api import Locator, expect

from langchain_label_studio import get_default_label_configs, load_reviews
from langchain_label_studio.local_server import LocalLabelStudio
from tests.browser.conftest import AnnotationOf, Record
from tests.browser.forms.conftest import picture
from tests.browser.label_studio.test_inert import ATTACK, PICTURES
from tests.browser.pages import Reviewer

CHAT, _ = get_default_label_configs("chat")
EARLIER_CHAT = """
<View>
  <Markdown value="$conversation_html"/>
  <Paragraphs name="dialogue" value="$prompt" layout="dialogue" textKey="content" nameKey="role"/>
  <TextArea name="response" toName="dialogue" maxSubmissions="1" editable="true" transcription="true" required="true"/>
  <Rating name="rating" toName="dialogue" hotkey="r"/>
</View>
"""
RENDERED_CHAT = EARLIER_CHAT.replace("$conversation_html", "$conversation_markdown")
OLD_CHAT = """
<View>
  <View className="root">
    <Paragraphs name="dialogue" value="$prompt" layout="dialogue" textKey="content" nameKey="role"/>
    <TextArea name="response" toName="dialogue" maxSubmissions="1" editable="true" required="true"/>
  </View>
  <Rating name="rating" toName="dialogue"/>
</View>
"""
LINK = "https://pictures.test/cat.png?size=2&for=us"
RULES = "You are a guide to Paris.\n" + "\n".join(f"Rule {number}: never guess." for number in range(60))
SEARCH = {
    "name": "search",
    "args": {"query": "opening hours", "filters": {"language": "en"}, "code": "if late:\n    go()"},
    "id": "call-1",
}
BOOK = {
    "name": "book_tour",
    "args": {
        "title": "The Louvre on a Friday evening, for families",
        "people": [{"age": 41}, {"age": 9}],
        "days": 3,
    },
    "id": "call-2",
}


SMALL = {"type": "image", "base64": base64.b64encode(picture()).decode(), "mime_type": "image/png"}
LARGE = {"type": "image", "base64": base64.b64encode(bytes(300_000)).decode(), "mime_type": "image/png"}


def chat_of(reviewer: Reviewer) -> Locator:
    """The conversation and the answer."""
    return reviewer.task.locator(".lls-chat")


def turns_of(reviewer: Reviewer) -> Locator:
    return reviewer.task.locator(".lls-turn")


def is_seen(image: Locator) -> bool:
    image.scroll_into_view_if_needed()
    expect(image).to_be_visible()
    return image.evaluate("image => image.decode().then(() => image.naturalWidth > 1, () => false)")


def test_a_chat_is_easy_to_read_and_a_tool_call_to_correct(
    record: Record,
    reviewer: Reviewer,
    annotation_of: AnnotationOf,
    asked: list[str],
    label_studio: LocalLabelStudio,
):
    conversation = [
        SystemMessage(RULES),
        HumanMessage(
            ["Which of these?", SMALL, {"type": "image_url", "image_url": {"url": LINK}}, LARGE, "Be quick."]
        ),
        AIMessage("Let me look.", tool_calls=[SEARCH]),
        ToolMessage('{"hours": [' + ", ".join('{"day": "Friday", "until": "21:45"}' for _ in range(30)) + "]}",
            tool_call_id="call-1", name="search"),
        ToolMessage("Timeout", tool_call_id="call-1", name="search", status="error"),
    ]  # fmt: skip
    handler = record(conversation, AIMessage("Friday.", tool_calls=[BOOK]), mode="chat")

    reviewer.open_task(handler.project_url)

    system, user, assistant, tool, failed, answer = turns_of(reviewer).all()
    expect(reviewer.task.locator("[data-testid^='phrase:']").first).to_be_hidden()
    # A long system prompt and a long result are folded, and open.
    for folded, text in (
        (system, "Rule 59: never guess."),
        (tool, '{"day": "Friday", "until": "21:45"}\n  ]\n}'),
    ):
        expect(folded.locator(".lls-text")).to_be_hidden()
        folded.locator("summary").click()
        expect(folded.locator(".lls-text")).to_contain_text(text, use_inner_text=True)
    reviewer.photograph("opened")
    expect(system).to_contain_text(f"{len(RULES):,} characters")
    # Images, where they stand in the text; a large one is a note.
    assert [is_seen(image) for image in user.locator("img").all()] == [True, True]
    expect(user).to_contain_text("Which of these?")
    expect(user).to_contain_text("[image: image/png, 300.0 kB]\nBe quick.", use_inner_text=True)
    expect(user).not_to_contain_text(LINK)
    assert asked == [LINK]
    # Calls as blocks, with code as code.
    expect(assistant.locator(".lls-name")).to_have_text("→ search")
    expect(assistant.locator(".lls-value")).to_have_text(
        ['"opening hours"', '{"language": "en"}', "if late:\n    go()"], use_inner_text=True
    )
    expect(failed).to_contain_text("search failed\nTimeout", use_inner_text=True)
    expect(answer.locator(".lls-name")).to_have_text("→ book_tour")
    # The text to correct is one click away.
    expect(reviewer.responses.first).to_be_hidden()
    expect(reviewer.responses).to_have_value(re.compile("  days=3,"))
    reviewer.correct("days=3", "days=4")
    reviewer.rate(4)
    reviewer.submit()

    assert "  days=4,\n)" in annotation_of(handler)["response"]["text"][0]
    (review,) = load_reviews(
        project_id=handler.project_id, url=label_studio.url, api_key=label_studio.api_key
    )
    (corrected,) = review.final_answers
    assert corrected["content"] == "Friday."
    assert corrected["tool_calls"] == [BOOK | {"args": BOOK["args"] | {"days": 4}}]
    assert [turn["role"] for turn in review.run.prompt] == ["system", "user", "assistant", "tool", "tool"]
    assert len(review.run.prompt[1]["images"]) == 2


EVIL_NAME = "<img src=x onerror='window.top.__hit = 11'>"
EVIL_LINK = 'https://example.invalid/" onerror="window.top.__hit = 12'
EVERYWHERE = [
    SystemMessage(ATTACK * 2),
    HumanMessage([ATTACK, PICTURES, {"type": "image_url", "image_url": {"url": EVIL_LINK}}], name=EVIL_NAME),
    AIMessage(
        [{"type": "text", "text": ATTACK}, {"type": "image", "url": "https://example.invalid/by-a-model"}],
        tool_calls=[{"name": EVIL_NAME, "args": {EVIL_NAME: ATTACK, "list": [ATTACK]}, "id": "1"}],
        invalid_tool_calls=[
            {"name": EVIL_NAME, "args": ATTACK, "id": "2", "error": EVIL_NAME, "type": "invalid_tool_call"}
        ],
    ),
    ToolMessage(
        [PICTURES, {"type": "image", "url": "https://example.invalid/by-a-tool"}],
        tool_call_id="1",
        name=EVIL_NAME,
    ),
    ToolMessage(ATTACK, tool_call_id="1", name=EVIL_NAME, status="error"),
    ChatMessage(role=EVIL_NAME, content=ATTACK),
    HumanMessage("```\nnever closed"),
    HumanMessage("The last word"),
]


@pytest.mark.parametrize("config", [CHAT, EARLIER_CHAT, RENDERED_CHAT], ids=["page", "as-it-is", "markdown"])
def test_nothing_of_a_conversation_acts_or_is_fetched(
    config: str, record: Record, reviewer: Reviewer, asked: list[str]
):
    called = [{"name": EVIL_NAME, "args": {EVIL_NAME: ATTACK}, "id": "3"}]
    handler = record(EVERYWHERE, AIMessage(ATTACK, tool_calls=called), project_config=config)

    reviewer.open_task(handler.project_url)

    turns = turns_of(reviewer)
    assert turns.count() == len(EVERYWHERE) + 1
    for fold in chat_of(reviewer).locator("summary").all():
        fold.click()
    # A link of Markdown leads where it says, when somebody clicks it; Label Studio empties those that would act.
    links = reviewer.task.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert all(link == "" or link.startswith("http://example.invalid/") for link in links), links
    assert reviewer.task.locator("script, iframe, svg[onload], img, [onerror], [ontoggle]").count() == 0
    assert reviewer.page.evaluate("window.__hit") is None
    shown = "\n".join(turns.all_inner_texts()).replace("\N{WORD JOINER}", "")
    assert shown.count("<script>window.top.__hit = 8</script>") >= 8
    assert EVIL_NAME in shown
    expect(turns.nth(len(EVERYWHERE) - 1)).to_have_text(re.compile(r"^user\s*The last word\s*$"))
    assert asked == []


def test_markdown_is_rendered(record: Record, reviewer: Reviewer):
    conversation = [
        SystemMessage("**As it is**"),
        HumanMessage("Which **one**?\nThis `a` or\n\n> a quote\n\n```python\nx = '<b>'\n```"),
    ]
    handler = record(conversation, "# Plan\n\n1. **First**", mode="chat")

    reviewer.open_task(handler.project_url)

    system, user, answer = turns_of(reviewer).all()
    expect(system).to_contain_text("**As it is**")
    expect(user.locator("strong")).to_have_text("one")
    expect(user.locator("pre")).to_contain_text("x = '<b>'")
    expect(user.locator("blockquote")).to_have_text("a quote", use_inner_text=True)
    expect(answer.locator("h1")).to_have_text("Plan")
    expect(answer.locator("li strong")).to_have_text("First")
    reviewer.sees_responses("# Plan\n\n1. **First**")


NESTED = {
    "quotes": "> " * 5000,
    "lists": "1. " * 5000,
    "mixed": "> - " * 3000,
    "emphasis": "*a " * 990 + "a* " * 990,
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_markdown_nested_too_deep_leaves_the_page_alive(text: str, record: Record, reviewer: Reviewer):
    handler = record([HumanMessage(text)], text, mode="chat")

    reviewer.open_task(handler.project_url)

    expect(turns_of(reviewer).first).to_be_visible()


ODD: dict[str, tuple[Any, str]] = {
    "right-to-left": ([HumanMessage("שלום, מה שלומך?\nHello\nبخير"), AIMessage("שלום לך")], "بخير"),
    "no-answer": ([SystemMessage("Be kind."), HumanMessage("")], ""),
    "200-turns": (
        [HumanMessage(f"Question {n}") if n % 2 else AIMessage(f"Answer {n}") for n in range(200)],
        "ok",
    ),
    "a-megabyte": ([HumanMessage("a word " * 140_000), HumanMessage("and the end")], "ok"),
    "twenty-long-turns": ([HumanMessage(f"{n} " * 30_000) for n in range(20)], "ok"),
}


@pytest.mark.parametrize(("conversation", "answer"), ODD.values(), ids=ODD)
def test_odd_conversations(
    conversation: Any, answer: str, record: Record, reviewer: Reviewer, annotation_of: AnnotationOf
):
    handler = record(conversation, answer, mode="chat")

    reviewer.open_stream(handler.project_url)

    turns = turns_of(reviewer)
    expect(turns.last).to_be_visible(timeout=120_000)
    dialogue = reviewer.task.locator("[data-testid^='phrase:']")
    if not reviewer.task.locator(".lls-chat:not(.lls-whole)").count():
        # Without an answer, the page says why there is none.
        expect(turns).to_have_count(len(conversation) + 1)
        expect(dialogue.first).to_be_hidden()
    else:  # what is too long to be shown well is still shown
        expect(dialogue).to_have_count(len(conversation))
        expect(dialogue.last).to_be_visible()
    for text in turns.get_by_text("שלום לך").all():
        expect(text).to_have_css("unicode-bidi", "plaintext")
    if not answer:
        reviewer.write("What should have been said.")
    reviewer.rate(3)
    reviewer.submit()
    assert annotation_of(handler)["rating"] == {"rating": 3}


def test_a_chat_project_of_earlier_times_shows_its_dialogue(
    record: Record, reviewer: Reviewer, asked: list[str]
):
    conversation = [SystemMessage(RULES), HumanMessage(["Look", SMALL, {"type": "image", "url": LINK}])]
    handler = record(conversation, "A cat.", project_config=OLD_CHAT)

    reviewer.open_task(handler.project_url)

    expect(chat_of(reviewer)).to_have_count(0)
    expect(reviewer.task.get_by_text("Rule 59")).to_be_visible()
    expect(reviewer.task.get_by_text(f"[image: {LINK}]")).to_be_visible()
    assert asked == []
