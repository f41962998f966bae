"""Headers and certificates: argument, else environment, else none; what cannot be sent is named, and never shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from langchain_label_studio import SettingError
from langchain_label_studio.label_studio.access import (
    resolve_headers,
    resolve_verify,
    trusted_certificates,
)
from langchain_label_studio.label_studio.project_outboxes import ProjectOutbox
from langchain_label_studio.label_studio.settings import resolve_settings

SECRET = "very-secret-4711"


def sent(headers: Any = None, variable: str = "") -> dict[str, str]:
    found = resolve_headers(headers, environ={"LABEL_STUDIO_HEADERS": variable})
    return {name: value.get_secret_value() for name, value in found}


@pytest.mark.parametrize(
    ("variable", "headers"),
    [
        ("", {}),
        ("  ", {}),
        ("X-Key=abc", {"X-Key": "abc"}),
        (" X-Key = abc , X-Other=d e ,", {"X-Key": "abc", "X-Other": "d e"}),
        ("Proxy-Authorization=Basic%20YTpiPT0=", {"Proxy-Authorization": "Basic YTpiPT0="}),
        ("Cookie=a=b%2C c%3D100%25", {"Cookie": "a=b, c=100%"}),
        ("X-Key=a+b", {"X-Key": "a+b"}),
    ],
)
def test_the_variable_is_read_as_opentelemetry_writes_it(variable: str, headers: dict[str, str]) -> None:
    assert sent(None, variable) == headers


def test_the_argument_wins_and_empty_is_unset() -> None:
    assert sent({"X-Mine": SecretStr("a")}, "X-Key=abc") == {"X-Mine": "a"}
    assert sent({}, "X-Key=abc") == {"X-Key": "abc"}


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        (SECRET, "headers is a str: pass a dict"),
        ([("X-Key", SECRET)], "headers is a list"),
        ({SECRET + ": x": "a"}, "headers= has a name that no header can have"),
        ({f"{SECRET} ": "a"}, "name that no header can have"),
        ({7: SECRET}, "name that no header can have"),
        ({"": SECRET}, "name that no header can have"),
        ({"X-Key": ""}, "value of 'X-Key' in headers="),
        ({"X-Key": 7}, "value of 'X-Key' in headers="),
        ({"X-Key": SECRET + "\r\nX-Other: 1"}, "one line"),
        ({"X-Key": SECRET + "é"}, "ASCII"),
        ({"authorization": f"Basic {SECRET}"}, "Label Studio reads its key from that header"),
        ({"Content-Length": "7"}, "depends on each request"),
        ({"Transfer-Encoding": "chunked"}, "depends on each request"),
    ],
)
def test_a_header_that_cannot_be_sent_is_named_and_not_shown(headers: Any, says: str) -> None:
    with pytest.raises(SettingError, match=says) as caught:
        sent(headers)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "says"),
    [
        (f"X-Key=a,{SECRET}", "LABEL_STUDIO_HEADERS: part 2 has no `=`"),
        (f"={SECRET}", "LABEL_STUDIO_HEADERS has a name that no header can have"),
        ("X-Key=", "value of 'X-Key' in LABEL_STUDIO_HEADERS"),
        ("X-Key=a%0Ab", "one line"),
        (f"Authorization=Basic%20{SECRET}", "Let your proxy take its credentials from another header"),
    ],
)
def test_a_variable_that_cannot_be_right_is_named_and_not_shown(variable: str, says: str) -> None:
    with pytest.raises(SettingError, match=says) as caught:
        sent(None, variable)
    assert SECRET not in str(caught.value)


@given(st.dictionaries(st.text(), st.text()))
def test_a_header_is_sent_as_it_is_or_refused(headers: dict[str, str]) -> None:
    try:
        found = sent(headers)
    except SettingError:
        return
    assert found == {name: value.strip() for name, value in headers.items()}
    assert all(text.isascii() and text.isprintable() and text for text in (*found, *found.values()))


def test_headers_are_secrets_as_the_key_is(tmp_path: Path) -> None:
    settings = resolve_settings(api_key="k", headers={"X-Key": SECRET}, environ={})

    assert SECRET not in repr(settings) + str(settings)
    assert settings.without_secrets().headers is None
    outbox = ProjectOutbox.of(settings, tmp_path)
    outbox.prepare()
    assert SECRET not in "".join(file.read_text() for file in outbox.directory.rglob("*") if file.is_file())


def test_settings_of_another_process_read_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ProjectOutbox.of(resolve_settings(api_key="k", headers={"X-Key": SECRET}, environ={}), tmp_path).prepare()
    (directory,) = tmp_path.iterdir()
    monkeypatch.setenv("LABEL_STUDIO_HEADERS", "X-Key=of-the-environment")

    ((name, value),) = ProjectOutbox.read(directory).settings.all_headers()

    assert (name, value.get_secret_value()) == ("X-Key", "of-the-environment")


def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "it.pem"
    file.touch()
    monkeypatch.chdir(tmp_path)

    assert [resolve_verify(given) for given in (True, False, None, "")] == [True, False, True, True]
    assert resolve_verify("it.pem") == resolve_verify(file) == str(file)
    for wrong in ("no.pem", 7, "a\0b"):
        with pytest.raises(SettingError, match="verify=.*no such file"):
            resolve_verify(wrong)


@pytest.mark.parametrize(
    ("verify", "environ", "found"),
    [
        (True, {}, True),
        (True, {"SSL_CERT_FILE": ""}, True),
        (True, {"REQUESTS_CA_BUNDLE": "b"}, "b"),
        (True, {"SSL_CERT_DIR": "d", "REQUESTS_CA_BUNDLE": "b"}, "d"),
        (True, {"SSL_CERT_FILE": "a", "REQUESTS_CA_BUNDLE": "b"}, "a"),
        (False, {"SSL_CERT_FILE": "a"}, False),
        (f"{os.sep}c", {"SSL_CERT_FILE": "a"}, f"{os.sep}c"),
    ],
)
def test_certificates_of_the_environment(
    verify: bool | str, environ: dict[str, str], found: bool | str
) -> None:
    assert trusted_certificates(verify, environ=environ)[0] == found
