"""No text from outside reaches the terminal as a command to it, whichever command prints it."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table
from typer.testing import CliRunner, Result

from langchain_label_studio import cli, reviews
from langchain_label_studio.cli import app, console, demo_runs
from langchain_label_studio.errors import LabelStudioError, ServerUnavailableError
from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.label_studio import connection_check
from langchain_label_studio.label_studio.api_errors import reason_in
from langchain_label_studio.label_studio.connection_check import Finding
from langchain_label_studio.report.build import build_report
from langchain_label_studio.support.printable_text import printable, printable_lines
from langchain_label_studio.types.feedback import Feedback
from langchain_label_studio.types.review import Rating
from tests.support.reviews import preference, review

# The title of the window, the clipboard, a cleared screen; C1 controls that do the same; other directions; what deletes.
COMMANDS = (
    "\x1b]0;owned\x07 \x1b]52;c;cm0gLXJm\x07 \x1b[2J\x1b[1;31m \x9b2J \x90q\x9c \x85 \x7f\x08\r "
    "\u202eevil\u202c \u2066x\u2069 \u200f \u061c \u2028 \ufeff \U000e0041"
)
TEXT = f"An answer {COMMANDS} [bold]and its end[/bold]"
MAIN = sys.modules["langchain_label_studio.cli.app"]


def is_harmless(shown: str) -> bool:
    return printable_lines(shown) == shown


def run(*arguments: str) -> Result:
    done = CliRunner(env={"COLUMNS": "200", "FORCE_COLOR": None, "TERM": "dumb"}).invoke(app, arguments)
    assert is_harmless(done.stdout + done.stderr), (done.stdout, done.stderr)
    return done


def test_what_is_shown_of_such_a_text() -> None:
    assert printable("a\x1b[1mb\u202ec\x85\x7f\u2028") == r"a\u001b[1mb\u202ec\u0085\u007f\u2028"
    assert printable("é 你好 🙂 1\u202f000\u3000x") == "é 你好 🙂 1\u202f000\u3000x"
    assert printable_lines("a\r\nb\tc") == "a\\r\nb\\tc"
    assert json.loads(f'"{printable(COMMANDS)}"') == COMMANDS


def test_a_console_shows_no_text_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(title=COMMANDS)
    table.add_column(COMMANDS)
    table.add_row(COMMANDS)

    for printed in (COMMANDS, table):
        console.out.print(printed)
        console.err.print(printed)
    with console.out.status(console.shown(COMMANDS)):
        pass

    shown = capsys.readouterr()
    assert "\\u001b]0;owned" in shown.out
    assert is_harmless(shown.out), shown.out[-300:]
    assert is_harmless(shown.err), shown.err[-300:]


@pytest.mark.parametrize("error", [LabelStudioError(TEXT), ValueError(TEXT)])
def test_an_error_is_shown_without_commands(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_up(**_: Any) -> Iterator[Finding]:
        raise error
        yield

    monkeypatch.setattr(connection_check, "check_up", check_up)

    done = run("check")

    assert done.exit_code == 1
    assert "[bold]and its end[/bold]" in done.stderr
    assert ("Traceback" in done.stderr) == isinstance(error, ValueError)


def test_check(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [Finding(level, TEXT) for level in ("good", "warning", "bad")]  # type: ignore[arg-type]
    monkeypatch.setattr(connection_check, "check_up", lambda **_: iter(findings))

    assert run("check").stdout.count("[bold]and its end[/bold]") == 3


def test_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def local_label_studio(*_: object) -> Iterator[tuple[str, str]]:
        yield "http://localhost:1", "key"

    recorded = demo_runs.Recorded(LabelStudioMode.PROMPT, TEXT, TEXT, tasks=2, url="http://localhost:1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setattr(MAIN, "_local_label_studio", local_label_studio)
    monkeypatch.setattr(MAIN, "require_extra", lambda *_, **__: None)
    monkeypatch.setattr(demo_runs, "record_demo_runs", lambda **_: iter([recorded]))

    done = run("demo", "--exit")

    assert done.exit_code == 0, done.output
    assert done.stdout.count("An answer \\u001b]0;owned") == 2


@pytest.fixture
def hostile_reviews(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    monkeypatch.chdir(tmp_path)
    shared = {"model": TEXT, "reviewer": TEXT, "tags": (TEXT,)}
    given = [
        replace(
            review(
                task_id=number,
                rating=number,
                choices={TEXT: TEXT},
                comments={TEXT: TEXT},
                corrected=TEXT,
                **shared,
            ),
            ratings={TEXT: Rating(value=number, scale=5)},
            feedback={TEXT: Feedback(score=1.0, comment=TEXT)},
        )
        for number in (1, 2, 3)
    ]
    given += [review(task_id=4, preference=preference(TEXT, "b"), model=TEXT)]
    monkeypatch.setattr(reviews, "load_reviews", lambda **_: iter(given))
    return given


@pytest.mark.parametrize(
    "options", [[], ["--json"], ["--markdown"], ["--html", f"page {COMMANDS.replace('/', '')}.html"]]
)
def test_report(options: list[str], hostile_reviews: list[Any]) -> None:
    done = run("report", "--project", TEXT, *options)

    assert done.exit_code == 0, done.output
    if options == ["--json"]:
        assert json.loads(done.stdout)["title"] == f"Reviews of {TEXT}"


def test_the_json_of_a_report_is_the_same_with_escapes(hostile_reviews: list[Any]) -> None:
    report = build_report(hostile_reviews, title=TEXT)

    assert is_harmless(report.to_json())
    assert report.to_dict()["title"] == TEXT


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("kind", ["sft", "dpo", "kto", "reward", "prm"])
def test_export(kind: str, options: list[str], hostile_reviews: list[Any]) -> None:
    run("export", kind, "--project", TEXT, "-o", f"rows{COMMANDS.replace('/', '')}.jsonl", *options)


def test_a_reason_of_a_server_has_no_commands() -> None:
    assert is_harmless(reason_in({"detail": COMMANDS}))
    assert is_harmless(reason_in(COMMANDS))
    assert is_harmless(str(ServerUnavailableError(reason_in({"validation_errors": {COMMANDS: [COMMANDS]}}))))


def test_every_print_of_a_command_goes_through_the_console() -> None:
    """`typer.echo`, `print`, a console of its own or a bare stream would not make texts printable."""
    for path in Path(cli.__file__).parent.glob("*.py"):
        if path.name == "console.py":
            continue
        names = {
            ast.unparse(node)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Name | ast.Attribute)
        }
        assert not names & {
            "print",
            "typer.echo",
            "typer.secho",
            "typer.confirm",
            "Console",
            "sys.stdout",
            "sys.stderr",
        }, path.name
