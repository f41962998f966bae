"""The worst first, as people at a browser get it: with "Label All Tasks", and as the list shows them."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from langchain_label_studio import LabelStudioCallbackHandler, LLMRun
from tests.browser.conftest import RecordAll
from tests.browser.pages import Reviewer

RUNS = [("Dull?", ["Yes."]), ("Odd?", ["Maybe."]), ("Strange?", ["Perhaps."]), ("Last?", ["Yes."])]
DOUBTS = {"Dull?": 0.1, "Odd?": 0.9, "Strange?": 0.7, "Last?": 0.05}
BY_DOUBT = ["Odd?", "Strange?", "Dull?", "Last?"]


def record_runs(record_all: RecordAll) -> LabelStudioCallbackHandler:
    def doubt(run: LLMRun) -> float:
        return DOUBTS[run.prompt[-1]["content"]]

    return record_all(RUNS, priority={"feedback": 2, doubt: 1})


def dislike_the_last(handler: LabelStudioCallbackHandler) -> None:
    handler.feedback(None, score=0)
    assert handler.flush()


def test_the_worst_comes_first_and_what_a_user_dislikes_is_next(
    record_all: RecordAll, reviewer: Reviewer
) -> None:
    handler = record_runs(record_all)

    reviewer.open_stream(handler.project_url)
    reviewer.sees("Odd?")
    dislike_the_last(handler)
    reviewer.submit(photo="worst")
    for prompt in ("Last?", "Strange?", "Dull?"):
        reviewer.sees(prompt)
        reviewer.submit(photo=prompt.strip("?").lower())
    reviewer.sees_no_more_tasks()


def test_two_people_share_the_tasks_the_worst_first(
    record_all: RecordAll, two_reviewers: tuple[Reviewer, Reviewer]
) -> None:
    handler = record_runs(record_all)
    ann, bob = two_reviewers

    ann.open_stream(handler.project_url)
    ann.sees("Odd?")
    bob.open_stream(handler.project_url)
    bob.sees("Strange?")
    dislike_the_last(handler)
    ann.submit()
    ann.sees("Last?")
    bob.submit()
    bob.sees("Dull?")


def test_the_list_shows_the_worst_first_and_gives_the_tasks_as_displayed(
    record_all: RecordAll, reviewer: Reviewer
) -> None:
    handler = record_runs(record_all)

    reviewer.page.goto(handler.project_url or "")
    rows = reviewer.page.get_by_test_id("table-row")
    expect(rows).to_have_text([re.compile(re.escape(prompt)) for prompt in BY_DOUBT])
    reviewer.label_as_displayed()
    for prompt in BY_DOUBT:
        reviewer.sees(prompt)
        reviewer.submit(photo=prompt.strip("?").lower())
    reviewer.sees_no_more_tasks()
