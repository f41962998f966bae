"""`project refresh` on a real Label Studio: projects of an earlier version get today's page, and keep what people said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.language_models import FakeListChatModel

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LLMRun,
    Review,
    get_default_label_configs,
    load_reviews,
)
from langchain_label_studio.label_studio.tasks.build import build_task
from tests.support.old_pages import MODES, OLD_PAGES, old_run, old_task, page_of
from tests.support.studio import StudioApi


class OldProject:
    """A project with the page of an earlier version, and three tasks."""

    def __init__(self, studio: StudioApi, mode: str, *, page: str | None = None) -> None:
        self.studio = studio
        self.title = f"Old {mode} {uuid4().hex[:8]}"
        body = {"title": self.title, "label_config": page or OLD_PAGES[mode], "model_version": "langchain"}
        self.id: int = studio.post("/api/projects/", body)["id"]
        self.runs: list[LLMRun] = [old_run(mode) for _ in range(3)]
        studio.post(f"/api/projects/{self.id}/import", [old_task(mode, run) for run in self.runs])

    @property
    def state(self) -> dict[str, Any]:
        return self.studio.get(f"/api/projects/{self.id}/")

    @property
    def label_config(self) -> str:
        return str(self.state["label_config"]).strip()

    @property
    def tasks(self) -> list[dict[str, Any]]:
        return self.studio.tasks(self.id)

    def annotate(self, name: str, kind: str, to_name: str, **value: Any) -> None:
        """Answer one control of the first task."""
        region = {"from_name": name, "to_name": to_name, "type": kind, "value": value}
        self.studio.post(
            f"/api/tasks/{self.tasks[0]['id']}/annotations/", {"result": [region], "lead_time": 3}
        )

    def reviews(self) -> list[Review]:
        server = self.studio.server
        found = load_reviews(
            project_id=self.id, url=server.url, api_key=server.api_key, include_unreviewed=True
        )
        return [replace(review, asked={}) for review in found]

    def refresh(self, *options: str) -> tuple[int, str]:
        """Run the command, and return its exit code and all that it says."""
        done = self.studio.run_command("project", "refresh", str(self.id), *options)
        return done.returncode, done.stdout + done.stderr


ANSWERS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "prompt": ("rating", "rating", "prompt", {"rating": 4}),
    "chat": ("response", "textarea", "dialogue", {"text": ["Better."]}),
    "preference": (
        "rank",
        "ranker",
        "answers",
        {"ranker": {"ranked": ["answer2", "answer1", "answer3"], "bad": []}},
    ),
    "rag": ("relevance_0", "choices", "document_0", {"choices": ["Relevant"]}),
    "agent": ("step_1", "choices", "dialogue", {"choices": ["incorrect"]}),
}


@pytest.mark.parametrize("mode", MODES)
def test_an_old_project_gets_todays_page_and_keeps_its_reviews(studio: StudioApi, mode: str) -> None:
    project = OldProject(studio, mode)
    name, kind, to_name, value = ANSWERS[mode]
    project.annotate(name, kind, to_name, **value)
    tasks, reviews = project.tasks, project.reviews()

    code, said = project.refresh("--dry-run")
    assert (code, project.tasks, project.label_config) == (0, tasks, OLD_PAGES[mode].strip()), said
    assert "3 tasks to render anew" in said
    assert '\n+<View className="lls-page' in said
    assert "\n-  <Style>" in said or "\n-<View" in said

    code, said = project.refresh("--yes")
    assert (code, "3 tasks rendered anew" in said) == (0, True), said
    assert project.label_config == get_default_label_configs(mode)[0].strip()
    assert project.reviews() == reviews
    for run, before, after in zip(project.runs, tasks, project.tasks, strict=True):
        today = build_task(run, page_of(mode, project.label_config), model_version="langchain")
        assert after["data"] == before["data"] | today["data"]
        for kept in ("predictions", "annotations", "meta", "is_labeled", "total_annotations"):
            assert after[kept] == before[kept]

    code, said = project.refresh("--yes")
    assert (code, "Nothing to do" in said) == (0, True), said


def test_instructions_fill_an_empty_box_only(studio: StudioApi) -> None:
    empty, own = OldProject(studio, "prompt"), OldProject(studio, "chat")
    studio.patch(f"/api/projects/{own.id}/", {"expert_instruction": "Be fair."})

    assert "Instructions: filled" in empty.refresh("--yes")[1]
    assert "your own ones stay" in own.refresh("--yes")[1]

    assert "How good is the model" in empty.state["expert_instruction"]
    assert (own.state["expert_instruction"], own.state["show_instruction"]) == ("Be fair.", False)


@pytest.mark.parametrize(
    ("mode", "page", "answer", "options"),
    [
        ("prompt", "prompt", ("rating", "rating", "prompt", {"rating": 4}), ["--rating", "keys"]),
        ("preference", "preference", ("tie", "choices", "dialogue", {"choices": ["Equally bad"]}), []),
        (
            "preference",
            "preference_pairwise",
            ("comparison", "pairwise", "answer1,answer2", {"selected": "left"}),
            [],
        ),
    ],
)
def test_a_control_in_use_that_is_no_more_keeps_the_page(
    studio: StudioApi, mode: str, page: str, answer: Any, options: list[str]
) -> None:
    project = OldProject(studio, mode, page=OLD_PAGES[page])
    name, kind, to_name, value = answer
    project.annotate(name, kind, to_name, **value)
    tasks, state = project.tasks, project.state

    code, said = project.refresh("--yes", *options)

    assert code == 2
    assert f"{name} (1 answer)" in said
    assert (project.tasks, project.state) == (tasks, state)


def test_a_draft_keeps_the_page_too(studio: StudioApi) -> None:
    project = OldProject(studio, "preference")
    region = {
        "from_name": "tie",
        "to_name": "dialogue",
        "type": "choices",
        "value": {"choices": ["Equally bad"]},
    }
    studio.post(f"/api/tasks/{project.tasks[0]['id']}/drafts", {"result": [region], "lead_time": 3})
    state = project.state

    code, said = project.refresh("--yes")

    assert (code, "tie (1 answer)" in said) == (2, True), said
    assert project.state == state


def test_stars_become_keys_before_anybody_has_rated(studio: StudioApi) -> None:
    project = OldProject(studio, "chat")
    assert project.refresh("--yes", "--rating", "keys")[0] == 0
    assert project.label_config == get_default_label_configs("chat", rating="keys")[0].strip()

    code, said = project.refresh("--yes")

    assert (code, "Nothing to do" in said) == (0, True), said


def test_a_label_config_of_ones_own_is_left_alone(studio: StudioApi) -> None:
    own = OLD_PAGES["prompt"].strip().removesuffix("</View>") + (
        '<Choices name="tone" toName="prompt"><Choice value="kind"/><Choice value="rude"/></Choices></View>'
    )
    project = OldProject(studio, "prompt", page=own)
    tasks, state = project.tasks, project.state

    code, said = project.refresh("--yes")
    assert (code, "--mode" in said) == (2, True), said
    code, said = project.refresh("--yes", "--mode", "rag")
    assert (code, "stays as it is" in said) == (2, True), said
    assert (project.tasks, project.state) == (tasks, state)

    code, said = project.refresh("--yes", "--mode", "prompt")
    assert (code, '-<Choices name="tone"' in said) == (0, True), said
    assert project.label_config == get_default_label_configs("prompt")[0].strip()


def test_a_handler_that_runs_goes_on_with_todays_page(studio: StudioApi) -> None:
    project = OldProject(studio, "chat")
    server = studio.server
    with LabelStudioCallbackHandler(
        server.api_key, server.url, project_id=project.id, mode="chat"
    ) as handler:
        model = FakeListChatModel(responses=["**Hello**"], callbacks=[handler])
        model.invoke("Hi")
        assert handler.flush()
        assert "4 tasks rendered anew" in project.refresh("--yes")[1]
        model.invoke("Hi again")
        assert handler.flush()

    *_, before, after = project.tasks
    assert "<strong>Hello</strong>" in before["data"]["answer_markdown"]
    assert "Hi again" in after["data"]["prompt_markdown"]
    assert "conversation_html" not in after["data"]


def test_tasks_that_cannot_be_read_are_named_and_left(studio: StudioApi) -> None:
    project = OldProject(studio, "rag")
    foreign, odd, taken = (task["id"] for task in project.tasks)
    data = project.tasks[0]["data"]
    bare = {key: data[key] for key in ("question", "answer", "similar_docs", "retrieved")}
    studio.patch(f"/api/tasks/{foreign}/", {"data": bare, "meta": {}})
    studio.patch(f"/api/tasks/{odd}/", {"meta": {"langchain_label_studio": "0", "form": "mine"}})
    studio.patch(f"/api/tasks/{taken}/", {"data": data | {"question_html": "my own"}})
    before = project.tasks

    code, said = project.refresh("--yes")

    assert code == 0, said
    assert f"the form 'mine' is not registered here (task {odd})" in said
    assert f"'question_html' of somebody's own is in the place of a panel (task {taken})" in said
    after = project.tasks
    assert [task["data"] for task in after[1:]] == [task["data"] for task in before[1:]]
    assert after[0]["data"].items() >= bare.items()
    assert "<em>is</em>" in after[0]["data"]["documents_html"]["tens"][0][0]["html"]
