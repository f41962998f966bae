"""No server holds a request for ever, or fills the memory with its answer."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from langchain_label_studio.errors import SettingError
from langchain_label_studio.label_studio.bounded_transport import (
    AnswerTooLargeError,
    BoundedTransport,
    RequestLimits,
)
from langchain_label_studio.support.time_limit import time_limit
from tests.support.programs import run
from tests.support.raw_server import Speak, answering, raw_server, read_request

OK = b"HTTP/1.1 200 OK\r\n"
LIMIT = 100_000


@contextmanager
def client_of(url: str, *, seconds: float = 30.0, quiet: float = 30.0) -> Iterator[httpx.Client]:
    limits = RequestLimits(seconds=seconds, answer_bytes=LIMIT)
    larger = RequestLimits(seconds=seconds, answer_bytes=10 * LIMIT)
    transport = BoundedTransport(url, limits=limits, other_limits={"pages/": larger})
    with httpx.Client(transport=transport, timeout=quiet) as client:
        yield client


def sized(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)])
    return head + b"\r\n\r\n" + body


def chunked(*parts: bytes) -> bytes:
    return (
        OK
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))
    )


def secure(url: str) -> str:
    return url.replace("http:", "https:")


def read_slowly(connection: socket.socket) -> None:
    while connection.recv(1000):
        time.sleep(0.05)


def hang(_: socket.socket) -> None:
    time.sleep(60)


DRIP = {"pause": 0.05, "times": 10_000}


@pytest.mark.parametrize(
    "speak",
    [
        hang,
        answering(OK + b"X: ", *[b"x"] * 10_000, pause=0.05),
        answering(b"HTTP/1.1 100 Continue\r\n\r\n", **DRIP),
        answering(OK + b"Content-Length: 90000\r\n\r\n", *[b"x"] * 10_000, pause=0.05),
        answering(OK + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 10_000, pause=0.05),
        answering(OK + b"\r\n", *[b"x"] * 10_000, pause=0.05),
    ],
    ids=["silence", "headers", "continue", "body", "chunks", "body-without-length"],
)
def test_a_server_that_drips_is_given_up_when_the_time_of_the_request_is_over(speak: Speak) -> None:
    with raw_server(speak) as url, client_of(url, seconds=0.5) as client:
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            client.get(url)

    assert time.monotonic() - started < 15


def test_a_server_that_takes_an_upload_slowly_is_given_up_too() -> None:
    with raw_server(read_slowly) as url, client_of(url, seconds=0.5) as client:
        started = time.monotonic()
        with pytest.raises(httpx.WriteTimeout):
            client.post(url, content=bytes(50_000_000))

    assert time.monotonic() - started < 15


def test_each_silence_has_its_own_shorter_limit() -> None:
    with raw_server(hang) as url, client_of(url, quiet=0.2) as client:
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            client.get(url)

    assert time.monotonic() - started < 15


def test_a_connection_that_nobody_accepts_is_given_up() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # The system takes this many by itself. After that, it answers nobody.
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        url = f"http://127.0.0.1:{port}/"
        with client_of(url, seconds=0.5) as client, pytest.raises(httpx.ConnectTimeout):
            client.get(url)
        for one in waiting:
            one.close()


def test_a_look_up_of_a_name_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(30) and [])
    url = "http://label-studio.example/"
    with client_of(url, seconds=0.3) as client:
        started = time.monotonic()
        with pytest.raises(httpx.ConnectTimeout):
            client.get(url)
    assert time.monotonic() - started < 15
    released.set()


def test_a_handshake_that_hangs_is_given_up() -> None:
    with (
        raw_server(hang) as url,
        client_of(secure(url), seconds=0.3) as client,
        pytest.raises(httpx.ConnectTimeout),
    ):
        client.get(secure(url))


def test_a_request_works_where_no_thread_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(answering(sized(b"[]"))) as url, client_of(url) as client:
        assert client.get(url).json() == []  # the server has its threads
        start = threading.Thread.start

        def refuse(thread: threading.Thread) -> None:
            if thread.name == "label-studio-connect":
                msg = "can't start new thread"
                raise RuntimeError(msg)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", refuse)

        assert client.get(url).json() == []


def test_no_thread_is_left_after_a_request() -> None:
    with raw_server(answering(sized(b"[]"))) as url:
        done = run(
            """
            import httpx, threading
            from langchain_label_studio.label_studio.bounded_transport import BoundedTransport, RequestLimits
            limits = RequestLimits(seconds=30, answer_bytes=1000)
            with httpx.Client(transport=BoundedTransport(sys.argv[1], limits=limits)) as client:
                client.get(sys.argv[1])
            print([thread.name for thread in threading.enumerate()])
            """,
            url,
        )

    assert (done.stdout, done.stderr) == ("['MainThread']\n", "")


@pytest.mark.parametrize(
    "answer",
    [
        sized(bytes(LIMIT + 1)),
        chunked(bytes(LIMIT), b"x"),
        chunked(*[b"x"] * LIMIT),
        OK + b"\r\n" + bytes(LIMIT + 1),
        sized(gzip.compress(bytes(50_000_000)), b"Content-Encoding: gzip"),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
    ],
    ids=["length", "chunks", "tiny-chunks", "no-length", "bomb", "continue"],
)
def test_an_answer_is_read_no_further_than_its_limit(answer: bytes) -> None:
    with raw_server(answering(answer)) as url, client_of(url) as client, pytest.raises(AnswerTooLargeError):
        client.get(url)


@pytest.mark.parametrize(
    "answer",
    [
        sized(bytes(LIMIT)),
        chunked(*[bytes(1000)] * 100),
        OK + b"\r\n" + bytes(LIMIT),
        sized(gzip.compress(bytes(LIMIT)), b"content-encoding: GZIP"),
    ],
    ids=["length", "chunks", "no-length", "gzip"],
)
def test_an_answer_of_just_the_limit_is_read_whole(answer: bytes) -> None:
    with raw_server(answering(answer)) as url, client_of(url) as client:
        assert client.get(url).content == bytes(LIMIT)


def test_some_paths_have_other_limits() -> None:
    with raw_server(answering(sized(bytes(5 * LIMIT)))) as url, client_of(url) as client:
        assert len(client.get(f"{url}pages/").content) == 5 * LIMIT
        with pytest.raises(AnswerTooLargeError):
            client.get(f"{url}other/")


@pytest.mark.parametrize("encode", [bytes, gzip.compress])
def test_the_status_of_a_refusal_is_told_even_if_its_text_is_endless(
    encode: Callable[[bytes], bytes],
) -> None:
    how = [] if encode is bytes else [b"Content-Encoding: gzip"]
    answer = sized(encode(b"x" * 10 * LIMIT), *how, status=b"400 Bad Request")
    with raw_server(answering(answer)) as url, client_of(url) as client:
        refusal = client.get(url)

    assert (refusal.status_code, refusal.text) == (400, "x" * LIMIT)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"[]", b"br"),
        (gzip.compress(gzip.compress(b"[]")), b"gzip, gzip"),
        (b"[]", b"gzip"),
        (gzip.compress(b'["something"]')[:-9], b"gzip"),
    ],
    ids=["not-asked-for", "twice", "not-compressed", "cut"],
)
def test_an_answer_that_cannot_be_decompressed_is_a_broken_answer(body: bytes, encoding: bytes) -> None:
    answer = sized(body, b"Content-Encoding: " + encoding)
    with (
        raw_server(answering(answer)) as url,
        client_of(url) as client,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get(url)


def test_the_errors_are_those_of_httpx() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    with client_of(nowhere) as client, pytest.raises(httpx.ConnectError):
        client.get(nowhere)
    with (
        raw_server(answering(b"")) as url,
        client_of(url) as client,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get(url)
    with (
        raw_server(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as url,
        client_of(secure(url)) as client,
        pytest.raises(httpx.ConnectError, match="SSL"),
    ):
        client.get(secure(url))


def test_a_block_has_one_time_limit_for_all_its_requests() -> None:
    with raw_server(answering(sized(b"[]"), pause=0.0)) as url, client_of(url) as client:
        with time_limit(0.5):
            client.get(url)
            time.sleep(0.6)
            with pytest.raises(httpx.ConnectTimeout):
                client.get(url)
        assert client.get(url).status_code == 200


def test_an_inner_time_limit_gives_no_more_time() -> None:
    with raw_server(hang) as url, client_of(url) as client:
        started = time.monotonic()
        with time_limit(0.3), time_limit(30), pytest.raises(httpx.ReadTimeout):
            client.get(url)

    assert time.monotonic() - started < 15


def test_two_threads_with_one_client_have_limits_of_their_own() -> None:
    def get(seconds: float) -> str:
        try:
            with time_limit(seconds):
                return client.get(url).text
        except httpx.ReadTimeout:
            return "late"

    def speak(connection: socket.socket) -> None:
        read_request(connection)
        time.sleep(1)
        connection.sendall(sized(b"answer"))

    with raw_server(speak) as url, client_of(url) as client, ThreadPoolExecutor(2) as threads:
        assert list(threads.map(get, [0.2, 20])) == ["late", "answer"]


def test_the_proxy_of_the_environment_is_used_as_httpx_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def speak(connection: socket.socket) -> None:
        asked.append(read_request(connection))
        connection.sendall(sized(b"from the proxy"))

    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with raw_server(speak) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.replace("http://", "http://me:secret@"))
        with client_of("http://label-studio.example/") as client:
            assert client.get("http://label-studio.example/api/").text == "from the proxy"
        monkeypatch.delenv("HTTP_PROXY")
        # Without a scheme, as many write it.
        monkeypatch.setenv("ALL_PROXY", proxy.removeprefix("http://"))
        with client_of("https://label-studio.example/") as client, pytest.raises(httpx.TransportError):
            client.get("https://label-studio.example/api/")

    assert asked[0].startswith(b"GET http://label-studio.example/api/ HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in asked[0]
    assert asked[1].startswith(b"CONNECT label-studio.example:443 HTTP/1.1\r\n")


@pytest.mark.parametrize("spared", ["127.0.0.1", "*", "127.0.0.1:PORT"])
def test_no_proxy_is_respected(monkeypatch: pytest.MonkeyPatch, spared: str) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with raw_server(answering(sized(b"[]"))) as url:
        monkeypatch.setenv("NO_PROXY", spared.replace("PORT", url.rstrip("/").split(":")[-1]))
        with client_of(url) as client:
            assert client.get(url).json() == []


@pytest.mark.parametrize(
    ("proxy", "says"), [("foo://bar", "correct HTTP_PROXY"), ("socks5://127.0.0.1:9", r"httpx\[socks\]")]
)
def test_a_proxy_that_cannot_be_used_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, proxy: str, says: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setattr("langchain_label_studio.label_studio.bounded_transport.find_spec", lambda _: None)

    with pytest.raises(SettingError, match=says), client_of("http://label-studio.example/"):
        pass


def test_certificates_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_certificate = tmp_path / "certificates.pem"
    no_certificate.write_text("none")
    monkeypatch.setenv("SSL_CERT_FILE", str(no_certificate))

    with pytest.raises(SettingError, match="SSL_CERT_FILE.*PEM"), client_of("https://label-studio.example/"):
        pass
