"""The report's page in a browser: without a network, without JavaScript, light and dark, on a computer and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from langchain_label_studio.report import build_report
from tests.browser.conftest import SCREENSHOTS
from tests.support.rated_reviews import rich_reviews

COMPUTER, SMALL_COMPUTER, PHONE = 1440, 1280, 390

# The boxes of the words of each chart that somebody sees.
_WORDS = """() => [...document.querySelectorAll('figure svg')].filter(svg => svg.checkVisibility()).map(svg =>
    [...svg.querySelectorAll('text')].filter(text => text.getAttribute('opacity') !== '0').map(text => {
        const box = text.getBoundingClientRect(); return [box.left, box.right, box.top, box.bottom]; }))"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with all its parts."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(build_report(rich_reviews(), title="Answers of the bot").to_html(), encoding="utf-8")
    return file


@pytest.fixture(
    params=[(COMPUTER, "light"), (SMALL_COMPUTER, "dark"), (PHONE, "light"), (PHONE, "dark")],
    ids=lambda each: f"{each[0]}-{each[1]}",
)
def page(
    request: pytest.FixtureRequest, chromium: Browser, page_file: Path
) -> Iterator[tuple[Page, int, Literal["light", "dark"]]]:
    """The page as a reader sees it, with the width of the window and the theme. It may not load anything else."""
    width, scheme = request.param
    context = chromium.new_context(
        java_script_enabled=False,
        offline=True,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    yield page, width, scheme
    assert asked == [page_file.as_uri()]
    context.close()


def test_the_page_is_readable(page: tuple[Page, int, str]) -> None:
    shown, width, scheme = page

    shown.screenshot(path=SCREENSHOTS / f"report-{width}-{scheme}.png", full_page=True)
    assert shown.get_by_role("heading", name="Which model answers better?").is_visible()
    assert shown.locator(".answer").first.inner_text() == "No clear difference"
    shown.get_by_text("Tasks behind these numbers").first.click()
    shown.locator("details details").first.locator("summary").click()
    assert shown.locator("details[open] details[open] a").first.is_visible()
    # Words in a chart are the page's own, whichever it is: dark on light, light on dark.
    paper = _brightness(shown.locator("article").evaluate("each => getComputedStyle(each).backgroundColor"))
    for words in ("h1", "figure text", "td", "del", "ins"):
        color = "each => getComputedStyle(each)[each.tagName == 'text' ? 'fill' : 'color']"
        assert abs(_brightness(shown.locator(words).first.evaluate(color)) - paper) > 80, words
    assert (paper < 60) == (scheme == "dark")


def test_the_page_and_its_charts_fit_the_screen(page: tuple[Page, int, str]) -> None:
    shown, width, _ = page

    assert shown.evaluate("document.documentElement.scrollWidth") == width
    drawings = [drawing for drawing in shown.locator("figure svg").all() if drawing.is_visible()]
    assert len(drawings) == shown.locator("figure").count() > 0
    for drawing in drawings:
        box = drawing.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        size = drawing.locator("text").first.evaluate(
            "each => each.getBoundingClientRect().height / each.getBBox().height * parseFloat(getComputedStyle(each).fontSize)"
        )
        assert size > 10, "nobody can read smaller words"


def test_no_word_of_a_chart_covers_another_one_or_is_cut(page: tuple[Page, int, str]) -> None:
    shown, width, _ = page

    charts: list[list[tuple[float, float, float, float]]] = shown.evaluate(_WORDS)

    assert sum(map(len, charts)) > 100
    for words in charts:
        for one, other in combinations(words, 2):
            beside = one[1] <= other[0] or other[1] <= one[0]
            below = one[3] <= other[2] + 1 or other[3] <= one[2] + 1
            assert beside or below
        assert all(left >= 0 and right <= width for left, right, *_ in words)


def _brightness(color: str) -> float:
    red, green, blue = (int(part) for part in re.findall(r"\d+", color)[:3])
    return 0.3 * red + 0.6 * green + 0.1 * blue
