"""The code of every page, run as it stands before a real Label Studio: the Python blocks, then the commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.diligent_reviewer import review_all
from tests.support.obliging_model import oblige
from tests.support.openai_stub import OpenAIStub
from tests.support.pages import PAGES, commands, python_blocks, read_page
from tests.support.studio import StudioApi

WITH_PYTHON = [name for name, path in PAGES.items() if python_blocks(path)]

RUN = {"check", "export", "report", ("outbox", "status"), ("outbox", "send"), ("outbox", "rejected")}
"""Commands that are run; `up` and `demo` have tests of their own, and the others are about a run that was rejected."""


@pytest.fixture(autouse=True)
def _settings(
    label_studio: LocalLabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """What README.md tells a newcomer to set; a model that does as it is asked."""
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.api_key)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.chdir(tmp_path)
    with OpenAIStub() as stub:
        stub.otherwise = oblige
        monkeypatch.setenv("OPENAI_BASE_URL", stub.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield


class Projects:
    """The projects of a page. Each page finds none of those that another one made."""

    def __init__(self, studio: StudioApi, text: str) -> None:
        self._studio = studio
        self._text = text

    def _ids(self) -> list[int]:
        return [project for project, title in self._studio.titles().items() if title in self._text]

    def delete(self) -> None:
        for project in self._ids():
            self._studio.http.delete(f"/api/projects/{project}/").raise_for_status()

    def review(self) -> None:
        for project in self._ids():
            review_all(self._studio, project)


@pytest.mark.parametrize("name", WITH_PYTHON)
def test_every_block_and_command_runs(name: str, studio: StudioApi) -> None:
    page = read_page(PAGES[name])
    projects = Projects(studio, page.text)
    projects.delete()
    try:
        for block in page:
            block.evaluate()
            for handler in handlers_in(page.namespace):
                assert handler.flush()
                assert not handler.stats().rejected
            # Between two blocks, people have reviewed what there is.
            projects.review()
        for arguments in commands(PAGES[name]):
            if arguments[0] in RUN or tuple(arguments[:2]) in RUN:
                done = studio.run_command(*arguments)
                assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    finally:
        for handler in handlers_in(page.namespace):
            handler.close()
        page.namespace.clear()
        projects.delete()


def handlers_in(namespace: dict[str, Any]) -> list[LabelStudioCallbackHandler]:
    return [value for value in namespace.values() if isinstance(value, LabelStudioCallbackHandler)]
