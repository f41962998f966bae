"""What a handler says of a project that exists: it keeps its own label config."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_label_studio import get_default_label_configs
from langchain_label_studio.label_studio.projects import read_project
from langchain_label_studio.label_studio.settings import resolve_settings
from tests.support.projects import project_info


def warnings_for(project_rating: Any, **settings: Any) -> str:
    config, _ = get_default_label_configs("prompt", rating=project_rating)
    return " ".join(read_project(project_info(config), resolve_settings(api_key="key", **settings)).warnings)


def test_a_project_with_stars_gets_no_keys() -> None:
    said = warnings_for("stars", rating="keys")

    assert "keeps its own label config, which is not that of mode='prompt' with rating='keys'" in said
    assert 'it lacks <Choices name="rating">' in said


@pytest.mark.parametrize(("project", "wanted"), [("keys", "keys"), ("keys", "stars"), ("stars", "stars")])
def test_who_asked_for_nothing_else_gets_no_warning(project: str, wanted: str) -> None:
    assert warnings_for(project, rating=wanted) == ""
