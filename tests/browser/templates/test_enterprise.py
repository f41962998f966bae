"""The templates for chats need an edition of Label Studio that costs money: the free one makes the project, and shows an error."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.templates.conftest import config_of
from tests.browser.templates.names import ENTERPRISE
from tests.support.reviews import assistant, user
from tests.support.studio import StudioApi

DATA = {"chat": [user("Hi"), assistant("Hello")], "text": "Read the chat.", "max": 10}


@pytest.mark.parametrize("template", ENTERPRISE)
def test_the_free_edition_cannot_show_a_chat(
    template: str, signed_in: BrowserContext, studio: StudioApi
) -> None:
    body = {"title": f"Templates {uuid4()}", "label_config": config_of(studio, template)}
    project = studio.post("/api/projects/", body)["id"]
    studio.post(f"/api/projects/{project}/import", [{"data": DATA}])

    page = signed_in.new_page()
    page.goto(f"/projects/{project}/data?labeling=1")
    expect(page.get_by_text("Not expecting tag: chat")).to_be_visible()
    page.close()
