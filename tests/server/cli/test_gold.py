"""Gold tasks of a real project: a second person gets them in *Label All Tasks*, and is compared with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.language_models import FakeListLLM

from langchain_label_studio import LabelStudioCallbackHandler, build_report, load_reviews
from langchain_label_studio.datasets import to_sft
from tests.support.reviewers import Reviewer
from tests.support.studio import StudioApi


@pytest.fixture
def project(studio: StudioApi) -> int:
    title, server = f"Gold {uuid4().hex[:8]}", studio.server
    with LabelStudioCallbackHandler(server.api_key, server.url, project_name=title) as handler:
        for prompt in ("One", "Two", "Three"):
            FakeListLLM(responses=["Answer"], callbacks=[handler]).invoke(prompt)
        assert handler.flush()
        assert handler.project_id
        return handler.project_id


@pytest.fixture
def people(studio: StudioApi) -> Iterator[tuple[Reviewer, Reviewer]]:
    with Reviewer(studio) as ann, Reviewer(studio) as bob:
        yield ann, bob


def gold(studio: StudioApi, project: int, *options: str) -> Any:
    done = studio.run_command("gold", "--project", str(project), "--json", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_who_has_not_seen_a_gold_task_gets_it_and_its_author_does_not(
    studio: StudioApi, project: int, people: tuple[Reviewer, Reviewer]
) -> None:
    ann, bob = people
    one, two, three = (task["id"] for task in studio.tasks(project))
    ann.submit(one)
    ann.submit(two)
    assert bob.next_task(project)["id"] == three

    found = gold(studio, project, "--reviewer", ann.email, "--hand-out", "1")

    [handed] = found["for_all_reviewers"]
    assert (found["marked"], found["gold"]) == ([one, two], [one, two])
    assert ann.next_task(project) is None, "bob has the last one open, and ann knows the others"
    bob.submit(three)
    seen = bob.next_task(project)
    assert seen["id"] == handed
    assert seen["annotations"] == []
    assert "Corrected by" not in json.dumps(seen), "one sees the other's answer"
    bob.submit(handed)
    assert bob.next_task(project) is None

    again = gold(studio, project, "--reviewer", ann.email, "--hand-out", "1")
    assert again == found | {"marked": []}
    assert bob.next_task(project) is None

    server = studio.server
    reviews = [*load_reviews(project_id=project, url=server.url, api_key=server.api_key)]
    of_bob = next(each for each in build_report(reviews).reviewers if each.name == bob.email)
    [answers] = of_bob.gold_answers
    assert (answers.closeness.task_ids, answers.same) == ((handed,), 1)
    rows = to_sft(reviews)
    assert sorted(source.task_id for source in rows.sources) == [one, two, three]
    assert {source.reviewers for source in rows.sources if source.task_id == handed} == {(ann.email,)}


def test_the_review_of_one_task_is_marked(
    studio: StudioApi, project: int, people: tuple[Reviewer, Reviewer]
) -> None:
    one, *_ = (task["id"] for task in studio.tasks(project))
    people[0].submit(one)

    done = studio.run_command("gold", "--project", str(project), "--task", str(one))

    assert "1 review marked as ground truth." in done.stdout
    assert "1 of 1 gold task for all reviewers (" in done.stdout
    [annotation] = studio.get(f"/api/tasks/{one}/")["annotations"]
    assert (annotation["ground_truth"], annotation["completed_by"]["id"]) == (True, people[0].id)


def test_without_gold_tasks_the_command_says_how_to_mark_some(studio: StudioApi, project: int) -> None:
    done = studio.run_command("gold", "--project", str(project))

    assert done.returncode == 2
    assert "Pass --reviewer or --task to mark some." in done.stderr
