"""What a handler costs whoever calls the model: start and end of a run, over a handler that does nothing."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path
from typing import Any, Literal

from tests.benchmarks import variants
from tests.benchmarks.lab import Lab, median
from tests.benchmarks.report import Result, Table, Verdict
from tests.benchmarks.sink import Sink, running_sink
from tests.benchmarks.variants import ALL, FLOOR, NO_OP, OLD, OURS, OURS_WITH_POWER, PEERS, Variant
from tests.benchmarks.worker import Worker
from tests.benchmarks.workload import KINDS, Kind, model, question

Way = Literal["invoke", "ainvoke"]
Pace = Literal["one by one", "at full speed"]
Figure = Literal["one by one", "at full speed", "CPU"]
WAYS: tuple[Way, ...] = ("invoke", "ainvoke")
PACES: tuple[Pace, ...] = ("one by one", "at full speed")

_PAUSE = 0.001
_WARM_UP = 20
# They wait in the callback, for the server or for the disk: so their pace makes little difference.
_AT_MOST_CALLS = {OLD: 30, OURS_WITH_POWER: 200}
_OF_CHEAPEST_PEER: dict[Pace, dict[Kind, float]] = {
    "one by one": {"completion": 0.15, "chat": 0.16, "agent step": 0.25},
    "at full speed": {"completion": 0.12, "chat": 0.14, "agent step": 0.25},
}
_CPU_US: dict[Kind, int] = {"completion": 70, "chat": 110}

_CAPTIONS: dict[Figure, str] = {
    "one by one": (
        "**What a run costs its caller, one by one** (µs): start and end, over the call with a handler that does "
        "nothing; 1 ms between the calls, in which each handler's background work finds its time"
    ),
    "at full speed": (
        "**What a run costs its caller, at full speed** (µs): the same without a pause, so that each handler's "
        "background threads compete with the caller for the interpreter"
    ),
    "CPU": (
        "**What a run costs the whole process** (µs of CPU): the time of all threads, over the same call with a "
        "handler that does nothing; at full speed, until everything is sent"
    ),
}

Costs = dict[str, list[float]]
"""For each variant the cost of each round."""

Case = tuple[Figure, Kind, Way]


def run(lab: Lab) -> Result:
    """Measure all handlers, round by round, one at a time."""
    costs: dict[Case, Costs] = {}
    for kind in KINDS:
        with running_sink() as sink, lab.workers(ALL) as workers:
            lab.prepare(workers, prepare, url=sink.url, kind=kind)
            for pace in PACES:
                for way in WAYS:
                    lab.say(f"callback: {kind}, {way}, {pace}")
                    costs[pace, kind, way], cpu = _measure(lab, workers, way, pace)
                    if pace == "at full speed":
                        costs["CPU", kind, way] = cpu
            _check_that_all_recorded(workers, sink)
    return Result(_verdicts(costs), [_table(costs, figure) for figure in _CAPTIONS])


def _measure(lab: Lab, workers: dict[str, Worker], way: Way, pace: Pace) -> tuple[Costs, Costs]:
    """Return what a call costs its caller with each handler, and what CPU it takes; in µs, round by round."""
    rounds = lab.scale(11, 2) if pace == "one by one" else lab.scale(5, 2)
    calls = lab.scale(150, 30) if pace == "one by one" else lab.scale(1000, 100)
    costs: Costs = {name: [] for name in workers}
    cpu: Costs = {name: [] for name in workers}
    names = list(workers)
    for number in range(rounds):
        # Each round begins with another one.
        for name in names[number % len(names) :] + names[: number % len(names)]:
            count = min(calls, _AT_MOST_CALLS.get(name, calls))
            cost, cpu_cost = workers[name].call(measure, way=way, pace=pace, calls=count)
            costs[name].append(cost)
            cpu[name].append(cpu_cost)
    return costs, cpu


def _check_that_all_recorded(workers: dict[str, Worker], sink: Sink) -> None:
    """See that no handler is quick because it lost what it should keep."""
    received = sink.counts()
    for name, worker in workers.items():
        done = worker.call(account)
        if done["counted_as"] and received[done["counted_as"]] != done["calls"]:
            raise AssertionError(f"{name}: {received[done['counted_as']]} of {done['calls']} runs came in.")


def _over_no_op(costs: Costs, name: str) -> float:
    return median(cost - nothing for cost, nothing in zip(costs[name], costs[NO_OP], strict=True))


def _of_cheapest_peer(costs: Costs) -> float:
    """Return the median over the rounds of what ours costs for each µs of the cheapest peer."""
    return median(
        (ours - nothing) / (min(peers) - nothing)
        for ours, nothing, *peers in zip(
            costs[OURS], costs[NO_OP], *(costs[name] for name in PEERS), strict=True
        )
    )


def _table(costs: dict[Case, Costs], figure: Figure) -> Table:
    cases = {(kind, way): costs[figure, kind, way] for kind in KINDS for way in WAYS}
    rows = [["no-op handler, the whole call", *(f"{median(case[NO_OP]):.0f}" for case in cases.values())]]
    rows += [
        [name, *(f"{_over_no_op(case, name):.0f}" for case in cases.values())]
        for name in ALL
        if name != NO_OP
    ]
    rows.append(
        ["ours, of the cheapest peer", *(f"{_of_cheapest_peer(case):.2f}" for case in cases.values())]
    )
    rows.append(
        [
            "ours, over the floor",
            *(f"{_over_no_op(case, OURS) - _over_no_op(case, FLOOR):.0f}" for case in cases.values()),
        ]
    )
    return Table(_CAPTIONS[figure], ("", *(f"{kind}, `{way}`" for kind, way in cases)), rows)


def _verdicts(costs: dict[Case, Costs]) -> list[Verdict]:
    verdicts = []
    for pace, bounds in _OF_CHEAPEST_PEER.items():
        for kind, bound in bounds.items():
            ratios = [_of_cheapest_peer(costs[pace, kind, way]) for way in WAYS]
            verdicts.append(
                Verdict(
                    f"{kind}: a run's cost to its caller, {pace}, of the cheapest peer's",
                    f"{bound}",
                    f"{min(ratios):.2f} to {max(ratios):.2f}",
                    max(ratios) <= bound,
                )
            )
    for kind, most in _CPU_US.items():
        cases = [costs["CPU", kind, way] for way in WAYS]
        took = [_over_no_op(case, OURS) for case in cases]
        ratios = [_of_cheapest_peer(case) for case in cases]
        verdicts.append(
            Verdict(
                f"{kind}: CPU of the whole process for a run (of the cheapest peer's)",
                f"{most} µs",
                f"{min(took):.0f} to {max(took):.0f} µs ({min(ratios):.2f} to {max(ratios):.2f})",
                max(took) <= most,
            )
        )
    return verdicts


# In the worker


class _Here:
    """What this worker measures."""

    name: str
    variant: Variant
    kind: Kind
    llm: Any
    calls = 0


def prepare(name: str, url: str, kind: Kind) -> None:
    """Make the handler, and let it see its first runs."""
    _Here.name = name
    _Here.kind = kind
    _Here.variant = variants.make(name, url, kind)
    _Here.llm = model(kind, _Here.variant.handler)
    measure("invoke", "at full speed", _WARM_UP)
    if name == OURS:
        _see_lines_written()
    measure("ainvoke", "at full speed", _WARM_UP)


def _see_lines_written() -> None:
    """See that a run is on the disk when its callback has returned."""
    before = _Here.variant.handler.stats().submitted
    _call(1)
    stats = _Here.variant.handler.stats()
    lines = sum(path.read_bytes().count(b"\n") for path in Path(stats.outbox).rglob("*.jsonl"))
    assert (stats.submitted - before, lines) == (1, 1), f"{lines} lines on the disk, {stats}"


def measure(way: Way, pace: Pace, calls: int) -> tuple[float, float]:
    """Measure calls.

    Returns:
        The µs a call takes: the median of single ones, or the mean at full speed. And the µs of CPU that the process
        takes for each, until everything is sent.
    """
    _Here.variant.flush()
    gc.collect()
    cpu_before = time.process_time()
    if pace == "one by one":
        took = asyncio.run(_single_calls_async(calls)) if way == "ainvoke" else _single_calls(calls)
        cost = median(took)
    else:
        began = time.perf_counter()
        asyncio.run(_call_async(calls)) if way == "ainvoke" else _call(calls)
        cost = (time.perf_counter() - began) / calls
    _Here.variant.flush()
    return cost * 1e6, (time.process_time() - cpu_before) / calls * 1e6


def account() -> dict[str, Any]:
    """Return what the sink should have counted."""
    return {"calls": _Here.calls, "counted_as": _Here.variant.counted_as}


def _call(calls: int) -> None:
    _Here.calls += calls
    asked = question(_Here.kind)
    for _ in range(calls):
        _Here.llm.invoke(asked)


async def _call_async(calls: int) -> None:
    _Here.calls += calls
    asked = question(_Here.kind)
    for _ in range(calls):
        await _Here.llm.ainvoke(asked)


def _single_calls(calls: int) -> list[float]:
    _Here.calls += calls
    asked = question(_Here.kind)
    took = []
    for _ in range(calls):
        began = time.perf_counter()
        _Here.llm.invoke(asked)
        took.append(time.perf_counter() - began)
        time.sleep(_PAUSE)
    return took


async def _single_calls_async(calls: int) -> list[float]:
    _Here.calls += calls
    asked = question(_Here.kind)
    took = []
    for _ in range(calls):
        began = time.perf_counter()
        await _Here.llm.ainvoke(asked)
        took.append(time.perf_counter() - began)
        await asyncio.sleep(_PAUSE)
    return took
