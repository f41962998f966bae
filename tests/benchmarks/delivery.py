"""How fast recorded runs are in a real Label Studio, beside a bare loop of imports and the old handler."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from tests.benchmarks.lab import LEGACY_TOKEN, Lab, median
from tests.benchmarks.report import Result, Table, Verdict
from tests.benchmarks.workload import record

_BATCH = 500
_OF_BARE_LOOP = 0.9
_OF_OLD_HANDLER = 50
_QUESTION_RATIO = 1.5


def run(lab: Lab) -> Result:
    """Measure ours and the bare loop round by round, each time into a new project, and the old handler."""
    runs = lab.scale(10_000, 1_000)
    old_runs = lab.scale(100, 20)
    rounds = lab.scale(3, 1)
    server = {"url": lab.label_studio.url, "key": lab.label_studio.api_key}
    legacy = server | {"key": LEGACY_TOKEN}
    ours, bare, old = [], [], []
    with lab.workers(("ours", "bare", "old")) as workers:
        for number in range(rounds):
            lab.say(f"delivery: round {number + 1} of {rounds}")
            turns = [
                lambda: ours.append(workers["ours"].call(deliver, runs=runs, timeout=600, **server) / runs),
                lambda: bare.append(
                    workers["bare"].call(import_loop, runs=runs, timeout=600, **server) / runs
                ),
                lambda: old.append(workers["old"].call(deliver_with_old, runs=old_runs, **legacy) / old_runs),
            ]
            for turn in turns if number % 2 else reversed(turns):
                turn()
    lab.say("delivery: questions for runs that may be stored")
    small, large = lab.scale(1_000, 500), lab.scale(30_000, 1_500)
    with lab.worker() as worker:
        in_small, in_large, unbound = worker.call(ask, small=small, large=large, timeout=900, **server)
    of_bare = median(theirs / own for theirs, own in zip(bare, ours, strict=True))
    of_old = median(theirs / own for theirs, own in zip(old, ours, strict=True))
    verdicts = [
        Verdict(
            f"speed of recording and flushing {runs:,} runs, of a bare loop of imports",
            f"{_OF_BARE_LOOP}",
            f"{of_bare:.2f}",
            of_bare >= _OF_BARE_LOOP,
        ),
        Verdict(
            "the same, of the old handler", f"{_OF_OLD_HANDLER}", f"{of_old:.0f}", of_old >= _OF_OLD_HANDLER
        ),
        Verdict(
            f"time of a question for {_BATCH} runs in a project of {large:,} tasks, of that in one of {small:,}",
            f"{_QUESTION_RATIO}",
            f"{in_large / in_small:.2f} (without an older task {unbound / in_small:.1f})",
            in_large / in_small <= _QUESTION_RATIO,
        ),
    ]
    caption = (
        f"**Delivery to a real Label Studio on SQLite**: {runs:,} runs recorded and flushed; the same tasks, made "
        f"beforehand, with the SDK's `import_tasks` in batches of {_BATCH}; {old_runs} runs with the old handler"
    )
    rows = [
        [name, f"{1 / median(seconds):,.0f}", f"{median(seconds) * 1000:.2f}"]
        for name, seconds in (("**ours**", ours), ("bare loop", bare), ("langchain_community", old))
    ]
    return Result(verdicts, [Table(caption, ("", "runs per second", "ms per run"), rows)])


# In the worker


def deliver(runs: int, url: str, key: str) -> float:
    """Record runs and flush them; return the seconds that takes."""
    from langchain_label_studio import LabelStudioCallbackHandler

    handler = LabelStudioCallbackHandler(key, url, project_name=_title())
    began = time.perf_counter()
    record(handler, runs)
    assert handler.flush(600), handler.stats()
    took = time.perf_counter() - began
    _check(url, key, handler.project_id, runs)
    handler.close()
    return took


def import_loop(runs: int, url: str, key: str) -> float:
    """Import the same tasks in batches with nothing but the SDK; return the seconds that takes."""
    from label_studio_sdk import LabelStudio

    from langchain_label_studio import get_default_label_configs

    config = get_default_label_configs("prompt")[0]
    tasks = _tasks(runs, config)
    client = LabelStudio(base_url=url, api_key=key)
    project = client.projects.create(title=_title(), label_config=config)
    began = time.perf_counter()
    for first in range(0, runs, _BATCH):
        client.projects.import_tasks(project.id, request=tasks[first : first + _BATCH])
    took = time.perf_counter() - began
    _check(url, key, project.id, runs)
    return took


def ask(small: int, large: int, url: str, key: str) -> tuple[float, float, float]:
    """Ask for the last runs of a project, first when it is small, then when it is large.

    Returns:
        The seconds in the small project and in the large one, with an older task known; and in the large one without.
    """
    from pydantic import SecretStr

    from langchain_label_studio import get_default_label_configs
    from langchain_label_studio.label_studio.client import LabelStudioClient
    from langchain_label_studio.label_studio.found_tasks import FoundTask

    client = LabelStudioClient(url=f"{url}/", api_key=SecretStr(key))
    config = get_default_label_configs("prompt")[0]
    project = client.create_project(title=_title(), label_config=config, model_version="langchain")
    since, last = FoundTask(id=0, key=""), [""]
    took = []
    for first in range(0, large, _BATCH):
        last = [str(uuid.uuid4()) for _ in range(_BATCH)]
        tasks = [{"data": {"prompt": "Hi" * 100, "run_id": run_id}, "predictions": []} for run_id in last]
        task_ids = client.import_tasks(project, [json.dumps(task).encode() for task in tasks]).task_ids
        if first + _BATCH in {small, large}:
            took.append(_seconds_to_find(client, project, last, since))
        since = FoundTask(id=task_ids[-1], key=last[-1])
    return took[0], took[-1], _seconds_to_find(client, project, last, None)


def _seconds_to_find(client: Any, project: int, run_ids: list[str], since: Any) -> float:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        assert len(client.find_tasks(project, run_ids, since=since)) == len(run_ids)
        took.append(time.perf_counter() - began)
    return median(took)


def deliver_with_old(runs: int, url: str, key: str) -> float:
    """Record runs with the old handler, which sends each in its callback; return the seconds that takes."""
    from langchain_community.callbacks.labelstudio_callback import LabelStudioCallbackHandler

    handler = LabelStudioCallbackHandler(key, url, project_name=_title())
    began = time.perf_counter()
    record(handler, runs)
    took = time.perf_counter() - began
    _check(url, key, handler.project_id, runs)
    return took


def _title() -> str:
    return f"Benchmark {uuid.uuid4().hex[:8]}"


def _tasks(runs: int, label_config: str) -> list[dict[str, Any]]:
    """Return the tasks that our handler makes of the runs."""
    from langchain_label_studio import LabelStudioCallbackHandler
    from langchain_label_studio.label_config.parse import parse_label_config
    from langchain_label_studio.label_studio.tasks.build import build_task
    from langchain_label_studio.types.run_record import decode_run

    handler = LabelStudioCallbackHandler("key", project_name=_title(), connect="lazy", durability="memory")
    kept: list[Any] = []
    handler._recorder._submit = lambda taken: kept.append(taken) or True
    record(handler, runs)
    config = parse_label_config(label_config)
    return [build_task(decode_run(taken), config, model_version="langchain") for taken in kept]


def _check(url: str, key: str, project_id: int, runs: int) -> None:
    """See that all tasks are there, with their answers."""
    from label_studio_sdk import LabelStudio

    project = LabelStudio(base_url=url, api_key=key).projects.get(id=project_id)
    counted = (project.task_number, project.total_predictions_number)
    assert counted == (runs, runs), f"{counted} tasks and predictions, {runs} runs"
