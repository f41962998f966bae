"""The guide on systemd: its units are understood, closed tight, and what they start does what they expect."""

from __future__ import annotations

import re
import signal
import socket
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from langchain_label_studio.cli import app
from tests.support.containers import VOLUME, run_container
from tests.support.deployment_tools import run_tool
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.pages import ROOT
from tests.support.service_processes import ServiceProcess

FOLDER = ROOT / "examples/deployments"
SERVICE, RELAY = FOLDER / "my-service.service", FOLDER / "label-studio-relay.service"
EACH_UNIT = pytest.mark.parametrize("unit", [SERVICE, RELAY], ids=lambda unit: unit.stem)


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Return what a unit sets, each setting with all its values."""
    settings = defaultdict(list)
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE):
        settings[name].append(value)
    return settings


def variables_of(unit: Path) -> dict[str, str]:
    return dict(each.split("=", 1) for each in settings_of(unit)["Environment"])


@pytest.fixture
def notified(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket at which systemd is told how a service is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        (tmp_path / "volume").mkdir()
        (tmp_path / "volume").chmod(0o777)
        told.bind(str(tmp_path / "volume/notify"))
        (tmp_path / "volume/notify").chmod(0o777)
        told.settimeout(30)
        yield told


@EACH_UNIT
def test_systemd_understands_each_setting(unit: Path, tmp_path: Path) -> None:
    [program] = settings_of(unit)["ExecStart"]
    installed = tmp_path / unit.name
    # It looks for the program.
    here = program.replace(str(Path(program.split()[0]).parent), str(Path(sys.executable).parent))
    installed.write_text(unit.read_text(encoding="utf-8").replace(program, here))
    verified = run_tool("systemd-analyze", "verify", "--recursive-errors=no", str(installed))
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@EACH_UNIT
def test_a_service_may_do_little_else(unit: Path) -> None:
    """The scale goes from 0 to 100. A unit without settings has 96."""
    judged = run_tool(
        "systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", str(unit)
    )
    assert judged.returncode == 0, judged.stdout


@EACH_UNIT
def test_the_key_is_in_a_file_that_only_root_reads(unit: Path) -> None:
    assert len(settings_of(unit)["EnvironmentFile"]) == 1
    assert "LABEL_STUDIO_API_KEY" not in variables_of(unit)


def test_the_relay_runs_a_command_that_exists() -> None:
    [line] = settings_of(RELAY)["ExecStart"]
    _, name, *options = line.split()
    command: Any = typer.main.get_command(app)
    command.commands[name].make_context(name, options)


def test_the_service_says_that_it_is_ready_and_sends_its_runs_before_it_ends(
    loopback: LoopbackLabelStudio, notified: socket.socket, tmp_path: Path
) -> None:
    """With the variables, the user and the signals of the unit."""
    [start], [kill_mode] = settings_of(SERVICE)["ExecStart"], settings_of(SERVICE)["KillMode"]
    assert kill_mode == "mixed", "the master alone gets the signal"
    _, *options = start.replace("127.0.0.1:8000", "127.0.0.1:0").split()
    variables = {
        name: value.replace("%S/my-service", VOLUME) for name, value in variables_of(SERVICE).items()
    }
    log = tmp_path / "log"
    with run_container(
        [sys.executable, "-m", "gunicorn", *options],
        volume=tmp_path / "volume",
        log=log,
        directory=FOLDER,
        **variables,
        NOTIFY_SOCKET=f"{VOLUME}/notify",
        LABEL_STUDIO_URL=loopback.url,
        LABEL_STUDIO_API_KEY=KEY,
    ) as container:
        assert b"READY=1" in notified.recv(1000)
        service = ServiceProcess(container.process, log)
        service.ask("first")
        container.send_signal(signal.SIGHUP)
        service.workers(count=4)
        service.ask("second")
        container.send_signal(signal.SIGTERM)
        said = service.wait()

    assert (container.process.returncode, "Warning" in said, "Traceback" in said) == (0, False, False), said
    assert sorted(task["data"]["prompt"][-1]["content"] for task in loopback.tasks) == ["first", "second"]
    [project] = (tmp_path / "volume/outbox").iterdir()
    assert list(project.glob("lanes/*/*.*")) == []
