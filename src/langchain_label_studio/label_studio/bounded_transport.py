"""`BoundedTransport`: send requests so that no server can hold them for ever, or fill the memory with its answer.

httpx has time limits for each read and each write only: a server that sends a byte every few seconds holds a request
for ever. And httpx reads and decompresses an answer whole, whatever its size.
"""

from __future__ import annotations

import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from langchain_label_studio.errors import SettingError
from langchain_label_studio.label_studio.access import Verify, trusted_certificates
from langchain_label_studio.label_studio.waiting import work_now
from langchain_label_studio.support.time_limit import seconds_left

ACCEPTED_ENCODING = "gzip"
"""The value of `Accept-Encoding` that this transport can read."""

_SLICE = 16 * 1024
_OK = range(200, 300)
_TOO_LARGE = "the answer is too large"
_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """The limits of one request.

    Attributes:
        seconds: The time for the whole request: to connect, to send it, and to read the answer.
        answer_bytes: The size of the answer after it was decompressed. The text of an error is cut there.
    """

    seconds: float
    answer_bytes: int


class AnswerTooLargeError(httpx.ReadError):
    """The server's answer is larger than any answer of Label Studio to this request."""


class BoundedTransport(httpx.BaseTransport):
    """Sends the requests of an `httpx.Client` within limits. Each request has a connection of its own.

    Label Studio's own server answers a kept connection 40 ms later than a new one.

    It reads the proxy and the certificates from the environment, as httpx does.
    """

    def __init__(
        self,
        url: str,
        *,
        limits: RequestLimits,
        other_limits: Mapping[str, RequestLimits] | None = None,
        verify: Verify = True,
    ) -> None:
        """Make a transport. It opens no connection yet.

        Args:
            url: The address of the server, with one slash at the end. Requests go to this server only.
            limits: The limits of each request.
            other_limits: The limits of requests to some paths of the server, by a part of the path.
            verify: How the server's certificate is checked: see `resolve_verify`.

        Raises:
            SettingError: The address or the certificates cannot be used, or the environment names a proxy that cannot
                be used.
        """
        try:
            server = httpx.URL(url)
        except httpx.InvalidURL as error:
            msg = f"{url!r} is not the address of a Label Studio: {error}."
            raise SettingError(msg) from None
        self._limits = limits
        self._other_limits = dict(other_limits or {})
        # It takes 20 ms to read all certificates.
        self._ssl_context = _ssl_context(verify) if server.scheme == "https" else None
        self._proxy = _proxy_for(server)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the whole answer.

        Raises:
            httpx.TransportError: It failed, took too long (`httpx.TimeoutException`), or the answer is too large.
        """
        path = request.url.path
        limits = next((these for part, these in self._other_limits.items() if part in path), self._limits)
        sent = httpcore.Request(
            request.method,
            _url_for_httpcore(request.url),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            with httpcore.ConnectionPool(
                ssl_context=self._ssl_context, proxy=self._proxy, network_backend=_LimitedNetwork(limits)
            ) as connections:
                answer = connections.handle_request(sent)
                body = _read_body(answer, limits.answer_bytes)
        except zlib.error as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        except _ERRORS as error:
            # Both libraries have the same names.
            raise getattr(httpx, type(error).__name__)(str(error)) from error
        return httpx.Response(
            answer.status,
            headers=[field for field in answer.headers if field[0].lower() != b"content-encoding"],
            stream=httpx.ByteStream(body),
            extensions={"http_version": answer.extensions["http_version"]},
        )


class _LimitedNetwork(httpcore.NetworkBackend):
    """The network of one request. Its limits hold for all reads and writes together."""

    def __init__(self, limits: RequestLimits) -> None:
        self._end = time.monotonic() + min(limits.seconds, seconds_left())
        # With headers, and before it is decompressed.
        self._bytes_left = 2 * limits.answer_bytes

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = self.seconds(timeout, httpcore.ConnectTimeout)
        opening: Future[httpcore.NetworkStream] = Future()

        def connect() -> None:
            try:
                opening.set_result(
                    httpcore.SyncBackend().connect_tcp(host, port, seconds, local_address, socket_options)
                )
            except BaseException as error:  # noqa: BLE001 (the other thread raises it)
                opening.set_exception(error)

        # In a thread of its own. A look-up of the host's name cannot be interrupted. And each of the host's addresses
        # gets the whole time.
        thread = threading.Thread(target=connect, name="label-studio-connect", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            connect()  # no more threads can start, or the interpreter is ending
        try:
            return _LimitedStream(opening.result(seconds), self)
        except BaseException as error:
            opening.add_done_callback(_close)
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout from None
            raise
        finally:
            if opening.done() and thread.ident is not None:
                thread.join()  # a program that forks now should have no thread of ours

    def seconds(self, timeout: float | None, error: type[httpcore.TimeoutException]) -> float:
        """Return the seconds that the next read or write may take. Raise the error if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise error
        return left if timeout is None else min(left, timeout)

    def count(self, number: int) -> None:
        """Count bytes of the answer. Raise an error if there are too many."""
        self._bytes_left -= number
        if self._bytes_left < 0:
            raise AnswerTooLargeError(_TOO_LARGE)


