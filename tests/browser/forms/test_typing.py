"""What a reviewer types stays, in the box that was clicked and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import RecordAll
from tests.browser.pages import Reviewer
from tests.support.studio import StudioApi

OLD, TYPED = "An answer.", " And more."
LEAVE: dict[str, Callable[[Reviewer], None]] = {
    "with Tab": lambda reviewer: reviewer.page.keyboard.press("Tab"),
    "with a click beside it": lambda reviewer: reviewer.task.click(position={"x": 3, "y": 3}),
    "with Shift+Enter and Tab": lambda reviewer: [
        reviewer.page.keyboard.press(key) for key in ("Shift+Enter", "Tab")
    ],
    "after Ctrl+Enter in it": lambda reviewer: [
        reviewer.page.keyboard.press(key) for key in ("Control+Enter", "Tab")
    ],
}
"""How a reviewer leaves a box before Ctrl+Enter submits the task."""


@pytest.mark.parametrize("in_quick_view", [False, True], ids=["stream", "quick-view"])
@pytest.mark.parametrize("mode", ["prompt", "chat", "rag", "agent"])
def test_a_correction_stays_however_its_box_is_left(
    mode: str, in_quick_view: bool, record_all: RecordAll, reviewer: Reviewer, studio: StudioApi
):
    handler = record_all([(f"Leave it {way}?", [OLD]) for way in (*LEAVE, "by Submit")], mode=mode)
    assert handler.project_id
    reviewer.open_stream(handler.project_url)
    for task in studio.tasks(handler.project_id):
        if in_quick_view:
            reviewer.page.goto(f"{handler.project_url}?task={task['id']}")
        way = next(way for way in (*LEAVE, "by Submit") if way in str(task["data"]))
        reviewer.sees(f"Leave it {way}?")
        box = reviewer.responses.first
        reviewer.open_panel_of(box)
        expect(box).not_to_be_focused()
        box.click()
        reviewer.page.keyboard.press("Control+End")
        reviewer.page.keyboard.type(TYPED)
        LEAVE.get(way, lambda _: None)(reviewer)
        # Label Studio takes no keys in a field, and in an agent's form the next field follows the box.
        if way in LEAVE and mode != "agent":
            reviewer.submit_with_keys()
        else:
            reviewer.submit(photo="typed")

    results = [task["annotations"][0]["result"] for task in studio.tasks(handler.project_id)]
    assert [region["value"]["text"] for [region] in results] == [[OLD + TYPED]] * (len(LEAVE) + 1)


def test_a_reason_stays_when_it_is_changed_again(
    record_all: RecordAll, reviewer: Reviewer, studio: StudioApi
):
    handler = record_all([("Why?", ["One.", "Two."])], mode="preference")
    assert handler.project_id
    reviewer.open_stream(handler.project_url)
    reviewer.sees("Why?")
    reviewer.page.keyboard.press("2")
    reviewer.open_panel("Why?")
    reason = reviewer.task.get_by_role("textbox")
    reason.fill("Shorter.")
    reason.press("Shift+Enter")
    box = reviewer.responses
    expect(box).to_have_value("Shorter.")
    expect(box).not_to_be_focused()
    box.fill("Longer.")
    box.press("Tab")
    reviewer.submit_with_keys()

    [task] = studio.tasks(handler.project_id)
    said = {region["from_name"]: region["value"] for region in task["annotations"][0]["result"]}
    assert said == {"better": {"choices": ["Right"]}, "reason": {"text": ["Longer."]}}


@pytest.mark.parametrize("mode", ["prompt", "chat"])
def test_a_key_that_the_form_does_not_name_changes_nothing(
    mode: str, record_all: RecordAll, reviewer: Reviewer
):
    handler = record_all([("Why?", [OLD])], mode=mode)
    reviewer.open_task(handler.project_url)
    expect(reviewer.task.get_by_text("key R")).to_be_visible()
    assert reviewer.keys_that_change_something() == "r"


@pytest.mark.parametrize(
    ("answers", "keys"), [(["One."], "12"), (["One.", "Two."], "1234"), (["One.", "Two.", "Three."], "12345")]
)
def test_the_keys_of_a_comparison_stand_beside_its_choices(
    answers: list[str], keys: str, record_all: RecordAll, reviewer: Reviewer
):
    handler = record_all([("Why?", answers)], mode="preference")
    reviewer.open_stream(handler.project_url)
    reviewer.sees("Why?")
    expect(reviewer.task.locator(".lsf-hint")).to_have_text([f"[{key}]" for key in keys])
    assert reviewer.keys_that_change_something() == keys


@pytest.mark.parametrize(
    ("answers", "asked"), [(["One."], "Is the answer good?"), (["One.", "Two."], "Which answer is better?")]
)
def test_a_comparison_without_a_choice_is_refused(
    answers: list[str], asked: str, record_all: RecordAll, reviewer: Reviewer, studio: StudioApi
):
    handler = record_all([("Why?", answers)], mode="preference")
    assert handler.project_id
    reviewer.open_stream(handler.project_url)
    reviewer.sees("Why?")
    reviewer.page.keyboard.press("Control+Enter")
    refusal = reviewer.page.get_by_role("dialog")
    expect(refusal).to_contain_text(asked)
    reviewer.photograph("refused")
    assert studio.tasks(handler.project_id)[0]["annotations"] == []
    refusal.get_by_role("button", name="OK").click()
    expect(refusal).to_be_hidden()
    reviewer.page.keyboard.press("1")
    reviewer.submit_with_keys()
    assert len(studio.tasks(handler.project_id)[0]["annotations"]) == 1
