"""Everything goes wrong at once: processes are killed, the server fails in every way, and so does the disk.

`run_chaos` runs it before a real Label Studio that imports by jobs, and counts what was lost and doubled.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from langchain_label_studio import LabelStudioCallbackHandler
from tests.support.chaos_worker import FORMS, Orders, project_of
from tests.support.fault_proxy import FaultProxy
from tests.support.forked_programs import forked
from tests.support.label_studio_by_jobs import LabelStudioByJobs
from tests.support.programs import waiting_files
from tests.support.studio import StudioApi

_WORK = """
import json
from tests.support.chaos_worker import Orders, work
work(Orders(**json.loads(sys.argv[1])))
"""

# The command of the users; a short run shortens what it waits for.
_SEND = """
import sys
from langchain_label_studio.delivery import retry_policy
from langchain_label_studio.label_studio.destinations import runs
if sys.argv[1] == "short":
    retry_policy.GRACE, runs.JOB_GRACE = 5.0, 8.0
from langchain_label_studio.cli import app
sys.argv[1:] = ["outbox", "send", "--timeout", "150"]
app()
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What happens.

    Attributes:
        kills: How many processes are killed at least. There are more until the server has crashed and there are enough
            runs.
        runs: How many runs are recorded at least.
        at_once: How many run at the same time.
        lifetime: The seconds that a process lives at most.
        pause: Seconds between two runs of a process, on average.
        seconds_between_crashes: How long the server lives between two kills of it.
        faults: How likely it is that an import goes wrong.
        disk_is_full: How likely it is, at a run, that the disk is full for the next ones.
        short: Whether the end waits less than users do.
        seed: Of the random numbers.
    """

    kills: int
    runs: int = 51
    at_once: int = 3
    lifetime: float = 4.0
    pause: float = 0.02
    seconds_between_crashes: float = 20.0
    faults: float = 0.3
    disk_is_full: float = 0.003
    short: bool = False
    seed: int = 1


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        runs: How many runs were recorded, by their callbacks' return.
        feedback: The same of feedback.
        lost: The runs without a task.
        doubled: How many tasks there are too many.
        unanswered: The tasks without their answer.
        lost_feedback: The runs whose feedback is not in their task.
        done: How often what went wrong.
        left: The files that still wait in the end.
        said: What the last program said.
    """

    runs: int = 0
    feedback: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: int = 0
    unanswered: list[str] = field(default_factory=list)
    lost_feedback: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)
    said: str = ""

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.unanswered or self.lost_feedback or self.left)

    def __str__(self) -> str:
        done = ", ".join(f"{what} {count}" for what, count in sorted(self.done.items()))
        return (
            f"{self.runs} runs, {self.feedback} pieces of feedback: {len(self.lost)} runs lost, {self.doubled} doubled, "
            f"{len(self.unanswered)} without their answer, {len(self.lost_feedback)} pieces of feedback lost, "
            f"{len(self.left)} files left ({done})"
        )


def run_chaos(server: LabelStudioByJobs, title: str, plan: Plan) -> Outcome:
    """Let everything go wrong, and see what came of it.

    The outboxes are where LABEL_STUDIO_OUTBOX_DIR says, and the key is in LABEL_STUDIO_API_KEY.

    Args:
        server: The real server. It is killed, and started again.
        title: The beginning of the titles of the projects.
        plan: What happens.
    """
    outcome = Outcome()
    with FaultProxy(server.url, seed=plan.seed) as proxy:
        for form in FORMS:  # each project exists once before many ask for it
            name = project_of(title, form)
            LabelStudioCallbackHandler(url=proxy.url, project_name=name, mode=form).close()  # type: ignore[arg-type]
        server.jobs.begin()
        proxy.likelihood = plan.faults
        with _crashing_server(server, proxy, plan, outcome) as crashing, _cleaned_locks(plan, outcome):
            lives = _kill_workers(
                proxy.url,
                title,
                plan,
                has_crashed=lambda: crashing.done() or "crashes of the server" in outcome.done,
            )
        proxy.likelihood = 0.0
        server.jobs.begin()
        outcome.done.update(proxy.done)
        outcome.done["kills"] = len(lives)
        outcome.said = _send_what_is_left(proxy.url, short=plan.short)
    _count(server, title, [line for said in lives for line in said], outcome)
    return outcome


