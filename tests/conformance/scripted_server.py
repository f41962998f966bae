"""`ScriptedServer`: a real HTTP server that answers each request with the next of its replies."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the server answers.

    Attributes:
        content_type: The media type of the answer.
        chunks: The bytes. One chunk is a whole answer. Several are a stream.
        status: The HTTP status.
    """

    content_type: str
    chunks: Sequence[bytes]
    status: int = 200


class ScriptedServer:
    """A server on a free port of 127.0.0.1. It answers POST only.

    Attributes:
        replies: What it answers, each once.
    """

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def url(self) -> str:
        """The address of the server, without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _next_reply(self) -> Reply:
        missing = Reply(status=500, content_type="text/plain", chunks=[b"The script has no more replies."])
        return self.replies.popleft() if self.replies else missing

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        next_reply = self._next_reply

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                reply = next_reply()
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                # A client keeps its connections open, and nobody closes those of an event loop that ended.
                self.send_header("Connection", "close")
                if len(reply.chunks) == 1:
                    self.send_header("Content-Length", str(len(reply.chunks[0])))
                    self.end_headers()
                    self.wfile.write(reply.chunks[0])
                    return
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                with suppress(ConnectionError):  # a client that cannot read an answer leaves
                    for chunk in reply.chunks:
                        self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                        self.wfile.flush()
                    self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_: Any) -> None:
                """Say nothing: the test says what went wrong."""

        return Handler
