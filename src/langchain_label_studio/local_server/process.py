"""A server as a child process: start it, see where it answers, end it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from langchain_label_studio.errors import LocalServerError
from langchain_label_studio.support.quiet_http import QuietClient

SCRIPTS = Path(__file__).parent / "scripts"

# Label Studio reads bare names such as HOST, DEBUG or PASSWORD, so a child gets only what a
# program needs to run, and nothing that happens to be set in the user's shell.
_PASSED_ON = frozenset(
    [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TEMP",
        "TMP",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "COMSPEC",
        "PATHEXT",
        "APPDATA",
        "LOCALAPPDATA",
        "USERPROFILE",
    ]
)


class RunsInWith(ABC):
    """A server that runs as long as a `with` block."""

    @abstractmethod
    def start(self) -> Self:
        """Start, and wait until it answers."""

    @abstractmethod
    def stop(self) -> None:
        """End it; does nothing if it does not run."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class ServerProcess:
    """One server, running in a session of its own, with its output in a log file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        directory: Path,
        log: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._name = name
        self._command = command
        self._directory = directory
        self._log = log
        self._environment = {
            **{k: v for k, v in os.environ.items() if k in _PASSED_ON or k.startswith("LC_")},
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; the log of an earlier one is overwritten."""
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            try:
                self._process = subprocess.Popen(
                    self._command,
                    # Held open by this process: when it is gone, however it went, the child
                    # reads the end of its input and ends itself.
                    stdin=subprocess.PIPE,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=self._directory,
                    env=self._environment,
                    start_new_session=True,
                    # Log and database are for the user alone; -1 is "leave it as it is".
                    umask=-1 if sys.platform == "win32" else 0o077,
                )
            except OSError as error:
                msg = (
                    f"{self._name} could not be started with {self._command[0]}: {error}. "
                    "Leave `python` out to have it installed."
                )
                raise LocalServerError(msg) from error

    def wait_for_address(self, announced: re.Pattern[str], health: str, *, timeout: float) -> str:
        """Wait until the server has named its address in the log, and answers there.

        Args:
            announced: Finds the address in the log, as its first group.
            health: The path that answers 200 when the server is ready.
            timeout: Seconds to wait.

        Returns:
            The address, without a slash at its end.
        """
        deadline = time.monotonic() + timeout
        # The address is on this computer: a proxy of the environment does not know it.
        with QuietClient(trust_env=False, timeout=5.0) as client:
            while time.monotonic() < deadline:
                ended = self._process is None or self._process.poll() is not None
                found = announced.search(self.read_log())
                if ended:
                    msg = f"{self._name} ended while it started"
                    raise self.error(msg)
                if found:
                    address = found.group(1).rstrip("/")
                    if _answers(client, address + health):
                        return address
                time.sleep(0.1)
        msg = f"{self._name} did not answer within {timeout:.0f} seconds"
        raise self.error(msg)

    def wait_for_end(self, *, timeout: float) -> None:
        """Wait until the process has done its work and ended.

        Args:
            timeout: Seconds to wait.

        Raises:
            LocalServerError: It failed, or took longer.
        """
        if self._process is None:
            return
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            msg = f"{self._name} did not end within {timeout:.0f} seconds"
            raise self.error(msg) from None
        if status:
            msg = f"{self._name} failed"
            raise self.error(msg)

    def error(self, what: str) -> LocalServerError:
        """Make an error that shows the end of the log."""
        return LocalServerError(
            f"{what}. The end of {self._log}:\n{tail_of_text(self.read_log().splitlines())}\n"
            "If the log does not say what to do, try again with another data directory."
        )

    def read_log(self) -> str:
        """Return what the server has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """End the process and what it started; does nothing if it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            _signal_group(process, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
                process.wait()
        if process.stdin:
            process.stdin.close()

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid if self._process else None


def script_command(python: Path, script: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our scripts and ends with this process."""
    # Isolated (-I): neither the user's PYTHONPATH nor our own directory, whose
    # label_studio.py would hide the real one, may be imported from. Unbuffered (-u): the
    # log is read while it is written.
    return [
        str(python), "-I", "-u", str(SCRIPTS / "run_with_parent.py"), str(SCRIPTS / script),
        *arguments,
    ]  # fmt: skip


def free_port(host: str) -> int:
    """Return a port of this host that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there now."""
    with socket.socket() as probe:
        if sys.platform != "win32":
            # As servers do: a port whose last connection is still closing is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def tail_of_text(lines: Sequence[str], count: int = 20) -> str:
    """Return the last lines, indented, for an error message."""
    kept = [line for line in lines if line.strip()][-count:]
    return "\n".join(f"    {line[:300]}" for line in kept) or "    (nothing)"


def _answers(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(address).status_code == httpx.codes.OK
    except httpx.HTTPError:
        # Not listening yet; the caller's deadline ends this.
        return False


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    if sys.platform == "win32":
        process.terminate()
        return
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        # It ended between our look and the signal.
        return
