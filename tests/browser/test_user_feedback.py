"""Thumbs in an application's page, and what reviewers see of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from langchain_label_studio import load_reviews
from langchain_label_studio.local_server import LocalLabelStudio, LocalModel
from langchain_label_studio.types.feedback import Feedback
from tests.browser.conftest import SCREENSHOTS, Record
from tests.browser.pages import Console, Reviewer
from tests.server.test_examples import service
from tests.support.studio import StudioApi


def test_a_click_on_a_thumb_is_a_column_that_reviewers_see(
    chromium: Browser,
    reviewer: Reviewer,
    studio: StudioApi,
    label_studio: LocalLabelStudio,
    local_model: LocalModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "LABEL_STUDIO_URL": label_studio.url,
        "LABEL_STUDIO_API_KEY": label_studio.api_key,
        "OPENAI_BASE_URL": local_model.base_url,
        "OPENAI_API_KEY": "none",
        "NO_PROXY": "127.0.0.1,localhost",
    }.items():
        monkeypatch.setenv(name, value)
    with service(tmp_path / "service.log", "user_feedback/fastapi_feedback") as address:
        page = chromium.new_context(viewport={"width": 800, "height": 700}).new_page()
        with Console(page).stays_clean():
            page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
            page.goto(address)
            for number, question in enumerate(("Where does the Nile end?", "Name three animals."), 1):
                page.get_by_label("Question").fill(question)
                page.get_by_role("button", name="Send").click()
                thumbs_up = page.get_by_role("button", name="Good answer")
                expect(thumbs_up).to_have_count(number, timeout=60_000)
            thumbs_up.first.click()
            page.get_by_role("button", name="Bad answer").last.click()
            expect(page.get_by_label("Why?")).to_have_count(2)
            why = page.get_by_label("Why?").last
            why.fill("Not what I asked for <script>alert(1)</script>")
            with page.expect_response("**/feedback"):
                why.press("Enter")
            page.screenshot(path=SCREENSHOTS / "feedback-thumbs.png")
        page.context.close()

    # The example has been run before this, if its own test was.
    reviews = list(load_reviews(project_name="Example: feedback", include_unreviewed=True))[-2:]
    assert [review.feedback for review in reviews] == [
        {"user_feedback": Feedback(score=1)},
        {"user_feedback": Feedback(score=0, comment="Not what I asked for <script>alert(1)</script>")},
    ]
    project_url = reviews[0].task_url.partition("?")[0]
    reviewer.open_data_manager(project_url, columns=("user_feedback", "user_feedback_comment"))
    expect(reviewer.page.get_by_text("Not what I asked for").first).to_be_attached()

    # A tab as people make it: with a filter, and few columns
    columns = studio.get("/api/dm/columns/", project=reviews[0].project_id)["columns"]
    wanted = {"id", "data.prompt", "data.model", "data.user_feedback", "data.user_feedback_comment"}
    names = {
        f"data.{column['id']}" if column.get("parent") == "data" else column["id"]
        for column in columns
        if not column.get("children")
    }
    hidden = [f"tasks:{name}" for name in sorted(names - wanted)]
    low = {"filter": "filter:tasks:data.user_feedback", "operator": "less", "type": "Number", "value": 0.5}
    for title, items in (("All thumbs", []), ("Thumbs down", [low])):
        data = {
            "title": title,
            "type": "list",
            "filters": {"conjunction": "and", "items": items},
            "hiddenColumns": {"explore": hidden, "labeling": hidden},
        }
        view = studio.post("/api/dm/views/", {"project": reviews[0].project_id, "data": data})
        reviewer.page.goto(f"{project_url}?tab={view['id']}")
        expect(reviewer.page.get_by_text("Not what I asked for").first).to_be_visible()
        expect(reviewer.page.get_by_text("Where does the Nile end?")).to_have_count(0 if items else 1)
        reviewer.page.screenshot(path=SCREENSHOTS / f"feedback-{title.lower().replace(' ', '-')}.png")


def test_a_label_config_may_show_it_and_scripts_in_it_stay_inert(record: Record, reviewer: Reviewer) -> None:
    """The worst case: a comment of a stranger in a <Markdown>, which runs any HTML."""
    config = """<View><Text name="prompt" value="$prompt"/>
      <Header value="What the user said"/><Markdown value="$user_feedback_comment"/>
      <TextArea name="response" toName="prompt"/><Rating name="rating" toName="prompt"/></View>"""
    handler = record("Hi", "Hello", project_config=config, data={"user_feedback_comment": ""})
    handler.feedback(None, score=0, comment="<img src=x onerror=\"document.title='run'\"> **bold** move")
    assert handler.flush()

    reviewer.open_data_manager(handler.project_url, columns=("user_feedback",))
    reviewer.label_all_tasks()
    expect(reviewer.page.get_by_text("move", exact=False).first).to_be_visible()
    assert reviewer.page.locator("img[onerror]").count() == 0
    assert reviewer.page.title() != "run"
