"""The switch, before a real Label Studio and a real model."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from langchain_label_studio.local_server import LocalLabelStudio, LocalModel
from tests.support.studio import StudioApi

# Of a user who has heard of nothing but the import.
PROGRAM = """
import json
import langchain_label_studio
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

chain = ChatPromptTemplate.from_messages([("human", "Say {word}.")]) | ChatOpenAI()
answers = chain.batch([{"word": "yes"}, {"word": "no"}])
print(json.dumps([answer.text for answer in answers]))
"""


def test_a_program_that_knows_nothing_of_label_studio_is_recorded(
    label_studio: LocalLabelStudio, local_model: LocalModel, studio: StudioApi
) -> None:
    settings = {
        "LANGCHAIN_LABEL_STUDIO": "true",
        "LABEL_STUDIO_URL": label_studio.url,
        "LABEL_STUDIO_API_KEY": label_studio.api_key,
        "LABEL_STUDIO_PROJECT_NAME": "Switched on",
        "LABEL_STUDIO_MODE": "chat",
        "OPENAI_BASE_URL": local_model.base_url,
        "OPENAI_API_KEY": "none",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    (project_id,) = studio.project_ids("Switched on")
    tasks = studio.tasks(project_id)
    asked = [task["data"]["prompt"][-1]["content"] for task in tasks]
    assert sorted(asked) == ["Say no.", "Say yes."]
    answers = [task["predictions"][0]["result"][0]["value"]["text"][0] for task in tasks]
    assert sorted(answers) == sorted(json.loads(done.stdout))
