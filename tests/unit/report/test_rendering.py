"""A report as Markdown and as a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from langchain_label_studio.errors import MissingExtraError
from langchain_label_studio.report import Report, build_report
from langchain_label_studio.report.rendering.chart_types import distinct
from langchain_label_studio.report.rendering.number_text import duration
from tests.support.extras import without_the_extra
from tests.support.hostile_reviews import HOSTILE, hostile_reviews
from tests.support.reviews import review


@pytest.fixture(scope="module")
def hostile() -> Report:
    return build_report(hostile_reviews(), title=HOSTILE)


@pytest.fixture(scope="module")
def hostile_page(hostile: Report) -> str:
    return hostile.to_html()


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert self.open == [], "each tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_loads_nothing_and_runs_nothing(hostile_page: str) -> None:
    page = Page(hostile_page)

    assert not page.tags & {"script", "img", "iframe", "link", "object", "embed", "form", "base"}
    assert not [
        each
        for each in page.attributes
        if each[1].startswith("on") or each[1] in {"src", "srcset", "xlink:href"}
    ]
    links = {value for tag, name, value in page.attributes if name == "href"}
    assert links, "tasks can be opened"
    assert all(link.startswith("http://label-studio.test/projects/7/data?task=") for link in links)
    assert "url(" not in hostile_page
    assert "@import" not in hostile_page
    assert {tag for tag, name, _ in page.attributes if name == "style"} <= {"td"}


def test_what_comes_from_outside_is_shown_as_it_is(hostile_page: str) -> None:
    page = Page(hostile_page)

    assert page.text.count(HOSTILE) > 20
    assert "#010101" not in str(page.attributes), "each colour of a chart became the page's own"


def test_long_names_stay_apart_in_a_chart() -> None:
    names = [f"provider/some-very-long-model-name-{number}-instruct-2026-11-01" for number in range(12)]

    short = distinct(names)

    assert len(set(short.values())) == 12
    assert short[names[7]] == "…7-instruct-2026-11-01"
    assert distinct(["gpt-4o", "claude"]) == {"gpt-4o": "gpt-4o", "claude": "claude"}
    assert distinct(["x" * 100]) == {"x" * 100: "x" * 13 + "…" + "x" * 12}


def test_an_address_that_is_no_web_address_is_no_link() -> None:
    reviews = [
        review(task_id=1, task_url="javascript:alert(1)", reviewer=who, rating=stars)
        for who, stars in (("ann", 1), ("bob", 5))
    ]

    assert "javascript:" not in build_report(reviews).to_html()


def test_the_page_is_light_and_dark(hostile_page: str) -> None:
    assert "prefers-color-scheme: dark" in hostile_page
    assert not re.findall(r'(?:fill|stroke)="(?!none|var\(--)[^"]*"', hostile_page), (
        "a chart has no colour of its own"
    )


def test_a_page_with_nothing_to_show_says_so() -> None:
    text = Page(build_report([]).to_html()).text

    assert text.count("Not known yet") == 3
    assert "Nobody has reviewed anything yet." in text


def test_long_lists_of_tasks_are_bounded() -> None:
    reviews = [review(task_id=2 * number, model="m", rating=3) for number in range(2000)]

    html = build_report(reviews).to_html()

    assert "1,480 more, in the JSON" in html
    assert len(html) < 200_000


def test_a_notebook_shows_the_report(hostile: Report) -> None:
    html = hostile._repr_html_()

    assert html
    assert html.strip().startswith("<article")
    assert not Page(html).tags & {"html", "head", "body", "script"}


@pytest.mark.parametrize("missing", ["altair", "vl_convert", "jinja2"])
def test_without_the_extra_numbers_are_there_and_the_page_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    without_the_extra(monkeypatch, missing)

    report = build_report([review(rating=4)])

    assert report.to_markdown()
    assert report.to_json()
    assert report._repr_html_() is None
    assert report._repr_markdown_() == report.to_markdown()
    with pytest.raises(MissingExtraError, match=rf'needs {missing}.*pip install "\.\[report\]"'):
        report.to_html()


def test_markdown_is_tables_in_which_nothing_is_markup(hostile: Report) -> None:
    text = hostile.to_markdown()

    assert not re.search(r"(?<!\\)<(?!http)", text), "no tag"
    assert "\n# h" not in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.split("\n")}) == 1


def test_markdown_says_what_there_is_and_what_there_is_too_little_of() -> None:
    text = build_report(
        [
            review(task_id=1, model="m", reviewer="ann", rating=4, corrected="Hi"),
            review(task_id=1, model="m", reviewer="bob", rating=2),
        ],
        title="Ours",
    ).to_markdown()

    assert text.startswith("# Ours\n\n1 run · 1 reviewed · 2 reviews by 2 people")
    assert (
        "**Which model answers better? Not known yet.** The runs name only m: there is nothing to compare."
        in text
    )
    assert "3.00 (2 ratings: too few for an interval)" in text
    assert "1 task: too few for an interval" in text
    assert "[Task 1](<http://label-studio.test/projects/7/data?task=1>): mean difference 50 %" in text
    assert "  - Prompt: Hi\n  - Answer: Hello\n  - rating (1 to 5): ann: 4; bob: 2" in text


def test_many_models_and_reviewers_are_bounded_and_the_row_of_all_runs_stays() -> None:
    reviews = [
        review(
            task_id=number % 90,
            model=f"model {number % 30:02}",
            reviewer=f"reviewer {number % 40:02}",
            rating=3,
        )
        for number in range(360)
    ]

    markdown = build_report(reviews).to_markdown()

    models, stars = (
        [line for line in block.splitlines() if line.startswith("| ")][2:]
        for block in markdown.split("\n\n")
        if block.startswith(("| Model | Runs", "| Model | Ratings"))
    )
    for rows in (models, stars):
        assert len(rows) == 25
        assert rows[0].startswith("| model ")
        assert rows[-1].startswith("| all runs |")
    assert markdown.count("And 6 more, in the JSON.") == 2
    assert "| Reviewer | with reviewer 00 |" in markdown


def test_short_times_are_readable() -> None:
    assert [duration(seconds) for seconds in (0, 5e-05, 0.83, 0.9999, 1.25, 9.96, 119, 150, 9000)] == [
        "0 ms",
        "less than 1 ms",
        "830 ms",
        "1.0 s",
        "1.2 s",
        "10 s",
        "119 s",
        "2 min",
        "2.5 h",
    ]
    assert "830 ms (9 of 10 within 830 ms)" in build_report([review(latency_ms=830.0)]).to_markdown()
