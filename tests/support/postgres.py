"""A PostgreSQL of one's own, from Debian's package, thrown away afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from langchain_label_studio.local_server.process import free_port

MISSING = "PostgreSQL is missing. Install it: apt-get install postgresql"
_HOST = "127.0.0.1"
_USER = "label_studio"
_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 30.0


def find_binaries() -> Path | None:
    """Return the directory of the newest PostgreSQL's programs, or None where there is none."""
    versions = [place for place in Path("/usr/lib/postgresql").glob("*/bin") if (place / "postgres").exists()]
    if versions:  # Debian keeps them off the PATH, side by side
        return max(versions, key=lambda place: int(place.parent.name))
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


class PostgreSQL:
    """A cluster in a temporary directory, as a child process, on a free port of 127.0.0.1.

    Attributes:
        label_studio_env: The variables that make a Label Studio use it.
    """

    def __init__(self, binaries: Path) -> None:
        self.label_studio_env: dict[str, str] = {}
        self._binaries = binaries
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # Not one of pytest's directories: those are closed to the user that the server runs as.
        self._directory = Path(tempfile.mkdtemp(prefix="postgresql-"))
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        password, port = secrets.token_urlsafe(18), str(free_port(_HOST))
        password_file = self._directory / "password"
        password_file.write_text(password)
        if user := _unprivileged_user():
            shutil.chown(self._directory, user)
            shutil.chown(password_file, user)
        self._initialize(password_file)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._binaries / "postgres", "-D", self._data,
                    "-h", _HOST, "-p", port,
                    "-k", "",  # no socket in a directory that others share
                    "-F",  # no fsync: nobody needs the data after a power cut
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for the tests, which then end it in order
                **self._as_user(),
            )  # fmt: skip
        self._wait_until_ready(port)
        self.label_studio_env = {
            "DJANGO_DB": "default",
            "POSTGRE_HOST": _HOST,
            "POSTGRE_PORT": port,
            "POSTGRE_USER": _USER,
            "POSTGRE_PASSWORD": password,
            "POSTGRE_NAME": "postgres",  # each cluster is born with it
        }

    def _initialize(self, password_file: Path) -> None:
        made = subprocess.run(
            [
                self._binaries / "initdb", "-D", self._data, "--no-sync", "--no-instructions",
                "--username", _USER, "--pwfile", password_file, "--auth=scram-sha-256",
                "--encoding=UTF8", "--locale=C.UTF-8",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self._as_user(),
        )  # fmt: skip
        assert made.returncode == 0, f"initdb failed:\n{made.stdout}"

    def _wait_until_ready(self, port: str) -> None:
        assert self._process
        deadline = time.monotonic() + _START_TIMEOUT
        ask = [self._binaries / "pg_isready", "--quiet", "--host", _HOST, "--port", port]
        while subprocess.run(ask, check=False).returncode:
            ended = self._process.poll() is not None
            assert not ended, f"PostgreSQL ended while it started:\n{self._log.read_text()}"
            assert time.monotonic() < deadline, f"PostgreSQL does not answer:\n{self._log.read_text()}"
            time.sleep(0.1)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.send_signal(signal.SIGINT)  # its "fast" shutdown: waits for no client
            try:
                process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)  # "immediate": its own children end, too
                process.wait(_STOP_TIMEOUT)
        shutil.rmtree(self._directory)

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _as_user(self) -> dict[str, Any]:
        """Return the arguments of a process that runs in the directory, and not as root."""
        user = _unprivileged_user()
        identity = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        return {"cwd": self._directory, "umask": 0o077, **identity}


def _unprivileged_user() -> str | None:
    """Return who the server has to run as: it refuses to be root. None is whoever runs the tests."""
    return "postgres" if os.geteuid() == 0 else None
