"""`project refresh` shows what changes before it changes anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from langchain_label_studio.cli import app
from langchain_label_studio.label_studio import client
from tests.support.old_pages import OLD_PAGES
from tests.support.patches import patch_here
from tests.support.refreshable_project import Server

OLD = OLD_PAGES["agent"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server(2)

    # A sender that an earlier test left may try again just now.
    patch_here(monkeypatch, client, "LabelStudioClient", lambda **_: server.connect())
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "key")
    yield server
    assert server.connections == 0


def run(*arguments: str, said: str = "") -> tuple[int, str]:
    done = CliRunner(env={"COLUMNS": "200", "FORCE_COLOR": None, "TERM": "dumb"}).invoke(
        app, ["project", "refresh", *arguments], input=said
    )
    return done.exit_code, done.stdout + done.stderr


def test_what_changes_is_shown(server: Server) -> None:
    code, shown = run("7", "--dry-run")

    assert code == 0
    assert "Project 7 ('Answers'), the page of mode 'agent'" in shown
    assert '\n-  <Repeater on="$run.steps" indexFlag="{{idx}}">\n' in shown
    assert '\n+          <Header value="$run.steps[{{idx}}].title" size="5"/>\n' in shown
    assert "Instructions: filled" in shown
    assert "Tabs of the list: To review" in shown
    assert "Tasks: 2 tasks to render anew" in shown
    assert (server.label_config, server.refreshed) == (OLD, [])


@pytest.mark.parametrize(("answer", "code", "refreshed"), [("y\n", 0, [1, 2]), ("n\n", 1, []), ("", 1, [])])
def test_it_asks(server: Server, answer: str, code: int, refreshed: list[int]) -> None:
    found, shown = run("7", said=answer)

    assert (found, server.refreshed, server.label_config == OLD) == (code, refreshed, not refreshed)
    assert ("Nothing was changed" in shown) == (not refreshed)


def test_nothing_to_do(server: Server) -> None:
    server.refresh()

    code, shown = run("--project", "7")

    assert (code, "Nothing to do" in shown) == (0, True)


def test_a_stop_says_how_to_go_on(server: Server) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    server.before_write = stop

    code, shown = run("7", "--yes")

    assert (code, "The same command does what is left" in shown) == (130, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["7", "--project", "8"], "choose one"),
        (["7", "--mode", "chat"], "has the page of --mode 'agent'"),
        (["7", "--rating", "stars "], "--rating"),
        (["7", "--mode", "none"], "--mode"),
        ([], "Which project?"),
    ],
)
def test_misuse(server: Server, arguments: list[str], said: str) -> None:
    code, shown = run(*arguments, "--yes")

    assert (code, said in shown) == (2, True), shown
    assert server.label_config == OLD


def test_the_connection_is_closed_without_such_a_project(server: Server) -> None:
    code, shown = run("Answer", "--yes")

    assert (code, "There is no project 'Answer'" in shown) == (1, True)