class _LimitedStream(httpcore.NetworkStream):
    """A connection within the limits of its request."""

    def __init__(self, stream: httpcore.NetworkStream, network: _LimitedNetwork) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        work_now()
        data = self._stream.read(max_bytes, self._network.seconds(timeout, httpcore.ReadTimeout))
        self._network.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In slices: a write of httpcore has its time limit for each part that the system takes.
        for start in range(0, len(buffer), _SLICE):
            seconds = self._network.seconds(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _SLICE], seconds)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = self._network.seconds(timeout, httpcore.ConnectTimeout)
        return _LimitedStream(self._stream.start_tls(ssl_context, server_hostname, seconds), self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _read_body(answer: httpcore.Response, limit: int) -> bytes:
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if _is_compressed(answer) else None
    body = bytearray()
    for chunk in answer.iter_stream():
        # Never more than one byte too many, whatever the chunk would become.
        body += inflate.decompress(chunk, limit + 1 - len(body)) if inflate else chunk
        if len(body) > limit:
            if answer.status in _OK:
                raise AnswerTooLargeError(_TOO_LARGE)
            # The status of a refusal is worth more than the end of its text. Label Studio repeats tasks there.
            return bytes(body[:limit])
    if inflate and not inflate.eof and body:
        msg = "the compressed answer has no end"
        raise httpcore.RemoteProtocolError(msg)
    return bytes(body)


def _is_compressed(answer: httpcore.Response) -> bool:
    encodings = [
        value.strip().lower() for name, value in answer.headers if name.lower() == b"content-encoding"
    ]
    match encodings:
        case [] | [b"identity"]:
            return False
        case [b"gzip"]:
            return True
        case _:
            msg = "the answer is compressed in a way that was not asked for"
            raise httpcore.RemoteProtocolError(msg)


def _url_for_httpcore(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _ssl_context(verify: Verify) -> ssl.SSLContext:
    certificates, source = trusted_certificates(verify)
    if isinstance(certificates, bool):
        return httpx.create_ssl_context(verify=certificates, trust_env=False)
    try:
        if Path(certificates).is_dir():
            return ssl.create_default_context(capath=certificates)
        return ssl.create_default_context(cafile=certificates)
    except OSError as error:  # an ssl.SSLError is one, too
        msg = (
            f"{source} names {certificates!r}, which cannot be read as certificates ({type(error).__name__}). It has to "
            "be a PEM file: such a file has a line -----BEGIN CERTIFICATE-----."
        )
        raise SettingError(msg) from None


def _proxy_for(url: httpx.URL) -> httpcore.Proxy | None:
    """Return the proxy that the environment names for a server."""
    known = getproxies()
    address = known.get(url.scheme) or known.get("all")
    if not address or proxy_bypass(url.host) or proxy_bypass(url.netloc.decode("ascii")):
        return None
    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
    except (ValueError, httpx.InvalidURL):
        msg = "The proxy in the environment has no address that can be used: correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY."
        raise SettingError(msg) from None
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        msg = "The proxy in the environment is a SOCKS proxy: install `httpx[socks]`."
        raise SettingError(msg)
    return httpcore.Proxy(
        _url_for_httpcore(proxy.url),
        auth=proxy.raw_auth,
        headers=proxy.headers.raw,
        ssl_context=proxy.ssl_context,
    )


def _close(opening: Future[httpcore.NetworkStream]) -> None:
    if opening.exception() is None:
        opening.result().close()
