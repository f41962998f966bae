"""Each page can be read: from right to left, in the dark, and in a narrow window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda, RunnablePassthrough
from playwright.sync_api import Locator, expect

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.local_server import LocalLabelStudio
from tests.browser.conftest import ScriptedModel
from tests.browser.forms.test_rag import PROMPT
from tests.browser.pages import Reviewer
from tests.support.agents import agent, calls
from tests.support.programs import wait_until
from tests.support.studio import StudioApi

QUESTION = "ما هي عاصمة فرنسا، وكم عدد سكانها (بالملايين)؟"
ARABIC = """# عنوان

باريس هي عاصمة فرنسا، وتقع على نهر **السين** (Seine) ويسكنها 2.1 مليون نسمة.

- أول, `code`

> اقتباس

| اسم | قيمة |
|---|---|
| مدينة | 2 |

See [the map](https://example.com/map) of `Paris`.

```python
print("مرحبا")
```
"""
HEBREW = "שלום עולם, זו תשובה. The answer is 42, כן.\nתשובה עם 3 מספרים 1, 2, 3."  # noqa: RUF001
MIXED = "English first.\n\n1. قائمة\n\nThen English again."
CHAT = [
    SystemMessage("أنت مساعد مفيد. " * 60),
    HumanMessage("مرحبا"),
    AIMessage("أهلا!"),
    HumanMessage(QUESTION),
]


def search(query: str) -> str:
    """Search."""
    return f"نتيجة: {query}"


RUNS: dict[str, tuple[str, Callable[[], Runnable[Any, Any]], Any]] = {
    "prompt": ("prompt", lambda: ScriptedModel(answers=[AIMessage(ARABIC)]), QUESTION),
    "chat": ("chat", lambda: ScriptedModel(answers=[AIMessage(HEBREW)]), CHAT),
    "rag": (
        "rag",
        lambda: {
            "context": RunnableLambda(lambda _: [Document(ARABIC), Document(HEBREW)]),
            "question": RunnablePassthrough(),
        }
        | PROMPT
        | ScriptedModel(answers=[AIMessage(MIXED)]),
        QUESTION,
    ),
    "agent": (
        "agent",
        lambda: agent(calls(("search", {"query": "باريس, Paris"}), text="سأبحث أولا."), MIXED, tools=[search]),
        {"messages": [("user", QUESTION)]},
    ),
    "pair": ("preference", lambda: ScriptedModel(answers=[AIMessage(ARABIC), AIMessage(HEBREW)]), CHAT),
    "list": (
        "preference",
        lambda: ScriptedModel(answers=[*map(AIMessage, (ARABIC, HEBREW, MIXED, "باريس."))]),
        QUESTION,
    ),
}  # fmt: skip
"""A page of each kind: its mode, what runs, and its input."""

BEGINNINGS = """task => {
    const rtl = /[\\u0590-\\u08ff]/, strong = /[A-Za-z\\u0590-\\u08ff]/;
    const found = {right: [], left: []};
    const seen = new Set();
    const texts = document.createTreeWalker(task, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode, place = text.data.search(strong);
        let box = text.parentElement;
        while (getComputedStyle(box).display === "inline") box = box.parentElement;
        if (place < 0 || seen.has(box) || box.closest("pre, style")) continue;
        seen.add(box);
        if (!rtl.test(text.data[place])) continue;
        const range = document.createRange();
        range.setStart(text, place);
        range.setEnd(text, place + 1);
        const letter = range.getBoundingClientRect(), around = box.getBoundingClientRect();
        if (!letter.width) continue;
        const style = getComputedStyle(box);
        const edge = around.right - parseFloat(style.paddingRight) - parseFloat(style.borderRightWidth);
        found[edge - letter.right < 30 ? "right" : "left"].push(text.data.trim().slice(0, 20));
    }
    return found;
}"""
"""Finds the right-to-left texts of a page, by the side on which they begin: each box's first letter."""

FAINT = """async task => {
    await Promise.allSettled(task.getAnimations({subtree: true}).map(each => each.finished));
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgba = color => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
        return [red, green, blue, alpha / 255];
    };
    const over = (top, below) => [0, 1, 2].map(each => top[each] * top[3] + below[each] * (1 - top[3]));
    const behind = element => {
        const colors = [];
        for (; element; element = element.parentElement) colors.push(rgba(getComputedStyle(element).backgroundColor));
        return colors.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
    };
    const luminance = color => {
        const [red, green, blue] = color.map(each => each / 255).map(
            each => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const texts = document.createTreeWalker(task, NodeFilter.SHOW_TEXT);
    const shown = [...task.querySelectorAll("textarea")].map(box => [box, "a text box"]);
    while (texts.nextNode()) shown.push([texts.currentNode.parentElement, texts.currentNode.data.trim()]);
    const faint = shown.filter(([element, text]) => {
        if (!text || element.tagName === "STYLE" || !element.checkVisibility({visibilityProperty: true})) return false;
        const background = behind(element);
        const [dark, light] = [background, over(rgba(getComputedStyle(element).color), background)]
            .map(luminance).sort((one, other) => one - other);
        return (light + 0.05) / (dark + 0.05) < 4;
    });
    return [shown.length, [...new Set(faint.map(([element, text]) => text.slice(0, 30)))]];
}"""
"""Finds the texts that are hard to tell from what is behind them, by the formula of the WCAG."""


@pytest.fixture(scope="module")
def project_urls(label_studio: LocalLabelStudio) -> dict[str, str]:
    """A project for each kind of page, with one task."""
    urls = {}
    for kind, (mode, runnable, asked) in RUNS.items():
        with LabelStudioCallbackHandler(
            label_studio.api_key,
            label_studio.url,
            project_name=f"Browser {uuid4()}",
            mode=mode,
            instructions="",
        ) as handler:
            runnable().invoke(asked, {"callbacks": [handler]})
            assert handler.flush()
        assert handler.stats().delivered == 1, handler.stats()
        assert handler.project_url
        urls[kind] = handler.project_url
    return urls


@pytest.fixture(params=RUNS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def unfold(reviewer: Reviewer) -> None:
    """Open all panels and folds of a task, so that all that it has is on the page."""
    for panel in reviewer.task.locator(".ant-collapse-header").all():
        panel.click()
        expect(panel).to_have_attribute("aria-expanded", "true")
    for fold in reviewer.task.locator("summary").all():
        fold.click()


def open_all(reviewer: Reviewer, project_url: str) -> None:
    reviewer.open_stream(project_url)
    expect(reviewer.task.locator(".lls-page").get_by_text("Keys", exact=True)).to_be_visible()
    expect(reviewer.task.locator(".lls-markdown, .lls-text").first).to_be_attached()
    unfold(reviewer)


def test_right_to_left_texts_begin_on_the_right_in_every_box(
    kind: str, project_urls: dict[str, str], reviewer: Reviewer
):
    open_all(reviewer, project_urls[kind])
    reviewer.photograph("task")
    found = reviewer.task.evaluate(BEGINNINGS)
    assert found["left"] == []
    asked = [text for text in found["right"] if QUESTION.startswith(text)]
    assert len(asked) == 2, "rendered, and as plain text"
    begin = {text.split()[0].strip(".,:") for text in found["right"]}
    arabic = {"عنوان", "باريس", "أول", "اقتباس", "اسم", "مدينة"}
    expected: dict[str, set[str]] = {
        "prompt": arabic,
        "chat": {"שלום", "أنت", "مرحبا", "أهلا!"},
        "rag": arabic | {"שלום", "قائمة"},
        "agent": {"سأبحث", "قائمة"},
        "pair": arabic | {"שלום", "أنت"},
        "list": arabic | {"שלום", "قائمة"},
    }
    assert begin >= expected[kind]
    boxes = reviewer.task.locator("textarea, input[type=text]")
    sides = boxes.evaluate_all(
        "boxes => boxes.map(box => getComputedStyle(box)).map(style => [style.unicodeBidi, style.textAlign])"
    )
    assert sides
    assert all(side == ["plaintext", "start"] for side in sides), sides


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_texts_stand_out_from_what_is_behind_them(
    kind: str, theme: str, project_urls: dict[str, str], reviewer: Reviewer
):
    open_all(reviewer, project_urls[kind])
    reviewer.page.keyboard.press("1")
    reviewer.page.evaluate("theme => document.documentElement.dataset.colorScheme = theme", theme)
    count, faint = reviewer.task.evaluate(FAINT)
    assert count > 20
    assert faint == []


def place(element: Locator) -> tuple[float, float, float]:
    box = element.bounding_box()
    assert box
    return box["x"], box["y"], box["width"]


def stand_beside_each_other(talk: Locator, side: Locator) -> bool:
    (left, top, wide), (beside, at, narrow) = place(talk), place(side)
    return at == top and beside >= left + wide and wide > 360 and narrow < 330


def stand_below_each_other(talk: Locator, side: Locator) -> bool:
    (left, top, wide), (below, at, narrow) = place(talk), place(side)
    return (below, narrow) == (left, wide) and at > top and wide > 500


# Label Studio arranges its page anew some time after the window has changed.


@pytest.mark.parametrize("kind", ["prompt", "chat", "agent"])
def test_a_narrow_window_has_the_judgement_below(
    kind: str, project_urls: dict[str, str], reviewer: Reviewer, studio: StudioApi
):
    [task] = studio.tasks(int(project_urls[kind].rpartition("/projects/")[2].split("/")[0]))
    reviewer.page.goto(f"{project_urls[kind]}?task={task['id']}")
    talk, side = (reviewer.task.locator(f".lls-page .{name}") for name in ("talk", "side"))
    expect(side).to_be_visible()
    for width in (1440, 1024):
        reviewer.page.set_viewport_size({"width": width, "height": 720})
        wait_until(lambda: stand_beside_each_other(talk, side))
    reviewer.page.set_viewport_size({"width": 800, "height": 720})
    wait_until(lambda: stand_below_each_other(talk, side))


def stand_in_rows_of_two(answers: Locator, *, width: int) -> bool:
    places = [place(answer) for answer in answers.all()]
    return all(
        top == at and left + wide <= right and wide > width * 0.4
        for (left, top, wide), (right, at, _) in list(pairwise(places))[::2]
    )


@pytest.mark.parametrize("kind", ["pair", "list"])
def test_answers_stay_beside_each_other(kind: str, project_urls: dict[str, str], reviewer: Reviewer):
    reviewer.open_stream(project_urls[kind])
    answers = reviewer.task.locator(".answer")
    expect(answers).to_have_count(2 if kind == "pair" else 4)
    for width, height in ((1440, 900), (1280, 720), (800, 700)):
        reviewer.page.set_viewport_size({"width": width, "height": height})
        wait_until(partial(stand_in_rows_of_two, answers, width=width))
        expect(reviewer.task.locator(".judgement")).to_be_in_viewport(ratio=1)
