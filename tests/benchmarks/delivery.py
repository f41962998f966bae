"""How fast recorded runs are in a real Label Studio, beside bare loops of imports and the old handler."""

from __future__ import annotations

import json
import resource
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.benchmarks import several_processes
from tests.benchmarks.lab import LEGACY_TOKEN, Lab, median
from tests.benchmarks.projects import check, new_title, server_of
from tests.benchmarks.report import Result, Table, Verdict
from tests.benchmarks.workload import record

_BATCH = 500
_OF_BARE_LOOP = 1.05
_OF_ENCODED_LOOP = 0.8
_OF_OLD_HANDLER = 50
_QUESTION_RATIO = 1.5


def run(lab: Lab) -> Result:
    """Measure what one process delivers, what several deliver, and questions for runs that may be stored."""
    delivery, questions = _measure_delivery(lab), _measure_questions(lab)
    several = several_processes.measure(lab)
    return Result([*delivery.verdicts, *questions.verdicts], [*delivery.tables, *several.tables])


def _measure_delivery(lab: Lab) -> Result:
    """Measure ours and the bare loops round by round, each time into a new project, and the old handler."""
    runs = lab.scale(10_000, 1_000)
    old_runs = lab.scale(100, 20)
    rounds = lab.scale(3, 1)
    server = server_of(lab.label_studio)
    measured: dict[str, list[list[float]]] = {"ours": [], "bare": [], "encoded": [], "old": []}
    with lab.workers(measured) as workers:

        def measure(name: str, function: Callable[..., Any], count: int, **arguments: Any) -> None:
            took = workers[name].call(function, runs=count, timeout=600, **arguments)
            measured[name].append([seconds / count for seconds in took])

        for number in range(rounds):
            lab.say(f"delivery: round {number + 1} of {rounds}")
            turns = [
                lambda: measure("ours", deliver, runs, **server),
                lambda: measure("bare", import_loop, runs, **server),
                lambda: measure("encoded", import_loop, runs, encoded=True, **server),
                lambda: measure("old", deliver_with_old, old_runs, **server | {"key": LEGACY_TOKEN}),
            ]
            for turn in turns if number % 2 else reversed(turns):
                turn()
    speed = {
        name: median(theirs[0] / own[0] for theirs, own in zip(rounds, measured["ours"], strict=True))
        for name, rounds in measured.items()
    }
    verdicts = [
        Verdict(what, f"{bound}", f"{speed[name]:.{digits}f}", speed[name] >= bound)
        for name, what, bound, digits in (
            ("bare", f"speed of recording and flushing {runs:,} runs, of a bare loop of imports", _OF_BARE_LOOP, 2),
            ("encoded", "the same, of a loop of requests that were encoded beforehand", _OF_ENCODED_LOOP, 2),
            ("old", "the same, of the old handler", _OF_OLD_HANDLER, 0),
        )
    ]  # fmt: skip
    caption = (
        f"**Delivery to a real Label Studio on SQLite**: {runs:,} runs recorded and flushed; the same tasks, made "
        f"beforehand, with the SDK's `import_tasks` in batches of {_BATCH}; the same requests, encoded beforehand, with "
        f"the SDK's transport; {old_runs} runs with the old handler. CPU is that of the process, without Label Studio"
    )
    titles = {
        "ours": "**ours**",
        "bare": "bare loop",
        "encoded": "requests encoded beforehand",
        "old": "langchain_community",
    }
    rows = []
    for name, title in titles.items():
        seconds, cpu = (median(values) for values in zip(*measured[name], strict=True))
        rows.append([title, f"{1 / seconds:,.0f}", f"{seconds * 1000:.2f}", f"{cpu * 1e6:,.0f}"])
    return Result(verdicts, [Table(caption, ("", "runs per second", "ms per run", "CPU, µs per run"), rows)])


