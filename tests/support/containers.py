"""`run_container`: run a program as a container runtime does, with the kernel's own means.

The program is process 1 of a namespace of its own. Its root is read-only. It may write to a volume at `VOLUME` and to
temporary files at `TMP` only. Its user has no home directory. That needs root.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

from tests.support.programs import wait_until

VOLUME = "/mnt/outbox"
TMP = "/mnt/tmp"

# The capability is for the tests: their own files are in directories of another user. It allows no writing.
NOBODY = [
    *("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
]
# All of it is in namespaces of its own: the mounts end with the program.
_START = f"""
mount -t tmpfs tmpfs /mnt
mkdir -m 1777 {TMP} {VOLUME}
mount --bind "$1" {VOLUME}
mount -o remount,ro,bind /
shift
exec "$@"
"""


class Container:
    """A program in a container.

    Attributes:
        process: The process that waits for it.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._first = 0

    @property
    def first(self) -> int:
        """The number of its process 1, as this process sees it."""
        if not self._first:
            wait_until(lambda: _child_of(self.process.pid) or self.process.poll() is not None)
            self._first = _child_of(self.process.pid)
            assert self._first, (
                "It did not start: namespaces are refused. These tests need root with CAP_SYS_ADMIN. In Docker: --privileged"
            )
        return self._first

    def read_until(self, last: str) -> list[str]:
        """Return the lines that it says before a certain line."""
        return list(iter(self.read_line, last))

    def read_line(self) -> str:
        """Wait for the next line that it says."""
        line = self._output.readline()
        assert line, self.process.communicate()[1]
        return line.strip()

    def send_signal(self, number: int) -> None:
        """Send a signal to process 1."""
        os.kill(self.first, number)

    def kill(self) -> list[str]:
        """Kill all that is in it. Return the lines that nobody has read."""
        # `unshare --kill-child` does not do it: the kernel forgets it when the user changes.
        with suppress(ProcessLookupError):
            self.send_signal(signal.SIGKILL)
        return self._output.read().splitlines()

    @property
    def _output(self) -> IO[str]:
        assert self.process.stdout
        return self.process.stdout


@contextmanager
def run_container(
    program: Sequence[str],
    *,
    volume: Path,
    log: Path | None = None,
    directory: Path = Path("/"),
    **environ: str,
) -> Iterator[Container]:
    """Run a program with nothing of this process's environment. What is left of it in the end is killed.

    Args:
        program: Its command.
        volume: The directory for `LABEL_STUDIO_OUTBOX_DIR`.
        log: The file for its errors. None is a pipe.
        directory: Where it starts.
        environ: Further variables.
    """
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path[1:])),
        "TMPDIR": TMP,
        "LABEL_STUDIO_OUTBOX_DIR": VOLUME,
    } | environ
    command = [
        *("unshare", "--pid", "--fork", "--mount", "--mount-proc"),
        *("sh", "-ec", _START, "sh", str(volume), *NOBODY, *program),
    ]
    with log.open("w") if log else nullcontext(subprocess.PIPE) as errors:
        process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=directory
        )
    container = Container(process)
    try:
        assert container.first
        yield container
    finally:
        if process.poll() is None:
            container.kill()
        process.communicate()


def _child_of(pid: int) -> int:
    """Return the number of a child of a process. 0 if it has none."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == pid:
                return int(path.parent.name)
    return 0
