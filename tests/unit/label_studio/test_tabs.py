"""The tabs of the list of tasks, and which annotations disagree."""

from __future__ import annotations

import json
import re
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.forms.modes import BUILT_IN_MODES, get_default_label_configs
from langchain_label_studio.forms.registry import get_form
from langchain_label_studio.label_studio.tabs import tabs_for

TITLES = ["To review", "Disliked by users", "Errors", "Disagreements", "Done"]
TEXT = '<Text name="t" value="$t"/><TextArea name="response" toName="t"/>'
STARS = f'<View>{TEXT}<Rating name="one" toName="t"/><Rating name="two" toName="t"/></View>'
Said = dict[str, Any]


def pattern(label_config: str) -> str:
    tabs = {tab["title"]: tab for tab in tabs_for(label_config, get_form("prompt"))}
    [item] = tabs["Disagreements"]["filters"]["items"]
    assert (item["filter"], item["operator"]) == ("filter:tasks:annotations_results", "regex")
    return str(item["value"])


def on_sqlite(*annotations: Said) -> str:
    """Return the text in which Label Studio looks for a pattern: each result as its page sends it."""
    return ",".join(json.dumps(_result(said)) for said in annotations)


def on_postgresql(*annotations: Said) -> str:
    """Return the same of an array of jsonb, whose keys are sorted and whose quotes are escaped."""
    sorted_keys = [
        [dict(sorted(region.items(), key=lambda item: (len(item[0]), item[0]))) for region in _result(said)]
        for said in annotations
    ]
    texts = (json.dumps(result).replace("\\", "\\\\").replace('"', '\\"') for result in sorted_keys)
    return "{" + ",".join(f'"{text}"' for text in texts) + "}"


def _result(said: Said) -> list[dict[str, Any]]:
    return [
        {
            "value": {"rating": value} if isinstance(value, int) else {"choices": value},
            "id": f"{number}4x",
            "from_name": name,
            "to_name": "t",
            "type": "rating" if isinstance(value, int) else "choices",
            "origin": "manual",
        }
        for number, (name, value) in enumerate(said.items(), start=1)
    ]


def disagree(label_config: str, *annotations: Said) -> bool:
    found = {
        bool(re.search(pattern(label_config), text(*order)))
        for order in permutations(annotations)
        for text in (on_sqlite, on_postgresql)
    }
    assert len(found) == 1, "the order or the database decides"
    return found.pop()


@pytest.mark.parametrize("mode", BUILT_IN_MODES)
def test_the_tabs_of_each_mode(mode: str) -> None:
    form = get_form(mode)

    tabs = list(tabs_for(form.label_config, form))

    assert [tab["title"] for tab in tabs] == TITLES
    prompt = ["prompt"] if "$prompt" in form.label_config else []
    of_the_page = {f"tasks:data.{key}" for key in (*form.keys, *form.panels, *prompt)} - {"tasks:data.Reply"}
    people_read = {f"tasks:data.{key}" for key in ("Query", "Reply", "model", "status", "user_feedback")}
    for tab in tabs:
        hidden = set(tab["hiddenColumns"]["explore"])
        assert of_the_page <= hidden
        assert people_read.isdisjoint(hidden)
        assert "tasks:data.Query" not in tab["hiddenColumns"]["labeling"]


def test_keys_of_ones_own_stay_visible() -> None:
    config = '<View><Text name="q" value="$question"/><Text name="c" value="$customer"/><TextArea name="answer" toName="q"/></View>'

    [tab, *_] = tabs_for(config, get_form("prompt"))

    assert "tasks:data.question" in tab["hiddenColumns"]["explore"]
    assert "tasks:data.customer" not in tab["hiddenColumns"]["explore"]


def test_without_anything_to_compare_there_is_no_tab_for_it() -> None:
    config = '<View><Text name="prompt" value="$prompt"/><TextArea name="response" toName="prompt"/></View>'

    assert [tab["title"] for tab in tabs_for(config, get_form("prompt"))] == [
        title for title in TITLES if title != "Disagreements"
    ]


@given(
    first=st.fixed_dictionaries({}, optional={"one": st.integers(1, 5), "two": st.integers(1, 5)}),
    second=st.fixed_dictionaries({}, optional={"one": st.integers(1, 5), "two": st.integers(1, 5)}),
)
def test_two_stars_apart_in_the_same_question_are_a_disagreement(first: Said, second: Said) -> None:
    apart = any(abs(first[name] - second[name]) > 1 for name in first.keys() & second.keys())

    assert disagree(STARS, first, second) is apart


@pytest.mark.parametrize(
    ("mode", "first", "second", "apart"),
    [
        ("preference", {"better": ["Left"]}, {"better": ["Right"]}, True),
        ("preference", {"better": ["Left"]}, {"better": ["Equally good"]}, True),
        ("preference", {"better": ["Equally good"]}, {"better": ["Equally bad"]}, True),
        ("preference", {"better": ["Left"]}, {"better": ["Left"]}, False),
        ("agent", {"verdict": ["good"]}, {"verdict": ["bad"]}, True),
        ("agent", {"verdict": ["good"], "step_0": ["incorrect"]}, {"verdict": ["good"], "step_1": ["correct"]}, False),
        ("rag", {"faithfulness": 1, "answer_relevancy": 5}, {"faithfulness": 1, "answer_relevancy": 5}, False),
        ("rag", {"faithfulness": 1, "answer_relevancy": 5}, {"faithfulness": 5, "answer_relevancy": 5}, True),
    ],
)  # fmt: skip
def test_disagreements_of_the_built_in_modes(mode: str, first: Said, second: Said, apart: bool) -> None:
    assert disagree(get_default_label_configs(mode)[0], first, second) is apart


@pytest.mark.parametrize(
    ("first", "second", "apart"), [("1", "5", True), ("4", "5", False), ("3", "3", False)]
)
def test_stars_by_keys_disagree_as_stars_do(first: str, second: str, apart: bool) -> None:
    config = get_default_label_configs("chat", rating="keys")[0]

    assert disagree(config, {"rating": [first]}, {"rating": [second]}) is apart


@pytest.mark.parametrize("values", [("A+", "A-"), ("+", "-"), ("oui", "déjà"), tuple("abcdefg"), ("a",)])
def test_choices_that_the_pattern_cannot_tell_apart_are_left_out(values: tuple[str, ...]) -> None:
    choices = "".join(f'<Choice value="{value}"/>' for value in values)
    config = f'<View>{TEXT}<Choices name="c" toName="t">{choices}</Choices></View>'

    assert "Disagreements" not in [tab["title"] for tab in tabs_for(config, get_form("prompt"))]
