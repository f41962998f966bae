"""What must not leave, and what JSON cannot hold."""

from __future__ import annotations

import pytest

from langchain_label_studio.errors import (
    AuthenticationError,
    NotLabelStudioError,
    PermissionDeniedError,
    ProjectNotFoundError,
    RequestRefusedError,
    ServerUnavailableError,
)
from langchain_label_studio.label_studio.api_errors import error_for_status, reason_in, retry_after
from langchain_label_studio.support.redaction import error_text, scrub_secrets
from langchain_label_studio.support.safe_text import clean_text, clip, sentence


@pytest.mark.parametrize(
    "secret_text",
    [
        "Incorrect API key provided: sk-proj-SECRETSECRETSECRET.",
        "{'Authorization': 'Bearer SECRETSECRETSECRET'}",
        "authorization: Token SECRETSECRETSECRET",
        "headers: {'set-cookie': 'sessionid=SECRETSECRETSECRET; Path=/'}",
        "Cookie: a=b; session=SECRETSECRETSECRET",
        'api_key="SECRETSECRETSECRET"',
        "OPENAI_API_KEY=SECRETSECRETSECRET",
        "'x-api-key': 'SECRETSECRETSECRET'",
        "postgres://me:SECRETSECRETSECRET@host/db",
        "password: SECRETSECRETSECRET",
        "token eyJSECRETSECRETSECRET.eyJSECRETSECRETSECRET.x",
    ],
)
def test_secrets_are_hidden(secret_text: str) -> None:
    assert "SECRET" not in scrub_secrets(secret_text).replace("[hidden]", "")


@pytest.mark.parametrize(
    "text", ["maximum context length is 8192 tokens", "the token limit was reached", "key error"]
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert scrub_secrets(text) == text


def test_an_error_is_one_short_text() -> None:
    assert error_text(ValueError("no")) == "ValueError: no"
    assert error_text(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert len(error_text(ValueError("x" * 10_000))) < 2_100


def test_long_text_is_cut_visibly() -> None:
    assert clip("abc", 2) == "ab\n[cut: 1 more characters]"
    assert clip("ab", 2) == "ab"
    assert len(clean_text("x" * 3_000_000)) < 1_000_100


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (401, {"detail": "Invalid token."}, AuthenticationError, "personal access token again, whole"),
        (
            401,
            {"detail": "legacy token authentication has been disabled"},
            AuthenticationError,
            "switched off",
        ),
        (401, {"detail": "API key has expired."}, AuthenticationError, "create a new"),
        (403, {"detail": "no"}, PermissionDeniedError, "may not do this"),
        (404, {"detail": "Not found."}, ProjectNotFoundError, "no such project"),
        (404, "<!doctype html><html>", NotLabelStudioError, "no Label Studio API"),
        (302, "", NotLabelStudioError, "no Label Studio API"),
        (200, "<html>", NotLabelStudioError, "no Label Studio API"),
        (400, {"validation_errors": {"title": ["too long"]}}, RequestRefusedError, "title: too long"),
        (503, "later", ServerUnavailableError, "503"),
        (500, {"detail": "oops"}, ServerUnavailableError, "oops"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, body: object, error: type[Exception], says: str) -> None:
    raised = error_for_status(status, body, {"set-cookie": "sessionid=SECRET"}, "http://h/")

    assert type(raised) is error
    assert says in str(raised)
    assert "SECRET" not in str(raised)


@pytest.mark.parametrize(("status", "maybe_stored"), [(429, False), (503, False), (500, True), (502, True)])
def test_after_which_answers_something_may_be_stored(status: int, maybe_stored: bool) -> None:
    raised = error_for_status(status, "", {"Retry-After": "7"}, "http://h/")

    assert isinstance(raised, ServerUnavailableError)
    assert (raised.maybe_stored, raised.retry_after) == (maybe_stored, 7.0)


def test_a_refused_task_is_not_repeated_in_the_reason() -> None:
    body = {
        "validation_errors": {
            "non_field_errors": ['Error at item 0: "prompt" key is expected :: {"a secret"}', {}]
        }
    }

    assert reason_in(body) == 'non_field_errors: Error at item 0: "prompt" key is expected'


def test_retry_after_may_be_a_date() -> None:
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after(None) is None


@pytest.mark.parametrize(
    ("text", "as_sentence"),
    [
        ("No answer", "No answer."),
        ("No answer.", "No answer."),
        ("No answer: is the address right?", "No answer: is the address right?"),
        ("No answer from http://a/…", "No answer from http://a/…"),
    ],
)
def test_a_sentence_ends_once(text: str, as_sentence: str) -> None:
    assert sentence(text) == as_sentence
