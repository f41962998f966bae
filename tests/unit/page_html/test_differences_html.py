"""Two near-equal answers: what differs is marked, and nothing else is changed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.page_html.differences_html import mark_differences
from langchain_label_studio.page_html.markdown_html import markdown_html
from tests.unit.page_html.page import Page
from tests.unit.page_html.test_markdown_html import texts

MARK = re.compile(r'<span class="lls-differs">(.*?)</span>')
SAID = "Paris is the capital of France. It lies on the Seine, has about two million inhabitants, and is old."


def marked(left: str, right: str) -> tuple[list[str], list[str]] | None:
    """Return what is marked on each side."""
    found = mark_differences(markdown_html(left), markdown_html(right))
    if found is None:
        return None
    first, second = found
    return MARK.findall(first), MARK.findall(second)


def without_marks(html: str) -> str:
    return MARK.sub(r"\1", html)


@given(st.lists(texts, min_size=3, max_size=3), st.lists(texts, min_size=3, max_size=3), st.randoms())
def test_a_page_is_the_same_but_for_its_marks(one: list[str], other: list[str], random) -> None:
    # Texts with common parts, so that they are near-equal often enough.
    left = markdown_html(" ".join(one) + SAID)
    right = markdown_html(" ".join(random.choice(pair) for pair in zip(one, other, strict=True)) + SAID)

    found = mark_differences(left, right)
    for html, before in zip(found or (), (left, right), strict=False):
        assert without_marks(html) == before
        page = Page(html)
        assert page.text == Page(before).text
        assert page.open == []


def longest(left: Sequence[str], right: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, as textbooks do it."""
    row = [0] * (len(right) + 1)
    for word in left:
        above = row.copy()
        for place, other in enumerate(right):
            row[place + 1] = above[place] + 1 if word == other else max(row[place], above[place + 1])
    return row[-1]


words = st.lists(st.sampled_from(["one", "two", "three", "four"]), min_size=1, max_size=14)


@given(words, words)
def test_what_is_not_marked_is_in_both_and_as_much_as_can_be(left: list[str], right: list[str]) -> None:
    common = longest(left, right)
    found = mark_differences(markdown_html(" ".join(left)), markdown_html(" ".join(right)))

    assert (found is not None) == (common * 2 / len(left + right) >= 0.6)
    if found:
        one, two = (Page(MARK.sub("", html)).text.split() for html in found)
        assert one == two
        assert len(one) == common


@pytest.mark.parametrize(
    ("change", "to", "lefts", "rights"),
    [
        ("the Seine", "the river Seine", [], ["river"]),
        ("two million", "2.1 million", ["two"], ["2.1"]),
        ("about two million", "some 2 million", ["about two"], ["some 2"]),
        ("Seine, has", "Seine; has", [","], [";"]),
        ("France.", "France?", ["."], ["?"]),
        (" and is old", "", ["and is old"], []),
        ("million inhabitants, and", "million, and", ["inhabitants"], []),
    ],
)
def test_the_words_that_differ_are_marked(change: str, to: str, lefts: list[str], rights: list[str]) -> None:
    found = marked(SAID, SAID.replace(change, to))

    assert found == (lefts, rights)


@pytest.mark.parametrize(
    ("left", "right", "lefts", "rights"),
    [
        ("- **bold** `code` one\n- two\n- three", "- **bold** `mode` one\n- two\n- three", ["code"], ["mode"]),
        ("```\nif a:\n  b = 1\nc = 2\n```", "```\nif a:\n    b = 1\nc = 2\n```", ["  "], ["    "]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 3 |", ["2"], ["3"]),
        ('{"a": 1, "b": {"c": [1, 2]}}', '{"a": 1, "b": {"c": [1, 3]}}', ["2"], ["3"]),
        ("if a < b && c: d()", "if a > b && c: d()", ["&lt;"], ["&gt;"]),
        ("See [the docs](https://a.b/1) for more.", "See [the docs](https://a.b/2) for more.", ["the docs"], ["the docs"]),
        ("東京は日本の首都です。", "京都は日本の首都です。", ["東"], ["都"]),
        ("باريس عاصمة فرنسا على نهر السين", "باريس عاصمة فرنسا على نهر الرون", ["السين"], ["الرون"]),
        ("नमस्ते दुनिया यह उत्तर है", "नमस्ते दुनिया यह प्रश्न है", ["उत्तर"], ["प्रश्न"]),
        ("one two three\nfour five", "one two three\nfour six", ["five"], ["six"]),
    ],
)  # fmt: skip
def test_marks_stand_in_rendered_texts(left: str, right: str, lefts: list[str], rights: list[str]) -> None:
    assert marked(left, right) == (lefts, rights)


def test_a_mark_never_holds_a_tag() -> None:
    end = " and so on, word by word, until the end of a long answer that says much"
    found = marked("one **two** three" + end, "four **five** six" + end)

    assert found == (["one", "two", "three"], ["four", "five", "six"])


def test_other_spaces_and_another_style_are_no_difference() -> None:
    assert marked("# Title\n\none  **two**\nthree", "Title\n\none two three") == ([], [])


def test_texts_that_have_little_in_common_are_not_marked() -> None:
    assert (
        marked(SAID, "The capital of France is a city of some two million people on the Seine: Paris.")
        is None
    )
    assert marked("Paris.", "Lyon.") is None
    assert marked(SAID, "") is None


@pytest.mark.parametrize("count", [2_000, 200_000])
@pytest.mark.parametrize("pattern", ["one two", "one", "( ", "<"])
def test_long_texts_are_compared_up_to_a_bound(pattern: str, count: int) -> None:
    # `difflib` needs minutes for some of these.
    left, right = ([pattern] * count for _ in range(2))
    right[::7] = ["other"] * len(right[::7])

    assert marked(" ".join(left), " ".join(right)) is None


def test_a_long_text_with_few_differences_is_marked() -> None:
    left = [f"word{number}" for number in range(4_000)]
    right = left.copy()
    right[3_000] = "other"

    assert marked(" ".join(left), " ".join(right)) == (["word3000"], ["other"])
