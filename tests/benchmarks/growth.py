"""What grows: memory and disk over a million runs, runs that never end, handlers that come and go."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import psutil

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.label_studio.shared_senders import SENDER_NAME
from tests.benchmarks.lab import Lab, median
from tests.benchmarks.report import Result, Table, Verdict
from tests.benchmarks.sink import closed_port, running_sink
from tests.benchmarks.worker import Worker
from tests.benchmarks.workload import completion_result, record, start

# Small, because 512 MiB may wait, or 1,000,000 runs.
_PROMPT, _ANSWER = "Tell me a joke about a handler.", "There is none."
_GROWTH_MB = 10
_BLOCKS = 1_000
_COST_RATIO = 1.25
_HEADER = ("", "memory, MB", "outbox, MB", "files in it", "threads", "open files")

Usage = Mapping[str, float]


def run(lab: Lab) -> Result:
    """Measure what grows and what does not."""
    result = Result()
    rows: list[list[str]] = []
    _backlog(lab, result, rows)
    _open_runs(lab, result, rows)
    _handlers(lab, result, rows)
    caption = "**Growth**: what a process and its outbox hold; small runs, so that 1,000,000 of them fit into the bounds"
    result.tables.append(Table(caption, _HEADER, rows))
    return result


def _backlog(lab: Lab, result: Result, rows: list[list[str]]) -> None:
    """Record more and more with the server down; then let it come up and take all of it."""
    runs, small, large = lab.scale(1_000_000, 10_000), lab.scale(10_000, 1_000), lab.scale(500_000, 5_000)
    with closed_port() as url, lab.workers(("0", f"{small:,}", f"{large:,}")) as workers:
        none, some, many = workers.values()
        for worker in workers.values():
            worker.call(make, url=url)
        rows.append(_row("a handler, nothing recorded", many.call(usage)))
        lab.say(f"growth: {large:,} runs recorded, the server down")
        some.call(add, runs=small)
        many.call(add, runs=large, timeout=600)
        half = many.call(usage)
        rows.append(_row(f"{large:,} runs wait, the server down", half))
        _cost(lab, workers, result)
        none.stop()
        some.stop()
        lab.say(f"growth: {runs:,} runs recorded, the server down")
        recorded = many.call(fill_up, runs=runs, timeout=600)
        full = many.call(usage)
        rows.append(_row(f"{recorded:,} runs wait, the server down", full))
        result.verdicts.append(_flat(f"memory from {large:,} to {recorded:,} runs that wait", half, full))
        lab.say("growth: the server comes up")
        with running_sink(port=int(url.rpartition(":")[2])) as sink:
            took = many.call(deliver, timeout=1200)
            delivered = many.call(usage)
            rows.append(_row(f"all of them delivered, after {took:,.0f} s", delivered))
            assert sum(sink.counts().values()) == recorded, f"{sink.counts()} of {recorded}"
    result.verdicts.append(_flat("memory from that to all of them delivered", full, delivered))
    left = delivered["disk"] / 1e6
    result.verdicts.append(Verdict("disk after that", "1 MB", f"{left:.1f} MB", left <= 1))


def _cost(lab: Lab, workers: Mapping[str, Worker], result: Result) -> None:
    """Measure what a run costs at each backlog, round by round, one at a time."""
    lab.say("growth: the cost of a run at each backlog")
    costs: dict[str, list[float]] = {backlog: [] for backlog in workers}
    for _ in range(lab.scale(9, 3)):
        for backlog, worker in workers.items():
            costs[backlog].append(worker.call(cost, runs=lab.scale(500, 100), anew=backlog == "0"))
    caption = "**What a run costs at a backlog** (µs): its callbacks, the server down"
    row = ["**ours**", *(f"{median(values):.0f}" for values in costs.values())]
    result.tables.append(Table(caption, ("runs that wait", *costs), [row]))
    nothing, *_, most = costs.values()
    ratio = median(full / empty for full, empty in zip(most, nothing, strict=True))
    what = f"cost of a run at a backlog of {list(costs)[-1]}, of that at none"
    result.verdicts.append(Verdict(what, f"{_COST_RATIO}", f"{ratio:.2f}", ratio <= _COST_RATIO))


def _open_runs(lab: Lab, result: Result, rows: list[list[str]]) -> None:
    some, many = lab.scale(20_000, 12_000), lab.scale(200_000, 20_000)
    lab.say(f"growth: {many:,} runs that never end")
    with closed_port() as url, lab.worker() as worker:
        worker.call(make, url=url)
        worker.call(leave_open, runs=some)
        before = worker.call(usage)
        worker.call(leave_open, runs=many - some, timeout=300)
        after = worker.call(usage)
    rows += [_row(f"{some:,} runs that never end", before), _row(f"{many:,} runs that never end", after)]
    result.verdicts.append(_flat(f"memory from {some:,} to {many:,} runs that never end", before, after))


def _handlers(lab: Lab, result: Result, rows: list[list[str]]) -> None:
    for one_project, count in ((True, lab.scale(10_000, 200)), (False, lab.scale(1_000, 40))):
        which = "of one project" if one_project else "of a project each"
        lab.say(f"growth: {count:,} handlers {which}")
        with running_sink() as sink, lab.worker() as worker:
            # What so many at once need is not growth: the first waves need it, too.
            wave = 100 if one_project else 10
            first = lab.scale(300, wave)
            wave_of = {"url": sink.url, "wave": wave, "one_project": one_project}
            worker.call(come_and_go, count=first, timeout=300, **wave_of)
            before = worker.call(usage)
            worker.call(come_and_go, count=count, timeout=600, **wave_of)
            after = worker.call(usage)
            arrived = sum(sink.counts().values())
            assert arrived == first + count, f"{arrived} runs came in."
        what = f"{count:,} handlers {which}, each with a run, made and dropped"
        rows += [_row(f"before {what}", before), _row(f"after {what}", after)]
        result.verdicts.append(
            _nothing_kept(f"memory blocks in use over {what} (resident memory)", before, after)
        )
        more = [f"{name} {after[name] - before[name]:+.0f}" for name in ("threads", "open files")]
        met = after["threads"] <= before["threads"] and after["open files"] <= before["open files"]
        result.verdicts.append(Verdict(f"threads and open files over {what}", "0 more", ", ".join(more), met))


def _flat(what: str, before: Usage, after: Usage) -> Verdict:
    more = (after["memory"] - before["memory"]) / 1e6
    return Verdict(what, f"{_GROWTH_MB} MB more", f"{more:+.1f} MB", more <= _GROWTH_MB)


def _nothing_kept(what: str, before: Usage, after: Usage) -> Verdict:
    """Judge what Python itself counts.

    After threads have come and gone, the resident memory of one and the same state goes up and down by 10 MB: it is
    the C library that keeps it, not the handlers.
    """
    blocks = after["blocks"] - before["blocks"]
    more = (after["memory"] - before["memory"]) / 1e6
    return Verdict(what, f"{_BLOCKS:,} more", f"{blocks:+,.0f} ({more:+.1f} MB)", blocks <= _BLOCKS)


def _row(what: str, used: Usage) -> list[str]:
    return [
        what,
        f"{used['memory'] / 1e6:.0f}",
        f"{used['disk'] / 1e6:.1f}",
        *(f"{used[name]:,.0f}" for name in ("files", "threads", "open files")),
    ]


# In the worker


class _Here:
    """What this worker measures."""

    url: str
    handler: LabelStudioCallbackHandler


def make(url: str) -> None:
    """Make a handler, with an outbox of its own."""
    _Here.url = url
    _Here.handler = LabelStudioCallbackHandler(
        "key", url, project_name=f"Growth {uuid.uuid4().hex[:8]}", connect="lazy"
    )
    # What is imported, and kept for good, when the first run is tried is not growth.
    _Here.handler.flush(0.5)


def add(runs: int) -> None:
    """Record runs."""
    record(_Here.handler, runs, prompt=_PROMPT, answer=_ANSWER, facts=False)


def fill_up(runs: int) -> int:
    """Record so many that this many wait; return how many do."""
    add(runs - _waiting())
    assert not _Here.handler.stats().lost, _Here.handler.stats()
    return _waiting()


def cost(runs: int, *, anew: bool) -> float:
    """Return the µs that a run's callbacks take.

    Args:
        runs: How many are recorded.
        anew: Whether it is with a handler for which nothing waits.
    """
    if anew:
        make(_Here.url)
    add(50)
    results = [(uuid.uuid4(), completion_result()) for _ in range(runs)]
    gc.collect()
    began = time.perf_counter()
    for run_id, result in results:
        start(_Here.handler, run_id, _PROMPT)
        _Here.handler.on_llm_end(result, run_id=run_id, parent_run_id=None, tags=[])
    return (time.perf_counter() - began) / runs * 1e6


def deliver() -> float:
    """Send all that waits; return the seconds that takes."""
    began = time.perf_counter()
    while not _Here.handler.flush(30):
        assert time.perf_counter() - began < 1200, _Here.handler.stats()
    return time.perf_counter() - began


def leave_open(runs: int) -> None:
    """Let runs start, and never end."""
    for _ in range(runs):
        start(_Here.handler, uuid.uuid4(), "p" * 1024)


def come_and_go(url: str, count: int, wave: int, *, one_project: bool) -> None:
    """Make handlers that record a run each and are dropped, a wave at a time; see that their threads end."""
    for number in range(count):
        name = "One for all" if one_project else f"Project {uuid.uuid4().hex}"
        handler = LabelStudioCallbackHandler(
            "key", url, project_name=name, connect="lazy", flush_interval=0.1
        )
        record(handler, 1, prompt=_PROMPT, answer=_ANSWER)
        del handler
        if not (number + 1) % wave:
            _wait_for_threads()


def _wait_for_threads() -> None:
    deadline = time.monotonic() + 60
    while any(thread.name.startswith(SENDER_NAME) for thread in threading.enumerate()):
        assert time.monotonic() < deadline, threading.enumerate()
        time.sleep(0.02)


def usage() -> dict[str, float]:
    """Return what this process and its outbox hold."""
    gc.collect()
    blocks = sys.getallocatedblocks()  # before anything is looked at, which takes some itself
    process = psutil.Process()
    outbox = Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"])
    sizes = [path.stat().st_size for path in outbox.rglob("*") if path.is_file()]
    return {
        "memory": process.memory_info().rss,
        "blocks": blocks,
        "disk": sum(sizes),
        "files": len(sizes),
        "threads": process.num_threads(),
        "open files": process.num_fds(),
    }


def _waiting() -> int:
    stats = _Here.handler.stats()
    return stats.pending + stats.in_doubt
