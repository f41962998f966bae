"""A process of its own for each thing that is measured: the parent calls functions in it, one at a time."""

from __future__ import annotations

import importlib
import json
import os
import select
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_PASSED_ON = frozenset({"PATH", "PYTHONPATH", "LANG", "LC_ALL", "LANGCHAIN_LABEL_STUDIO_CACHE"})


class WorkerError(Exception):
    """What a worker was told to do went wrong."""


class Worker:
    """A Python process that calls functions of this package, and keeps what they keep in their modules."""

    def __init__(self, directory: Path, env: Mapping[str, str] | None = None) -> None:
        """Start it.

        Args:
            directory: Where its files go: its home, its outbox, and what it says.
            env: More environment variables. Nothing of the parent's reaches it but what a program needs.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._log = directory / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=worker_environment(directory) | dict(env or {}),
            )

    def call(self, function: Callable[..., Any], *, timeout: float = 120, **arguments: Any) -> Any:
        """Call a function of a module in the worker, and return what it returns: plain JSON both ways.

        Raises:
            WorkerError: It failed, or took too long.
        """
        assert self._process.stdin
        assert self._process.stdout
        request = {"module": function.__module__, "name": function.__qualname__, "arguments": arguments}
        with suppress(BrokenPipeError):  # it ended, which is seen below
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], timeout)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            why = "ended" if ready else f"did not answer in {timeout:.0f} s"
            raise WorkerError(f"{function.__qualname__}: the worker {why}.\n{self._last_words()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"{answer['error']}\n{self._last_words()}")
        return answer["result"]

    def stop(self) -> None:
        """End it at once: what still waits in it is not wanted."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-3000:]


def worker_environment(directory: Path) -> dict[str, str]:
    """Return the environment of a process that must neither see nor leave anything outside a directory."""
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
    return kept | {
        "HOME": str(directory),
        "LABEL_STUDIO_OUTBOX_DIR": str(directory / "outbox"),
        "XDG_STATE_HOME": str(directory / "state"),
        "TMPDIR": str(directory),
    }


def _serve() -> None:
    # What is printed goes to the log: the real standard output is for answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            function = getattr(importlib.import_module(request["module"]), request["name"])
            answer = {"result": function(**request["arguments"])}
        except Exception:  # noqa: BLE001 (the parent raises it)
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    # Without its exit handlers: a peer would wait for a server that is down.
    os._exit(0)


if __name__ == "__main__":
    _serve()
