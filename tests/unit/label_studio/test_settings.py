"""Argument, else environment, else default; empty is unset; what cannot be right says what to do."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any, Self

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from langchain_label_studio import (
    LabelConfigError,
    LabelStudioMode,
    MissingApiKeyError,
    NoResponseControlError,
    ProjectTitleError,
    SettingError,
    get_default_label_configs,
)
from langchain_label_studio.delivery.settings import resolve_delivery
from langchain_label_studio.label_studio import settings as settings_module
from langchain_label_studio.label_studio.settings import resolve_project_choice, resolve_settings

ENVIRONMENT = {
    "LABEL_STUDIO_API_KEY": "key-of-the-environment",
    "LABEL_STUDIO_URL": "http://environment:1234/ls",
    "LABEL_STUDIO_PROJECT_ID": "7",
}


class _Moment(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2026, 11, 29, 8, 30, tzinfo=tz)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour or a day may end between two looks at the clock."""
    monkeypatch.setattr(settings_module, "datetime", _Moment)


def test_the_argument_wins_over_the_environment() -> None:
    settings = resolve_settings(api_key="mine", url="https://mine", project_id=3, environ=ENVIRONMENT)

    assert settings.api_key.get_secret_value() == "mine"
    assert (settings.url, settings.project_id) == ("https://mine/", 3)


def test_the_environment_wins_over_the_default() -> None:
    settings = resolve_settings(environ=ENVIRONMENT)

    assert settings.api_key.get_secret_value() == "key-of-the-environment"
    assert (settings.url, settings.project_id) == ("http://environment:1234/ls/", 7)


def test_empty_counts_as_unset() -> None:
    settings = resolve_settings(
        api_key="",
        url="",
        project_name="",
        project_config="",
        environ={"LABEL_STUDIO_API_KEY": " k ", "LABEL_STUDIO_URL": "", "LABEL_STUDIO_PROJECT_ID": " "},
    )

    assert settings.api_key.get_secret_value() == "k"
    assert settings.url == "http://localhost:8080/"
    assert settings.project_id is None
    assert settings.project_title == "LangChain-2026-11-29"
    assert settings.form == "prompt"


BOTH = {"LABEL_STUDIO_PROJECT_ID": "7", "LABEL_STUDIO_PROJECT_NAME": "Of the environment"}


@pytest.mark.parametrize(
    ("passed", "environ", "handler", "reader"),
    [
        ({"project_name": "Support"}, BOTH, 7, "Support"),
        ({"project_id": 5}, BOTH, 5, 5),
        ({"project_id": "", "project_name": "Support"}, BOTH, 7, "Support"),
        ({"project_id": 5, "project_name": ""}, BOTH, 5, 5),
        ({}, BOTH, 7, 7),
        ({}, {"LABEL_STUDIO_PROJECT_NAME": "Of the environment"}, "Of the environment", "Of the environment"),
    ],
)
def test_which_project_it_is(
    passed: dict[str, Any], environ: dict[str, str], handler: int | str, reader: int | str
) -> None:
    settings = resolve_settings(api_key="k", **passed, environ=environ)

    assert (settings.project_id or settings.project_title) == handler
    assert resolve_project_choice(**passed, environ=environ) == reader


def test_reviews_are_read_of_one_project() -> None:
    with pytest.raises(SettingError, match="project_id=5 and project_name='Support' each name a project"):
        resolve_project_choice(5, "Support", environ={})


@pytest.mark.parametrize("url", ["http://h:80/ls", "http://h:80/ls/", " http://h:80/ls// "])
def test_an_address_ends_in_exactly_one_slash(url: str) -> None:
    assert resolve_settings(api_key="k", url=url, environ={}).url == "http://h:80/ls/"


def test_a_key_may_be_a_secret_and_stays_one() -> None:
    settings = resolve_settings(api_key=SecretStr("very-secret"), environ={})

    assert settings.api_key.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(settings)


