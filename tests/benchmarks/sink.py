"""A server on 127.0.0.1 that takes in what all handlers send, counts it, and answers at once.

Speaks as much of LangSmith, of Langfuse and of Label Studio as their clients need to work as they do by default.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from urllib.request import urlopen

import orjson

from langchain_label_studio import get_default_label_configs
from langchain_label_studio.label_config.parse import parse_label_config

# As the hosted LangSmith does: from then on its client compresses runs instead of copying them.
_LANGSMITH_INFO = {
    "version": "0.12.0",
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "size_limit": 100,
        "size_limit_bytes": 20_971_520,
        "scale_up_qsize_trigger": 1000,
        "scale_up_nthreads_limit": 16,
        "scale_down_nempty_trigger": 4,
    },
    "instance_flags": {"zstd_compression_enabled": True},
}
_VERSION = {"release": "1.23.2", "edition": "Community", "label-studio-os-package": {"version": "1.23.2"}}
_RUN = re.compile(rb'name="post\.([0-9a-f-]{36})"')


class Sink:
    """A running sink, as whoever uses it sees it.

    Attributes:
        url: Its address.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def counts(self) -> Counter[str]:
        """Return how many runs came in so far: `langsmith`, `langfuse`, and a project's title for Label Studio."""
        with urlopen(f"{self.url}/counts", timeout=60) as answer:
            return Counter(json.load(answer))


@contextmanager
def running_sink(port: int = 0) -> Iterator[Sink]:
    """Run a sink in a process of its own: what it does must not slow down who is measured."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.sink", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield Sink(int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


@contextmanager
def closed_port() -> Iterator[str]:
    """Reserve a port at which nobody listens: connections are refused."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server may come up there later
        reserved.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}"


@contextmanager
def hanging_port() -> Iterator[str]:
    """Accept every connection, and never answer."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:

        def accept() -> None:
            try:
                while True:
                    accepted.append(listener.accept()[0])
            except OSError:  # closed
                return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for connection in accepted:
        connection.close()


class _Received:
    """What came in. Compressed bodies are read only when somebody asks: meanwhile others are measured."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._unread: list[tuple[str, str, bytes]] = []
        self.projects: list[dict[str, Any]] = []
        self.last_task_id = 0

    def note(self, peer: str, encoding: str, body: bytes) -> None:
        with self._lock:
            self._unread.append((peer, encoding, body))

    def project(self, title: str, label_config: str) -> dict[str, Any]:
        config = parse_label_config(label_config)
        source = {"type": config.input.type, "value": config.input.key}
        answer = {"type": "TextArea", "to_name": [config.input.name], "inputs": [source]}
        with self._lock:
            project = {
                "id": len(self.projects) + 1,
                "title": title,
                "label_config": label_config,
                "parsed_label_config": {config.response: answer},
                "model_version": "langchain",
                "task_number": 0,
            }
            self.projects.append(project)
        return project

    def tasks(self, project_id: int, tasks: list[dict[str, Any]]) -> dict[str, Any]:
        with self._lock:
            first = self.last_task_id + 1
            self.last_task_id += len(tasks)
            self._counts[self.projects[project_id - 1]["title"]] += len(tasks)
        ids = list(range(first, first + len(tasks)))
        predictions = sum(len(task["predictions"]) for task in tasks)
        return {"task_count": len(tasks), "prediction_count": predictions, "task_ids": ids}

    def counts(self) -> Counter[str]:
        with self._lock:
            unread, self._unread = self._unread, []
            for peer, encoding, body in unread:
                self._counts[peer] += _READERS[peer](_decompressed(encoding, body))
            return Counter(self._counts)


def _decompressed(encoding: str, body: bytes) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "zstd":
        from zstandard import ZstdDecompressor

        return ZstdDecompressor().decompressobj().decompress(body)
    return body


def _langsmith_runs(body: bytes) -> int:
    return len(set(_RUN.findall(body)))


def _langfuse_runs(body: bytes) -> int:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


_READERS = {"langsmith": _langsmith_runs, "langfuse": _langfuse_runs}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer in two packets is held up by 40 ms on connections that are kept.
    disable_nagle_algorithm = True
    wbufsize = -1
    received: _Received

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        path = path.rstrip("/")
        if path == "/counts":
            self._answer(200, self.received.counts())
        elif path == "/info":
            self._answer(200, _LANGSMITH_INFO)
        elif path.endswith("/whoami"):
            self._answer(200, {"id": 1, "email": "me@example.com"})
        elif path.endswith("/version"):
            self._answer(200, _VERSION)
        elif path == "/api/projects":
            title = parse_qs(query).get("title", [""])[0]
            found = [project for project in self.received.projects if title in project["title"]]
            self._answer(200, {"count": len(found), "results": found})
        elif path.startswith("/api/projects/"):
            self._answer(200, self.received.projects[int(path.split("/")[3]) - 1])
        elif path == "/api/dm/views":
            self._answer(200, [])
        elif path == "/api/tasks":
            self._answer(200, {"tasks": [], "total": 0})
        else:
            self._answer(200, {"status": "UP"})

    def do_POST(self) -> None:
        path = self.path.partition("?")[0].rstrip("/")
        body = self._body()
        encoding = self.headers.get("Content-Encoding", "")
        if path.endswith("/runs/multipart"):
            self.received.note("langsmith", encoding, body)
            self._answer(202, {})
        elif path.endswith("/v1/traces"):
            self.received.note("langfuse", encoding, body)
            self._answer(200, {})
        elif path == "/api/projects":
            asked = orjson.loads(body)
            config = asked.get("label_config") or get_default_label_configs("prompt")[0]
            self._answer(201, self.received.project(asked["title"], config))
        elif path == "/api/dm/views":
            self._answer(201, {})
        elif path.endswith("/import"):
            self._answer(201, self.received.tasks(int(path.split("/")[3]), orjson.loads(body)))
        else:
            self._answer(404, {"detail": f"The sink does not know {path}."})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, body: object) -> None:
        payload = orjson.dumps(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()


def _serve(port: int) -> None:
    class Handler(_Handler):
        received = _Received()

    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
