"""Processes that are killed: what they recorded arrives, once."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from langchain_label_studio.types.record_id import run_id_of
from tests.support.forked_programs import forked
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import RECOVER, changed, lanes, run, wait_until, waiting_files

FOREVER = """
handler = make(batch_size=20)
while True:
    record(handler)
    time.sleep(0.0005)
"""


@pytest.mark.parametrize("round_number", range(20))
def test_kill_at_random_loses_nothing_and_doubles_nothing(
    loopback: LoopbackLabelStudio, round_number: int
) -> None:
    """P1, P3: at any moment, while a request is under way or its answer is lost."""
    chance = random.Random(round_number)
    kinds = [None, Fault("reset_before"), Fault("reset_after"), Fault("status", 502), Fault("status", 503)]
    loopback.faults = [chance.choice(kinds) for _ in range(chance.randrange(8))]
    loopback.delay = chance.choice([0.0, 0.05])
    recorded: list[str] = []
    for _ in range(2):
        with forked(FOREVER, loopback.url) as process:
            recorded.append(process.read_line())
            time.sleep(chance.uniform(0.0, 0.6))
            recorded += process.kill()
    loopback.faults = []

    done = run(RECOVER, loopback.url)

    assert done.returncode == 0, done.stderr
    recorded += done.stdout.split()
    stored = loopback.run_ids()
    assert len(stored) == len(set(stored)), "a run was stored twice"
    assert not set(recorded).difference(stored), "a run whose callback had returned was lost"
    assert all(len(task["predictions"]) == 1 for task in loopback.tasks)
    assert (waiting_files(), lanes()) == ([], [])


def test_kill_while_a_refused_batch_is_halved_doubles_nothing(loopback: LoopbackLabelStudio) -> None:
    """P3, P5: halves that were stored are not sent again, though the batch waits as a whole."""
    loopback.refused_text, loopback.delay = "refuse me", 0.5
    program = """
    handler = make(flush_interval=60)
    record(handler, 40)
    record(handler, prompt="refuse me")
    record(handler, 40)
    handler.flush(60)
    """
    with forked(program, loopback.url) as process:
        wait_until(lambda: loopback.tasks)
        recorded = process.kill()
    assert 0 < len(loopback.tasks) < 80
    loopback.delay = 0.0

    done = run(RECOVER, loopback.url)

    assert done.returncode == 0, done.stderr
    stored = loopback.run_ids()
    assert len(stored) == len(set(stored)) == 80 + 1
    (refused,) = [run_id for run_id in recorded if run_id not in stored]
    (file,) = Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).rglob("rejected/*.json")
    assert run_id_of(file.stem) == refused
    assert "refuse me" in file.read_text()


def test_a_request_of_a_process_that_died_is_given_time_before_it_is_asked_about(
    loopback: LoopbackLabelStudio,
) -> None:
    """The server goes on with what the dead process sent: asked too early, it would not know of it yet."""
    loopback.delay = 4.0
    with forked("handler = make()\nrecord(handler, 5)\ntime.sleep(60)", loopback.url) as process:
        wait_until(lambda: loopback.imports_at_once)
        process.kill(after=5)
    loopback.delay = 0.0

    done = run(changed(RECOVER, "retry_policy.GRACE = 0.5", ""), loopback.url)

    assert done.returncode == 0, done.stderr
    wait_until(lambda: not loopback.imports_at_once)
    assert len(loopback.tasks) == len(set(loopback.run_ids())) == 5 + 1