def test_a_missing_key_says_where_to_find_one() -> None:
    with pytest.raises(MissingApiKeyError, match=r"Personal Access Token.*LABEL_STUDIO_API_KEY"):
        resolve_settings(environ={})


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(SettingError) as caught:
        resolve_settings(api_key=key, environ={})

    assert key not in str(caught.value)


def test_reviewers_are_told_what_the_form_asks_unless_somebody_says_otherwise() -> None:
    def told(**settings: Any) -> str:
        return resolve_settings(api_key="k", **settings, environ={}).instructions

    assert "Which answer is better?" in told(mode="preference")
    assert told(mode="preference", instructions="Be kind.\n") == "Be kind.\n"
    assert told(instructions="") == ""
    own = get_default_label_configs("prompt")[0]
    assert told(project_config=own) == "", "nobody but its author knows what it asks"
    assert told(project_config=own, instructions="Mine") == "Mine"


@pytest.mark.parametrize("mode", ["prompt", "chat", "rag"])
def test_ratings_have_keys_where_they_are_asked_for(mode: str) -> None:
    settings = resolve_settings(api_key="k", mode=mode, rating="keys", environ={})

    assert settings.label_config == get_default_label_configs(mode, rating="keys")[0]
    assert "<Rating" not in settings.label_config
    assert not settings.custom_config


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"url": "localhost:8080"}, SettingError, "http://"),
        ({"url": "http://me:pass@host"}, SettingError, "api_key="),
        ({"project_id": "my project"}, SettingError, "/projects/NUMBER"),
        ({"project_id": -1}, SettingError, "/projects/NUMBER"),
        ({"project_name": "ab"}, ProjectTitleError, "3 to 50"),
        ({"project_name": "x" * 51}, ProjectTitleError, "3 to 50"),
        ({"project_name": "half \ud800"}, ProjectTitleError, r"Take the character '\\ud800' out"),
        # On Linux, strftime ends here. The title would be another one.
        ({"project_name": "nothing\0hidden"}, ProjectTitleError, r"Take the character '\\x00' out"),
        ({"project_name": "two\nlines"}, ProjectTitleError, "Take the character"),
        ({"project_name": "red \x1b[31m"}, ProjectTitleError, "Take the character"),
        ({"project_name": "   "}, ProjectTitleError, "3 to 50"),
        ({"project_name": 5}, ProjectTitleError, "pass a text"),
        ({"project_id": "\ud800"}, SettingError, "/projects/NUMBER"),
        ({"project_id": "7\0"}, SettingError, "/projects/NUMBER"),
        ({"project_id": "9" * 5000}, SettingError, "/projects/NUMBER"),
        ({"project_id": 2**70}, SettingError, "/projects/NUMBER"),
        ({"project_id": 1.5}, SettingError, "/projects/NUMBER"),
        ({"project_id": float("inf")}, SettingError, "/projects/NUMBER"),
        ({"project_id": True}, SettingError, "/projects/NUMBER"),
        ({"url": "http://ho\0st"}, SettingError, "http://localhost:8080"),
        ({"url": "http://host/\ud800"}, SettingError, "http://localhost:8080"),
        ({"url": "http://two words"}, SettingError, "http://localhost:8080"),
        # urlsplit leaves these out without a word.
        ({"url": "http://ho\nst"}, SettingError, "http://localhost:8080"),
        ({"url": "http://host:99999"}, SettingError, "http://localhost:8080"),
        ({"url": "http://[::1"}, SettingError, "http://localhost:8080"),
        ({"url": b"http://host"}, SettingError, "http://localhost:8080"),
        ({"api_key": b"bytes"}, SettingError, "api_key is a bytes"),
        ({"model_version": "half \ud800"}, SettingError, "Take the character"),
        ({"model_version": "v\0"}, SettingError, "Take the character"),
        ({"model_version": 4}, SettingError, "pass a text"),
        ({"mode": ["chat"]}, SettingError, "pass a text"),
        ({"mode": "ch\0at"}, SettingError, "Take the character"),
        ({"project_config": "<View>\ud800</View>"}, LabelConfigError, "half of a character"),
        ({"project_config": "<View>\0</View>"}, LabelConfigError, "not XML"),
        ({"project_config": b"<View/>"}, LabelConfigError, "as a text"),
        ({"rating": "numbers"}, SettingError, "use 'stars' or 'keys'"),
        ({"rating": "keys", "project_config": "<View/>"}, SettingError, "for the built-in pages"),
        ({"instructions": 5}, SettingError, "pass a text"),
        ({"instructions": "\ud800"}, SettingError, "Take the character"),
        ({"instructions": "a\0b"}, SettingError, "Take the character"),
        ({"reviewers_per_task": 0}, SettingError, "1 person or more"),
        ({"reviewers_per_task": "2"}, SettingError, "a whole number such as 2"),
        ({"reviewers_per_task": 1.5}, SettingError, "a whole number such as 2"),
        ({"reviewers_per_task": True}, SettingError, "a whole number such as 2"),
        ({"mode": "poem"}, SettingError, "'prompt', 'chat', "),
        ({"project_config": "<View>"}, LabelConfigError, "not XML"),
        ({"project_config": "<!DOCTYPE x><View/>"}, LabelConfigError, "DOCTYPE"),
        ({"project_config": "<View/>"}, NoResponseControlError, "Supervised Language Model Fine-tuning"),
    ],
)
def test_what_cannot_be_right_is_a_value_error_that_says_what_to_do(
    settings: dict, error: type[SettingError], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        resolve_settings(**{"api_key": "k", "environ": {}} | settings)

    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 500
    assert not set(str(caught.value)) & set("\0\x1b\ud800")


@pytest.mark.parametrize(
    "url", ["http://me:hunter2@host", "http://me:hunter2@ho st", "http://me:hunter2\0@host"]
)
def test_a_bad_password_in_an_address_is_not_shown(url: str) -> None:
    with pytest.raises(SettingError) as caught:
        resolve_settings(api_key="k", url=url, environ={})

    assert "hunter2" not in str(caught.value)


def test_a_bad_number_in_the_environment_names_the_variable() -> None:
    with pytest.raises(SettingError, match="LABEL_STUDIO_PROJECT_ID"):
        resolve_settings(environ=ENVIRONMENT | {"LABEL_STUDIO_PROJECT_ID": "seven"})


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("100 %%", "100 %"),
        ("%%Q abc", "%Q abc"),
        (" Family 👨\u200d👩\u200d👧 ", "Family 👨\u200d👩\u200d👧"),
        ("Año\u00a0%Y", "Año\u00a02026"),
        ("%Y-%m-%d %H", "2026-11-29 08"),
        ("%Y%m%d", "20261129"),
        ("Day %d, %B", "Day 29, November"),
        ("%A_%d", "Sunday_29"),
        ("Logs %Y年%m月%d日", "Logs 2026年11月29日"),
        ("%Y%m%dT%H%M", "20261129T0830"),
        ("%-m/%-d of %Y", "11/29 of 2026"),
        # No dates.
        ("Rate 20%discount", "Rate 20%discount"),
        ("100%sure", "100%sure"),
        ("100%été", "100%été"),
        ("100 %", "100 %"),
        ("50 % off", "50 % off"),
        ("Day %Q", "Day %Q"),
        ("abc%n", "abc%n"),
        ("100%s", "100%s"),
        ("a%20b project", "a%20b project"),
        ("50%-a", "50%-a"),
        ("grow_20%_b", "grow_20%_b"),
        ("a %%Y", "a %Y"),
    ],
)
def test_a_title_keeps_its_other_characters(name: str, title: str) -> None:
    assert resolve_settings(api_key="k", project_name=name, environ={}).project_title == title


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_taken_or_is_a_wrong_setting(text: str, other: str) -> None:
    for settings in (
        {"project_name": text},
        {"project_id": text},
        {"model_version": text},
        {"url": f"http://{text}"},
        {"url": f"http://host:8080/{text}"},
        {"api_key": text},
        {"mode": text},
        {"project_config": f'<View a="{text}"/>{other}'},
    ):
        try:
            resolved = resolve_settings(**{"api_key": "k", "environ": {}} | settings)
        except SettingError as error:
            assert "\0" not in str(error)
        else:
            # What is taken can be sent.
            orjson.dumps(
                [resolved.project_title, resolved.model_version, resolved.url, resolved.label_config]
            )


