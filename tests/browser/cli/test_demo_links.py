"""The links of `langchain-label-studio demo`: a person signs in, submits a task, and gets the next one."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import Browser, expect

from langchain_label_studio.cli.demo_runs import record_demo_runs
from langchain_label_studio.local_server import LocalLabelStudio, LocalModel
from tests.browser.conftest import SCREENSHOTS
from tests.browser.pages import Console, Reviewer
from tests.support.studio import StudioApi


def test_each_link_opens_a_task_to_submit_and_then_the_next(
    chromium: Browser, label_studio: LocalLabelStudio, local_model: LocalModel, studio: StudioApi
) -> None:
    recorded = [
        *record_demo_runs(
            url=label_studio.url,
            api_key=label_studio.api_key,
            base_url=local_model.base_url,
            model=local_model.model_name,
        )
    ]
    # Nobody is signed in: the link has to survive the page that asks for the password.
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    Reviewer(page, screenshots=SCREENSHOTS, name="demo")  # who closes the instructions
    submit = page.get_by_role("button", name="Submit current annotation")

    with Console(page).stays_clean():
        for mode in recorded:
            page.goto(mode.url)
            if urlsplit(page.url).path == "/user/login/":
                page.locator("input[name=email]").fill(label_studio.username)
                page.locator("input[name=password]").fill(label_studio.password)
                page.get_by_role("button", name="Log in").click()
            # Another test may have recorded the demo in this server, too.
            [project_id] = re.findall(r"/projects/(\d+)/", mode.url)
            waiting = [task for task in studio.tasks(int(project_id)) if not task["annotations"]]
            assert len(waiting) >= mode.tasks
            submitted = set()
            compared = page.get_by_text(re.compile("Which answer is (better|best)"))
            for _ in waiting:
                expect(submit).to_be_visible()
                if compared.count():
                    page.keyboard.press("1")
                with (
                    page.expect_response(lambda answer: "/annotations" in answer.url) as saved,
                    page.expect_response(lambda answer: "id=next_task" in answer.url),
                ):
                    submit.click()
                assert saved.value.ok, mode
                submitted.add(urlsplit(saved.value.url).path)
            assert len(submitted) == len(waiting), submitted
            expect(page.get_by_text("No More Tasks Left in Queue")).to_be_visible()
    context.close()
