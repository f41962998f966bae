"""Each key of a built-in page does one thing, and each choice has a key that the page chooses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from langchain_label_studio import LLMRun, get_default_label_configs
from langchain_label_studio.forms import get_form
from langchain_label_studio.forms.keyed_choices import has_key, number_key
from langchain_label_studio.label_config.parse import parse_label_config, parse_xml
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.types.run_parts import Document, Step
from tests.support.reviews import run

NOBODYS_KEY = "ctrl+shift+f9"


def steps(count: int) -> tuple[Step, ...]:
    called: list[Step] = [{"kind": "tool_call", "tool": "look"} for _ in range(count)]
    return ({"kind": "user", "content": "Look."}, *called)


def documents(count: int) -> tuple[Document, ...]:
    return tuple({"content": f"Document {number}"} for number in range(count))


def run_of(mode: str, count: int) -> LLMRun:
    more = {
        "agent": {"steps": steps(count)},
        "rag": {"documents": documents(count)},
        "preference": {"answers": tuple(map(str, range(count)))},
    }
    return run("Why?", **{"answers": "So.", "form": mode} | more.get(mode, {}))


def value_of(data: Any, path: str) -> Any:
    """Return the value of a path such as `$steps_html.keys[3]`, as Label Studio finds it: nothing if it is not there."""
    try:
        for name in re.findall(r"\w+", path):
            data = data[int(name)] if isinstance(data, list) else data[name]
    except LookupError:
        return []
    return data


def keys(tag: ET.Element, data: Mapping[str, Any], places: Mapping[str, int]) -> Iterator[str]:
    """Yield the keys of a tag and of those in it. A tag without a key has the key `none`."""
    attributes = dict(tag.attrib)
    for flag, place in places.items():
        attributes = {name: value.replace(flag, str(place)) for name, value in attributes.items()}
    if tag.tag == "Repeater":
        for place in range(len(value_of(data, attributes["on"]))):
            for inner in tag:
                yield from keys(inner, data, {**places, attributes.get("indexFlag", "-"): place})
        return
    if tag.tag == "Choices" and "value" in attributes:
        yield from (choice.get("hotkey", "none") for choice in value_of(data, attributes["value"]))
    elif tag.tag in {"Rating", "Number", "Choice"}:
        yield attributes.get("hotkey", "none")
    for inner in tag:
        yield from keys(inner, data, places)


@pytest.mark.parametrize("count", [1, 2, 3, 9, 12, 45])
@pytest.mark.parametrize("rating", ["stars", "keys"])
@pytest.mark.parametrize("mode", ["prompt", "chat", "preference", "rag", "agent"])
def test_no_key_does_two_things(mode: str, rating: Any, count: int) -> None:
    xml, _ = get_default_label_configs(mode, rating=rating)
    config = parse_label_config(xml, takes_answer=get_form(mode).takes_answer)
    task = build_task(run_of(mode, count), config, model_version="v")

    pressed = Counter(keys(parse_xml(xml), task["data"], {}))

    del pressed[NOBODYS_KEY]
    assert pressed
    assert "none" not in pressed, "Label Studio gives a choice without a key one that is not shown"
    assert [key for key, times in pressed.items() if times > 1] == []
    assert not [key for key in pressed if re.search(r"\d\d", key)], "10 is the key 1"
    assert not [key for key in pressed if re.fullmatch(r"(alt|ctrl)\+\d", key)], (
        "a browser's own: another tab"
    )


@pytest.mark.parametrize("mode", ["rag", "agent"])
def test_the_first_nine_of_many_have_keys(mode: str) -> None:
    xml, _ = get_default_label_configs(mode)
    task = build_task(run_of(mode, 12), parse_label_config(xml), model_version="v")

    pressed = set(keys(parse_xml(xml), task["data"], {}))

    assert {f"{held}{number}" for held in ("", "shift+") for number in range(1, 10)} <= pressed


@pytest.mark.parametrize("number", [-1, 0, 10, 11, 100])
def test_other_numbers_have_no_key(number: int) -> None:
    assert not has_key(number)
    assert number_key(number, held="shift+") == NOBODYS_KEY
