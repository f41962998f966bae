"""The list of tasks at 1440 by 900: what is read first is seen first, and each tab shows its tasks."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from langchain_label_studio.forms.modes import BUILT_IN_MODES
from tests.browser.conftest import Record
from tests.browser.pages import Reviewer
from tests.support.listed_tasks import TABS, make_listed_tasks, question
from tests.support.studio import StudioApi

WIDTH = 1440


@pytest.fixture
def page(reviewer: Reviewer) -> Page:
    reviewer.page.set_viewport_size({"width": WIDTH, "height": 900})
    return reviewer.page


def open_tab(page: Page, title: str) -> Locator:
    """Open a tab, and return its rows."""
    page.get_by_role("tab", name=title).click()
    expect(page).to_have_url(re.compile("tab="))
    return page.get_by_test_id("table-row")


def seen_columns(page: Page) -> list[str]:
    """Return the columns that are in sight as a whole, from left to right."""
    headers = page.locator(".lsf-table-head .lsf-th")
    boxes = [(header.inner_text().split("\n")[0].strip(), header.bounding_box()) for header in headers.all()]
    return [name for name, box in boxes if name and box and box["x"] + box["width"] <= WIDTH]


@pytest.mark.parametrize("mode", BUILT_IN_MODES)
def test_a_list_is_read_without_scrolling(
    reviewer: Reviewer, page: Page, studio: StudioApi, mode: str
) -> None:
    listed = make_listed_tasks(studio, mode)

    page.goto(listed.url)

    rows = page.get_by_test_id("table-row")
    expect(rows).to_have_count(len(TABS["To review"]))
    assert seen_columns(page) == ["ID", "Query", "Reply", "model", "status", "user_feedback"]
    expect(rows.first).to_contain_text(question(2))
    expect(rows.first).to_contain_text("It is **city 2**. - Visitors see its castle.")
    reviewer.photograph(f"list-{mode}")
    for title, numbers in TABS.items():
        rows = open_tab(page, title)
        expect(rows).to_have_text([re.compile(re.escape(question(number))) for number in numbers])
        assert [name for name in seen_columns(page) if name in {"Query", "Reply"}] == ["Query", "Reply"]
        reviewer.photograph(f"list-{mode}-{title}")


def test_a_tab_waits_for_the_first_feedback(page: Page, record: Record) -> None:
    handler = record("One?", "1")
    assert handler.project_url
    page.goto(handler.project_url)
    expect(page.get_by_test_id("table-row")).to_have_count(1)

    # The list does not know the column yet by which the tab chooses.
    expect(open_tab(page, "Disliked by users")).to_have_count(0)
    expect(page.get_by_text("Tasks: 0 / 1")).to_be_visible()

    handler.feedback(None, score=0)
    assert handler.flush()
    page.reload()
    expect(page.get_by_test_id("table-row")).to_have_count(1)
    handler.feedback(None, score=1)
    assert handler.flush()
    page.reload()
    expect(page.get_by_text("Tasks: 0 / 1")).to_be_visible()
