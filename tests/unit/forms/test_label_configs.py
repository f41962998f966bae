"""What every label config of ours keeps: each key is said, a text that was typed stays, and a run fills it."""

from __future__ import annotations

import json
import re

import pytest

from langchain_label_studio import LabelStudioMode, get_default_label_configs
from langchain_label_studio.forms import get_form
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.parse import describe_difference, parse_label_config, parse_xml
from langchain_label_studio.label_studio.tasks.build import check_task_data
from tests.support.pages import PAGES, ROOT

FORMS = {mode.value: get_form(mode.value).label_config for mode in LabelStudioMode}
NOTEBOOK = ROOT / "examples/own_forms/custom_config.ipynb"
EXAMPLES = {
    f"{name} {number}": config
    for name, text in (
        *((name, page.read_text(encoding="utf-8")) for name, page in PAGES.items()),
        (
            "notebook",
            "".join(
                line for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] for line in cell["source"]
            ),
        ),
    )
    if name != "examples/testing/README.md"  # nobody opens the page of that one
    for number, config in enumerate(re.findall(r"^ *<View>\n.*?^ *</View>", text, re.DOTALL | re.MULTILINE))
}
NOBODYS_KEY = "ctrl+shift+f9"
ADDED = re.compile(r' (?:hotkey|transcription|required|requiredMessage)="[^"]*"')


@pytest.mark.parametrize("config", (FORMS | EXAMPLES).values(), ids=FORMS | EXAMPLES)
def test_each_control_has_a_key_that_the_page_says_or_that_nobody_presses(config: str) -> None:
    root = parse_xml(config)
    told = " ".join(tag.get("value", "") for tag in root.iter("Header"))
    for rating in (tag for tag in root.iter() if tag.tag in {"Rating", "Number"}):
        assert f"(key {rating.attrib['hotkey'].upper()}: one more star)" in told
    for choices in root.iter("Choices"):  # a Choice shows its key
        keys = [choice.attrib["hotkey"] for choice in choices.iter("Choice")]
        assert set(keys) == {NOBODYS_KEY} or len(set(keys)) == len(keys)


@pytest.mark.parametrize("config", (FORMS | EXAMPLES).values(), ids=FORMS | EXAMPLES)
def test_a_box_keeps_what_is_typed_and_waits_for_a_click(config: str) -> None:
    boxes = list(parse_xml(config).iter("TextArea"))
    assert all(box.get("editable") == box.get("transcription") == "true" for box in boxes)
    assert not boxes or re.search(r"textarea\b[^}]* animation: unfocused 1ms;", config)


def test_the_examples_are_found() -> None:
    assert len(EXAMPLES) >= 5
    assert any(name.startswith("notebook") for name in EXAMPLES)


@pytest.mark.parametrize("mode", FORMS)
def test_a_project_without_these_keys_is_the_same_project(mode: str) -> None:
    """Who made a project with an earlier version gets no warning because of them."""
    form = get_form(mode)
    earlier = ADDED.sub("", form.label_config)
    assert earlier != form.label_config
    now, then = (
        parse_label_config(xml, takes_answer=form.takes_answer) for xml in (form.label_config, earlier)
    )
    assert describe_difference(now, then) is None


@pytest.mark.parametrize(("mode", "names"), [("prompt", 1), ("chat", 1), ("rag", 2)])
def test_a_rating_with_keys_is_the_same_rating(mode: str, names: int) -> None:
    stars, keys = (
        {
            name: (control.type, control.scale, control.values)
            for name, control in read_controls(
                get_default_label_configs(mode, rating=rating)[0]
            ).controls.items()
        }
        for rating in ("stars", "keys")
    )
    assert stars == keys
    assert sum(kind == "Rating" for kind, *_ in stars.values()) == names


@pytest.mark.parametrize("mode", ["prompt", "chat", "rag"])
def test_the_page_says_the_keys_of_ratings(mode: str) -> None:
    told = " ".join(
        tag.get("value", "")
        for tag in parse_xml(get_default_label_configs(mode, rating="keys")[0]).iter("Header")
    )
    assert "keys 1 to 5" in told
    assert "one more star" not in told


def test_choices_of_the_users_own_are_no_stars() -> None:
    config = '<View><Text name="t" value="$t"/><Choices name="rating" toName="t"><Choice value="1"/><Choice value="2"/></Choices></View>'
    assert read_controls(config).controls["rating"].type == "Choices"


@pytest.mark.parametrize("mode", FORMS)
def test_a_built_in_config_shows_nothing_that_a_run_leaves_empty(mode: str) -> None:
    """So a handler with one of them has nothing to check."""
    form = get_form(mode)
    config = parse_label_config(form.label_config, takes_answer=form.takes_answer)

    check_task_data({}, config, complete=True, filled=form.keys)
