"""Every odd answer of a server: nothing lost, nothing twice, and `flush` keeps its time.

All attacks run at the same time, each on a server of its own, as most of them wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Semaphore

import pytest

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.delivery import DeliveryStats
from tests.support.handlers import KEY, record
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio

RUNS = 20
BODIES = {
    "list": b"[]",
    "text": b'"fine"',
    "number": b"17",
    "object": b"{}",
    "null": b"null",
    "html": b"<html>Please sign in</html>",
    "nothing": b"",
    "half": b'{"task_count": 20, "task_i',
    "other_count": b'{"task_count": 3, "prediction_count": 3, "task_ids": [1, 2, 3]}',
    "other_job": b'{"import": "17"}',
    "no_such_job": b'{"import": 17}',
}


@dataclass(frozen=True)
class Attack:
    """What the server does.

    Attributes:
        imports: What goes wrong with the next imports.
        questions: What goes wrong with the next questions for tasks.
        jobs: What goes wrong with the next questions for jobs.
        limit: Changes the server before the attack.
    """

    imports: list[Fault | None] = field(default_factory=list)
    questions: list[Fault | None] = field(default_factory=list)
    jobs: list[Fault | None] = field(default_factory=list)
    limit: Callable[[LoopbackLabelStudio], None] = lambda _: None


def too_late(status: int) -> Fault:
    """Return an answer whose request is stored afterwards."""
    return Fault("status", status, stored_after=3.0)


def short_paths(server: LoopbackLabelStudio) -> None:
    server.longest_path = 1_000


def small_bodies(server: LoopbackLabelStudio) -> None:
    server.largest_body = 4_000


def answers(status: int, *, stored_after: float | None) -> dict[str, Attack]:
    return {
        f"{status}_{name}_{'lost' if stored_after is None else 'stored'}": Attack(
            [Fault("status", status, body=body, stored_after=stored_after)]
        )
        for name, body in BODIES.items()
    }


LOST_REPLY = Fault("reset_after")
JOB = Fault("job", seconds=2.0)
ATTACKS = {
    **answers(201, stored_after=0.0),
    **answers(201, stored_after=None),
    "200_list_stored": Attack([Fault("status", 200, body=b"[]", stored_after=0.0)]),
    "204_stored": Attack([Fault("status", 204, body=b"", stored_after=0.0)]),
    "202_stored_late": Attack([Fault("status", 202, body=b"{}", stored_after=3.0)]),
    "302": Attack([Fault("status", 302, {"Location": "/elsewhere"}, body=b"")]),
    "504_stored_late": Attack([too_late(504)]),
    "504_stored_late_twice": Attack([too_late(504), too_late(504)]),
    "502_stored_late": Attack([too_late(502)]),
    "500_stored_late": Attack([too_late(500)]),
    "408_stored_late": Attack([too_late(408)]),
    "499_stored_late": Attack([too_late(499)]),
    "520": Attack([Fault("status", 520)]),
    **{
        str(status): Attack([Fault("status", status)] * 2)
        for status in (408, 409, 413, 414, 423, 425, 429, 431, 499, 503, 507)
    },
    "retry_after_ages": Attack([Fault("status", 503, {"Retry-After": "99999999999"})]),
    "retry_after_9999": Attack([Fault("status", 429, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"})]),
    "retry_after_nonsense": Attack([Fault("status", 503, {"Retry-After": "-1e309, soon"})]),
    "small_bodies": Attack(limit=small_bodies),
    "short_paths": Attack([LOST_REPLY], limit=short_paths),
    **{
        f"question_{status}": Attack([LOST_REPLY], [Fault("status", status)] * 2)
        for status in (400, 404, 408, 413, 414, 429, 431, 499, 500, 502, 504)
    },
    **{
        f"question_{name}": Attack([LOST_REPLY], [Fault("status", 200, body=body)])
        for name, body in BODIES.items()
    },
    "question_reset": Attack([LOST_REPLY], [Fault("reset_before")]),
    **{
        f"job_question_{status}": Attack([JOB], jobs=[Fault("status", status)] * 2)
        for status in (401, 404, 408, 429, 500, 502, 504)
    },
    **{
        f"job_question_{name}": Attack([JOB], jobs=[Fault("status", 200, body=body)] * 2)
        for name, body in BODIES.items()
    },
    "job_question_reset": Attack([JOB], jobs=[Fault("reset_before")] * 2),
    "job": Attack([Fault("job", seconds=1.0)]),
    "job_of_6_seconds": Attack([Fault("job", seconds=6.0)]),
    "job_failed": Attack([Fault("job", seconds=1.0, ends="failed")]),
    "job_failed_but_stored": Attack([Fault("job", seconds=1.0, ends="failed", stored_after=0.0)]),
    "job_gone": Attack([Fault("job", seconds=1.0, ends="gone")]),
    "job_gone_but_stored": Attack([Fault("job", seconds=1.0, ends="gone", stored_after=0.0)]),
}


@dataclass(frozen=True)
class Outcome:
    """What came of an attack."""

    recorded: list[str]
    stored: list[str]
    predictions: list[int]
    first_flush: float
    flushed: bool
    stats: DeliveryStats


# A hundred that connect at once take longer than a constructor may.
CONNECTING = Semaphore(4)


def attack(name: str, directory: Path) -> Outcome:
    with LoopbackLabelStudio() as server:
        with CONNECTING:
            handler = LabelStudioCallbackHandler(
                KEY, server.url, project_name="Attacks", outbox_dir=directory / name
            )
        odd = ATTACKS[name]
        server.faults = list(odd.imports)
        server.question_faults, server.job_faults = list(odd.questions), list(odd.jobs)
        odd.limit(server)
        recorded = [str(record(handler)) for _ in range(RUNS)]
        begun = time.monotonic()
        handler.flush(1.0)
        first_flush = time.monotonic() - begun
        flushed = flush_repeatedly(handler)
        # What is stored late must not come on top of what was sent again.
        time.sleep(4.0)
        outcome = Outcome(
            recorded,
            server.run_ids(),
            [len(task["predictions"]) for task in server.tasks],
            first_flush,
            flushed,
            handler.stats(),
        )
        handler.close()
        return outcome


def flush_repeatedly(handler: LabelStudioCallbackHandler) -> bool:
    """Flush as a program does that waits: a server that refuses ends a flush early."""
    deadline = time.monotonic() + 90
    while not (flushed := handler.flush(10)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return flushed


@contextmanager
def all_attacks(directory: Path) -> Iterator[dict[str, Callable[[], Outcome]]]:
    with ThreadPoolExecutor(len(ATTACKS)) as pool:
        begun = {name: pool.submit(attack, name, directory) for name in ATTACKS}
        yield {name: outcome.result for name, outcome in begun.items()}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Callable[[], Outcome]]]:
    with all_attacks(tmp_path_factory.mktemp("attacks")) as running:
        yield running


@pytest.mark.parametrize("name", ATTACKS)
def test_an_odd_answer_loses_nothing_and_doubles_nothing(
    name: str, outcomes: dict[str, Callable[[], Outcome]]
) -> None:
    outcome = outcomes[name]()

    doubled = len(outcome.stored) - len(set(outcome.stored))
    lost = set(outcome.recorded).difference(outcome.stored)
    assert (doubled, len(lost)) == (0, 0), outcome.stats
    assert outcome.predictions == [1] * RUNS
    assert outcome.first_flush < 10, "flush did not keep its time"
    assert outcome.flushed, outcome.stats
    stats = outcome.stats
    assert (stats.delivered + stats.found_existing, stats.rejected, stats.lost) == (RUNS, 0, {})
