"""Label configs for pages that lack a tag: everything that they show and ask is still there."""

from __future__ import annotations

import pytest

from langchain_label_studio import LabelStudioMode, get_default_label_configs
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.page_tags import unknown_tags, without_tags
from langchain_label_studio.label_config.parse import parse_xml

MODES = [mode.value for mode in LabelStudioMode]
OLD = unknown_tags((1, 16), community=True)


@pytest.mark.parametrize("mode", MODES)
def test_a_new_label_studio_gets_the_config_as_it_is(mode: str) -> None:
    config, _ = get_default_label_configs(mode)

    assert without_tags(config, unknown_tags(None, community=True)) == config


@pytest.mark.parametrize("mode", MODES)
def test_an_old_label_studio_folds_nothing_and_asks_the_same(mode: str) -> None:
    config, _ = get_default_label_configs(mode)

    shown = without_tags(config, OLD)

    tags = {tag.tag for tag in parse_xml(shown).iter()}
    assert "View" in tags
    assert tags.isdisjoint({"Markdown", "Collapse", "Panel"})
    assert read_controls(shown).controls == read_controls(config).controls
    titles = {panel.attrib["value"] for panel in parse_xml(config).iter("Panel")}
    assert titles <= {header.get("value") for header in parse_xml(shown).iter("Header")}
