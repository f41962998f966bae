"""`reviewers_per_task=`: who gets which task, and what the one sees of the other's answer."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from label_studio_sdk.base_client import LabelStudioBase
from langchain_core.language_models import FakeListLLM

from langchain_label_studio import LabelStudioCallbackHandler, LabelStudioWarning
from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.programs import run
from tests.support.reviewers import Reviewer
from tests.support.studio import StudioApi

People = tuple[Reviewer, Reviewer, Reviewer]


@pytest.fixture
def people(studio: StudioApi) -> Iterator[People]:
    with Reviewer(studio) as ann, Reviewer(studio) as bob, Reviewer(studio) as eve:
        yield ann, bob, eve


def title() -> str:
    return f"Reviewers {uuid4().hex[:8]}"


def connect(server: LocalLabelStudio, name: str, **options: object) -> LabelStudioCallbackHandler:
    return LabelStudioCallbackHandler(server.api_key, server.url, project_name=name, **options)


def record(handler: LabelStudioCallbackHandler, *prompts: str) -> int:
    """Record a run for each prompt, and return the project's number."""
    for prompt in prompts:
        FakeListLLM(responses=[f"Answer to {prompt}"], callbacks=[handler]).invoke(prompt)
    assert handler.flush(30)
    assert handler.project_id
    return handler.project_id


def prompt_for(reviewer: Reviewer, project_id: int) -> str | None:
    task = reviewer.next_task(project_id)
    return task and task["data"]["prompt"]


def test_a_task_goes_to_two_people_and_is_done(
    label_studio: LocalLabelStudio, studio: StudioApi, people: People
) -> None:
    project_id = record(connect(label_studio, title(), reviewers_per_task=2), "One", "Two")
    ann, bob, eve = people
    one, two = (task["id"] for task in studio.tasks(project_id))

    def is_done(task_id: int) -> bool:
        return studio.get(f"/api/tasks/{task_id}/")["is_labeled"]

    assert prompt_for(ann, project_id) == "One"
    ann.submit(one)
    assert prompt_for(ann, project_id) == "Two", "nobody gets a task twice"
    assert not is_done(one)
    seen = bob.next_task(project_id)
    assert seen["id"] == one
    assert seen["predictions"][0]["result"][0]["value"]["text"] == ["Answer to One"]
    assert seen["annotations"] == seen["drafts"] == []
    assert "Corrected by" not in json.dumps(seen), "one sees the other's answer"
    bob.submit(one)
    assert is_done(one)
    assert prompt_for(eve, project_id) == "Two"
    ann.submit(two)
    eve.submit(two)
    assert [reviewer.next_task(project_id) for reviewer in people] == [None] * 3


def test_who_skips_a_task_is_not_one_of_the_two(
    label_studio: LocalLabelStudio, studio: StudioApi, people: People
) -> None:
    project_id = record(connect(label_studio, title(), reviewers_per_task=2), "One")
    [task] = studio.tasks(project_id)
    ann, bob, eve = people

    ann.skip(task["id"])
    bob.submit(task["id"])

    assert prompt_for(ann, project_id) is None
    assert prompt_for(eve, project_id) == "One"


def test_without_it_one_person_is_enough(
    label_studio: LocalLabelStudio, studio: StudioApi, people: People
) -> None:
    project_id = record(connect(label_studio, title()), "One")
    [task] = studio.tasks(project_id)

    people[0].submit(task["id"])

    assert people[1].next_task(project_id) is None


def test_a_project_that_exists_keeps_its_number_until_the_advice_is_followed(
    label_studio: LocalLabelStudio, studio: StudioApi, people: People, tmp_path: Path
) -> None:
    name = title()
    handler = connect(label_studio, name)  # the others share its sender, not its settings
    project_id = record(handler, "One")
    [task] = studio.tasks(project_id)
    people[0].submit(task["id"])

    with pytest.warns(LabelStudioWarning, match=r"gives each task to 1 person.*projects\.update") as warned:
        connect(label_studio, name, reviewers_per_task=2)
    with pytest.warns(LabelStudioWarning, match="gives each task to 1 person"):
        LabelStudioCallbackHandler(
            label_studio.api_key, label_studio.url, project_id=project_id, reviewers_per_task=3
        )
    assert people[1].next_task(project_id) is None

    _, _, advice = str(warned.pop(LabelStudioWarning).message).partition("LabelStudio(...).")
    with httpx.Client(timeout=60) as http:
        sdk = LabelStudioBase(base_url=label_studio.url, api_key=label_studio.api_key, httpx_client=http)
        eval(f"sdk.{advice.removesuffix('.')}", {"sdk": sdk})

    with warnings.catch_warnings():
        warnings.simplefilter("error", LabelStudioWarning)
        # With an outbox of its own it asks anew, as another program does.
        connect(label_studio, name, reviewers_per_task=2, outbox_dir=tmp_path)
        connect(label_studio, name)
    assert prompt_for(people[1], project_id) == "One", "also tasks that were there before"


def test_a_project_in_which_only_some_tasks_go_to_two_is_a_warning(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    name = title()
    project_id = record(connect(label_studio, name, reviewers_per_task=2), "One")
    studio.patch(f"/api/projects/{project_id}/", {"overlap_cohort_percentage": 50})

    with pytest.warns(LabelStudioWarning, match="gives 50 % of its tasks to 2 people"):
        connect(label_studio, name, reviewers_per_task=2)


def test_a_project_that_another_process_creates_from_what_was_left_behind_has_it(
    label_studio: LocalLabelStudio, studio: StudioApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = title()
    left = run(
        f"record(make(project_name={name!r}, reviewers_per_task=2, flush_interval=60))\nos._exit(0)",
        label_studio.url,
    )
    assert left.returncode == 0, left.stderr
    assert studio.projects(name) == []
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.api_key)

    command = [str(Path(sys.executable).parent / "langchain-label-studio"), "outbox", "send"]
    sent = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert sent.returncode == 0, sent.stderr
    [project] = studio.projects(name)
    assert project["maximum_annotations"] == 2
    assert [task["overlap"] for task in studio.tasks(project["id"])] == [2]
