"""A proxy in front of a real server that goes wrong at random, with imports above all."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from tests.support.servers import BusyServer

FAULTS = ("reset_before", "reset_after", "too_late", "503", "429", "other_json")
LATEST = 3.0
"""Seconds for which a request that was answered with 504 may still be on its way to the server."""

_NOT_PASSED_ON = {"connection", "content-length", "transfer-encoding", "date", "server", "host"}


class FaultProxy:
    """A server on a free port of 127.0.0.1, in threads of this process.

    Attributes:
        upstream: The address of the real server.
        likelihood: How likely it is that a request goes wrong.
        done: How often it did what.
    """

    def __init__(self, upstream: str, *, seed: int) -> None:
        self.upstream = upstream
        self.likelihood = 0.0
        self.done: Counter[str] = Counter()
        self._chance = random.Random(seed)
        outer = self

        class Handler(_Handler):
            proxy = outer

        self._server = BusyServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def choose(self, *, is_import: bool) -> str | None:
        """Return what goes wrong with a request."""
        if self._chance.random() >= self.likelihood * (1 if is_import else 0.1):
            return None
        fault = self._chance.choice(FAULTS)
        self.done[fault] += 1
        return fault

    def seconds_too_late(self) -> float:
        return self._chance.uniform(0.0, LATEST)


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultProxy

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_import = self.command == "POST" and urlsplit(self.path).path.rstrip("/").endswith("/import")
        fault = self.proxy.choose(is_import=is_import)
        if fault == "reset_before":
            self._reset()
        elif fault == "too_late":
            threading.Timer(self.proxy.seconds_too_late(), self._forward, [body]).start()
            self._answer(504, b"<html>Gateway Time-out</html>")
        elif fault in {"503", "429"}:
            self._answer(int(fault), b"{}", {"Retry-After": "1"})
        else:
            answer = self._forward(body)
            if fault == "reset_after":
                self._reset()
            elif fault == "other_json":
                self._answer(200, json.dumps("fine").encode())
            elif answer is None:
                self._answer(502, b"<html>Bad Gateway</html>")
            else:
                headers = {
                    name: value
                    for name, value in answer.headers.items()
                    if name.lower() not in _NOT_PASSED_ON | {"content-encoding"}
                }
                self._answer(answer.status_code, answer.content, headers)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 (the names that http.server looks for)

    def _forward(self, body: bytes) -> httpx.Response | None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
        try:
            return httpx.request(
                self.command,
                self.proxy.upstream + self.path,
                content=body,
                headers=headers,
                timeout=60,
                trust_env=False,
            )
        except httpx.HTTPError:
            return None

    def _reset(self) -> None:
        # Closed with a time-out of nothing, a connection is reset instead of ended.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.connection.close()
        self.close_connection = True

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the client was killed meanwhile
