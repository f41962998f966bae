"""A server that speaks only what a test tells it to: bytes on a socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Speak = Callable[[socket.socket], None]


@contextmanager
def raw_server(speak: Speak) -> Iterator[str]:
    """Let a function talk with each client of a port of 127.0.0.1, and yield the address."""
    connections: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connections.append(listening.accept()[0])
                threading.Thread(target=talk, args=(connections[-1],), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            speak(connection)

    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        for connection in connections:
            connection.close()


def answering(*parts: bytes, pause: float = 0.0, times: int = 1) -> Speak:
    """Return the part of a server that reads a request, and then says each of the parts so many times."""

    def speak(connection: socket.socket) -> None:
        read_request(connection)
        for part in parts:
            for _ in range(times):
                connection.sendall(part)
                time.sleep(pause)

    return speak


def read_request(connection: socket.socket) -> bytes:
    """Read a request to its end."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
