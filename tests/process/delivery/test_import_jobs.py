"""Imports that are jobs: a batch is in doubt as long as its job lives, and nobody sends it again before."""

from __future__ import annotations

import time

import pytest

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.delivery import retry_policy
from tests.support.forked_programs import forked
from tests.support.handlers import KEY, record
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import RECOVER, kill, run, running, wait_until

RECORD = "handler = make()\nrecord(handler, 20)\ntime.sleep(60)"
NEVER = 100_000.0


def connect(server: LoopbackLabelStudio) -> LabelStudioCallbackHandler:
    # So that only a flush sends: all runs are one batch.
    return LabelStudioCallbackHandler(KEY, server.url, project_name="Jobs", flush_interval=60)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 6.0])
def test_a_batch_is_sent_once_however_long_its_job_takes(
    loopback: LoopbackLabelStudio, seconds: float
) -> None:
    loopback.every_fault = Fault("job", seconds=seconds)
    handler = connect(loopback)
    run_ids = [str(record(handler)) for _ in range(20)]

    assert handler.flush(60)

    assert sorted(loopback.run_ids()) == sorted(run_ids)
    assert loopback.requests.count(("POST", "/api/projects/1/import")) == len(loopback.jobs)
    stats = handler.stats()
    assert (stats.delivered + stats.found_existing, stats.in_doubt) == (20, 0)
    # More questions for a long job, but not a flood of them.
    assert sum(job.asked for job in loopback.jobs) < 40


@pytest.mark.parametrize("seconds", [0.5, 6.0])
def test_who_recovers_a_batch_follows_its_job(loopback: LoopbackLabelStudio, seconds: float) -> None:
    """P1, P3: the process is killed while the job runs."""
    loopback.every_fault = Fault("job", seconds=seconds)
    with forked(RECORD, loopback.url) as process:
        wait_until(lambda: loopback.jobs and loopback.jobs[0].asked)
        recorded = process.kill(after=20)
    asked = loopback.jobs[0].asked

    done = run(RECOVER, loopback.url)

    assert done.returncode == 0, done.stderr
    assert loopback.jobs[0].asked > asked, "the next process did not ask for the job"
    recorded += done.stdout.split()
    assert sorted(loopback.run_ids()) == sorted(recorded)


def test_several_processes_that_are_killed_one_after_the_other_follow_one_job(
    loopback: LoopbackLabelStudio,
) -> None:
    loopback.every_fault = Fault("job", seconds=NEVER)
    with forked(RECORD, loopback.url) as process:
        wait_until(lambda: loopback.jobs and loopback.jobs[0].asked)
        recorded = process.kill(after=20)
    for _ in range(2):
        asked = loopback.jobs[0].asked
        with running(RECOVER, loopback.url) as next_process:
            wait_until(lambda asked=asked: loopback.jobs[0].asked > asked)
            recorded += kill(next_process)
    for job in loopback.jobs:
        job.end()
    loopback.every_fault = None

    done = run(RECOVER, loopback.url)

    assert done.returncode == 0, done.stderr
    recorded += done.stdout.split()
    stored = loopback.run_ids()
    assert len(stored) == len(set(stored)), "a run was stored twice"
    assert not set(recorded).difference(stored), "a run whose callback had returned was lost"


def test_a_job_that_never_ends_is_said_and_its_batch_is_not_sent_again(
    loopback: LoopbackLabelStudio, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "LATE", 4.0)
    loopback.every_fault = Fault("job", seconds=NEVER)
    handler = connect(loopback)
    run_ids = [str(record(handler)) for _ in range(20)]

    begun = time.monotonic()
    assert not handler.flush(3)
    assert time.monotonic() - begun < 15

    assert not handler.flush(6)
    assert (len(loopback.jobs), loopback.tasks) == (1, [])
    stats = handler.stats()
    assert (stats.in_doubt, stats.delivered, stats.state) == (20, 0, "unreachable")
    assert "job 1" in caplog.text + str(stats.last_error)

    loopback.jobs[0].end()
    # The next run is no job: what waits behind a job goes on as usual.
    loopback.every_fault = None
    run_ids.append(str(record(handler)))
    assert handler.flush(90)
    assert loopback.run_ids() == run_ids


def test_a_run_that_a_job_refuses_is_set_aside_and_the_others_go_through(
    loopback: LoopbackLabelStudio, caplog: pytest.LogCaptureFixture
) -> None:
    """P5."""
    loopback.every_fault, loopback.refused_text = Fault("job", seconds=0.1), "refuse me"
    handler = connect(loopback)
    good = [str(record(handler)) for _ in range(10)]
    bad = str(record(handler, "refuse me"))
    good += [str(record(handler)) for _ in range(10)]

    assert handler.flush(90)

    assert loopback.run_ids() == good
    assert (handler.stats().delivered, handler.stats().rejected) == (20, 1)
    assert bad in caplog.text
    assert "as told" in caplog.text, "the reason of the job is not told"
