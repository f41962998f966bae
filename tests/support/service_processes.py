"""`ServiceProcess`: a service that a test starts, asks and ends. `gunicorn` and `uvicorn` return commands that serve one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from tests.support.pages import ROOT
from tests.support.programs import wait_until

_OPENER = build_opener(ProxyHandler({}))


def gunicorn(app: str, *options: str) -> list[str]:
    """Return the command that serves an application on a free port of 127.0.0.1, with the settings of the guide."""
    config = ROOT / "examples/deployments/gunicorn.conf.py"
    return [
        *(sys.executable, "-m", "gunicorn", "--config", str(config), "--bind", "127.0.0.1:0"),
        *("--chdir", str(ROOT), *options, app),
    ]


def gunicorn_of(source: str, directory: Path, *options: str) -> list[str]:
    """Return the command that serves the `app` of a Python text by two workers, without the settings of the guide."""
    (directory / "app.py").write_text(textwrap.dedent(source))
    return [
        *(sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", "127.0.0.1:0"),
        *("--chdir", str(directory), *options, "app:app"),
    ]


def uvicorn(app: str, *options: str) -> list[str]:
    """Return the command that does the same with uvicorn alone."""
    return [sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT), "--port", "0", *options, app]


class ServiceProcess:
    """A service.

    Attributes:
        process: The process that was started.
    """

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        """Begin with a process that writes into a file."""
        self.process = process
        self._log = log

    @classmethod
    def start(cls, command: Sequence[str], log: Path) -> Self:
        """Start one with the environment of this process.

        Args:
            command: The command.
            log: The file for what it says. A pipe that nobody reads would stop it when it is full.
        """
        with log.open("w") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=sink, text=True, start_new_session=True)
        return cls(process, log)

    @property
    def log(self) -> str:
        """All that it has said."""
        return self._log.read_text()

    def find(self, pattern: str, *, count: int = 1) -> list[str]:
        """Wait until a pattern is so many times in the log. Return what its group holds each time."""
        wait_until(lambda: len(re.findall(pattern, self.log)) >= count or self.process.poll() is not None)
        found = [str(each) for each in re.findall(pattern, self.log)]
        assert len(found) >= count, self.log
        return found

    def get(self, path: str, *, timeout: float = 30) -> str:
        """Return the answer to a request."""
        [address, *_] = self.find(r"(?:Listening at:|running on) (http://[\d.:]+)")
        with _OPENER.open(f"{address}{path}", timeout=timeout) as answer:
            return str(json.loads(answer.read()))

    def ask(self, *questions: str) -> None:
        """Ask the service, and read its answers."""
        for question in questions:
            assert self.get(f"/ask?question={quote(question)}").startswith("It ")

    def workers(self, *, count: int = 1) -> list[int]:
        """Return the numbers of all workers that gunicorn ever began, once there were so many."""
        return [int(number) for number in self.find(r"Booting worker with pid: (\d+)", count=count)]

    def ask_two_workers(self) -> int:
        """Ask for paths until two workers have answered with their process ids. Return the number of requests."""
        answered: set[str] = set()
        number = 0
        while len(answered) < 2 or number % 20:
            answered.add(self.get(f"/{number}"))
            number += 1
        return number

    def stop(self) -> str:
        """End it by SIGTERM, and return its log."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> str:
        """Wait until it has ended, and return its log."""
        # A worker that begins just now does not hear the signal. gunicorn kills it after 30 seconds, its graceful_timeout.
        self.process.wait(90)
        return self.log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Uvicorn workers of gunicorn outlive their master.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()
