"""The report of a project in a real Label Studio, as a data team asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from langchain_core.outputs import Generation, LLMResult

from langchain_label_studio import LabelStudioCallbackHandler
from tests.support.studio import StudioApi


@pytest.fixture
def project(studio: StudioApi) -> int:
    """A project with three runs of two models: one rated and corrected, one skipped, one that nobody looked at."""
    title, server = f"Report {uuid4().hex[:8]}", studio.server
    with LabelStudioCallbackHandler(server.api_key, server.url, project_name=title) as handler:
        for model in ("good", "good", "<b>poor"):
            run_id = uuid4()
            handler.on_llm_start({}, ["Question"], run_id=run_id, invocation_params={"model": model})
            handler.on_llm_end(LLMResult(generations=[[Generation(text="Answer")]]), run_id=run_id)
        assert handler.flush()
    (project,) = studio.project_ids(title)
    rated, skipped, _ = (task["id"] for task in studio.tasks(project))
    region = {"to_name": "prompt", "from_name": "response", "type": "textarea", "value": {"text": ["Better"]}}
    stars = {"to_name": "prompt", "from_name": "rating", "type": "rating", "value": {"rating": 4}}
    studio.post(f"/api/tasks/{rated}/annotations/", {"result": [region, stars]})
    studio.post(f"/api/tasks/{skipped}/annotations/", {"result": [], "was_cancelled": True})
    return project


def report(studio: StudioApi, project: int, *options: str) -> str:
    done = studio.run_command("report", "--project", str(project), *options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_numbers_are_those_of_the_project(studio: StudioApi, project: int) -> None:
    ids = [task["id"] for task in studio.tasks(project)]

    document = json.loads(report(studio, project, "--json"))

    good, poor = document["models"]
    assert (good["name"], good["task_ids"], poor["name"], poor["task_ids"]) == (
        "good",
        ids[:2],
        "<b>poor",
        ids[2:],
    )
    assert (good["quality"]["task_ids"], good["quality"]["skipped_task_ids"]) == ([ids[0]], [ids[1]])
    assert good["quality"]["corrected_task_ids"] == [ids[0]]
    (rating,) = good["quality"]["ratings"]
    assert (rating["question"]["scale"], rating["mean"]["value"]) == (5, 4)
    assert rating["mean"]["note"] == "1 rating: too few for an interval"


def test_the_page_leads_to_the_tasks(studio: StudioApi, project: int, tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    shown = report(studio, project, "--html", str(page))

    assert "3 runs · 1 reviewed · 1 skipped" in shown
    html = page.read_text(encoding="utf-8")
    for task in studio.tasks(project):
        address = f"{studio.server.url}/projects/{project}/data?task={task['id']}"
        assert f'<a href="{address}">{task["id"]}</a>' in html
