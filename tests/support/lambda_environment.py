"""`LambdaEnvironment`: run a function as AWS Lambda does, with its own runtime client, and freeze it between two events.

It speaks the runtime API on a real socket. Lambda freezes an environment when its runtime asks for the next event.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from tests.support.programs import wait_until
from tests.support.servers import BusyServer


class LambdaEnvironment:
    """An environment with one process.

    Attributes:
        seconds: The time that an event has.
    """

    def __init__(self, folder: Path, log: Path, *, handler: str = "lambda_function.lambda_handler") -> None:
        self.seconds = 20.0
        self._folder = folder
        self._log = log
        self._handler = handler
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._process: subprocess.Popen[bytes] | None = None
        outer = self

        class Handler(_RuntimeApi):
            environment = outer

        self._server = BusyServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()

    def start(self) -> None:
        """Start the process. Lambda does so once more after a timeout, with the same `/tmp`."""
        host, port = self._server.server_address[:2]
        environ = {"AWS_LAMBDA_RUNTIME_API": f"{host!s}:{port}", "LAMBDA_TASK_ROOT": str(self._folder)}
        with self._log.open("a") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", self._handler],
                env=os.environ | environ,
                cwd=self._folder,
                stdout=sink,
                stderr=sink,
            )
        self.wait_until_frozen()

    def invoke(self, **event: Any) -> dict[str, Any]:
        """Thaw the process, let it handle an event, freeze it again, and return its answer."""
        self.send(**event)
        answer = self._answers.get(timeout=30)
        self.wait_until_frozen()
        return answer

    def send(self, **event: Any) -> None:
        """Thaw the process, and give it an event. Do not wait for the answer."""
        self.send_signal(signal.SIGCONT)
        self._events.put(event)

    def kill(self) -> None:
        """Kill the process, frozen or not: Lambda does so after some minutes without events, and after a timeout."""
        assert self._process
        self._process.kill()
        self._process.wait(30)

    @property
    def log(self) -> str:
        """All that the function has said."""
        return self._log.read_text()

    def send_signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def wait_until_frozen(self) -> None:
        """Wait until the process stands still."""
        assert self._process
        process = self._process
        stat = Path(f"/proc/{process.pid}/stat")

        def stands_still() -> bool:
            assert process.poll() is None, self.log
            return stat.read_text().rpartition(")")[2].split()[0] == "T"

        wait_until(stands_still)

    def next_event(self) -> dict[str, Any] | None:
        """Freeze the process, and wait for an event. None if no more come."""
        self.send_signal(signal.SIGSTOP)
        return self._events.get()

    def take_answer(self, answer: dict[str, Any]) -> None:
        self._answers.put(answer)


class _RuntimeApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    environment: LambdaEnvironment

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        assert self.path == "/2018-06-01/runtime/invocation/next", self.path
        event = self.environment.next_event()
        if event is None:
            self.close_connection = True
            return
        deadline = int((time.time() + self.environment.seconds) * 1000)
        self._answer(
            200,
            event,
            {
                "Lambda-Runtime-Aws-Request-Id": str(uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(deadline),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:ask",
            },
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.environment.take_answer(json.loads(body))
        self._answer(202, {"status": "OK"}, {})

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
