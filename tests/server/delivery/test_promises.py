"""P12: the promises kept before a real Label Studio, by processes that are really killed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from uuid import uuid4

import pytest

from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.programs import RECOVER, changed, kill, lanes, run, running, wait_until, waiting_files
from tests.support.studio import StudioApi

MAKE = "handler = make(os.environ['LABEL_STUDIO_API_KEY'], project_name={title!r}, {options})\n"
FOREVER = "while True:\n    record(handler)\n    time.sleep(0.005)\n"


@pytest.fixture
def title(label_studio: LocalLabelStudio, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.api_key)
    return f"Promises {uuid4().hex[:8]}"


def make(title: str, options: str = "") -> str:
    return MAKE.format(title=title, options=options)


def take_over(title: str) -> str:
    """Return a program that sends what dead processes left, and one run of its own."""
    settings, _, rest = RECOVER.partition('handler = make(connect="eager")\n')
    assert rest
    # A real server goes on for some seconds with what a dead process had sent.
    return (
        changed(settings, "retry_policy.GRACE = 0.5", "retry_policy.GRACE = 5")
        + make(title, 'connect="eager"')
        + rest
    )


def check(studio: StudioApi, title: str, recorded: Sequence[str]) -> None:
    """See that each run whose callback returned has one task with one answer."""
    (project_id,) = studio.project_ids(title)
    tasks = studio.tasks(project_id)
    stored = [task["data"]["run_id"] for task in tasks]
    assert len(stored) == len(set(stored)), "a run was stored twice"
    assert not set(recorded).difference(stored), "a run whose callback had returned was lost"
    answers = [
        prediction["result"][0]["value"]["text"] for task in tasks for prediction in task["predictions"]
    ]
    assert answers == [["Hello"]] * len(tasks)
    assert (waiting_files(), lanes()) == ([], [])


def test_kill_while_sending_loses_nothing_and_doubles_nothing(
    label_studio: LocalLabelStudio, studio: StudioApi, title: str
) -> None:
    recorded: list[str] = []
    for seed in range(8):
        with running(make(title, "batch_size=10") + FOREVER, label_studio.url) as process:
            assert process.stdout
            recorded.append(process.stdout.readline().strip())
            # From the connection to the third or fourth request.
            time.sleep(random.Random(seed).uniform(0.0, 3.0))
            recorded += kill(process)

    done = run(take_over(title), label_studio.url, timeout=120)

    assert done.returncode == 0, done.stderr
    check(studio, title, recorded + done.stdout.split())


def test_a_server_that_is_killed_and_started_again_gets_everything(
    label_studio: LocalLabelStudio, studio: StudioApi, title: str
) -> None:
    """P4, in the middle of a stream of runs."""
    address = label_studio.url
    stream = "for _ in range(1500):\n    record(handler)\n    time.sleep(0.008)\nassert handler.flush(120)\n"
    with running(make(title, "batch_size=25") + stream, address) as process:
        wait_until(lambda: studio.project_ids(title) and studio.tasks(studio.project_ids(title)[0]))
        assert label_studio.pid
        os.kill(label_studio.pid, signal.SIGKILL)
        label_studio.stop()
        time.sleep(2)
        label_studio.start()
        assert label_studio.url == address
        said, errors = process.communicate(timeout=150)

    assert process.returncode == 0, errors
    assert len(said.split()) == 1500
    check(studio, title, said.split())


def test_what_a_wrong_key_could_not_send_waits_for_the_right_one(
    label_studio: LocalLabelStudio, studio: StudioApi, title: str
) -> None:
    """P6."""
    wrong = run(
        f"handler = make('0123456789abcdef0123456789abcdef01234567', project_name={title!r})\n"
        "record(handler, 5)\nassert not handler.flush(30)",
        label_studio.url,
    )
    assert wrong.returncode == 0, wrong.stderr
    assert wrong.stderr.count("Runs that wait to be delivered: 5, in ") == 1
    assert studio.project_ids(title) == []

    right = run(take_over(title), label_studio.url)

    assert right.returncode == 0, right.stderr
    check(studio, title, wrong.stdout.split() + right.stdout.split())
