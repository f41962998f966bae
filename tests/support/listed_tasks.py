"""A project of each mode with ten tasks, of which each tab of its list shows some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langchain_label_studio import LabelStudioCallbackHandler, LLMRun
from langchain_label_studio.forms.modes import carried_name
from langchain_label_studio.forms.registry import get_form
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task
from tests.support.studio import StudioApi

TABS = {
    "To review": [2, 3, 4, 6, 7, 8, 9],
    "Disliked by users": [2],
    "Errors": [7],
    "Disagreements": [0],
    "Done": [5, 1, 0],
}
"""The numbers of the tasks in each tab, in its order. Tasks 0 and 1 have two reviews, task 5 has one."""

_DIFFERENT: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "prompt": ({"rating": 1}, {"rating": 4}),
    "chat": ({"rating": 2}, {"rating": 5}),
    "rag": ({"faithfulness": 1, "answer_relevancy": 5}, {"faithfulness": 3, "answer_relevancy": 5}),
    "preference": ({"better": "Left"}, {"better": "Equally good"}),
    "agent": ({"verdict": "good"}, {"verdict": "bad"}),
}


@dataclass(frozen=True, kw_only=True)
class ListedTasks:
    """The tasks of a project.

    Attributes:
        project_id: The project.
        url: The address of its list.
        task_ids: Its tasks, by their numbers.
    """

    project_id: int
    url: str
    task_ids: list[int]


def question(number: int) -> str:
    return f"What is the capital of country number {number}, and what do visitors see there first?"


def make_listed_tasks(studio: StudioApi, mode: str) -> ListedTasks:
    """Make a project as a handler does, with ten tasks, reviews and the feedback of users."""
    form = get_form(mode)
    config = parse_label_config(form.label_config, takes_answer=form.takes_answer)
    runs = [_run(number, mode) for number in range(10)]
    tasks = [build_task(run, config, model_version="langchain") for run in runs]
    server = studio.server
    with LabelStudioCallbackHandler(
        server.api_key, server.url, project_name=f"{mode} {uuid4()}", mode=mode
    ) as handler:
        assert handler.project_id
        assert handler.project_url
        imported = studio.post(f"/api/projects/{handler.project_id}/import?return_task_ids=true", tasks)
        handler.feedback(runs[2].run_id, score=0, comment="That is not the capital.")
        handler.feedback(runs[3].run_id, score=1)
        assert handler.flush(30)
    task_ids = imported["task_ids"]
    one, other = _DIFFERENT[mode]
    for number, said in ((0, one), (0, other), (1, one), (1, one), (5, other)):
        studio.post(f"/api/tasks/{task_ids[number]}/annotations/", {"result": _result(said, config.controls)})
    return ListedTasks(project_id=handler.project_id, url=handler.project_url, task_ids=task_ids)


def _run(number: int, mode: str) -> LLMRun:
    run_id, failed = str(uuid4()), number == 7
    answer = {"role": "assistant", "content": f"It is **city {number}**.\n\n- Visitors see its castle.\n"}
    return LLMRun(
        record_id=f"{run_id}-record",
        run_id=run_id,
        trace_id=run_id,
        prompt=({"role": "system", "content": "Be brief."}, {"role": "user", "content": question(number)}),
        answers=() if failed else (answer,) * (2 if mode == "preference" else 1),
        status="error" if failed else "success",
        error="RateLimitError: too many requests" if failed else None,
        model="some-model-1",
        provider="openai",
        tags=("geography",),
        latency_ms=812.5,
        total_tokens=120,
        started_at="2026-11-30T08:00:00+00:00",
        form=carried_name(mode),
        documents=({"content": "Every capital has a castle."},) if mode == "rag" else (),
    )


def _result(said: Mapping[str, Any], controls: Any) -> list[dict[str, Any]]:
    about = {name: to_name for _, name, to_name, _ in controls}
    return [
        {
            "value": {"rating": value} if isinstance(value, int) else {"choices": [value]},
            "id": f"region-{place}",
            "from_name": name,
            "to_name": about[name],
            "type": "rating" if isinstance(value, int) else "choices",
            "origin": "manual",
        }
        for place, (name, value) in enumerate(said.items())
    ]
