"""Programs that record runs, as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio

# The console script, beside the Python that runs the tests.
COMMAND = str(Path(sys.executable).parent / "langchain-label-studio")
PRELUDE = f"""
import os, sys, time, uuid
from langchain_core.outputs import Generation, LLMResult
from langchain_label_studio import LabelStudioCallbackHandler

# pydantic has a lock around its first use in a process: a child that is forked in the middle of that waits for ever.
LLMResult(generations=[[Generation(text="Hello")]])

def make(key={KEY!r}, *, connect="lazy", **options):
    options = {{"project_name": "Programs", "flush_interval": 0.05}} | options
    return LabelStudioCallbackHandler(key, sys.argv[1], connect=connect, **options)

def record(handler, count=1, *, prompt="Hi"):
    # Said only after the callback returned: from then on the run must not be lost.
    for _ in range(count):
        run_id = uuid.uuid4()
        handler.on_llm_start({{}}, [prompt], run_id=run_id)
        handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)
        os.write(1, f"{{run_id}}\\n".encode())

"""

# Its own, when it refreshes an access token.
_OF_THE_SDK = "ignore:The `parse_obj` method is deprecated:DeprecationWarning"

RECOVER = """
import langchain_label_studio.delivery.orphaned_lanes as orphaned_lanes
import langchain_label_studio.delivery.retry_policy as retry_policy
import langchain_label_studio.label_studio.destinations.runs as runs
orphaned_lanes.LOOK_AGAIN = 0.1
retry_policy.GRACE = 0.5
runs.JOB_GRACE = 10
handler = make(connect="eager")
record(handler)
lanes = os.path.join(handler.stats().outbox, "lanes")
deadline = time.monotonic() + 50
while handler.stats().pending or handler.stats().in_doubt or len(os.listdir(lanes)) > 1:
    assert time.monotonic() < deadline, handler.stats()
    time.sleep(0.02)
"""
"""Records one run, and ends when it and all orphaned runs are sent."""


def changed(program: str, old: str, new: str) -> str:
    """Return a program with other words in it."""
    assert old in program
    return program.replace(old, new)


def command(program: str, *arguments: str) -> list[str]:
    """Return the command of a program: the prelude, then its own lines."""
    return [
        *(sys.executable, "-W", "error", "-W", _OF_THE_SDK),
        *("-c", PRELUDE + textwrap.dedent(program), *arguments),
    ]


def run(
    program: str, *arguments: str, directory: str | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        command(program, *arguments),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=directory,
        check=False,
    )


@contextmanager
def running(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program beside the test; what is left of it in the end is killed."""
    process = subprocess.Popen(
        command(program, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kill(process: subprocess.Popen[str], *, after: int = 0) -> list[str]:
    """Kill a program as the kernel does, and return the ids of the runs whose callback had returned.

    With `after`, wait until this number of callbacks has returned. A run is on the disk before its callback returns:
    so the files of a program do not tell whether it has said its last id.
    """
    assert process.stdout
    said = [process.stdout.readline() for _ in range(after)]
    assert all(said), "the program ended"
    process.send_signal(signal.SIGKILL)
    said += process.stdout.readlines()
    process.wait(30)
    return [line.strip() for line in said]


def wait_until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Wait for something that has to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.01)


def assert_all_runs_are_sent(loopback: LoopbackLabelStudio, *ended: subprocess.CompletedProcess[str]) -> None:
    """Check that the programs ended well, and that each run that they recorded is sent once."""
    for done in ended:
        assert done.returncode == 0, done.stderr
    assert sorted(loopback.run_ids()) == sorted(run_id for done in ended for run_id in done.stdout.split())
    assert waiting_files() == []


def waiting_files() -> list[Path]:
    """Return the files in which runs wait."""
    return [path for path in files_below(_outbox()) if path.suffix in {".jsonl", ".sending"}]


def lanes() -> list[Path]:
    """Return the directories of all lanes."""
    return [path.parent for path in files_below(_outbox()) if path.name == "lock"]


def files_below(directory: Path) -> list[Path]:
    """Return all files below a directory. Unlike with rglob, directories may disappear meanwhile."""
    return sorted(Path(parent, name) for parent, _, names in os.walk(directory) for name in names)


def _outbox() -> Path:
    return Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"])
