"""A project of an earlier version of this package gets today's page on every Label Studio that works."""

from __future__ import annotations

import os
import subprocess
from uuid import uuid4

from langchain_core.language_models import FakeListChatModel

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.label_config.page_tags import without_tags
from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.old_pages import OLD_PAGES
from tests.support.programs import COMMAND


def test_a_project_is_refreshed(old_label_studio: LocalLabelStudio) -> None:
    server, title = old_label_studio, f"Old {uuid4().hex[:8]}"
    # As it was made for pages that know no <Markdown>.
    page = without_tags(OLD_PAGES["chat"], {"markdown"})
    with LabelStudioCallbackHandler(
        server.api_key, server.url, project_name=title, mode="chat", project_config=page
    ) as handler:
        FakeListChatModel(responses=["**Hello**"], callbacks=[handler]).invoke("Hi")
        assert handler.flush(30)
    keys = {"LABEL_STUDIO_API_KEY": server.api_key, "LABEL_STUDIO_URL": server.url}

    def refresh() -> str:
        return subprocess.run(
            [COMMAND, "project", "refresh", title, "--yes"],
            env=os.environ | keys,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout

    assert "The project is up to date" in refresh()
    assert "Nothing to do" in refresh()
