"""The report's page in a browser: without a network, without JavaScript, light and dark."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from langchain_label_studio.report import build_report
from tests.browser.conftest import SCREENSHOTS
from tests.support.reviews import preference, review


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    """The report of two models that two people reviewed."""
    reviews = [
        review(
            task_id=task,
            reviewer=who,
            model=model,
            rating=min(5, stars + (task + len(who)) % 2),
            choices={"mood": "Happy" if stars > 3 else "Sad"},
            corrected="Hello" if stars > 3 else "Hello there",
            preference=preference(
                "x", "y", models=("good", "poor"), ranking=((task % 3 == 0,), (task % 3 != 0,))
            ),
        )
        for task in range(1, 61)
        for who in ("ann@example.org", "bobby@example.org")
        for model, stars in [("good", 4) if task % 2 else ("poor", 2)]
    ]
    file = tmp_path / "report.html"
    file.write_text(build_report(reviews, title="Answers of the bot").to_html(), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_readable_and_asks_for_nothing(
    chromium: Browser, page_file: Path, scheme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(
        java_script_enabled=False, offline=True, color_scheme=scheme, viewport={"width": 1100, "height": 900}
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(page_file.as_uri())

    assert asked == [page_file.as_uri()]
    assert page.get_by_role("heading", name="Which model answers better?").is_visible()
    assert page.locator(".answer").first.inner_text() == "good"
    page.get_by_text("Tasks behind these numbers").first.click()
    page.locator("details details").first.locator("summary").click()
    assert page.get_by_role("link", name="1", exact=True).first.is_visible()
    page.screenshot(path=SCREENSHOTS / f"report-{scheme}.png", full_page=True)
    # Words in a chart are the page's own, whichever it is: dark on light, light on dark.
    paper = _brightness(page.locator("article").evaluate("each => getComputedStyle(each).backgroundColor"))
    for words in ("h1", "figure text", "td"):
        color = "each => getComputedStyle(each)[each.tagName == 'text' ? 'fill' : 'color']"
        assert abs(_brightness(page.locator(words).first.evaluate(color)) - paper) > 80, words
    assert (paper < 60) == (scheme == "dark")
    context.close()


def _brightness(color: str) -> float:
    red, green, blue = (int(part) for part in re.findall(r"\d+", color)[:3])
    return 0.3 * red + 0.6 * green + 0.1 * blue
