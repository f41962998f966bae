"""The panels of the built-in forms are known before a form is loaded."""

from __future__ import annotations

import pytest

from langchain_label_studio import LabelStudioMode, get_default_label_configs
from langchain_label_studio.forms import get_form
from langchain_label_studio.forms.registry import find_panel, has_panel
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task, missing_keys
from tests.support.reviews import run


@pytest.mark.parametrize("mode", [mode.value for mode in LabelStudioMode])
def test_each_panel_is_found_by_its_key(mode: str) -> None:
    for key, panel in get_form(mode).panels.items():
        assert has_panel(key)
        assert find_panel(key) is panel


def test_no_other_key_is_a_panel() -> None:
    assert not has_panel("question")
    assert find_panel("question") is None


def test_a_plain_run_fills_the_panels_of_an_agents_page() -> None:
    config = parse_label_config(get_default_label_configs("agent")[0])
    plain = run("Why?", "So.")

    assert missing_keys(plain, config) == []
    assert build_task(plain, config, model_version="v")["data"]["steps_html"] == {
        "tens": [],
        "keys": [],
        "list": [],
    }
