"""A local Label Studio with an account and a token of its own."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from langchain_label_studio.errors import LocalServerError
from langchain_label_studio.local_server.account import Credentials, with_working_token
from langchain_label_studio.local_server.environment import (
    CONSTRAINTS,
    OnProgress,
    ensure_environment,
)
from langchain_label_studio.local_server.process import (
    RunsInWith,
    ServerProcess,
    free_port,
    port_is_free,
    script_command,
)
from langchain_label_studio.support.atomic_files import write_whole
from langchain_label_studio.support.user_directories import expanded

REQUIREMENTS = ("label-studio>=1.23,<1.24",)

# By default Label Studio posts what its API is sent and answers, so prompts too, to its maker,
# reports errors to Sentry from the server and from the browser, and asks PyPI for its version.
QUIET = {
    "COLLECT_ANALYTICS": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "LATEST_VERSION_CHECK": "false",
}

_ANNOUNCED = re.compile(r"^Starting development server at (\S+)", re.MULTILINE)
_COLD_START_TIMEOUT = 300.0
_DATABASE = "label_studio.sqlite3"
# The first character of the key, in the lines that django-environ reads.
_SECRET_KEY = re.compile(rb"^(?:export )?SECRET_KEY=['\"]?([^\s'\"])", re.MULTILINE)
# Ends of the variables, with one of Label Studio's prefixes or none, that name another database than that.
_ANOTHER_DATABASE = ("DJANGO_DB", "DATABASE_NAME")


class LocalLabelStudio(RunsInWith):
    """Label Studio with SQLite in a directory, as a child process on this computer.

    Attributes:
        url: Its address; empty until started.
        username: The email to sign in with.
        password: Its password.
        api_key: A personal access token.
        log: The server's output.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        port: int | None = None,
        host: str = "127.0.0.1",
        python: Path | str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare; nothing is installed or started yet.

        Args:
            data_dir: Where database, account and log live; made if missing.
            port: The port, or None for the one it had last, or a free one.
            host: The address to listen at; anything but 127.0.0.1 lets others in.
            python: A Python that has Label Studio; else one is installed.
            env: More environment variables for the server. Nothing of this process's
                environment reaches it but what a program needs to run.
        """
        self.url = ""
        self.username = ""
        self.password = ""
        self.api_key = ""
        try:
            self._data_dir = expanded(data_dir)
        except (TypeError, ValueError, RuntimeError):
            msg = f"{str(data_dir)!r} cannot be a directory for Label Studio's data: pass the path of one."
            raise LocalServerError(msg) from None
        self.log = self._data_dir / "label-studio.log"
        self._port = port
        self._host = host
        self._python = Path(python) if python else None
        self._env = dict(env or {})
        self._process: ServerProcess | None = None
        # Not bound to a thread: stop() may be called from another one.
        self._lock = FileLock(self._data_dir / ".lock", thread_local=False)

    def start(self, on_progress: OnProgress | None = None) -> Self:
        """Install on first use, start, and wait until the account and the token work.

        The first start makes an empty database, which takes about half a minute. Directories that are new later
        begin with a copy of it, and start within seconds.

        Args:
            on_progress: Is told, in short lines, what is being done.

        Raises:
            LocalServerError: It could not be installed or started; says what to do.
        """
        if self._process:
            return self
        self._lock_data_dir()
        try:
            python = self._python or ensure_environment(
                "label-studio",
                REQUIREMENTS,
                constraints=CONSTRAINTS / "label_studio.txt",
                on_progress=on_progress,
            )
            credentials = Credentials.read(self._credentials_file) or Credentials.generate()
            port = self._choose_port(credentials.port)
            with self._disk_errors_explained():
                # Before the server has the account: a start that is cut short can be repeated.
                credentials.save(self._credentials_file)
                self._set_up_secret_key()
                self._set_up_database(python, on_progress)
                if on_progress:
                    on_progress("Starting Label Studio")
                self.url = self._run(python, port, credentials)
                if on_progress:
                    on_progress("Signing in")
                credentials = replace(with_working_token(self.url, credentials), port=port)
                credentials.save(self._credentials_file)
        except BaseException:
            self.stop()
            raise
        self.username = credentials.username
        self.password = credentials.password
        self.api_key = credentials.api_key
        return self

    def stop(self) -> None:
        """End the server and let go of the directory; does nothing if it does not run."""
        process, self._process = self._process, None
        self.url = ""
        if process:
            process.stop()
        self._lock.release()

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs, else None."""
        return self._process.pid if self._process else None

    @property
    def _credentials_file(self) -> Path:
        return self._data_dir / "credentials.json"

    def _lock_data_dir(self) -> None:
        with self._disk_errors_explained():
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                msg = (
                    f"A Label Studio already runs with the data in {self._data_dir}. "
                    "Use that one, stop it first, or choose another data directory."
                )
                raise LocalServerError(msg) from None

    @contextmanager
    def _disk_errors_explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            msg = f"{self._data_dir} cannot be used: {error}. Choose another data directory."
            raise LocalServerError(msg) from error

    def _choose_port(self, last: int | None) -> int:
        if self._port is None:
            if last is not None and port_is_free(self._host, last):
                return last
            return free_port(self._host)
        if not port_is_free(self._host, self._port):
            msg = f"Port {self._port} is taken by another program. Use a different port, or leave it out: a free port is then chosen."
            raise LocalServerError(msg)
        return self._port

    def _set_up_secret_key(self) -> None:
        """Give the server a key that it can read again. It signs the tokens, so it must outlive a restart.

        Label Studio would make itself a key. One in 50 begins with `$`. django-environ, which reads the file, takes
        such a value for the name of another variable. The next start then makes a new key, and refuses all old tokens.
        """
        file = self._data_dir / ".env"
        content = file.read_bytes() if file.exists() else b""
        keys = _SECRET_KEY.findall(content)
        if not keys or keys[-1] == b"$":
            write_whole(file, content + f"\nSECRET_KEY={secrets.token_urlsafe(48)}\n".encode())

    def _set_up_database(self, python: Path, on_progress: OnProgress | None) -> None:
        """Give a new directory a database. The migrations take 20 s: they run once, the others get a copy."""
        database = self._data_dir / _DATABASE
        if database.exists() or any(name.endswith(_ANOTHER_DATABASE) for name in self._env):
            return
        # Beside the Python that we installed; a Python of somebody else's is not written to.
        empty = None if self._python else python.parents[1] / _DATABASE
        if empty and empty.exists():
            write_whole(database, empty.read_bytes())
            return
        if on_progress:
            on_progress("Setting up the database")
        self._process = self._new_process("The set-up of Label Studio's database", python, "migrate")
        self._process.start()
        self._process.wait_for_end(timeout=_COLD_START_TIMEOUT)
        self._process.stop()
        if empty:
            # A cache that is only read costs the next directory its 20 s, and nothing else.
            with suppress(OSError):
                write_whole(empty, database.read_bytes())

    def _run(self, python: Path, port: int, credentials: Credentials) -> str:
        process = self._new_process(
            "Label Studio",
            python,
            "start", "--no-browser", "--internal-host", self._host, "--port", str(port),
            "--data-dir", str(self._data_dir),
            # Not as arguments, which every user of the computer can read.
            LABEL_STUDIO_USERNAME=credentials.username,
            LABEL_STUDIO_PASSWORD=credentials.password,
        )  # fmt: skip
        self._process = process
        process.start()
        address = process.wait_for_address(_ANNOUNCED, "/health", timeout=_COLD_START_TIMEOUT)
        if not address.endswith(f":{port}"):
            # Label Studio moves on to the next port, and tells only its log.
            msg = f"Port {port} was taken while Label Studio started. Try again, or choose another."
            raise LocalServerError(msg)
        return f"http://{self._host}:{port}"

    def _new_process(self, name: str, python: Path, *arguments: str, **environment: str) -> ServerProcess:
        return ServerProcess(
            name,
            script_command(python, "run_label_studio.py", *arguments),
            directory=self._data_dir,
            log=self.log,
            environment={
                **QUIET,
                # Read before the arguments are: without it, directories appear in the home.
                "LABEL_STUDIO_BASE_DATA_DIR": str(self._data_dir),
                # Others on this computer reach the port: no accounts for them.
                "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
                **environment,
                **self._env,
            },
        )

    def __repr__(self) -> str:
        return f"LocalLabelStudio({str(self._data_dir)!r}, url={self.url!r})"
