"""A real Label Studio behind a real nginx: https, basic auth, an access gateway, and redirects."""

from __future__ import annotations

import os
import pickle
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from langchain_label_studio import (
    AuthenticationError,
    LabelStudioCallbackHandler,
    LabelStudioError,
    NotLabelStudioError,
    PermissionDeniedError,
    load_reviews,
    send_feedback,
)
from langchain_label_studio.local_server import LocalLabelStudio
from tests.support import nginx
from tests.support.certificates import Certificate, make_certificate
from tests.support.handlers import record
from tests.support.nginx import Nginx
from tests.support.studio import StudioApi

SECRET = "the-key-of-the-gateway-4711"
HEADERS = {"X-Gateway-Key": SECRET}

# As the guide of operations says it: people are asked for a password, programs pass the header.
BASIC_AUTH = {
    "http": f'map $http_x_gateway_key $ask {{ "{SECRET}" off; default "Label Studio"; }}',
    "server": "auth_basic $ask; auth_basic_user_file /dev/null;",
}
SIGN_IN_PAGE = {
    "server": f"""
        if ($http_x_gateway_key != "{SECRET}") {{ rewrite ^ /oauth2/start?rd=$uri last; }}
        location /oauth2/ {{ return 302 https://sign-in.example/authorize?state=abc&client_secret=s3cr3t; }}
    """
}
FORBIDDEN = {"server": f'if ($http_x_gateway_key != "{SECRET}") {{ return 403; }}'}

Proxy = Callable[..., AbstractContextManager[Nginx]]


@pytest.fixture
def proxy(label_studio: LocalLabelStudio) -> Proxy:
    program = nginx.find_nginx()
    if program is None:
        pytest.skip(nginx.MISSING)  # which fails in CI
    return lambda **options: Nginx(program, label_studio.url, **options)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return make_certificate(tmp_path)


@pytest.fixture(autouse=True)
def _key(label_studio: LocalLabelStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.api_key)


def all_the_way(url: str, studio: StudioApi, **access: Any) -> LabelStudioCallbackHandler:
    """Record, deliver, review, read back and give feedback. All of that goes through the proxy."""
    title = f"Proxy {uuid4().hex[:8]}"
    with LabelStudioCallbackHandler(url=url, project_name=title, **access) as handler:
        run_id = record(handler, "Hi", "Hello")
        assert handler.flush(30)
        assert handler.task_url(run_id)
        assert handler.ls_project.title == title
    (task,) = studio.tasks(handler.project_id or 0)
    studio.post(f"/api/tasks/{task['id']}/annotations/", {"result": task["predictions"][0]["result"]})

    (review,) = load_reviews(project_name=title, url=url, **access)
    assert [turn["content"] for turn in review.final_answers] == ["Hello"]

    assert send_feedback(run_id, score=1, project_name=title, url=url, **access)
    assert handler.flush(30)
    assert wait_for(lambda: studio.tasks(handler.project_id or 0)[0]["data"].get("user_feedback") == 1)
    return handler


def wait_for(done: Callable[[], bool]) -> bool:
    for _ in range(300):
        if done():
            return True
        time.sleep(0.1)
    return False


def refusals(url: str, **access: Any) -> Iterator[LabelStudioError]:
    """Yield the errors of a handler and of a reading."""
    with pytest.raises(LabelStudioError) as caught:
        LabelStudioCallbackHandler(url=url, **access)
    yield caught.value
    with pytest.raises(LabelStudioError) as caught:
        load_reviews(project_id=1, url=url, **access)
    yield caught.value


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")  # of `ls_client`
def test_https_with_a_certificate_of_its_own(
    proxy: Proxy, certificate: Certificate, studio: StudioApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(certificate=certificate) as server:
        for error in refusals(server.url):
            assert isinstance(error, NotLabelStudioError)
            assert "signed by itself" in str(error)
        all_the_way(server.url, studio, verify=certificate.file)
        all_the_way(server.url, studio, verify=False)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.file))
        all_the_way(server.url, studio)
        monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
        checked = studio.run_command("check", "--url", server.url)
        assert (checked.returncode, "signed in as" in checked.stdout) == (0, True), checked.stdout


