"""The command `report`: what it reads, what it prints, what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from langchain_label_studio.cli import app, report_view
from langchain_label_studio.report import build_report
from langchain_label_studio.types.review import Review
from tests.support.extras import without_the_extra
from tests.support.hostile_reviews import hostile_reviews
from tests.support.reviews import review


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Have the command read reviews of a test; return what it asked for."""
    asked: dict[str, Any] = {}

    def load_reviews(**options: Any) -> list[Review]:
        asked.update(options)
        return hostile_reviews()

    monkeypatch.setattr("langchain_label_studio.reviews.load_reviews", load_reviews)
    monkeypatch.setattr(report_view, "out", Console(soft_wrap=True, highlight=False, width=160))
    return asked


def test_the_command_prints_json(command: dict[str, Any]) -> None:
    done = CliRunner().invoke(app, ["report", "--project", "7", "--since", "2026-11-01", "--json"])

    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["models"]) == 2
    assert command == {
        "project_id": "7",
        "project_name": None,
        "url": None,
        "answer": None,
        "good_buckets": (),
        "since": "2026-11-01",
        "include_skipped": True,
        "include_unreviewed": True,
        "progress": False,
    }


def test_the_command_prints_markdown(command: dict[str, Any]) -> None:
    done = CliRunner().invoke(app, ["report", "--project", "Ours", "--markdown"])

    assert done.stdout == build_report(hostile_reviews(), title="Reviews of Ours").to_markdown()
    assert (command["project_id"], command["project_name"]) == (None, "Ours")


def test_the_command_writes_a_page(command: dict[str, Any], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("before")

    done = CliRunner().invoke(app, ["report", "--project", "Ours", "--html", str(page)])

    assert done.exit_code == 0, done.output
    assert (
        page.read_text(encoding="utf-8") == build_report(hostile_reviews(), title="Reviews of Ours").to_html()
    )
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_the_command_shows_a_summary(command: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    report_view.print_report_summary(build_report(hostile_reviews(), title="Ours"))

    shown = capsys.readouterr().out
    assert "How far do the reviewers agree?" in shown
    assert "Krippendorff's alpha" in shown
    assert "<script>" in shown, "text of others is shown as it is"


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--json", "--markdown"], 2, "choose one"),
        (["--html", "nowhere/at/all.html"], 1, "there is no directory"),
        (["--html", "."], 1, "it is a directory"),
    ],
)
def test_the_command_says_what_is_wrong_before_it_reads(
    command: dict[str, Any], options: list[str], code: int, says: str
) -> None:
    done = CliRunner().invoke(app, ["report", "--project", "Ours", *options])

    assert (done.exit_code, says in done.output) == (code, True), done.output
    assert command == {}


def test_without_the_extra_the_command_says_so_before_it_reads(
    command: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_the_extra(monkeypatch, "vl_convert")

    done = CliRunner().invoke(app, ["report", "--project", "Ours", "--html", str(tmp_path / "r.html")])

    assert (done.exit_code, command) == (1, {})
    assert '".[report]"' in done.output


def test_the_command_without_a_key_says_where_to_get_one() -> None:
    done = CliRunner().invoke(app, ["report", "--project", "Ours"])

    assert done.exit_code == 1
    assert "No Label Studio API key" in done.output


def test_the_terminal_shows_the_texts_behind_the_numbers(
    command: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    reviews = [
        review(task_id=1, reviewer=who, prompt="[b]Why?", answers="A b c.", corrected=text, rating=stars)
        for who, text, stars in (("ann", "A b d.", 1), ("bob", "A b c.", 5))
    ]

    report_view.print_report_summary(build_report(reviews))

    shown = capsys.readouterr().out
    assert "Prompt: [b]Why?" in shown
    assert "Correction: A b cd." in shown, "what was removed is struck through, what was added is bold"
    assert "http://label-studio.test/projects/7/data?task=1 mean difference" in shown
    assert "corrected or not: ann: corrected: A b d.; bob: left as it was" in shown
