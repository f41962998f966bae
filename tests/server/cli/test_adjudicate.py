"""Adjudication on a real server: a dispute becomes a task of a second project, and its verdict the review that counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.language_models import FakeListLLM

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LabelStudioMode,
    get_default_label_configs,
    load_reviews,
)
from langchain_label_studio.datasets import to_sft
from langchain_label_studio.reviews.adjudication import page_with_judgements
from tests.support.reviewers import Reviewer
from tests.support.studio import StudioApi


@pytest.fixture
def people(studio: StudioApi) -> Iterator[tuple[Reviewer, Reviewer, Reviewer]]:
    with Reviewer(studio) as ann, Reviewer(studio) as bob, Reviewer(studio) as eve:
        yield ann, bob, eve


def stars(count: int, answer: str = "Answer") -> list[dict[str, Any]]:
    return [
        {"from_name": "response", "to_name": "prompt", "type": "textarea", "value": {"text": [answer]}},
        {"from_name": "rating", "to_name": "prompt", "type": "rating", "value": {"rating": count}},
    ]


def judge(studio: StudioApi, task: int, who: Reviewer, count: int, answer: str = "Answer") -> int:
    prediction = studio.get(f"/api/tasks/{task}/")["predictions"][0]["id"]
    body = {"result": stars(count, answer), "completed_by": who.id, "parent_prediction": prediction}
    return int(studio.post(f"/api/tasks/{task}/annotations/", body)["id"])


def adjudicate(studio: StudioApi, project: int) -> Any:
    done = studio.run_command("adjudicate", "--project", str(project), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_dispute_is_judged_in_a_second_project_and_its_verdict_counts(
    studio: StudioApi, people: tuple[Reviewer, Reviewer, Reviewer]
) -> None:
    ann, bob, eve = people
    server, title = studio.server, f"Adjudicate {uuid4().hex[:8]}"
    with LabelStudioCallbackHandler(
        server.api_key, server.url, project_name=title, reviewers_per_task=2
    ) as handler:
        for prompt in ("One", "Two", "Three"):
            FakeListLLM(responses=["Answer"], callbacks=[handler]).invoke(prompt)
        assert handler.flush()
        project = handler.project_id
    disputed, agreed, alone = (task["id"] for task in studio.tasks(project))
    judge(studio, disputed, ann, 5)
    judge(studio, disputed, bob, 1, "<b>Better</b>")
    judge(studio, agreed, ann, 4)
    judge(studio, agreed, bob, 5)
    judge(studio, alone, ann, 1)

    found = adjudicate(studio, project)

    assert (found["added"], found["open"], found["settled"]) == ([disputed], [disputed], [])
    second = found["project"]["id"]
    [task] = studio.tasks(second)
    shown = task["data"]["judgements_html"]
    assert "Reviewer A" in shown
    assert "Reviewer B" in shown
    assert "&lt;b&gt;Better&lt;/b&gt;" in shown
    assert "example.com" not in json.dumps(task)
    assert task["predictions"][0]["result"][0]["value"]["text"] == ["Answer"]
    again = adjudicate(studio, project)
    assert (again["added"], again["open"], len(studio.tasks(second))) == ([], [disputed], 1)

    seen = eve.next_task(second)
    assert seen["id"] == task["id"]
    verdict = judge(studio, task["id"], eve, 2, "Best")
    assert adjudicate(studio, project)["settled"] == [disputed]
    assert adjudicate(studio, project)["settled"] == []

    def of_disputed() -> Any:
        reviews = load_reviews(project_id=project, url=server.url, api_key=server.api_key)
        return [review for review in reviews if review.task_id == disputed]

    assert [review.ground_truth for review in of_disputed()] == [False, False, True]
    assert of_disputed()[-1].reviewer == eve.email
    rows = to_sft(of_disputed())
    assert [source.reviewers for source in rows.sources] == [(eve.email,)]
    assert "Best" in json.dumps(list(rows))

    studio.patch(f"/api/annotations/{verdict}/", {"result": stars(5, "Very best")})
    assert adjudicate(studio, project)["settled"] == [disputed]
    assert of_disputed()[-1].final_answers[0]["content"] == "Very best"
    assert len(of_disputed()) == 3


@pytest.mark.parametrize("mode", list(LabelStudioMode))
def test_label_studio_takes_the_page_of_each_mode(studio: StudioApi, mode: LabelStudioMode) -> None:
    config, _ = get_default_label_configs(mode)

    answer = studio.http.post("/api/projects/validate/", json={"label_config": page_with_judgements(config)})

    assert answer.status_code == 204, answer.text


def test_where_reviewers_agree_there_is_no_second_project(studio: StudioApi) -> None:
    server, title = studio.server, f"Agree {uuid4().hex[:8]}"
    with LabelStudioCallbackHandler(server.api_key, server.url, project_name=title) as handler:
        FakeListLLM(responses=["Answer"], callbacks=[handler]).invoke("One")
        assert handler.flush()

    done = studio.run_command("adjudicate", "--project", title)

    assert "there is nothing to adjudicate" in done.stdout
    assert studio.get("/api/projects/", title=f"{title} (adj")["count"] == 0
