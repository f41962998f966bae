"""What a handler says of a project that exists: it keeps its own label config."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_label_studio import get_default_label_configs
from langchain_label_studio.label_studio.projects import read_project
from langchain_label_studio.label_studio.settings import resolve_settings
from tests.support.old_pages import OLD_PAGES
from tests.support.projects import project_info

PROMPT = get_default_label_configs("prompt")[0]


def warnings_for(project_rating: Any, **settings: Any) -> str:
    return warnings_of(get_default_label_configs("prompt", rating=project_rating)[0], **settings)


def warnings_of(config: str, **settings: Any) -> str:
    return " ".join(read_project(project_info(config), resolve_settings(api_key="key", **settings)).warnings)


def test_a_project_with_stars_gets_no_keys() -> None:
    said = warnings_for("stars", rating="keys")

    assert "keeps its own label config, which is not that of mode='prompt' with rating='keys'" in said
    assert 'it lacks <Choices name="rating">' in said
    assert "`langchain-label-studio project refresh 1 --rating keys`" in said


@pytest.mark.parametrize(("project", "wanted"), [("keys", "keys"), ("keys", "stars"), ("stars", "stars")])
def test_who_asked_for_nothing_else_gets_no_warning(project: str, wanted: str) -> None:
    assert warnings_for(project, rating=wanted) == ""


@pytest.mark.parametrize("mode", ["agent", "preference", "rag"])
def test_the_page_of_an_earlier_version_can_be_refreshed(mode: str) -> None:
    assert "`langchain-label-studio project refresh 1 --rating stars`" in warnings_of(
        OLD_PAGES[mode], mode=mode
    )


def test_a_label_config_of_ones_own_is_for_its_owner_to_change() -> None:
    own = OLD_PAGES["agent"].replace('"hallucination"', '"invented"').replace("critique", "remarks")
    assert "or change the project's config" in warnings_of(own, mode="agent")


def test_a_project_that_exists_keeps_its_order() -> None:
    settings = resolve_settings(api_key="key", priority={"errors"})
    [warning] = read_project(project_info(PROMPT), settings).warnings

    assert "does not give tasks by their priority" in warning
    assert "projects.update(1, sampling='Uncertainty sampling')" in warning
    assert read_project(project_info(PROMPT, by_score=True), settings).warnings == ()
    assert warnings_of(PROMPT) == ""
