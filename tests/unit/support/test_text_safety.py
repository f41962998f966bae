"""What must not leave, and what JSON cannot hold."""

from __future__ import annotations

import base64
import datetime as dt
import enum
import uuid

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from langchain_label_studio.errors import (
    AuthenticationError,
    NotLabelStudioError,
    PermissionDeniedError,
    ProjectNotFoundError,
    RequestRefusedError,
    ServerUnavailableError,
)
from langchain_label_studio.label_studio.api_errors import error_for_status, reason_in, retry_after
from langchain_label_studio.support.json_safe import encode, jsonable
from langchain_label_studio.support.redaction import error_text, scrub_secrets
from langchain_label_studio.support.safe_text import clean_text, clip


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


class Colour(enum.Enum):
    RED = "red"


class Model(BaseModel):
    x: int = 1


class Nasty:
    def __iter__(self) -> None:
        raise RuntimeError

    def __repr__(self) -> str:
        return "token=SECRET"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (10**30, str(10**30)),
        ({1}, [1]),
        ({1: {"a": (1, 2)}}, {"1": {"a": [1, 2]}}),
        (b"123", "[3 B of binary data]"),
        (Colour.RED, "red"),
        (Model(), {"x": 1}),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        ("a\x00b", "a\ufffdb"),
        ("\ud83d\ude00 \udfff", "😀 \ufffd"),
        ({"url": "data:image/png;base64,AAAA"}, {"url": "[image/png, 3 B]"}),
        ({"data": base64.b64encode(bytes(3000)).decode()}, {"data": "[3.0 kB of base64]"}),
        (Nasty(), f"[{__name__}.Nasty]"),
        (int, "[builtins.int]"),
    ],
)
def test_values_json_cannot_hold_are_replaced(value: object, expected: object) -> None:
    assert jsonable(value) == expected


def test_a_value_that_contains_itself_ends() -> None:
    endless: list = []
    endless.append(endless)

    assert "nested too deeply" in str(jsonable(endless))
    assert encode(endless)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
    max_leaves=30,
)


@given(json_like)
def test_whatever_comes_can_be_encoded_and_stored(value: object) -> None:
    text = orjson.dumps(jsonable(value)).decode()

    assert "\\u0000" not in text
    assert orjson.loads(encode(value)) is not Ellipsis


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
        (302, "", NotLabelStudioError, "redirects"),
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
