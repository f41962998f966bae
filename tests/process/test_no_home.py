"""Containers run programs as a user without a home directory, or on a file system that nobody can write to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.containers import NOBODY
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import COMMAND, command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="setpriv and unshare are tools of Linux")

READ_ONLY = [
    *("unshare", "--mount", "sh", "-c"),
    'mount --bind /tmp /tmp && mount -o remount,ro,bind / && exec "$@"',
    "sh",
]
RECORD = """
import logging
logging.basicConfig(format="LOG %(message)s")
handler = make()
record(handler, 2)
assert handler.feedback(None, score=1)
assert handler.flush(20), handler.stats()
stats = handler.stats()
assert (stats.delivered, stats.feedback.delivered, stats.lost) == (2, 1, {}), stats
print("kept in", stats.outbox)
"""
IN_MEMORY = "Runs that wait are in memory, and are lost if the program dies."


def run_as(user: Sequence[str], program: Sequence[str], **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing of this process's environment, above all without its HOME."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    kept["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, sys.path[1:]))
    return subprocess.run(
        [*user, *program],
        env=kept | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )


def recorded(text: str, loopback: LoopbackLabelStudio) -> list[str]:
    program = command(RECORD.replace("make()", f"make({text})"), loopback.url)
    # A warning is part of what is tried here.
    program[1:3] = ["-W", "always"]
    return program


def places_in(tmp_path: Path) -> Path:
    place = tmp_path / "outbox"
    place.mkdir()
    place.chmod(0o777)
    for parent in (tmp_path, *tmp_path.parents):
        if parent != Path("/") and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    return place


@pytest.mark.parametrize("place", ["", "outbox_dir='~/runs'"])
def test_a_user_without_an_entry_records_in_memory_and_is_told(
    loopback: LoopbackLabelStudio, place: str
) -> None:
    done = run_as(NOBODY, recorded(place, loopback))

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("kept in None\n")
    assert f"LOG This user has no home directory. {IN_MEMORY}" in done.stderr
    assert f"LabelStudioWarning: This user has no home directory. {IN_MEMORY}" in done.stderr
    assert "LABEL_STUDIO_OUTBOX_DIR" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(loopback.tasks) == 2
    assert loopback.tasks[-1]["data"]["user_feedback"] == 1


def test_a_user_without_an_entry_who_names_a_directory_keeps_runs_there(
    loopback: LoopbackLabelStudio, tmp_path: Path
) -> None:
    place = places_in(tmp_path)

    done = run_as(NOBODY, recorded(f"outbox_dir={str(place)!r}", loopback))

    assert (done.returncode, done.stderr) == (0, "")
    assert f"kept in {place}" in done.stdout
    assert len(loopback.tasks) == 2


def test_memory_that_was_chosen_is_no_surprise(loopback: LoopbackLabelStudio) -> None:
    done = run_as(NOBODY, recorded("durability='memory'", loopback))

    assert (done.returncode, done.stderr) == (0, "")
    assert len(loopback.tasks) == 2


@pytest.mark.parametrize("home", ["/", "/nonexistent", "/proc"])
def test_a_home_that_cannot_be_written_to(loopback: LoopbackLabelStudio, home: str) -> None:
    done = run_as(NOBODY, recorded("", loopback), HOME=home)

    assert done.returncode == 0, done.stderr
    assert "kept in None" in done.stdout
    assert "LOG Runs cannot be kept on the disk in " in done.stderr
    assert "LabelStudioWarning: Runs cannot be kept on the disk in " in done.stderr
    assert len(loopback.tasks) == 2


def test_a_file_system_that_is_read_only_but_for_tmp(loopback: LoopbackLabelStudio) -> None:
    done = run_as(READ_ONLY, recorded("", loopback), HOME="/root")

    assert done.returncode == 0, done.stderr
    assert "kept in None" in done.stdout
    assert "(Read-only file system)" in done.stderr
    assert len(loopback.tasks) == 2


def test_the_switch_records_in_memory_and_says_so_in_the_log(loopback: LoopbackLabelStudio) -> None:
    program = """
import logging
import langchain_label_studio
from langchain_core.language_models import FakeListChatModel
logging.basicConfig(format="LOG %(message)s")
print(FakeListChatModel(responses=["Hello"]).invoke("Hi").text)
"""

    done = run_as(
        NOBODY,
        [sys.executable, "-c", program],
        LANGCHAIN_LABEL_STUDIO="true",
        LABEL_STUDIO_URL=loopback.url,
        LABEL_STUDIO_API_KEY=KEY,
        LABEL_STUDIO_PROJECT_NAME="Programs",
    )

    assert (done.returncode, done.stdout) == (0, "Hello\n"), done.stderr
    assert "LOG This user has no home directory." in done.stderr
    assert "Traceback" not in done.stderr
    assert len(loopback.tasks) == 1


@pytest.mark.parametrize(
    "arguments",
    ["outbox status", "outbox send", "outbox rejected", "outbox purge --waiting --yes", "up", "demo"],
)
def test_a_command_says_what_to_do(arguments: str) -> None:
    done = run_as(NOBODY, [COMMAND, *arguments.split()], LABEL_STUDIO_API_KEY=KEY)

    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "This user has no home directory." in done.stderr
    assert "Set HOME" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_check_needs_no_home(loopback: LoopbackLabelStudio) -> None:
    done = run_as(NOBODY, [COMMAND, "check"], LABEL_STUDIO_API_KEY=KEY, LABEL_STUDIO_URL=loopback.url)

    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
