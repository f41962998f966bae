"""A task of each mode is judged on one screen, with a few keys and without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase, digits
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from langchain_label_studio import Review, load_reviews
from langchain_label_studio.local_server import LocalLabelStudio
from tests.browser.forms.conversations import (
    ANSWER,
    DOCUMENTS,
    EARLIEST,
    MODES,
    OTHER_ANSWER,
    STEPS,
    record_long_runs,
)
from tests.browser.label_studio.test_inert import ACTIVE
from tests.browser.pages import Reviewer

QUESTION = "How do I get to the last place?"
SIZES = ((1280, 720), (1440, 900))
JUDGED_WITH = {
    "prompt": ".ant-rate-star",
    "chat": ".ant-rate-star",
    "preference": ".judgement .lsf-choice",
    "rag": ".judgement .ant-rate-star, .documents .lsf-choice >> nth=0",
    "agent": ".side .lsf-choice >> visible=true",
}
"""What a reviewer judges with, by the mode."""

_ARE_SEEN = """words => words.map(words => {
    const texts = document.createTreeWalker(document.querySelector('.lsf-main-view__annotation'), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode, start = text.data.indexOf(words);
        if (start < 0) continue;
        const range = document.createRange();
        range.setStart(text, start);
        range.setEnd(text, start + words.length);
        const lines = [...range.getClientRects()];
        const is_on_top = line => document.elementFromPoint(line.x + line.width / 2, line.y + line.height / 2);
        if (lines.length && lines.every(line => is_on_top(line) === text.parentElement)) return words;
    }
    return `not seen: ${words}`;
})"""
_IS_ON_TOP = """control => {
    const box = control.getBoundingClientRect();
    return control.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
}"""


def open_in_stream(reviewer: Reviewer, project_url: str | None) -> None:
    reviewer.page.goto(f"{project_url}?labeling=1")


def open_from_list(reviewer: Reviewer, project_url: str | None) -> None:
    """Click on the first row of the list of tasks. That opens the view that `task_url()` leads to."""
    reviewer.open_data_manager(project_url)
    reviewer.page.get_by_text("success", exact=True).first.click()


VIEWS: Mapping[str, Callable[[Reviewer, str | None], None]] = {
    "stream": open_in_stream,
    "list": open_from_list,
}


def open_page(reviewer: Reviewer, view: str, project_url: str | None) -> None:
    VIEWS[view](reviewer, project_url)
    expect(reviewer.task.locator(".lls-page")).to_be_visible()
    reviewer.page.wait_for_load_state("networkidle")  # the list draws the page twice


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("mode", MODES)
def test_question_answer_and_judgement_are_on_one_screen(
    mode: str, view: str, reviewer: Reviewer, label_studio: LocalLabelStudio
):
    handler = record_long_runs(label_studio, mode, [QUESTION])
    assert len(ANSWER) > 2000
    for width, height in SIZES:
        reviewer.page.set_viewport_size({"width": width, "height": height})
        open_page(reviewer, view, handler.project_url)
        expect(reviewer.task.get_by_text(ANSWER[:30]).filter(visible=True).first).to_be_visible()
        reviewer.photograph("task" if view == "stream" else "list", size=width)
        beginnings = [QUESTION, ANSWER[:30], *([OTHER_ANSWER[:20]] if mode == "preference" else [])]

        assert reviewer.page.evaluate(_ARE_SEEN, beginnings) == beginnings
        controls = reviewer.task.locator(JUDGED_WITH[mode]).all()
        assert controls
        assert [control.evaluate(_IS_ON_TOP) for control in controls] == [True] * len(controls)
        expect(reviewer.task.get_by_text(EARLIEST).filter(visible=True)).to_have_count(0)
        expect(reviewer.page.locator(".lsf-sidepanels__wrapper_align_right")).to_be_hidden()
        page, room = (
            reviewer.page.locator(place).bounding_box() for place in (".lls-page", ".lsf-sidepanels")
        )
        assert page
        assert room
        assert page["width"] >= min(1360, room["width"] - 60)


@dataclass(frozen=True, kw_only=True)
class Minute:
    """The keys that judge a task, and what they say."""

    keys: Sequence[str]
    says: Callable[[Review], Any]
    expected: Any
    rating: str = "stars"


def verdicts(review: Review) -> list[str]:
    return [step.verdict for step in review.steps]


MINUTES = {
    "prompt": Minute(
        keys=["4"], rating="keys", says=lambda review: review.rating and review.rating.value, expected=4
    ),
    "chat": Minute(
        keys=["2"], rating="keys", says=lambda review: review.rating and review.rating.value, expected=2
    ),
    "prompt with stars": Minute(
        keys=["r", "r", "r"], says=lambda review: review.rating and review.rating.value, expected=3
    ),
    "preference": Minute(keys=["2"], says=lambda review: review.choices["better"], expected=("Right",)),
    "rag": Minute(
        keys=["a", "Shift+3"],
        says=lambda review: review.relevance,
        expected=(True, True, False, *[True] * (DOCUMENTS - 3)),
    ),
    "rag with ratings": Minute(
        keys=["4", "0", "n", "Alt+Shift+2"],
        rating="keys",
        says=lambda review: (
            review.relevance,
            {name: rating.value for name, rating in review.ratings.items()},
        ),
        expected=(
            (False, True, *[False] * (DOCUMENTS - 2)),
            {"faithfulness": 4, "answer_relevancy": 5},
        ),
    ),
    "agent": Minute(
        keys=["m", "a", "3"],
        says=lambda review: (review.choices, verdicts(review)),
        expected=(
            {"verdict": ("mixed",)},
            ["correct", "correct", "incorrect", *["correct"] * (STEPS - 3)],
        ),
    ),
}
"""How ten tasks are judged, by the mode. Each is submitted with one key more."""


@pytest.mark.parametrize("case", MINUTES)
def test_ten_tasks_in_a_row_with_keys_alone(case: str, reviewer: Reviewer, label_studio: LocalLabelStudio):
    minute = MINUTES[case]
    questions = [f"What about way {number}?" for number in range(10)]
    handler = record_long_runs(
        label_studio,
        case.split(maxsplit=1)[0],
        questions,
        turns=1,
        answers=["By sea.", "By air."],
        rating=minute.rating,
    )

    open_in_stream(reviewer, handler.project_url)
    for _ in reviewer.each_of(*questions):
        for key in minute.keys:
            reviewer.page.keyboard.press(key)
        reviewer.submit_with_keys()
    reviewer.sees_no_more_tasks()

    reviews = load_reviews(project_id=handler.project_id, url=label_studio.url, api_key=label_studio.api_key)
    assert [minute.says(review) for review in reviews] == [minute.expected] * len(questions)


@pytest.mark.parametrize("case", ["prompt", "preference", "agent"])
def test_the_quick_view_takes_the_same_keys(case: str, reviewer: Reviewer, label_studio: LocalLabelStudio):
    minute = MINUTES[case]
    handler = record_long_runs(label_studio, case, [QUESTION], rating=minute.rating)

    reviewer.page.goto(str(handler.task_url()))
    reviewer.sees(QUESTION)
    for key in minute.keys:
        reviewer.page.keyboard.press(key)
    reviewer.submit_with_keys()

    [review] = load_reviews(project_id=handler.project_id, url=label_studio.url, api_key=label_studio.api_key)
    assert minute.says(review) == minute.expected


def shown_keys(reviewer: Reviewer) -> set[str]:
    """Return the keys that stand beside a choice or a rating."""
    hints = reviewer.task.locator(".lsf-hint").filter(visible=True).all_inner_texts()
    stars = re.findall(r"key (\w): one more star", reviewer.task.inner_text())
    return {hint.strip("[] ").lower() for hint in hints} | {key.lower() for key in stars}


def keys_that_act(reviewer: Reviewer) -> set[str]:
    """Press each digit and each letter, twice: what the first press chooses, the second takes back."""
    held = [f"{keys}+{digit}" for keys in ("Shift", "Alt+Shift") for digit in digits]
    return {
        key.lower() for key in (*digits, *ascii_lowercase, *held) if any(reviewer.changes_with(key, times=2))
    }


@pytest.mark.parametrize("rating", ["stars", "keys"])
@pytest.mark.parametrize("mode", MODES)
def test_each_key_is_shown_and_no_other_acts(
    mode: str, rating: str, reviewer: Reviewer, label_studio: LocalLabelStudio
):
    handler = record_long_runs(label_studio, mode, [QUESTION], turns=1, rating=rating)
    open_page(reviewer, "stream", handler.project_url)
    reviewer.sees(QUESTION)

    shown = shown_keys(reviewer)
    assert shown
    assert keys_that_act(reviewer) == shown
    reviewer.open_panel("Keys")
    card = reviewer.task.locator(".ant-collapse-item").filter(has_text="Ctrl+Enter").inner_text()
    on_card = {key.lower() for key in re.findall(r"((?:Alt\+)?(?:Shift\+)?\b[A-Z0-9])(?=[:,])", card)}
    assert on_card
    assert on_card <= shown


FORMATTED = """# Times

