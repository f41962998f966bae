"""How fast reviews come back from a real Label Studio, beside its own export, and in how much memory."""

from __future__ import annotations

import json
import resource
import time
import uuid
from collections.abc import Iterator
from typing import Any

from langchain_label_studio.label_config.parse import LabelConfig
from langchain_label_studio.label_studio.task_filters import with_annotations
from tests.benchmarks.lab import Lab, median
from tests.benchmarks.report import Result, Table, Verdict
from tests.benchmarks.workload import ANSWER, PROMPT

_PAGE = 1000
_VERSION = "langchain"
_OF_EXPORT = 1.0
# Label Studio answers these requests three times as quickly as those with predictions. So the same work is more of the time.
_OF_BARE_READ = 0.75
_MEMORY_MB = 200


def run(lab: Lab) -> Result:
    """Fill a project with reviewed tasks, and read them by turns."""
    tasks = lab.scale(20_000, 500)
    rounds = lab.scale(3, 1)
    server = {"url": lab.label_studio.url, "key": lab.label_studio.api_key}
    functions = {
        "ours": read_reviews,
        "export": export,
        "file": download_export,
        "bare": read_bare,
        "sdk": read_with_sdk,
    }
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in functions}
    with lab.workers(("filler", *measured)) as workers:
        lab.say(f"reading: {tasks:,} reviewed tasks")
        project = workers["filler"].call(fill, tasks=tasks, timeout=600, **server)
        for number in range(rounds):
            lab.say(f"reading: round {number + 1} of {rounds}")
            names = list(measured) if number % 2 else list(reversed(measured))
            for name in names:
                if name == "sdk" and number:
                    continue  # it takes its time, and once is enough to see it
                taken = workers[name].call(functions[name], project=project, timeout=600, **server)
                assert taken["read"] == tasks, f"{name} read {taken['read']} of {tasks} tasks"
                measured[name].append(taken)
    seconds = {name: [taken["seconds"] for taken in rounds] for name, rounds in measured.items()}
    of_export, of_bare = (
        median(theirs / own for theirs, own in zip(seconds[name], seconds["ours"], strict=True))
        for name in ("file", "bare")
    )
    memory = max(taken["memory"] for taken in (*measured["ours"], *measured["export"])) / 1e6
    titles = {
        "ours": "**`load_reviews`**",
        "export": "**`export sft`**, with the reading",
        "file": "Label Studio's JSON export, as a file",
        "bare": "the requests of `load_reviews`, and `json.loads`",
        "sdk": "the SDK's `tasks.list`",
    }
    rows = [
        [
            title,
            f"{tasks / median(seconds[name]):,.0f}",
            f"{median(seconds[name]):.1f}",
            f"{median(taken['cpu'] for taken in measured[name]):.1f}",
            f"{max(taken['memory'] for taken in measured[name]) / 1e6:.0f}",
        ]
        for name, title in titles.items()
    ]
    caption = f"**Reading {tasks:,} reviewed tasks** from a real Label Studio on SQLite, a 1 KB prompt each"
    return Result(
        [
            Verdict(
                f"speed of reading {tasks:,} reviews, of Label Studio's own JSON export",
                f"{_OF_EXPORT}",
                f"{of_export:.2f}",
                of_export >= _OF_EXPORT,
            ),
            Verdict(
                "the same, of a bare read of the same tasks",
                f"{_OF_BARE_READ}",
                f"{of_bare:.2f}",
                of_bare >= _OF_BARE_READ,
            ),
            Verdict(
                "resident memory of the whole process meanwhile, also with the export",
                f"{_MEMORY_MB} MB",
                f"{memory:.0f} MB",
                memory <= _MEMORY_MB,
            ),
        ],
        [Table(caption, ("", "tasks per second", "seconds", "its own CPU seconds", "memory, MB"), rows)],
    )


# In the worker


def fill(tasks: int, url: str, key: str) -> int:
    """Make a project of tasks that one person has reviewed; return its number."""
    from label_studio_sdk import LabelStudio

    from langchain_label_studio import get_default_label_configs
    from langchain_label_studio.label_config.parse import parse_label_config

    client = LabelStudio(base_url=url, api_key=key)
    xml = get_default_label_configs("prompt")[0]
    project = client.projects.create(
        title=f"Reading {uuid.uuid4().hex[:8]}", label_config=xml, model_version=_VERSION
    )
    config = parse_label_config(xml)
    for first in range(0, tasks, 500):
        batch = [_task(number, config) for number in range(first, min(first + 500, tasks))]
        client.projects.import_tasks(project.id, request=batch)
    return int(project.id)


