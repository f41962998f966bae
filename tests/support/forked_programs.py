"""Programs that record runs, as processes that are forked from one that has imported everything: see `forked`.

They start in a tenth of the time of `tests.support.programs`. They are for programs that are killed: they do not end
as a program ends, as no function of `atexit` runs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import IO, TYPE_CHECKING

from tests.support.programs import PRELUDE

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["langchain_label_studio.label_studio.client", "tests.support.chaos_worker", __name__]
)


class ForkedProgram:
    """A program that runs beside the test."""

    def __init__(self, process: BaseProcess, said: IO[str]) -> None:
        self._process = process
        self._said = said

    def read_line(self) -> str:
        """Wait for a line of what it says."""
        line = self._said.readline()
        assert line, "the program ended"
        return line.strip()

    def kill(self, *, after: int = 0) -> list[str]:
        """Kill it as the kernel does, once it has said this number of lines, and return the lines nobody has read."""
        said = [self.read_line() for _ in range(after)]
        self._process.kill()
        self._process.join(30)
        assert self._process.exitcode == -signal.SIGKILL
        return said + self._said.read().split()


@contextmanager
def forked(program: str, *arguments: str) -> Iterator[ForkedProgram]:
    """Run a program, with the prelude of `tests.support.programs`; what is left of it in the end is killed."""
    ours, its = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(
        target=_run, args=(PRELUDE + textwrap.dedent(program), arguments, dict(os.environ), its)
    )
    process.start()
    its.close()
    with ours, os.fdopen(os.dup(ours.fileno())) as said:
        try:
            yield ForkedProgram(process, said)
        finally:
            process.kill()
            process.join()


def run_and_kill(program: str, *arguments: str) -> list[str]:
    """Run a program, kill it after its last line, and return the lines that it said."""
    with forked(
        f"{textwrap.dedent(program)}\nprint('end', flush=True)\ntime.sleep(60)", *arguments
    ) as process:
        said = list(iter(process.read_line, "end"))
        process.kill()
        return said


def _run(program: str, arguments: tuple[str, ...], environment: dict[str, str], said: Connection) -> None:
    # The process that all are forked from started with the environment of another test.
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(said.fileno(), 1)
    said.close()
    sys.argv = ["-c", *arguments]
    exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