def _kill_workers(url: str, title: str, plan: Plan, *, has_crashed: Callable[[], bool]) -> list[list[str]]:
    """Let processes live and die, until there are as many of them and of their runs as planned, and the server crashed.

    Returns:
        The lines that each of them said.
    """
    numbers = itertools.count()
    lives: list[list[str]] = []

    def live_and_die(number: int) -> list[str]:
        chance = random.Random(f"{plan.seed} {number}")
        orders = Orders(url, title, chance.randrange(10**9), plan.pause, plan.disk_is_full)
        with forked(_WORK, json.dumps(asdict(orders))) as process:
            # Most live until they have recorded something; the others die while they begin.
            first = [process.read_line()] if chance.random() < 0.8 else []
            time.sleep(chance.uniform(0.0, plan.lifetime))
            return first + process.kill()

    def is_enough() -> bool:
        runs = sum(line.startswith("run:") for said in lives for line in said)
        return has_crashed() and runs >= plan.runs

    def live_and_die_by_turns() -> None:
        while (number := next(numbers)) < plan.kills or not is_enough():
            lives.append(live_and_die(number))

    with ThreadPoolExecutor(plan.at_once) as pool:
        for turns in [pool.submit(live_and_die_by_turns) for _ in range(plan.at_once)]:
            turns.result()
    return lives


@contextmanager
def _repeated(act: Callable[[], None], seconds: float) -> Iterator[Future[None]]:
    """Do something again and again while the `with` block runs. The future is done early if it fails."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(seconds):
            act()

    with ThreadPoolExecutor(1) as pool:
        repeating = pool.submit(repeat)
        try:
            yield repeating
        finally:
            over.set()
        repeating.result()


def _crashing_server(
    server: LabelStudioByJobs, proxy: FaultProxy, plan: Plan, outcome: Outcome
) -> AbstractContextManager[Future[None]]:
    chance = random.Random(f"{plan.seed} server")

    def crash() -> None:
        server.jobs.begin(
            delay=chance.choice([0.0, 0.5, 3.0]), fate=chance.choice(["run", "run", "run", "break"])
        )
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        server.start()
        proxy.upstream = server.url  # another port, if a program took the old one meanwhile
        outcome.done["crashes of the server"] += 1

    return _repeated(crash, plan.seconds_between_crashes)


def _cleaned_locks(plan: Plan, outcome: Outcome) -> AbstractContextManager[Future[None]]:
    """A tmp cleaner deletes the lock files of lanes, whose time never changes."""
    chance = random.Random(f"{plan.seed} locks")

    def clean() -> None:
        locks = list(Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).glob("*/lanes/*/lock"))
        if locks:
            with suppress(FileNotFoundError):
                chance.choice(locks).unlink()
                outcome.done["deleted locks"] += 1

    return _repeated(clean, 1.0)


def _send_what_is_left(url: str, *, short: bool) -> str:
    """Send what the dead processes left, as a user would, with the command."""
    said = ""
    deadline = time.monotonic() + 3600
    while waiting_files() and time.monotonic() < deadline:
        done = subprocess.run(
            [sys.executable, "-c", _SEND, "short" if short else "long"],
            env=os.environ | {"LABEL_STUDIO_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        said += done.stdout + done.stderr
        time.sleep(1.0)
    return said


def _count(server: LabelStudioByJobs, title: str, said: list[str], outcome: Outcome) -> None:
    told = Counter(tuple(line.split(":")) for line in said if line.count(":") == 2)
    outcome.left = [str(path) for path in waiting_files()]
    studio = StudioApi(server)
    with studio.http:
        for form in FORMS:
            (project_id,) = studio.project_ids(project_of(title, form))
            tasks: dict[str, Mapping[str, Any]] = {}
            for task in studio.all_tasks(project_id):
                outcome.doubled += task["data"]["trace_id"] in tasks
                tasks[task["data"]["trace_id"]] = task
                if not _is_answered(form, task):
                    outcome.unanswered.append(task["data"]["trace_id"])
            recorded = {run_id for kind, its_form, run_id in told if (kind, its_form) == ("run", form)}
            with_feedback = {run_id for kind, of, run_id in told if (kind, of) == ("feedback", form)}
            outcome.runs += len(recorded)
            outcome.feedback += len(with_feedback)
            outcome.lost += sorted(recorded - tasks.keys())
            outcome.lost_feedback += [
                run_id
                for run_id in sorted(with_feedback & tasks.keys())
                if tasks[run_id]["data"].get("user_feedback_comment") != f"Comment on {run_id}"
            ]


def _is_answered(form: str, task: Mapping[str, Any]) -> bool:
    question = task["data"]["trace_id"]  # each answer repeats it
    if form == "preference":  # people choose between answers, and none is predicted
        return question in task["data"]["answer1"] and question in task["data"]["answer2"]
    return len(task["predictions"]) == 1 and question in json.dumps(task["predictions"])