@pytest.mark.parametrize(
    "wrong",
    [
        {"outbox_dir": "a\0b"},
        {"outbox_dir": "half \ud800"},
        {"outbox_dir": 5},
        {"outbox_dir": "~there-is-no-such-user/outbox"},
        {"durability": "forever"},
        {"flush_interval": float("nan")},
        {"flush_interval": float("inf")},
        {"flush_interval": "1"},
        {"flush_interval": -1},
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"batch_size": "5"},
    ],
    ids=str,
)
def test_delivery_that_cannot_be_right_is_a_wrong_setting(wrong: dict) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        resolve_delivery(environ={}, **wrong)


@pytest.mark.parametrize("title", ["abc", "x" * 50, "🚀" * 50, "  abc  "])
def test_titles_are_counted_as_label_studio_counts_them(title: str) -> None:
    settings = resolve_settings(api_key="k", project_name=title, environ={})

    assert settings.project_title == title.strip()


def test_an_xml_declaration_is_taken_off_because_label_studio_fails_on_it() -> None:
    config = '<?xml version="1.0" encoding="utf-8"?>\n<View><Text name="t" value="$t"/><TextArea name="a" toName="t"/></View>'

    settings = resolve_settings(api_key="k", project_config=config, environ={})

    assert settings.label_config.startswith("<View>")


