"""A report of names that no font has: control characters, lone surrogates, quotes, escapes, nothing at all."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_label_studio.report import Report, build_report
from langchain_label_studio.report.rendering.chart_types import Dot, Point, distinct, dots, lines
from langchain_label_studio.report.rendering.page_text import visible
from tests.support.reviews import START, preference, review

# Most of these ended the process, or the drawing; the others move the cursor of a terminal.
DEADLY = ["\x00", "\x07", "\x0c", "\x1b", "\x7f", "\x9b", "\ufffe", "\uffff", "\ud800", "\udfff"]
CONFUSING = ["", " ", "\n", '"', "'", "]", ".", "\\", "\\n", "\\u001b", "a.b[0]:Q", "\u202e", "x" * 3000]

any_text = st.one_of(
    st.text(st.characters(), max_size=12),
    st.lists(st.sampled_from([*DEADLY, *CONFUSING]), min_size=1, max_size=4).map("".join),
)


def report_of(names: list[str]) -> Report:
    """Return a report in which everything that has a name has one of these."""
    return build_report(
        review(
            task_id=task,
            started_at=START.replace(day=1 + task).isoformat(),
            model=name,
            tags=(name,),
            reviewer=f"{name}{place}",
            ratings={name: 1 + (task + place) % 5},
            choices={name: [f"{name}{place}"]},
            corrected=name,
            preference=preference("x", "y", models=(name, f"{name}2"), ranking=((place,), (1 - place,))),
        )
        for task, name in enumerate(names * 2)
        for place in range(2)
    )


@settings(max_examples=8, deadline=None)
@given(st.lists(any_text, min_size=1, max_size=3, unique=True))
def test_a_report_of_any_names_can_be_written(names: list[str]) -> None:
    report = report_of(names)

    for text in (report.to_html(), report.to_markdown(), report.to_json()):
        assert text.encode() == text.encode("utf-8", "surrogatepass")
        assert visible(text) == text
    assert {group.name for group in report.models} == {name or None for name in names}
    assert {tag["name"] for tag in json.loads(report.to_json())["tags"]} == set(names)


@pytest.mark.parametrize("name", DEADLY + CONFUSING, ids=ascii)
def test_a_chart_shows_any_name(name: str) -> None:
    dot = Dot(name=name, value=2, low=1, high=3, label=name, told=f"{name}!")
    points = [Point(name=name, when=START.replace(day=day), value=day, told=name) for day in (1, 2)]

    for chart in (dots([dot], title=name, ends=(1, 5)), lines(points, title=name, order=[name])):
        for svg in (chart.wide, chart.narrow):
            drawn = ET.fromstring(svg)
            assert visible(name)[:9] in "".join(drawn.itertext())
            assert drawn.get("aria-label", "").startswith(visible(name))


@pytest.mark.parametrize("character", ["\U0001f600", "a\U0001f600", "\U00073678", "W", "漢"], ids=ascii)
def test_a_chart_shows_a_wide_name_of_any_length(character: str) -> None:
    for length in (*range(5, 30, 3), 200):
        name = (character * length)[:length]
        dot = Dot(name=name, value=2, low=1, high=3, label="2", told="told")
        points = [
            Point(name=each, when=START.replace(day=day), value=day, told="told")
            for each in (name, "other")
            for day in (1, 2)
        ]

        for chart in (
            dots([dot], title="Title", ends=(1, 5)),
            lines(points, title="Title", order=[name, "other"]),
        ):
            for svg in (chart.wide, chart.narrow):
                assert name[:4] in "".join(ET.fromstring(svg).itertext())


def test_names_that_look_the_same_stay_apart_in_a_chart() -> None:
    alike = ["m\x1bn", r"m\u001bn"]

    assert len(set(distinct(alike).values())) == 2
    assert len(set(distinct([name * 40 for name in alike]).values())) == 2
    assert [group.name for group in report_of(alike).models] == sorted(alike)


def test_the_joiners_of_emojis_and_scripts_stay() -> None:
    family, persian, hindi = (
        "\U0001f468\u200d\U0001f469",
        "\u0645\u06cc\u200c\u062e",
        "\u0915\u094d\u200d\u0937",
    )

    assert [visible(text) for text in (family, persian, hindi)] == [family, persian, hindi]
    assert visible("a\u202egpj.b\x1b[31m") == r"a\u202egpj.b\u001b[31m"
