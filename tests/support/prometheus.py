"""Debian's Prometheus, which reads the metrics of programs and judges alerts."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from langchain_label_studio.local_server.process import free_port
from tests.support.programs import wait_until

_HOST = "127.0.0.1"
MISSING = "Prometheus is missing. Install it: apt-get install prometheus"


def find_prometheus() -> str | None:
    """Return the path of Prometheus, or None where there is none."""
    return shutil.which("prometheus")


class Prometheus:
    """A Prometheus on a free port of 127.0.0.1, as a child process. It reads its targets five times a second.

    Attributes:
        url: Its address.
    """

    def __init__(self, program: str, directory: Path, *, targets: list[str], rules: Path) -> None:
        """Prepare it; nothing starts yet.

        Args:
            program: The program.
            directory: Its directory.
            targets: The hosts and ports of what it reads, each with `/metrics`.
            rules: A file with alerts.
        """
        self._program = program
        self._directory = directory
        address = f"{_HOST}:{free_port(_HOST)}"
        self.url = f"http://{address}"
        config = {
            "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "services", "static_configs": [{"targets": targets}]}],
        }
        # JSON is YAML.
        (directory / "prometheus.yaml").write_text(json.dumps(config), encoding="utf-8")
        self._command = [
            *(program, f"--config.file={directory / 'prometheus.yaml'}"),
            *(f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={address}"),
        ]

    def __enter__(self) -> Self:
        log = self._directory / "prometheus.log"
        with log.open("wb") as sink:
            self._process = subprocess.Popen(self._command, stdout=sink, stderr=sink)
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=10)
        try:
            wait_until(self._is_ready, seconds=60)
        except BaseException as error:
            self._end()
            error.add_note(log.read_text(encoding="utf-8"))
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series that an expression gives now."""
        return list(self._ask("/api/v1/query", query=expression)["result"])

    def alerts(self) -> list[dict[str, Any]]:
        """Return the rules, each with its `health`, its `lastError` and its `state`: inactive, pending or firing."""
        return [rule for group in self._ask("/api/v1/rules")["groups"] for rule in group["rules"]]

    def _ask(self, path: str, **parameters: str) -> dict[str, Any]:
        answer = self._http.get(path, params=parameters)
        assert answer.status_code == 200, f"{parameters}: {answer.text}"
        return dict(answer.json()["data"])

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, "Prometheus ended"
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def _end(self) -> None:
        self._http.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()
