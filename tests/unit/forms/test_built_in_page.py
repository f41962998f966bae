"""A built-in page is told from a label config of somebody's own."""

from __future__ import annotations

import pytest

from langchain_label_studio import get_default_label_configs
from langchain_label_studio.forms.built_in_page import mode_of_page, rating_of_page
from langchain_label_studio.forms.modes import RatingControl
from langchain_label_studio.label_config.page_tags import without_tags
from tests.support.label_configs import OLD_DOCUMENTATION, RAG_TEMPLATE
from tests.support.old_pages import MODES, OLD_PAGES


def mode_named(label_config: str) -> str | None:
    found = mode_of_page(label_config)
    return found.value if found else None


@pytest.mark.parametrize("name", OLD_PAGES)
def test_pages_of_earlier_versions(name: str) -> None:
    assert mode_named(OLD_PAGES[name]) == name.removesuffix("_pairwise")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rating", ["stars", "keys"])
def test_todays_pages(mode: str, rating: RatingControl) -> None:
    page = get_default_label_configs(mode, rating=rating)[0]
    assert mode_named(page) == mode
    assert mode_named(without_tags(page, frozenset({"markdown"}))) == mode


def test_how_a_page_rates() -> None:
    keys = get_default_label_configs("chat", rating="keys")[0]
    assert (rating_of_page(OLD_PAGES["chat"]), rating_of_page(keys)) == ("stars", "keys")


def test_words_and_style_may_be_any() -> None:
    page = OLD_PAGES["prompt"].replace("Rate the response", "Was it good?").replace("20px", "4px")
    assert page != OLD_PAGES["prompt"]
    assert mode_named(page) == "prompt"


OWN = {
    "another control": ("prompt", "</View>", '<Number name="cost" toName="prompt"/></View>'),
    "a control less": ("prompt", '<Rating name="rating" toName="prompt" hotkey="r"/>', ""),
    "a control with another name": ("chat", 'name="rating"', 'name="stars"'),
    "another kind of control": ("prompt", "<Rating", '<TextArea rows="1"'),
    "more stars": ("prompt", "<Rating ", '<Rating maxRating="10" '),
    "another choice": ("agent", '<Choice value="hallucination"', '<Choice value="invented"'),
    "one more choice": (
        "rag",
        '<Choice value="Relevant"',
        '<Choice value="Partly"/><Choice value="Relevant"',
    ),
    "another bucket": ("preference", '<Bucket name="bad"', '<Bucket name="worst"'),
    "a column of the user": ("prompt", "</View>", '<Header value="$customer"/></View>'),
    "a picture of the user": ("chat", "</View>", '<Image value="$photo"/></View>'),
    "a column of every task": ("prompt", "</View>", '<Header value="$model"/></View>'),
    "another prompt": ("prompt", 'value="$prompt"', 'value="$question"'),
    "another kind of prompt": ("prompt", "<Text ", "<HyperText "),
    "turns of another shape": ("chat", 'textKey="content"', 'textKey="text"'),
}


@pytest.mark.parametrize("change", OWN)
def test_what_makes_it_ones_own(change: str) -> None:
    mode, before, after = OWN[change]
    head, found, tail = OLD_PAGES[mode].rpartition(before)
    assert found
    assert mode_named(head + after + tail) is None


@pytest.mark.parametrize("xml", [OLD_DOCUMENTATION, RAG_TEMPLATE, "<View/>", "no label config", ""])
def test_other_label_configs(xml: str) -> None:
    assert mode_named(xml) is None
