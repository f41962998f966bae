"""How many runs a second several processes deliver together, into a Label Studio on SQLite and one on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from langchain_label_studio.local_server import LocalLabelStudio
from tests.benchmarks.lab import Lab
from tests.benchmarks.projects import check, new_title, server_of
from tests.benchmarks.report import Result, Table
from tests.benchmarks.workload import record
from tests.support.postgres import MISSING, PostgreSQL, find_binaries

_PROCESSES = (1, 2, 4, 8)


def measure(lab: Lab) -> Result:
    """Measure how many runs a second several processes of one computer deliver together into one project."""
    runs = lab.scale(3_000, 400)
    rows = [["SQLite", *_speeds(lab, lab.label_studio, runs)]]
    if binaries := find_binaries():
        lab.say("delivery: starting a real Label Studio on PostgreSQL")
        with PostgreSQL(binaries) as database, _label_studio(lab, database.label_studio_env) as label_studio:
            rows.append(["PostgreSQL", *_speeds(lab, label_studio, runs)])
    else:
        lab.say(f"delivery: SQLite only. {MISSING}")
    caption = (
        f"**Delivery by several processes** of one computer into one project: {runs:,} runs together, recorded and "
        "flushed, in runs per second"
    )
    header = ("", *(f"{count} process{'es' * (count > 1)}" for count in _PROCESSES))
    return Result(tables=[Table(caption, header, rows)])


@contextmanager
def _label_studio(lab: Lab, env: dict[str, str]) -> Iterator[LocalLabelStudio]:
    label_studio = LocalLabelStudio(lab.directory / "label-studio-on-postgresql", env=env).start()
    try:
        yield label_studio
    finally:
        label_studio.stop()


def _speeds(lab: Lab, label_studio: LocalLabelStudio, runs: int) -> Iterator[str]:
    """Yield the runs a second, for each number of processes."""
    # Processes of one user take turns by a lock file in this user's directory.
    home = {"XDG_STATE_HOME": str(lab.directory / "state")}
    server = server_of(label_studio)
    for count in _PROCESSES:
        lab.say(f"delivery: {count} processes")
        title, share = new_title(), runs // count
        with ExitStack() as exits, ThreadPoolExecutor(count) as pool:
            workers = [exits.enter_context(lab.worker(home)) for _ in range(count)]
            for call in [pool.submit(each.call, get_ready, title=title, **server) for each in workers]:
                call.result()
            began = time.perf_counter()
            calls = [pool.submit(each.call, deliver_ready, runs=share, timeout=600) for each in workers]
            [project] = {call.result() for call in calls}
            seconds = time.perf_counter() - began
        check(**server, project_id=project, runs=share * count)
        yield f"{share * count / seconds:,.0f}"


# In the worker


_ready: list[Any] = []


def get_ready(title: str, url: str, key: str) -> None:
    """Make a handler that is connected."""
    from langchain_label_studio import LabelStudioCallbackHandler

    _ready.append(LabelStudioCallbackHandler(key, url, project_name=title))


def deliver_ready(runs: int) -> int:
    """Record runs with that handler, and flush them; return its project."""
    [handler] = _ready
    record(handler, runs)
    assert handler.flush(600), handler.stats()
    return int(handler.project_id)
