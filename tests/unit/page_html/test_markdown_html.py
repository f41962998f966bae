"""What a text looks like as Markdown: readable, complete, and inert."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio.page_html.markdown_html import markdown_html
from tests.unit.page_html.page import MARKDOWN_ATTRIBUTES, MARKDOWN_TAGS, Page

PARTS = st.sampled_from(
    [
        "# ", "* ", "1. ", "> ", "| a | b |\n", "|---|---|\n", "```\n", "~~", "**", "_", "`", "[a](https://b.c)", "![a](b)",
        "<script>alert(1)</script>", "<img src=x onerror=y>", "$x_1$", "\\(x\\)", "$$\n", "&lt;", "\\", "\n", "\n\n",
        "    ", "{}", '{"a": 1}', "word", "مرحبا", "javascript:x", "<https://a.b>", "[1]: https://a.b",
    ]
)  # fmt: skip
texts = st.lists(PARTS | st.text(max_size=8), max_size=30).map("".join)


def letters(text: str) -> list[str]:
    return sorted(filter(str.isalpha, text))


@given(texts)
def test_nothing_acts_and_no_letter_is_lost_whatever_is_said(text: str) -> None:
    page = Page(markdown_html(text))

    assert page.tags <= MARKDOWN_TAGS
    assert page.attributes <= MARKDOWN_ATTRIBUTES
    assert page.open == []
    assert page.images == []
    assert all(link.startswith("https://") for link in page.links)
    said = letters(text)
    for letter in letters(page.text + "".join(page.links + page.titles)):
        if letter in said:
            said.remove(letter)
    assert said == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**a** and *b*", "<strong>a</strong> and <em>b</em>"),
        ("# Title\n\ntext", "<h1>Title</h1><p>text</p>"),
        ("| a | b |\n|---|--:|\n| 1 | 2 |", '<th>a</th><th style="text-align:right">b</th>'),
        ("1. one\n2. two", '<ol dir="auto"><li>one</li><li>two</li></ol>'),
        ("one\ntwo **b**", "one<br>two <strong>b</strong>"),
        ("~~old~~ `new`", "<s>old</s> <code>new</code>"),
        ("[site](https://a.b/c)", 'href="https://a.b/c"'),
        ("costs $5 and **$6**", "costs $5 and <strong>$6</strong>"),
    ],
)
def test_markdown_is_rendered(text: str, shown: str) -> None:
    assert shown in markdown_html(text)


@pytest.mark.parametrize(
    "formula", ["$a_1 * b_2 * c$", "\\(a_1 \\\\ *b*\\)", "\\[a^2 * b^2 * c\\]", "$$x_i * y_i * z$$"]
)
def test_latex_is_left_alone(formula: str) -> None:
    assert formula in Page(markdown_html(f"**Proof**: {formula} is so.")).text


def test_a_formula_of_several_lines_is_left_alone() -> None:
    formula = "$$\na_1 * b_2\n= *c*\n$$"

    assert formula in Page(markdown_html(f"**Proof**\n\n{formula}\n\nDone.")).text


@pytest.mark.parametrize("text", ["{}", "```json\n{}\n```"])
def test_json_has_lines(text: str) -> None:
    html = markdown_html(
        text.replace("{}", '{"rows": [' + ", ".join(['{"day": "Friday", "open": true}'] * 3) + "]}")
    )

    assert "lls-code" in html
    assert '{\n  "rows": [\n    {"day": "Friday", "open": true},\n' in Page(html).text


@pytest.mark.parametrize(
    "text",
    ["plain words, and no more", "a + b = c", "5 < 6", "3 - 2", "[1]: https://a.b **c**", "a &lt; **b**"],
)
def test_what_is_no_markdown_reads_as_it_is(text: str) -> None:
    assert Page(markdown_html(text)).text.replace("**", "") == text.replace("**", "")


def test_html_of_a_text_is_text() -> None:
    text = '**Use** <b onclick="x()">this</b> <script>alert(1)</script>'

    assert Page(markdown_html(text)).text == text.replace("**", "")


def test_no_image_is_loaded_and_its_address_is_shown() -> None:
    page = Page(markdown_html("**See** ![a cat](https://x.org/cat.png)"))

    assert page.images == []
    assert "a cat [image: https://x.org/cat.png]" in page.text