| from | to |
|---|---|
| 9 | 12 |

```python
def ride(hours):
    return hours * 60
```

The way is $\\frac{a}{b}$ long. <img src=x onerror="window.top.__hit = 1"> <b>raw</b>
"""
JSON = '{"times": [9, 12, 15, 18], "way": {"by": "train", "first": "to the coast", "then": "north"}}'


@pytest.mark.parametrize("mode", MODES)
def test_tables_code_and_json_are_rendered_and_html_is_not(
    mode: str, reviewer: Reviewer, label_studio: LocalLabelStudio
):
    # An answer of JSON has a task of its own, but where two answers are compared.
    runs = [[FORMATTED, JSON]] if mode == "preference" else [[FORMATTED], [JSON]]
    page = reviewer.task
    for answers in runs:
        handler = record_long_runs(label_studio, mode, [QUESTION], turns=1, answers=answers)
        open_page(reviewer, "stream", handler.project_url)
        shown = page.locator(".answer" if mode == "preference" else ".lls-answer")
        if FORMATTED in answers:
            expect(shown.locator("td")).to_have_text(["9", "12"])
            code = shown.locator("pre").filter(has_text="def ride")
            expect(code).to_contain_text("def ride(hours):\n    return hours * 60", use_inner_text=True)
            expect(code.locator("code")).to_have_css("font-family", re.compile("monospace"))
            for text in ("$\\frac{a}{b}$", "<b>raw</b>"):
                expect(shown.get_by_text(text).filter(visible=True)).to_be_visible()
        if JSON in answers:
            json = shown.locator("pre").filter(has_text='"times"')
            expect(json).to_contain_text('{\n  "times": [9, 12, 15, 18],\n  "way"', use_inner_text=True)
        reviewer.photograph("formatted")
        assert page.locator(ACTIVE).count() == 0
        assert reviewer.page.evaluate("window.__hit") is None


@pytest.mark.parametrize("mode", MODES)
def test_the_instructions_stand_before_the_first_task(
    mode: str, reviewer: Reviewer, label_studio: LocalLabelStudio
):
    handler = record_long_runs(label_studio, mode, [QUESTION], turns=1)
    reviewer.page.remove_locator_handler(reviewer.instructions)

    open_in_stream(reviewer, handler.project_url)

    expect(reviewer.instructions).to_be_visible()
    for says in (
        "Skip a task",
        "Submit with Ctrl+Enter",
        {"preference": "Which answer is better?"}.get(mode, "Correct the answer"),
    ):
        expect(reviewer.page.locator(".lsf-modal-ls").get_by_text(says)).to_be_visible()
    reviewer.photograph("instructions")
    reviewer.page.keyboard.press("Escape")
    expect(reviewer.instructions).to_be_hidden()
    expect(reviewer.task.get_by_text(QUESTION).filter(visible=True).first).to_be_visible()


def nodes(task: Locator) -> int:
    return task.locator("*").count()


def test_a_chat_of_forty_turns_has_few_nodes(reviewer: Reviewer, label_studio: LocalLabelStudio):
    handler = record_long_runs(label_studio, "chat", [QUESTION], turns=40)
    open_page(reviewer, "stream", handler.project_url)
    reviewer.sees(QUESTION)
    print(f"a chat of 40 turns: {nodes(reviewer.task)} nodes")
    assert nodes(reviewer.task) < 1500