@pytest.mark.parametrize(
    ("given", "variable", "mode", "title"),
    [
        ({}, {}, "prompt", "LangChain-2026-11-29"),
        ({}, {"LABEL_STUDIO_MODE": " chat ", "LABEL_STUDIO_PROJECT_NAME": " Team "}, "chat", "Team"),
        (
            {},
            {"LABEL_STUDIO_MODE": "", "LABEL_STUDIO_PROJECT_NAME": " "},
            "prompt",
            "LangChain-2026-11-29",
        ),
        (
            {"mode": "prompt", "project_name": "Mine"},
            {"LABEL_STUDIO_MODE": "chat", "LABEL_STUDIO_PROJECT_NAME": "Team"},
            "prompt",
            "Mine",
        ),
        (
            {"mode": LabelStudioMode.CHAT},
            {"LABEL_STUDIO_MODE": "agent"},
            "chat",
            "LangChain-2026-11-29",
        ),
        (
            {"project_name": "LangChain-%Y-%m-%d"},
            {"LABEL_STUDIO_PROJECT_NAME": "Team"},
            "prompt",
            "LangChain-2026-11-29",
        ),
    ],
)
def test_an_argument_wins_over_a_variable_and_that_over_the_default(
    given: dict, variable: dict, mode: str, title: str
) -> None:
    settings = resolve_settings(api_key="k", **given, environ=variable)

    assert (settings.form, settings.project_title) == (mode, title)


def test_the_commands_and_reviews_know_the_project_of_the_environment() -> None:
    environ = {"LABEL_STUDIO_PROJECT_NAME": "Team"}

    assert resolve_project_choice(environ=environ) == "Team"
    assert resolve_project_choice(project_name="Mine", environ=environ) == "Mine"
    assert resolve_project_choice(environ=environ | {"LABEL_STUDIO_PROJECT_ID": "7"}) == 7
