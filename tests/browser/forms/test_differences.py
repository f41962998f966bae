"""The differences of two near-equal answers, as a reviewer sees them."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import RecordAll
from tests.browser.pages import Reviewer

ANSWERS = ["It is **Paris**, on the Seine. See `map(1)`.", "It is **Lyon**, on the Seine. See `map(2)`."]


def test_differences_are_marked_while_their_fold_is_open(record_all: RecordAll, reviewer: Reviewer):
    handler = record_all([("The capital?", ANSWERS)], mode="preference", instructions="")
    reviewer.open_stream(handler.project_url)
    fold = reviewer.task.get_by_text("Show the differences")
    marks = reviewer.task.locator(".lls-differs")
    expect(fold).to_be_visible()
    assert sorted(marks.all_inner_texts()) == ["1", "2", "Lyon", "Paris"]
    expect(marks.first).to_have_css("text-decoration-line", "none")

    fold.click()
    for mark in marks.all():
        expect(mark).to_have_css("text-decoration-line", "underline")
        expect(mark).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
    reviewer.photograph("task")
    reviewer.page.keyboard.press("2")
    expect(reviewer.task.get_by_role("radio", name="Right")).to_be_checked()

    fold.click()
    expect(marks.first).to_have_css("text-decoration-line", "none")
    reviewer.submit_with_keys()


def test_other_answers_have_no_fold(record_all: RecordAll, reviewer: Reviewer):
    runs = [("Unlike?", [ANSWERS[0], "I do not know."]), ("Several?", [*ANSWERS, ANSWERS[0]])]
    handler = record_all(runs, mode="preference", instructions="")
    reviewer.open_stream(handler.project_url)
    for prompt in reviewer.each_of("Unlike?", "Several?"):
        expect(reviewer.task.locator(".answer")).to_have_count(2 if prompt == "Unlike?" else 3)
        expect(reviewer.task.locator(".lls-differences")).to_have_count(0)
        reviewer.page.keyboard.press("1")
        reviewer.submit_with_keys()
