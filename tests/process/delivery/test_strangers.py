"""Addresses where something else answers, or nothing: the error says what to do, and shows no key."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from langchain_label_studio import (
    AuthenticationError,
    LabelStudioCallbackHandler,
    LabelStudioError,
    LabelStudioWarning,
    NotLabelStudioError,
    PermissionDeniedError,
)
from langchain_label_studio.label_studio.client import LabelStudioClient
from tests.support.handlers import KEY

# A personal access token's shape: header, payload with an expiry far away, signature.
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6OTk5OTk5OTk5OX0.c2ln"
EXPIRED = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6MTAwMDAwMDAwMH0.c2ln"


def always(answer: Response | Callable[[Request], Response], server: HTTPServer) -> str:
    handler = answer if callable(answer) and not isinstance(answer, Response) else lambda _: answer
    server.expect_request(re.compile(".*")).respond_with_handler(handler)
    return server.url_for("/")


@pytest.mark.parametrize("key", [KEY, JWT])
@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>Welcome</html>", content_type="text/html"),
        Response("", 204),
        Response("{}", content_type="application/json"),
        Response("[]", content_type="application/json"),
        Response("<html>Not found</html>", 404, content_type="text/html"),
        Response("", 302, headers={"Location": "https://elsewhere.example/"}),
    ],
    ids=["html", "empty", "{}", "[]", "404", "redirect"],
)
def test_something_else_answers(httpserver: HTTPServer, answer: Response, key: str) -> None:
    with pytest.raises(NotLabelStudioError, match="no Label Studio API") as caught:
        LabelStudioCallbackHandler(key, always(answer, httpserver))

    assert key not in str(caught.value)


@pytest.mark.parametrize("key", [KEY, JWT])
@pytest.mark.parametrize(
    ("status", "detail", "error", "says"),
    [
        (401, "Invalid token.", AuthenticationError, "personal access token"),
        (
            401,
            "legacy token authentication has been disabled",
            AuthenticationError,
            "legacy tokens are switched off",
        ),
        (403, "Forbidden", PermissionDeniedError, "may not"),
    ],
)
def test_the_key_is_refused(
    httpserver: HTTPServer, key: str, status: int, detail: str, error: type[LabelStudioError], says: str
) -> None:
    def refuse(_: Request) -> Response:
        body = f'{{"detail": "{detail}"}}'
        return Response(body, status, {"Set-Cookie": "sessionid=COOKIE"}, content_type="application/json")

    with pytest.raises(error, match=says) as caught:
        LabelStudioCallbackHandler(key, always(refuse, httpserver))

    assert key not in str(caught.value)
    assert "COOKIE" not in str(caught.value)
    assert caught.value.__cause__ is None, "the SDK's own error holds the cookie"


def test_an_expired_token_is_told_before_anything_is_sent() -> None:
    with pytest.raises(AuthenticationError, match="expired"):
        LabelStudioCallbackHandler(EXPIRED, "http://127.0.0.1:9")


def test_https_before_a_http_port_is_explained(httpserver: HTTPServer) -> None:
    with pytest.raises(NotLabelStudioError, match="http:// instead of https://"):
        LabelStudioCallbackHandler(KEY, httpserver.url_for("/").replace("http:", "https:"))


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_with_troubles_of_its_own_is_one_warning(httpserver: HTTPServer, status: int) -> None:
    url = always(Response("later", status), httpserver)

    with pytest.warns(LabelStudioWarning, match=f"{status}.*The runs wait"):
        LabelStudioCallbackHandler(KEY, url)


def test_a_port_where_nothing_listens_is_one_warning() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

    with pytest.warns(LabelStudioWarning, match="is it running"):
        LabelStudioCallbackHandler(KEY, url)


@pytest.mark.parametrize(
    ("page", "known"),
    [
        ("window.APP_SETTINGS.collect_analytics = true;", True),
        ("collect_analytics: false,", False),
        ("<html>", None),
    ],
)
def test_whether_a_server_sends_analytics_is_read_from_its_sign_in_page(
    httpserver: HTTPServer, page: str, known: bool | None
) -> None:
    httpserver.expect_request("/user/login/").respond_with_data(page)
    client = LabelStudioClient(url=httpserver.url_for("/"), api_key=SecretStr(KEY))

    assert client.collects_analytics() is known
    client.close()