def _measure_questions(lab: Lab) -> Result:
    """Measure the questions for runs that may be stored."""
    lab.say("delivery: questions for runs that may be stored")
    small, large = lab.scale(1_000, 500), lab.scale(30_000, 1_500)
    with lab.worker() as worker:
        in_small, in_large, unbound = worker.call(
            ask, small=small, large=large, timeout=900, **server_of(lab.label_studio)
        )
    verdict = Verdict(
        f"time of a question for {_BATCH} runs in a project of {large:,} tasks, of that in one of {small:,}",
        f"{_QUESTION_RATIO}",
        f"{in_large / in_small:.2f} (without an older task {unbound / in_small:.1f})",
        in_large / in_small <= _QUESTION_RATIO,
    )
    return Result([verdict])


# In the worker


def deliver(runs: int, url: str, key: str) -> tuple[float, float]:
    """Record runs and flush them; return the seconds that takes, and those of the processor."""
    from langchain_label_studio import LabelStudioCallbackHandler

    handler = LabelStudioCallbackHandler(key, url, project_name=new_title())
    with _clock() as took:
        record(handler, runs)
        assert handler.flush(600), handler.stats()
    check(url, key, handler.project_id, runs)
    handler.close()
    return took()


def import_loop(runs: int, url: str, key: str, *, encoded: bool = False) -> tuple[float, float]:
    """Import the same tasks in batches with nothing but the SDK; return the seconds, and those of the processor.

    Args:
        runs: How many.
        url: The server.
        key: Its key.
        encoded: Whether the bodies of the requests are made beforehand, and are only posted.
    """
    from label_studio_sdk import LabelStudio

    from langchain_label_studio import get_default_label_configs

    config = get_default_label_configs("prompt")[0]
    tasks = _tasks(runs, config)
    batches = [tasks[first : first + _BATCH] for first in range(0, runs, _BATCH)]
    bodies = [json.dumps(batch).encode() for batch in batches]
    client = LabelStudio(base_url=url, api_key=key)
    project = client.projects.create(title=new_title(), label_config=config)
    with _clock() as took:
        if encoded:
            for body in bodies:
                answer = client._client_wrapper.httpx_client.request(
                    f"api/projects/{project.id}/import",
                    method="POST",
                    content=body,
                    headers={"Content-Type": "application/json"},
                )
                assert answer.status_code == 201, answer.text
        else:
            for batch in batches:
                client.projects.import_tasks(project.id, request=batch)
    check(url, key, project.id, runs)
    return took()


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
    project = client.create_project(title=new_title(), label_config=config, model_version="langchain")
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


def deliver_with_old(runs: int, url: str, key: str) -> tuple[float, float]:
    """Record runs with the old handler, which sends each in its callback; return the seconds as `deliver` does."""
    from langchain_community.callbacks.labelstudio_callback import LabelStudioCallbackHandler

    handler = LabelStudioCallbackHandler(key, url, project_name=new_title())
    with _clock() as took:
        record(handler, runs)
    check(url, key, handler.project_id, runs)
    return took()


@contextmanager
def _clock() -> Iterator[Callable[[], tuple[float, float]]]:
    """Measure a block: the seconds, and those of the processor in all threads of this process."""

    def now() -> tuple[float, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return time.perf_counter(), used.ru_utime + used.ru_stime

    began, ended = now(), []
    yield lambda: (ended[0] - began[0], ended[1] - began[1])
    ended += now()


def _tasks(runs: int, label_config: str) -> list[dict[str, Any]]:
    """Return the tasks that our handler makes of the runs."""
    from langchain_label_studio import LabelStudioCallbackHandler
    from langchain_label_studio.label_config.parse import parse_label_config
    from langchain_label_studio.label_studio.tasks.build import build_task
    from langchain_label_studio.types.run_record import decode_run

    handler = LabelStudioCallbackHandler("key", project_name=new_title(), connect="lazy", durability="memory")
    kept: list[Any] = []
    handler._recorder._submit = lambda taken: kept.append(taken) or True
    record(handler, runs)
    config = parse_label_config(label_config)
    return [build_task(decode_run(taken), config, model_version="langchain") for taken in kept]
