"""The log of an application, before a real Label Studio."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.pages import PAGES
from tests.support.studio import StudioApi

TITLE = "Log of an application"
PROGRAM = f"""
import logging
from langchain_core.language_models import FakeListChatModel
from langchain_label_studio import LabelStudioCallbackHandler

logging.basicConfig(level=logging.INFO)
handler = LabelStudioCallbackHandler(project_name={TITLE!r}, mode="chat")
for _ in range(3):
    FakeListChatModel(responses=["Hello"], callbacks=[handler]).invoke("Hi")
"""


def test_an_application_writes_the_lines_of_the_guide_and_no_others(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    page = PAGES["examples/operations/README.md"].read_text(encoding="utf-8")
    shown = re.search(r"^```text\n(INFO:.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert shown
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ
        | {
            "LABEL_STUDIO_URL": label_studio.url,
            "LABEL_STUDIO_API_KEY": label_studio.api_key,
            "NO_PROXY": "127.0.0.1,localhost",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    (project_id,) = studio.project_ids(TITLE)
    expected = shown[1].replace("Operations", TITLE).replace("/7/", f"/{project_id}/")
    assert done.stderr == expected.replace("http://localhost:8080", label_studio.url.rstrip("/"))
    assert len(studio.tasks(project_id)) == 3
