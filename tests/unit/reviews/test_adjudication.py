"""The page of the second project: that of the first one, below what the reviewers said."""

from __future__ import annotations

import pytest

from langchain_label_studio import LabelStudioMode, get_default_label_configs
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.reviews.adjudication import page_with_judgements


@pytest.mark.parametrize("mode", list(LabelStudioMode))
def test_it_asks_the_same_questions(mode: LabelStudioMode) -> None:
    config, _ = get_default_label_configs(mode)

    page = page_with_judgements(config)

    assert page != config
    assert read_controls(page).controls == read_controls(config).controls
    assert read_controls(page).answer_field == read_controls(config).answer_field