@pytest.mark.parametrize(
    ("gateway", "error", "says"),
    [
        (BASIC_AUTH, AuthenticationError, "401 Authorization Required.*Basic credentials.*another header"),
        (
            SIGN_IN_PAGE,
            NotLabelStudioError,
            r"redirects to https://sign-in.example/authorize \(302\).*sign-in page",
        ),
        (FORBIDDEN, PermissionDeniedError, "403 Forbidden.*LABEL_STUDIO_HEADERS"),
    ],
    ids=["basic auth", "sign-in page", "forbidden"],
)
def test_a_gateway_wants_a_header(
    gateway: dict[str, str],
    error: type[LabelStudioError],
    says: str,
    proxy: Proxy,
    studio: StudioApi,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with proxy(**gateway) as server:
        for access in ({}, {"headers": {"X-Gateway-Key": "wrong-and-secret"}}):
            for refusal in refusals(server.url, **access):
                assert type(refusal) is error
                assert re.search(says, str(refusal))
                assert "secret" not in str(refusal)
        refused = studio.run_command("check", "--url", server.url)
        assert refused.returncode == 1
        assert re.search(says, " ".join(refused.stdout.split())), refused.stdout

        # What waits for the header is sent by a process that has it.
        title = f"Waits {uuid4().hex[:8]}"
        with LabelStudioCallbackHandler(url=server.url, project_name=title, connect="lazy") as late:
            record(late)
            assert not late.flush(3)
            assert (late.stats().state, late.stats().pending) == ("blocked", 1)
        assert re.search(says, caplog.text)
        monkeypatch.setenv("LABEL_STUDIO_HEADERS", f"X-Gateway-Key={SECRET.replace('-', '%2D')}")
        sent = LabelStudioCallbackHandler(url=server.url, project_name=title)
        assert wait_for(lambda: sent.flush(5) and len(studio.tasks(sent.project_id or 0)) == 1)
        all_the_way(server.url, studio)
        checked = studio.run_command("check", "--url", server.url)
        assert "X-Gateway-Key (LABEL_STUDIO_HEADERS)" in checked.stdout, checked.stdout
        monkeypatch.delenv("LABEL_STUDIO_HEADERS")

        handler = all_the_way(server.url, studio, headers=HEADERS)
        shown = [repr(handler), handler._repr_html_(), repr(vars(handler)), caplog.text]
        shown += [str(pickle.dumps(handler))]
        shown += [
            file.read_text(errors="replace")
            for file in Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).rglob("*")
            if file.is_file()
        ]
        assert [text for text in shown if SECRET in text] == []


def test_a_redirect_to_https(proxy: Proxy, certificate: Certificate) -> None:
    with (
        proxy(certificate=certificate) as secure,
        proxy(server=f"return 301 {secure.url}$request_uri;") as server,
    ):
        for error in refusals(server.url):
            assert isinstance(error, NotLabelStudioError)
            assert f"Use {secure.url}/ as url= or LABEL_STUDIO_URL" in str(error)


def test_http_to_a_port_of_https(proxy: Proxy, certificate: Certificate) -> None:
    with proxy(certificate=certificate) as server:
        insecure = server.url.replace("https:", "http:")
        for error in refusals(insecure):
            assert isinstance(error, NotLabelStudioError)
            assert f"https:// instead of http://: {server.url}/" in str(error)
        with LabelStudioCallbackHandler(url=insecure, connect="lazy") as handler:
            record(handler)
            assert not handler.flush(3)
            assert (handler.stats().pending, handler.stats().rejected) == (1, 0)


def test_https_to_a_port_of_http(label_studio: LocalLabelStudio) -> None:
    for error in refusals(label_studio.url.replace("http:", "https:")):
        assert isinstance(error, NotLabelStudioError)
        assert f"http:// instead of https://: {label_studio.url}/" in str(error)
