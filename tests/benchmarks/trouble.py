"""What a handler's callbacks take when things go badly: the server down or hanging, many threads, many coroutines."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from tests.benchmarks import variants
from tests.benchmarks.lab import Lab, median, percentile
from tests.benchmarks.report import Result, Table, Verdict
from tests.benchmarks.sink import Sink, closed_port, hanging_port, running_sink
from tests.benchmarks.variants import LANGFUSE, LANGSMITH, NO_OP, OURS, Variant
from tests.benchmarks.worker import Worker
from tests.benchmarks.workload import model, question

# The old handler is not among them: it cannot be made without its server, and then waits for it.
_NAMES = (NO_OP, OURS, LANGFUSE, LANGSMITH)
_OF_IDLE = 1.5
_OF_CHEAPEST_PEER = 0.3

Crowd = Literal["one thread", "8 threads", "300 coroutines"]


@dataclass(frozen=True)
class _Situation:
    name: str
    server: Literal["answers", "down", "hangs"] = "answers"
    crowd: Crowd = "one thread"


_IDLE = _Situation("idle")
_THREADS = _Situation("8 threads", crowd="8 threads")
_SITUATIONS = (
    _IDLE,
    _Situation("server down", server="down"),
    _Situation("server hangs", server="hangs"),
    _THREADS,
    _Situation("300 `ainvoke` at once", crowd="300 coroutines"),
)

Percentiles = dict[str, tuple[float, float]]
"""p50 and p99 of each variant, in µs."""


def run(lab: Lab) -> Result:
    """Measure each situation with all handlers, round by round, one at a time."""
    measured = {situation: _measure(lab, situation) for situation in _SITUATIONS}
    rows = [
        [name, *(f"{cell[name][0]:.0f} / {cell[name][1]:.0f}" for cell in measured.values())]
        for name in _NAMES
    ]
    caption = (
        "**What the callbacks of a run take in trouble** (µs, p50 / p99): the time inside `on_llm_start` and "
        "`on_llm_end` together, of completions whose model takes 2 ms (5 ms with threads, 50 ms with coroutines)"
    )
    table = Table(caption, ("", *(situation.name for situation in measured)), rows)
    worst = max(
        measured[situation][OURS][1] / measured[_IDLE][OURS][1]
        for situation in _SITUATIONS
        if situation.server != "answers"
    )
    threads = measured[_THREADS]
    of_peer = threads[OURS][1] / min(threads[LANGFUSE][1], threads[LANGSMITH][1])
    verdicts = [
        Verdict(
            "p99 of our callbacks with the server down or hanging, of that with a server that answers",
            f"{_OF_IDLE}",
            f"{worst:.2f}",
            worst <= _OF_IDLE,
        ),
        Verdict(
            "p99 of our callbacks with 8 threads, of the cheapest peer's",
            f"{_OF_CHEAPEST_PEER}",
            f"{of_peer:.2f}",
            of_peer <= _OF_CHEAPEST_PEER,
        ),
    ]
    return Result(verdicts, [table])


def _measure(lab: Lab, situation: _Situation) -> Percentiles:
    lab.say(f"trouble: {situation.name}")
    rounds = lab.scale(5, 1)
    runs = lab.scale(600, 300 if situation.crowd == "300 coroutines" else 80)
    flush = situation.server == "answers"
    took: dict[str, list[list[float]]] = {name: [] for name in _NAMES}
    with _server(situation) as sink, lab.workers(_NAMES) as workers:
        url = sink.url if isinstance(sink, Sink) else sink
        lab.prepare(workers, prepare, url=url, crowd=situation.crowd)
        for number in range(rounds):
            for name in _NAMES[number % len(_NAMES) :] + _NAMES[: number % len(_NAMES)]:
                took[name].append(workers[name].call(measure, crowd=situation.crowd, runs=runs, flush=flush))
        _check(workers, sink)
    return {
        name: (
            median(percentile(values, 50) for values in rounds_of_it) * 1e6,
            median(percentile(values, 99) for values in rounds_of_it) * 1e6,
        )
        for name, rounds_of_it in took.items()
    }


def _server(situation: _Situation) -> AbstractContextManager[Sink | str]:
    servers: dict[str, Callable[[], AbstractContextManager[Sink | str]]] = {
        "answers": running_sink,
        "down": closed_port,
        "hangs": hanging_port,
    }
    return servers[situation.server]()


def _check(workers: dict[str, Worker], sink: Sink | str) -> None:
    """See that no handler was quick because it lost what it should keep."""
    ours = workers[OURS].call(account)
    if isinstance(sink, Sink):
        received = sink.counts()
        for name, worker in workers.items():
            done = worker.call(account)
            if done["counted_as"] and received[done["counted_as"]] != done["runs"]:
                raise AssertionError(
                    f"{name}: {received[done['counted_as']]} of {done['runs']} runs came in."
                )
    elif ours["waiting"] != ours["runs"]:
        # What the others keep of what they cannot send is their own affair.
        raise AssertionError(f"{ours['waiting']} of {ours['runs']} runs wait.")


# In the worker


class _Here:
    """What this worker measures."""

    variant: Variant
    llm: Any
    took: dict[UUID, float]
    runs = 0


_PAUSES: dict[Crowd, float] = {"one thread": 0.002, "8 threads": 0.005, "300 coroutines": 0.05}


def prepare(name: str, url: str, crowd: Crowd) -> None:
    """Make the handler, with a watch on its callbacks, and let it see its first runs."""
    _Here.variant = variants.make(name, url)
    _Here.took = {}
    for callback in ("on_llm_start", "on_llm_end"):
        _watch(type(_Here.variant.handler), callback)
    _Here.llm = model("completion", _Here.variant.handler, pause=_PAUSES[crowd])
    measure(crowd, 20, flush=False)


def _watch(of: type, name: str) -> None:
    """Put a watch on a callback; on the class, because LangChain copies LangSmith's tracer."""
    callback = getattr(of, name)

    def watched(self: Any, *args: Any, run_id: UUID, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return callback(self, *args, run_id=run_id, **kwargs)
        finally:
            _Here.took[run_id] = _Here.took.get(run_id, 0.0) + time.perf_counter() - began

    setattr(of, name, watched)


def measure(crowd: Crowd, runs: int, *, flush: bool) -> list[float]:
    """Return the seconds that each run's callbacks took."""
    if flush:
        _Here.variant.flush()
    gc.collect()
    _Here.took = {}
    if crowd == "one thread":
        _ask(runs)
    elif crowd == "8 threads":
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(_ask, [runs // 8] * 8))
    else:
        asyncio.run(_ask_at_once(runs))
    took = list(_Here.took.values())
    _Here.runs += len(took)
    if flush:
        _Here.variant.flush()
    return took


def account() -> dict[str, Any]:
    """Return what should have been counted, and what waits."""
    waiting = None
    if hasattr(_Here.variant.handler, "stats"):
        stats = _Here.variant.handler.stats()
        waiting = stats.pending + stats.in_doubt
    return {"runs": _Here.runs, "counted_as": _Here.variant.counted_as, "waiting": waiting}


def _ask(runs: int) -> None:
    for _ in range(runs):
        _Here.llm.invoke(question("completion"))


async def _ask_at_once(runs: int) -> None:
    for first in range(0, runs, 300):
        asked = [_Here.llm.ainvoke(question("completion")) for _ in range(min(300, runs - first))]
        await asyncio.gather(*asked)
