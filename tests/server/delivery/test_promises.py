"""P12: the promises kept before a real Label Studio, by processes that are really killed.

Each before three: a Label Studio, one behind a default nginx, and one that imports by jobs. Batches have their default
size of 500.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from uuid import uuid4

import pytest

from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.label_studio_by_jobs import LabelStudioByJobs
from tests.support.programs import RECOVER, changed, kill, lanes, run, running, wait_until, waiting_files
from tests.support.studio import StudioApi

MAKE = "handler = make(os.environ['LABEL_STUDIO_API_KEY'], project_name={title!r}, {options})\n"
MORE_THAN_A_BATCH = 600
JOB_DELAY = 1.0


@pytest.fixture(params=["direct", "behind_nginx", "by_jobs"])
def road(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def server(road: str, request: pytest.FixtureRequest) -> LocalLabelStudio:
    server: LocalLabelStudio = request.getfixturevalue(
        "label_studio_by_jobs" if road == "by_jobs" else "label_studio"
    )
    if isinstance(server, LabelStudioByJobs):
        server.jobs.begin(delay=JOB_DELAY)
    return server


@pytest.fixture
def address(road: str, server: LocalLabelStudio, request: pytest.FixtureRequest) -> str:
    address: str = request.getfixturevalue("behind_nginx").url if road == "behind_nginx" else server.url
    return address


@pytest.fixture
def studio(server: LocalLabelStudio) -> Iterator[StudioApi]:
    api = StudioApi(server)
    with api.http:
        yield api


@pytest.fixture
def title(server: LocalLabelStudio, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
    return f"Promises {uuid4().hex[:8]}"


def make(title: str, options: str = "") -> str:
    return MAKE.format(title=title, options=options)


def take_over(title: str) -> str:
    """Return a program that sends what dead processes left, and one run of its own."""
    settings, _, rest = RECOVER.partition('handler = make(connect="eager")\n')
    assert rest
    # A real server goes on for some seconds with what a dead process had sent.
    return (
        changed(settings, "GRACE = 0.5", "GRACE = 5")
        + make(title, 'connect="eager"')
        + changed(rest, "time.monotonic() + 50", "time.monotonic() + 100")
    )


def check(studio: StudioApi, title: str, recorded: Sequence[str]) -> None:
    """See that each run whose callback returned has one task with one answer."""
    (project_id,) = studio.project_ids(title)
    tasks = studio.tasks(project_id)
    stored = [task["data"]["run_id"] for task in tasks]
    doubled = len(stored) - len(set(stored))
    lost = set(recorded).difference(stored)
    assert (doubled, len(lost)) == (0, 0), f"of {len(recorded)} runs"
    answers = [
        prediction["result"][0]["value"]["text"] for task in tasks for prediction in task["predictions"]
    ]
    assert answers == [["Hello"]] * len(tasks)
    assert (waiting_files(), lanes()) == ([], [])


def test_kill_while_sending_loses_nothing_and_doubles_nothing(
    road: str, server: LocalLabelStudio, address: str, studio: StudioApi, title: str
) -> None:
    """P1, P3."""
    stream = f"record(handler, {MORE_THAN_A_BATCH})\nwhile True:\n    record(handler)\n    time.sleep(0.02)\n"
    recorded: list[str] = []
    for seed in range(4 if road == "direct" else 2):
        chance = random.Random(seed)
        if isinstance(server, LabelStudioByJobs):
            server.jobs.begin(delay=chance.choice([0.0, 1.0, 6.0]))
        with running(make(title) + stream, address) as process:
            assert process.stdout
            recorded.append(process.stdout.readline().strip())
            # From the connection to the third or fourth request.
            time.sleep(chance.uniform(0.0, 3.0))
            recorded += kill(process)

    done = run(take_over(title), address, timeout=120)

    assert done.returncode == 0, done.stderr
    check(studio, title, recorded + done.stdout.split())


def test_a_whole_batch_in_doubt_is_asked_for_and_arrives_once(
    address: str, studio: StudioApi, title: str
) -> None:
    """P3: the question for 500 runs is longer than a proxy takes."""
    burst = f"record(handler, {MORE_THAN_A_BATCH})\ntime.sleep(60)\n"
    with running(make(title, "flush_interval=30") + burst, address) as process:
        wait_until(lambda: [path for path in waiting_files() if path.suffix == ".sending"])
        recorded = kill(process)
    assert len(recorded) >= 490  # it may die between a callback and its line

    done = run(take_over(title), address, timeout=120)

    assert done.returncode == 0, done.stderr
    check(studio, title, recorded + done.stdout.split())


def test_a_server_that_is_killed_and_started_again_gets_everything(
    server: LocalLabelStudio, address: str, studio: StudioApi, title: str
) -> None:
    """P4, in the middle of bursts of runs."""
    direct = server.url
    bursts = (
        f"for _ in range(5):\n    record(handler, {MORE_THAN_A_BATCH // 2})\n    time.sleep(1.5)\n"
        "assert handler.flush(120), handler.stats()\n"
    )
    with running(make(title, "flush_interval=1") + bursts, address) as process:
        wait_until(lambda: studio.project_ids(title) and studio.tasks(studio.project_ids(title)[0]))
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        time.sleep(2)
        server.start()
        assert server.url == direct
        said, errors = process.communicate(timeout=150)

    assert process.returncode == 0, errors
    assert len(said.split()) == 5 * (MORE_THAN_A_BATCH // 2)
    check(studio, title, said.split())


def test_living_processes_send_each_run_once(address: str, studio: StudioApi, title: str) -> None:
    """P2, P9, P13: several at once, one of which forks while it sends."""
    program = (
        f"record(handler, {MORE_THAN_A_BATCH})\n"
        "child = os.fork() if sys.argv[2:] == ['fork'] else None\n"
        f"record(handler, {MORE_THAN_A_BATCH // 6})\n"
        "assert handler.flush(120), handler.stats()\n"
        "if child:\n    assert os.waitpid(child, 0)[1] == 0\n"
    )
    with ExitStack() as stack:
        processes = [
            stack.enter_context(running(make(title, 'connect="eager"') + program, address, *arguments))
            for arguments in (["fork"], [])
        ]
        said = [process.communicate(timeout=150) for process in processes]

    assert [process.returncode for process in processes] == [0] * 2, said
    recorded = [run_id for output, _ in said for run_id in output.split()]
    assert len(recorded) == 2 * MORE_THAN_A_BATCH + 3 * (MORE_THAN_A_BATCH // 6)
    assert min(studio.project_ids(title)) == max(studio.project_ids(title))
    check(studio, title, recorded)


def test_long_runs_go_through_in_smaller_parts(
    road: str, address: str, studio: StudioApi, title: str
) -> None:
    """P5: a proxy takes 1 MB. What no part can be small enough for is set aside, and blocks nobody."""
    program = (
        "record(handler, 40, prompt='long ' * 8_000)\n"
        "record(handler, prompt='größer ' * 200_000)\n"
        "record(handler, 40, prompt='long ' * 8_000)\n"
        "assert handler.flush(120), handler.stats()\n"
        "print(handler.stats().rejected, handler.stats().lost, file=sys.stderr)\n"
    )
    done = run(make(title, "flush_interval=30") + program, address, timeout=150)

    assert done.returncode == 0, done.stderr
    recorded = done.stdout.split()
    if road == "behind_nginx":
        assert done.stderr.endswith("1 {}\n"), done.stderr
        assert recorded.pop(40) in done.stderr
    else:
        assert done.stderr == "0 {}\n"
    check(studio, title, recorded)


def test_what_a_wrong_key_could_not_send_waits_for_the_right_one(
    address: str, studio: StudioApi, title: str
) -> None:
    """P6."""
    wrong = run(
        f"handler = make('0123456789abcdef0123456789abcdef01234567', project_name={title!r})\n"
        "record(handler, 5)\nassert not handler.flush(30)",
        address,
    )
    assert wrong.returncode == 0, wrong.stderr
    assert wrong.stderr.count("Runs that wait to be delivered: 5, in ") == 1
    assert studio.project_ids(title) == []

    right = run(take_over(title), address)

    assert right.returncode == 0, right.stderr
    check(studio, title, wrong.stdout.split() + right.stdout.split())
