"""The constructor connects, and a server that cannot answer holds it up for a few seconds only."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from langchain_label_studio import (
    AuthenticationError,
    LabelStudioCallbackHandler,
    LabelStudioWarning,
    ProjectNotFoundError,
)
from langchain_label_studio import handler as handler_module
from langchain_label_studio.support.host_lock import host_lock
from tests.process.delivery.test_strangers import JWT
from tests.support.handlers import KEY, record
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.raw_server import Speak, answering, raw_server, read_request

SECONDS = 0.5
BY_DEFAULT = handler_module.CONNECT_SECONDS


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "CONNECT_SECONDS", SECONDS)


def hang(_: socket.socket) -> None:
    time.sleep(60)


def answer_slowly(connection: socket.socket) -> None:
    """Answer each request just in time for itself."""
    request = read_request(connection)
    body = b'{"access": "%s", "email": "me@example.com", "edition": "Community"}' % JWT.encode()
    if b"/api/projects" in request:
        body = b'{"count": 0, "results": []}'
    time.sleep(0.3)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def construct(url: str, key: str = KEY) -> tuple[LabelStudioCallbackHandler, float]:
    started = time.monotonic()
    with pytest.warns(LabelStudioWarning, match="The runs wait"):
        handler = LabelStudioCallbackHandler(key, url, project_name="Eager")
    return handler, time.monotonic() - started


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("key", [KEY, JWT])
@pytest.mark.parametrize(
    "speak",
    [hang, answer_slowly, answering(b"HTTP/1.1 200 OK\r\nX: ", *[b"x"] * 1000, pause=0.1)],
    ids=["hangs", "each-in-time", "drips"],
)
def test_a_server_that_takes_too_long_is_one_warning(speak: Speak, key: str) -> None:
    with raw_server(speak) as url:
        _, seconds = construct(url, key)

    assert seconds < 15


def test_the_time_is_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "CONNECT_SECONDS", BY_DEFAULT)
    with raw_server(hang) as url:
        _, seconds = construct(url)

    assert 4 < seconds < 15


@pytest.mark.usefixtures("_impatient")
def test_a_name_that_cannot_be_looked_up_in_time_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(30) and [])
    _, seconds = construct("http://label-studio.example")
    released.set()

    assert seconds < 15


@pytest.mark.usefixtures("_impatient")
def test_the_constructor_does_not_wait_for_the_sender_that_connects() -> None:
    with raw_server(hang) as url:
        first, _ = construct(url)
        record(first)
        time.sleep(0.2)  # its sender connects, and has a minute for that
        _, seconds = construct(url)

    assert seconds < 15


@pytest.mark.usefixtures("_impatient")
def test_the_constructor_does_not_wait_for_another_that_creates_a_project(
    loopback: LoopbackLabelStudio,
) -> None:
    with host_lock("create", f"{loopback.url}/", timeout=1):
        _, seconds = construct(loopback.url)

    assert seconds < 15
    assert loopback.projects == {}


@pytest.mark.usefixtures("_impatient")
def test_runs_arrive_when_the_server_answers_again(loopback: LoopbackLabelStudio) -> None:
    port = loopback.stop()
    with socket.create_server(("127.0.0.1", port)):
        handler, _ = construct(f"http://127.0.0.1:{port}")
        run_id = record(handler)
    loopback.start(port)

    assert handler.flush(30)
    assert loopback.run_ids() == [str(run_id)]


def test_mistakes_raise_as_ever(loopback: LoopbackLabelStudio) -> None:
    with pytest.raises(ProjectNotFoundError, match="no project 7"):
        LabelStudioCallbackHandler(KEY, loopback.url, project_id=7)
    loopback.key_is_good = False
    with pytest.raises(AuthenticationError, match="refused the API key"):
        LabelStudioCallbackHandler(KEY, loopback.url)
