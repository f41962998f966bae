"""Errors of commands speak of options, not of the arguments of Python."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from langchain_label_studio import load_reviews
from langchain_label_studio import reviews as reviews_module
from langchain_label_studio.cli import app
from langchain_label_studio.cli.command_words import OPTIONS, in_command_words
from langchain_label_studio.datasets.options import Options
from langchain_label_studio.types.review import Review
from tests.support.handlers import KEY
from tests.support.reviews import asked, choices, review, stars

PROJECT = asked(stars(), choices("topic", "billing", "other"))
REVIEWS = [review(rating=5, choices={"topic": "billing"}, model="gpt-4o", **PROJECT)]

NOT_TYPED = {
    "headers",
    "verify",
    "api_key",
    "from_task",
    "include_skipped",
    "include_unreviewed",
    "progress",
    "deduplicate",
    "only_changed",
    "unanimous",
}
"""Arguments that no command has, or that are only switched on."""


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "LABEL_STUDIO_PROJECT_ID",
        "LABEL_STUDIO_PROJECT_NAME",
        "LABEL_STUDIO_URL",
        "LABEL_STUDIO_MODE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner(env={"COLUMNS": "300"}).invoke(app, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def options_of(command: Any) -> Iterator[str]:
    for each in getattr(command, "commands", {}).values():
        yield from options_of(each)
    yield from (name for parameter in command.params for name in parameter.opts)


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("since='yesterday' is no time", "--since 'yesterday' is no time"),
        ("Choose another project_name=.", "Choose another --project."),
        ("Pass project_name= or project_id=, or set X.", "Pass --project, or set X."),
        ("good= and bad= go together", "--good and --bad go together"),
        ("Set X to it (in Python, api_key= takes it, too). Then", "Set X to it. Then"),
        ("with headers= or LABEL_STUDIO_HEADERS", "with LABEL_STUDIO_HEADERS"),
        ("with verify='/it.pem' or SSL_CERT_FILE", "with SSL_CERT_FILE"),
        ("min_rating=9: the control 'a' has 5 stars", "--min-rating 9: the control 'a' has 5 stars"),
        ("LABEL_STUDIO_URL=x and curl=1", "LABEL_STUDIO_URL=x and curl=1"),
    ],
)
def test_words(said: str, typed: str) -> None:
    assert in_command_words(said) == typed


def test_every_argument_has_an_option_and_every_option_is_one() -> None:
    arguments = {*signature(load_reviews).parameters, *Options.__annotations__} - NOT_TYPED

    assert arguments <= set(OPTIONS)
    assert set(OPTIONS.values()) <= set(options_of(get_command(app)))


EXPORT = ("--project", "Ours", "-o", "train.jsonl")
MISUSED = [
    ("export", "kto", *EXPORT, "--threshold", "9"),
    ("export", "kto", *EXPORT, "--threshold", "-1"),
    ("export", "kto", *EXPORT, "--threshold", "0"),
    ("export", "kto", *EXPORT, "--threshold", "1"),
    ("export", "kto", *EXPORT, "--threshold", "nan"),
    ("export", "kto", *EXPORT, "--threshold", "inf"),
    ("export", "kto", *EXPORT, "--good", "topic=billing"),
    ("export", "kto", *EXPORT, "--good", "topic=billing", "--bad", "topic=billing"),
    ("export", "kto", *EXPORT, "--good", "topic=biling", "--bad", "topic=other"),
    ("export", "kto", *EXPORT, "--good", "topic=billing", "--bad", "topics=other"),
    ("export", "kto", *EXPORT, "--good", "topic=billing", "--bad", "topic=other", "--threshold", "3"),
    ("export", "kto", *EXPORT, "--good", "topic", "--bad", "topic=other"),
    ("export", "kto", *EXPORT, "--feedback", "user_feedback"),
    ("export", "kto", *EXPORT, "--feedback", "user_feedback=high"),
    ("export", "kto", *EXPORT, "--feedback", "user_feedback=nan"),
    ("export", "kto", *EXPORT, "--feedback", "a=0", "--feedback", "a=1"),
    ("export", "sft", *EXPORT, "--min-rating", "9"),
    ("export", "sft", *EXPORT, "--min-rating", "-1"),
    ("export", "sft", *EXPORT, "--rating", "stars"),
    ("export", "sft", *EXPORT, "--choice", "topc=billing"),
    ("export", "sft", *EXPORT, "--choice", "topic=biling"),
    ("export", "sft", *EXPORT, "--choice", "rating=5"),
    ("export", "sft", *EXPORT, "--choice", "topic"),
    ("export", "sft", *EXPORT, "--exclude", "topic=biling"),
    ("export", "sft", *EXPORT, "--exclude", "topic=billing", "--choice", "topic=billing"),
    ("export", "sft", *EXPORT, "--model", "gpt4o"),
    ("export", "sft", *EXPORT, "--since", "yesterday"),
    ("export", "sft", *EXPORT, "--until", "tomorrow"),
    ("export", "sft", *EXPORT, "--since", "2026-11-02", "--until", "2026-11-01"),
    ("export", "sft", *EXPORT, "--validation", "10"),
    ("export", "sft", *EXPORT, "--validation", "nan"),
    ("export", "sft", *EXPORT, "--policy", "agreed"),
    ("export", "sft", *EXPORT, "--format", "mesages"),
    ("export", "sft", "--project", "Ours", "-o", "train.csv"),
    ("export", "stf", *EXPORT),
]


@pytest.mark.parametrize("arguments", MISUSED, ids=" ".join)
def test_an_export_that_cannot_be_right(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews_module, "load_reviews", lambda **_: iter(REVIEWS))

    code, said = run(*arguments)

    assert code == 2, said
    assert_in_words_of_commands(said, arguments)
    assert list(Path().iterdir()) == [], "nothing is written"


@pytest.mark.parametrize("command", [("export", "sft", "-o", "train.jsonl"), ("report",)], ids=" ".join)
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--project"),
        (("--project", "0"), "--project '0'"),
        (("--project", "Ours", "--url", "localhost"), "http://"),
        (("--project", "Ours", "--url", "http://me:pw@localhost"), "user name or password"),
        (("--project", "Ours", "--since", "yesterday"), "--since 'yesterday'"),
    ],
    ids=str,
)
def test_a_project_that_cannot_be_one(
    command: tuple[str, ...], arguments: tuple[str, ...], named: str
) -> None:
    code, said = run(*command, *arguments)

    assert code == 2, said
    assert named in said
    assert_in_words_of_commands(said, arguments)


@pytest.mark.parametrize("command", [("export", "sft", "-o", "train.jsonl"), ("report",)], ids=" ".join)
@pytest.mark.parametrize("title", ["No", "two\nlines"])
def test_a_title_that_no_project_can_have(command: tuple[str, ...], title: str) -> None:
    code, said = run(*command, "--project", title)

    assert (code, "--project" in said) == (1, True), said
    assert_in_words_of_commands(said, ())


@pytest.mark.parametrize("command", [("export", "sft", "-o", "train.jsonl"), ("report",)], ids=" ".join)
def test_without_a_key(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")

    code, said = run(*command, "--project", "Ours")

    assert (code, "Set LABEL_STUDIO_API_KEY" in said) == (1, True), said
    assert_in_words_of_commands(said, ())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--project", "No"), "--project"),
        (("--project", "0"), "--project"),
        (("--mode", "caht"), "Did you mean 'chat'?"),
        (("--url", "localhost"), "http://"),
    ],
    ids=str,
)
def test_a_check_that_cannot_be_right(arguments: tuple[str, ...], named: str) -> None:
    code, said = run("check", *arguments)

    assert (code, named in said) == (1, True), said
    assert_in_words_of_commands(said, arguments)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("export", "sft", *EXPORT, "--policy", "agreed"), "agreed-only"),
        (("export", "sft", *EXPORT, "--format", "mesages"), "messages"),
        (("export", "sft", *EXPORT, "--choice", "topc=billing"), "topic"),
        (("export", "sft", *EXPORT, "--choice", "topic=biling"), "billing"),
        (("export", "sft", *EXPORT, "--rating", "ratings"), "rating"),
        (("export", "sft", *EXPORT, "--model", "gpt4o"), "gpt-4o"),
        (("export", "stf", *EXPORT), "sft"),
    ],
    ids=str,
)
def test_did_you_mean(arguments: tuple[str, ...], meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews_module, "load_reviews", lambda **_: iter(REVIEWS))

    assert f"Did you mean '{meant}'?" in run(*arguments)[1]


def test_a_check_of_two_projects() -> None:
    assert run("check", "--project", "1", "--project-name", "Ours")[0] == 2


def test_the_version() -> None:
    code, said = run("--version")

    assert code == 0
    assert re.fullmatch(r"langchain-label-studio \d+\.\d+\S*\n", said)


NEEDS: list[tuple[str, Callable[[], Review], str]] = [
    ("prm", lambda: review(**PROJECT), 'record agents in the mode "agent"'),
    ("dpo", lambda: review(**PROJECT), "correct answers, or record runs in the mode"),
    ("kto", lambda: review(**PROJECT), "that --good and --bad name"),
    ("sft", lambda: review(rating=1, **PROJECT), "that a reviewer corrected"),
]


@pytest.mark.parametrize(("kind", "reviewed", "said"), NEEDS)
def test_an_export_without_rows_says_what_a_row_needs(
    kind: str,
    reviewed: Callable[[], Review],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reviews_module, "load_reviews", lambda **_: iter([reviewed()]))

    done = CliRunner(env={"COLUMNS": "300"}).invoke(app, ["export", kind, *EXPORT])
    as_json = CliRunner().invoke(app, ["export", kind, *EXPORT, "--json"])

    assert (done.exit_code, said in done.stderr) == (1, True), done.stderr
    assert_in_words_of_commands(done.stderr, ())
    assert done.stderr == f"✗ {json.loads(as_json.stdout)['problem']}\n"
    assert (as_json.exit_code, as_json.stderr) == (1, "")


def assert_in_words_of_commands(said: str, typed: tuple[str, ...]) -> None:
    """Check that no argument of Python is named. What was typed, such as `topic=billing`, may stand there."""
    typed_names = {word.partition("=")[0] for word in typed if "=" in word}
    named = (
        set(re.findall(rf"\b({'|'.join([*OPTIONS, 'api_key', 'headers', 'verify'])})=", said)) - typed_names
    )
    assert not named, said
    assert not re.search(r"\b(project_(name|id)|min_rating|api_key|load_reviews)\b", said), said
