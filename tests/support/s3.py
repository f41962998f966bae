"""`S3Server`: a real S3 server on loopback, which tests stop, stall and start again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

BUCKET = "bucket"
# Shorter ones are refused.
_KEY_ID, SECRET = "ACCESSKEYID", "SECRETACCESSKEY"
_RCLONE = str(Path(sys.executable).parent / "rclone")


class S3Server:
    """`rclone serve s3`, on a port that stays the same.

    Attributes:
        url: The address of a prefix in its bucket.
    """

    def __init__(self, directory: Path) -> None:
        """Choose a port. Nothing starts yet.

        Args:
            directory: Where it keeps the objects.
        """
        self.url = f"s3://{BUCKET}/fleet"
        self._directory = directory
        self._log = directory.parent / "rclone.log"
        (directory / BUCKET).mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables that open it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": _KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def open_with(self, monkeypatch: pytest.MonkeyPatch) -> Self:
        """Set the variables that open it, for this process and its children."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        return self

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        deadline = time.monotonic() + 20
        while not self._begin():
            # Another program may have taken the port for a moment.
            assert time.monotonic() < deadline, self._log.read_text()
        return self

    def _begin(self) -> bool:
        """Start it. Return whether it got its port."""
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    *(_RCLONE, "serve", "s3", str(self._directory), "--addr", f"127.0.0.1:{self._port}"),
                    *("--auth-key", f"{_KEY_ID},{SECRET}"),
                ],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        while "Starting s3 server" not in self._log.read_text() or not self._answers():
            if self._process.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    def stop(self) -> None:
        """Kill it. What it has stored stays."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stall(self) -> None:
        """Let it accept requests, and answer none."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True
