"""Which project is meant: by title, among several of one title, and with a title that is almost right."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LabelStudioWarning,
    ProjectNotFoundError,
    SettingError,
    load_reviews,
)
from langchain_label_studio.cli import app
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio


@pytest.fixture
def twins(loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch) -> LoopbackLabelStudio:
    """Two projects of one title, and another."""
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    for title in ("Support", "Support", "Sales chats"):
        loopback.add_project(title)
    return loopback


def test_reviews_are_not_read_from_one_of_several_projects(twins: LoopbackLabelStudio) -> None:
    with pytest.raises(SettingError, match=r"2 projects 'Support' .*: 1, 2\. .* project_id="):
        load_reviews(project_name="Support")


@pytest.mark.parametrize("command", [("export", "sft", "-o", "train.jsonl"), ("report",)], ids=" ".join)
def test_commands_ask_for_the_number(twins: LoopbackLabelStudio, command: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*command, "--project", "Support"])

    assert (done.exit_code, "1, 2. Pass the number of the one you mean as --project." in done.stderr) == (
        2,
        True,
    )


def test_a_handler_records_in_the_oldest_and_says_so_aloud(twins: LoopbackLabelStudio) -> None:
    with pytest.warns(LabelStudioWarning, match=r"several projects of this title \(1, 2\)"):
        handler = LabelStudioCallbackHandler(project_name="Support")

    assert handler.project_id == 1


@pytest.mark.parametrize("title", ["Sales chat", "sales chats", "Sale chats"])
def test_a_title_that_is_almost_right(twins: LoopbackLabelStudio, title: str) -> None:
    with pytest.raises(ProjectNotFoundError, match=r"Did you mean 'Sales chats'\?"):
        load_reviews(project_name=title)


def test_every_project_that_was_made_at_the_same_moment_is_renamed(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite, Label Studio may create several projects in one request."""
    once = loopback.add_project

    def three_times(title: str, label_config: str | None = None) -> dict[str, object]:
        return [once(title, label_config) for _ in range(3)][-1]

    monkeypatch.setattr(loopback, "add_project", three_times)

    handler = LabelStudioCallbackHandler(KEY, loopback.url, project_name="Support")

    assert handler.project_id == 1
    titles = [project["title"] for project in loopback.projects.values()]
    assert titles == ["Support", "Support (unused)", "Support (unused)"]


def test_a_new_project_gets_its_tabs_and_one_that_exists_gets_none(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    existing = loopback.add_project("Old")["id"]

    LabelStudioCallbackHandler(KEY, project_name="Old").close()
    LabelStudioCallbackHandler(KEY, project_name="New").close()
    LabelStudioCallbackHandler(KEY, project_name="New").close()

    assert existing not in loopback.tabs
    assert [tab["title"] for tab in loopback.tabs[existing + 1]] == [
        *("To review", "Disliked by users", "Errors", "Disagreements", "Done")
    ]


def test_a_tab_that_fails_while_others_write_is_made_again(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    loopback.tab_statuses = [201, 500, 500]

    handler = LabelStudioCallbackHandler(KEY, project_name="New")

    titles = [tab["title"] for tab in loopback.tabs[handler.project_id]]
    assert len(titles) == len(set(titles)) == 5


def test_a_project_works_without_its_tabs(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    loopback.tab_statuses = [403]

    with pytest.warns(LabelStudioWarning, match=r"'New'\) does not have all its tabs. Everything else works"):
        handler = LabelStudioCallbackHandler(KEY, project_name="New")

    assert handler.project_id == 1
