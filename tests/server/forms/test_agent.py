"""Agents in a real Label Studio: one task for a run, the steps in it, and verdicts that become a training file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_label_studio import LabelStudioCallbackHandler, build_report, load_reviews, to_sft
from tests.support.agents import ASK, agent, ask_a_person, calls
from tests.support.studio import StudioApi


@pytest.fixture
def handler(studio: StudioApi) -> Iterator[LabelStudioCallbackHandler]:
    with LabelStudioCallbackHandler(
        studio.server.api_key, studio.server.url, project_name=f"Agent {uuid4().hex[:8]}", mode="agent"
    ) as handler:
        yield handler


def annotate(studio: StudioApi, task: dict[str, Any], answer: str, **chosen: str) -> None:
    where = {"to_name": "dialogue"}
    text = where | {"from_name": "response", "type": "textarea", "value": {"text": [answer]}}
    choices = [
        where | {"from_name": name, "type": "choices", "value": {"choices": [choice]}}
        for name, choice in chosen.items()
    ]
    studio.post(f"/api/tasks/{task['id']}/annotations/", {"result": [text, *choices]})


def test_from_an_agent_to_training_files(
    handler: LabelStudioCallbackHandler, studio: StudioApi, tmp_path: Path
):
    graph = agent(calls(("weather", {"city": "Paris"})), "Yes, 21 degrees.", name="helper")
    graph.invoke(ASK, {"callbacks": [handler]})
    assert handler.flush()

    [task] = studio.tasks(handler.project_id or 0)
    assert [step["kind"] for step in task["data"]["run"]["steps"]] == ["user", "tool_call", "agent"]
    assert task["data"]["run"]["agent"] == "helper"
    assert task["predictions"][0]["result"][0]["value"] == {"text": ["Yes, 21 degrees."]}
    assert handler.task_url() == f"{handler.project_url}?task={task['id']}"
    annotate(studio, task, "Yes, it is.", step_1="correct", step_2="partial", verdict="mixed")

    rows = tmp_path / "steps.jsonl"
    done = studio.run_command("export", "prm", "--project", str(handler.project_id), "-o", str(rows))
    assert done.returncode == 0, done.stderr
    assert json.loads(rows.read_text()) == {
        "prompt": "Is it warm in Paris?",
        "completions": ['→ weather(city="Paris")\n21 degrees in Paris', "Yes, 21 degrees."],
        "labels": [True, False],
    }
    reviews = list(
        load_reviews(project_id=handler.project_id, url=studio.server.url, api_key=studio.server.api_key)
    )
    [row] = to_sft(reviews)
    assert row["completion"] == [{"role": "assistant", "content": "Yes, it is."}]
    assert "scripted-1" in build_report(reviews).to_markdown()


def test_a_run_that_waits_for_a_person_and_the_one_that_goes_on(
    handler: LabelStudioCallbackHandler, studio: StudioApi
):
    graph = agent(
        calls(("ask_a_person", {"question": "ok?"})),
        "Done.",
        tools=[ask_a_person],
        checkpointer=InMemorySaver(),
    )
    settings = {"callbacks": [handler], "configurable": {"thread_id": "t1"}}
    graph.invoke(ASK, settings)
    graph.invoke(Command(resume="go ahead"), settings)
    assert handler.flush()

    waits, goes_on = (task["data"] for task in studio.tasks(handler.project_id or 0))
    assert (waits["status"], waits["finish_reason"], waits["thread_id"]) == ("partial", "interrupt", "t1")
    assert waits["run"]["steps"][-1]["kind"] == "interrupt"
    assert waits["run"]["status"] == "completed-with-warnings"
    assert (goes_on["status"], goes_on["thread_id"]) == ("success", "t1")
    assert goes_on["run"]["steps"][0]["content"] == "go ahead"


def test_a_plain_run_in_an_agents_project_is_a_task_all_the_same(
    handler: LabelStudioCallbackHandler, studio: StudioApi
):
    with LabelStudioCallbackHandler(
        studio.server.api_key, studio.server.url, project_id=handler.project_id
    ) as plain:
        agent("Hello.").invoke(ASK, {"callbacks": [plain]})
        assert plain.flush()

    [task] = studio.tasks(handler.project_id or 0)
    assert "run" not in task["data"]
    assert task["data"]["prompt"] == [{"role": "user", "content": "Is it warm in Paris?"}]