def read_reviews(project: int, url: str, key: str) -> dict[str, float]:
    """Read all reviews with the library."""
    from langchain_label_studio import load_reviews

    began = _now()
    read = sum(1 for _ in load_reviews(project_id=project, url=url, api_key=key))
    return _measured(read, began)


def download_export(project: int, url: str, key: str) -> dict[str, float]:
    """Have Label Studio export the project, and write its answer to a file."""
    import tempfile

    from label_studio_sdk import LabelStudio

    http = LabelStudio(base_url=url, api_key=key)._client_wrapper.httpx_client
    with tempfile.TemporaryFile() as file:
        began = _now()
        path = f"api/projects/{project}/export"
        options = {"timeout_in_seconds": 600}
        with http.stream(
            path, method="GET", params={"exportType": "JSON"}, request_options=options
        ) as answer:
            for part in answer.iter_bytes():
                file.write(part)
        measured = _measured(0, began)
        file.seek(0)
        return measured | {"read": len(json.load(file))}


def read_bare(project: int, url: str, key: str) -> dict[str, float]:
    """Ask for the same pages with nothing but the SDK's transport, and decode them."""
    from label_studio_sdk import LabelStudio

    client = LabelStudio(base_url=url, api_key=key)
    began = _now()
    return _measured(sum(len(page) for page in _bare_pages(client, project)), began)


def read_with_sdk(project: int, url: str, key: str) -> dict[str, float]:
    """Read all tasks as the SDK's documentation does."""
    from label_studio_sdk import LabelStudio

    client = LabelStudio(base_url=url, api_key=key)
    began = _now()
    return _measured(sum(1 for _ in client.tasks.list(project=project, fields="all", page_size=_PAGE)), began)


def export(project: int, url: str, key: str) -> dict[str, float]:
    """Run the export command; its rows are as many as the tasks."""
    import tempfile
    from pathlib import Path

    from typer.testing import CliRunner

    from langchain_label_studio.cli import app

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "train.jsonl")
        began = _now()
        options = ["--project", str(project), "--url", url, "-o", str(path)]
        finished = CliRunner().invoke(app, ["export", "sft", *options], env={"LABEL_STUDIO_API_KEY": key})
        assert finished.exit_code == 0, finished.output
        with path.open(encoding="utf-8") as rows:
            return _measured(sum(1 for _ in rows), began)


def _bare_pages(client: Any, project: int) -> Iterator[list[Any]]:
    after = 0
    while True:
        later = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": after}
        query = {"filters": {"conjunction": "and", "items": [later]}, "ordering": ["tasks:id"]}
        params = {"project": project, "query": json.dumps(query), **with_annotations(predictions=False)}
        answer = client._client_wrapper.httpx_client.request(
            "api/tasks/", method="GET", params={**params, "page": 1, "page_size": _PAGE}
        )
        page = json.loads(answer.content)
        yield page["tasks"]
        if page["total"] <= _PAGE:
            return
        after = page["tasks"][-1]["id"]


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _measured(read: int, began: tuple[float, float]) -> dict[str, float]:
    seconds, cpu = (now - then for now, then in zip(_now(), began, strict=True))
    return {
        "read": read,
        "seconds": seconds,
        "cpu": cpu,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _task(number: int, config: LabelConfig) -> dict[str, Any]:
    """Return a task as the handler makes it, with a correction and a rating."""
    from langchain_label_studio import LLMRun
    from langchain_label_studio.label_studio.tasks.build import build_task
    from langchain_label_studio.types.record_id import new_record_id

    def region(name: str, kind: str, value: Any) -> dict[str, Any]:
        return {"from_name": name, "to_name": "prompt", "type": kind, "value": value}

    answer = f"{number}: {ANSWER}"
    run_id = str(uuid.uuid4())
    run = LLMRun(
        run_id=run_id,
        trace_id=run_id,
        record_id=new_record_id(run_id),
        kind="completion",
        prompt=({"role": "user", "content": f"{number}: {PROMPT}"},),
        answers=({"role": "assistant", "content": answer},),
        model=f"model-{number % 3}",
    )
    said = [
        region("response", "textarea", {"text": [f"{answer} Corrected."]}),
        region("rating", "rating", {"rating": 4}),
    ]
    return build_task(run, config, model_version=_VERSION) | {"annotations": [{"result": said}]}
