"""`langchain-label-studio adjudicate`: a person sees what two reviewers said, decides with keys, and the verdict counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from playwright.sync_api import expect

from langchain_label_studio import load_reviews
from tests.browser.forms.conversations import record_long_runs
from tests.browser.forms.test_a_reviewers_minute import JUDGED_WITH, MINUTES, QUESTION, SIZES
from tests.browser.pages import Reviewer
from tests.support.reviewers import Reviewer as Person
from tests.support.studio import StudioApi

Row = tuple[str, str, str]

DISPUTES: Mapping[str, tuple[str, str, str, tuple[Any, Any], Row]] = {
    "prompt with stars": ("rating", "rating", "prompt", (5, 1), ("rating (1 to 5)", "5", "1")),
    "chat": ("rating", "choices", "dialogue", (["5"], ["1"]), ("rating (1 to 5)", "5", "1")),
    "preference": ("better", "choices", "dialogue", (["Left"], ["Equally bad"]), ("better", "Left", "Equally bad")),
    "rag": (
        "relevance_1", "choices", "document_1", (["Relevant"], ["Not relevant"]),
        ("document 2", "relevant", "not relevant"),
    ),
    "agent": ("step_2", "choices", "place_2", (["correct"], ["partial"]), ("step 2", "correct", "partial")),
}  # fmt: skip
"""For each kind of task: the control, its kind, what it is about, what two people said, and the row of the table."""


@pytest.fixture
def two_people(studio: StudioApi):
    with Person(studio) as one, Person(studio) as other:
        yield one, other


def adjudicate(studio: StudioApi, project: int | None) -> Any:
    done = studio.run_command("adjudicate", "--project", str(project), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", DISPUTES)
def test_a_dispute_is_decided_with_keys_beside_what_was_said(
    case: str, reviewer: Reviewer, studio: StudioApi, two_people: Sequence[Person]
) -> None:
    control, kind, about, said, row = DISPUTES[case]
    minute, mode = MINUTES[case], case.split(maxsplit=1)[0]
    handler = record_long_runs(studio.server, mode, [QUESTION], rating=minute.rating, reviewers_per_task=2)
    [task] = studio.tasks(handler.project_id)
    for person, value in zip(two_people, said, strict=True):
        region = {"from_name": control, "to_name": about, "type": kind, "value": {kind: value}}
        body = {"result": [region], "completed_by": person.id}
        studio.post(f"/api/tasks/{task['id']}/annotations/", body)
    address = adjudicate(studio, handler.project_id)["project"]["url"]

    for width, height in SIZES:
        reviewer.page.set_viewport_size({"width": width, "height": height})
        reviewer.page.goto(address)
        reviewer.sees(QUESTION)
        reviewer.photograph("dispute", size=width)
        first = reviewer.task.locator(".lls-judgements tr").nth(1).locator("td")
        name, *sides = first.all_inner_texts()
        assert (name, sorted(sides)) == (row[0], sorted(row[1:]))
        for each in reviewer.task.locator(JUDGED_WITH[mode]).all()[:2]:
            expect(each).to_be_in_viewport()
    for key in minute.keys:
        reviewer.page.keyboard.press(key)
    reviewer.submit_with_keys()
    reviewer.sees_no_more_tasks()

    assert adjudicate(studio, handler.project_id)["settled"] == [task["id"]]
    server = studio.server
    reviews = load_reviews(project_id=handler.project_id, url=server.url, api_key=server.api_key)
    [verdict] = [review for review in reviews if review.ground_truth]
    assert minute.says(verdict) == minute.expected
