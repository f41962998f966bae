"""What is wrong with a certificate, or with the way a port is spoken to: each is named, with what to do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    NotLabelStudioError,
    SettingError,
    load_reviews,
)
from langchain_label_studio.label_studio.connection_check import check_up
from tests.support.certificates import Certificate, make_certificate
from tests.support.handlers import KEY, record
from tests.support.raw_server import answering, raw_server


@pytest.fixture(autouse=True)
def _no_certificates_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def https_server(certificate: Certificate) -> Iterator[str]:
    """A server that speaks https, and yields its address."""
    context = certificate.server_context()

    def speak(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n")

    with raw_server(speak) as url:
        yield url.replace("http:", "https:")


CASES: dict[str, tuple[dict[str, Any], bool, str]] = {
    "self-signed": ({}, False, "signed by itself.*SSL_CERT_FILE.*verify="),
    "unknown authority": ({"by_authority": True}, False, r"does not know who signed it.*verify="),
    "expired": ({"days": (-10, -2)}, True, "has expired.*Renew it"),
    "not yet": ({"days": (1, 2)}, True, "not yet valid.*clock"),
    "another name": ({"names": ["studio.example"]}, True, "127.0.0.1.*url="),
}


@pytest.mark.parametrize("case", CASES)
def test_a_certificate_that_cannot_be_trusted(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made, trusted, says = CASES[case]
    certificate = make_certificate(tmp_path, **made)
    verify = str(certificate.authority) if trusted else True
    with https_server(certificate) as url:
        with pytest.raises(NotLabelStudioError, match=says):
            LabelStudioCallbackHandler(KEY, url, verify=verify)
        with pytest.raises(NotLabelStudioError, match=says):
            load_reviews(project_id=1, url=url, api_key=KEY, verify=verify)

        monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
        *_, last = check_up(url=url, project_id=None, project_name="Checked")
        assert last.level == "bad"

        with LabelStudioCallbackHandler(url=url, connect="lazy", verify=verify) as handler:
            record(handler)
            handler.flush(20)
            assert handler.stats().pending == 1, "it waits, and is not rejected"
    assert "certificate" in caplog.text
    assert "_ssl.c" not in caplog.text + last.text


@pytest.mark.parametrize("by_authority", [True, False])
@pytest.mark.parametrize("named_by", ["verify", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "nobody"])
def test_a_certificate_that_is_trusted(
    named_by: str, by_authority: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path, by_authority=by_authority)
    verify: Any = {"verify": certificate.authority, "nobody": False}.get(named_by, True)
    if verify is True:
        monkeypatch.setenv(named_by, str(certificate.authority))
    with https_server(certificate) as url, pytest.warns(match="answered 503"):
        LabelStudioCallbackHandler(KEY, url, verify=verify)


def test_http_before_a_https_port_is_explained(tmp_path: Path) -> None:
    with https_server(make_certificate(tmp_path)) as url:
        insecure = url.replace("https:", "http:")
        with pytest.warns(match="Is it https:// instead of http://"):
            LabelStudioCallbackHandler(KEY, insecure)


def test_a_port_that_says_it_wants_https(tmp_path: Path) -> None:
    page = b"Client sent an HTTP request to an HTTPS server.\n"
    answer = b"HTTP/1.0 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)

    def speak(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    with raw_server(speak) as url:
        with pytest.raises(NotLabelStudioError, match="https:// instead of http://") as caught:
            LabelStudioCallbackHandler(KEY, url)
        assert url.replace("http:", "https:") in str(caught.value)
        with LabelStudioCallbackHandler(KEY, url, connect="lazy", outbox_dir=tmp_path) as handler:
            record(handler)
            handler.flush(20)
            assert (handler.stats().pending, handler.stats().rejected) == (1, 0)


def test_a_connection_that_ends_in_the_handshake_is_an_outage() -> None:
    with (
        raw_server(lambda connection: (connection.recv(10), time.sleep(0.01))) as url,
        pytest.warns(match="The runs wait"),
    ):
        LabelStudioCallbackHandler(KEY, url.replace("http:", "https:"))


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    file = tmp_path / "none.pem"
    with pytest.raises(SettingError, match="no such file"):
        LabelStudioCallbackHandler(KEY, "https://studio.example", verify=file, connect="lazy")

    file.write_text("no certificate")
    with pytest.raises(SettingError, match=r"verify= names .*none.pem.*PEM"):
        LabelStudioCallbackHandler(KEY, "https://studio.example", verify=file)


def test_a_refused_question_sets_nothing_aside(tmp_path: Path) -> None:
    """A proxy that answers 400 to each request has seen no run."""
    with (
        raw_server(answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")) as url,
        LabelStudioCallbackHandler(KEY, url, connect="lazy", outbox_dir=tmp_path) as handler,
    ):
        run_id = record(handler)
        assert handler.feedback(run_id, score=1)
        handler.flush(20)
        stats = handler.stats()
        assert (stats.state, stats.pending, stats.rejected) == ("blocked", 1, 0)
        assert stats.feedback
        assert (stats.feedback.pending, stats.feedback.rejected) == (1, 0)
