"""What stands before Label Studio is told from Label Studio itself; nothing secret is repeated."""

from __future__ import annotations

import pytest

from langchain_label_studio import (
    AuthenticationError,
    LabelStudioError,
    NotLabelStudioError,
    PermissionDeniedError,
    ServerUnavailableError,
)
from langchain_label_studio.label_studio.api_errors import error_for_status, too_old
from langchain_label_studio.label_studio.proxy_errors import broken_off, no_connection

URL = "http://studio.example/ls/"
PAGE = "<html><head><title>401 Authorization Required</title></head>…</html>"
FAILED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed:"


@pytest.mark.parametrize(
    ("status", "body", "headers", "error", "says"),
    [
        (401, PAGE, {"WWW-Authenticate": 'Basic realm="x"'}, AuthenticationError, "wants Basic credentials"),
        (401, PAGE, {}, AuthenticationError, "401 Authorization Required.*LABEL_STUDIO_HEADERS"),
        (401, {"message": "No API key found"}, {"www-authenticate": "Key"}, AuthenticationError, "Something before"),
        (401, "Invalid IAP credentials: empty token", {}, AuthenticationError, "Invalid IAP credentials"),
        (401, {"detail": "Invalid token."}, {"WWW-Authenticate": "Token"}, AuthenticationError, "refused the API key"),
        (403, "RBAC: access denied", {}, PermissionDeniedError, "Something before.*RBAC"),
        (403, {"detail": "no"}, {}, PermissionDeniedError, "key's owner"),
        (301, "", {"location": "https://studio.example/ls/api/version"}, NotLabelStudioError, "Use https://studio.example/ls/ as url="),
        (308, "", {"Location": "//other.example/api/projects/?a=SECRET"}, NotLabelStudioError, "Use http://other.example/ as url="),
        (302, "", {"location": "/oauth2/start?rd=SECRET"}, NotLabelStudioError, "http://studio.example/oauth2/start .*sign-in page"),
        (302, "", {"location": "https://me:SECRET@login.example/"}, NotLabelStudioError, "https://login.example/ .*sign-in page"),
        (302, "", {"location": "http://[broken"}, NotLabelStudioError, "no Label Studio API"),
        (304, "", {}, NotLabelStudioError, "no Label Studio API"),
        (400, "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title>", {}, NotLabelStudioError, "https:// instead of http://: https://studio.example/ls/"),
        (400, "Reason: You're speaking plain HTTP to an SSL-enabled server port.", {}, NotLabelStudioError, "https://"),
        (407, PAGE, {}, ServerUnavailableError, "HTTPS_PROXY.*password"),
        (502, PAGE.replace("401 Authorization Required", "502 Bad Gateway"), {}, ServerUnavailableError, "502 Bad Gateway"),
    ],
)  # fmt: skip
def test_an_answer_of_something_else(
    status: int, body: object, headers: dict[str, str], error: type[LabelStudioError], says: str
) -> None:
    raised = error_for_status(status, body, headers, URL)

    assert type(raised) is error
    with pytest.raises(error, match=says):
        raise raised
    assert "SECRET" not in str(raised)


def test_a_proxy_that_repeats_the_request_is_not_quoted() -> None:
    body = {"headers": {"X-Gateway-Key": "the-value"}, "detail": "you sent the-value"}

    for status in (400, 401, 403, 500):
        assert "the-value" not in str(error_for_status(status, body, {}, URL, secrets=["the-value"]))


@pytest.mark.parametrize(
    ("problem", "error", "says"),
    [
        (f"{FAILED} self-signed certificate (_ssl.c:1006)", NotLabelStudioError, "signed by itself"),
        (f"{FAILED} self signed certificate (_ssl.c:1129)", NotLabelStudioError, "signed by itself"),
        (f"{FAILED} self-signed certificate in certificate chain", NotLabelStudioError, "who signed it"),
        (f"{FAILED} unable to get local issuer certificate", NotLabelStudioError, "who signed it"),
        (f"{FAILED} certificate has expired", NotLabelStudioError, "Renew"),
        (f"{FAILED} certificate is not yet valid", NotLabelStudioError, "clock"),
        (
            f"{FAILED} Hostname mismatch, certificate is not valid for 'a'.",
            NotLabelStudioError,
            "'a'. Use the",
        ),
        (f"{FAILED} EE certificate key too weak", NotLabelStudioError, "key too weak. Let who"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", NotLabelStudioError, "does not speak https"),
        ("[SSL] record layer failure: RECORD_LAYER_FAILURE", NotLabelStudioError, "does not speak https"),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert", NotLabelStudioError, "No secure connection"),
        ("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred", ServerUnavailableError, "is it running"),
        ("EOF occurred in violation of protocol (_ssl.c:1006)", ServerUnavailableError, "is it running"),
        ("[Errno 111] Connection refused", ServerUnavailableError, "is it running"),
    ],
)
def test_a_connection_that_fails(problem: str, error: type[LabelStudioError], says: str) -> None:
    raised = no_connection(problem, "https://studio.example/")

    assert type(raised) is error
    assert says in str(raised)
    assert "_ssl.c" not in str(raised)


def test_a_connection_that_breaks_off() -> None:
    assert "https://" in str(broken_off("ReadError", URL, answered_before=False))
    assert "https://" not in str(broken_off("ReadError", URL, answered_before=True))
    assert "NO_PROXY" in str(broken_off("ProxyError", URL, answered_before=True))


@pytest.mark.parametrize(
    ("release", "refused"),
    [("1.15.0", True), ("0.9.1", True), ("1.9", True), ("1.16.0", False), ("1.23.2.dev1", False), ("2.0", False), ("", False)],
)  # fmt: skip
def test_versions(release: str, refused: bool) -> None:
    assert (too_old(release, URL) is not None) is refused
