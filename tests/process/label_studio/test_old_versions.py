"""Label Studio of earlier versions: the pages show what they can show."""

from __future__ import annotations

import pytest

from langchain_label_studio import LabelStudioCallbackHandler
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio

BELOW = '<Markdown value="$beside_answer_html"/>'


@pytest.mark.parametrize("mode", ["prompt", "rag", "agent"])
@pytest.mark.parametrize(
    ("release", "shown"),
    [
        ("1.9.2", 0),
        ("1.20.0", 0),
        ("1.21.0", 0),
        ("1.22.0", 1),
        ("1.23.2", 1),
        ("1.30.0", 1),
        ("2.0.0", 1),
        ("", 1),
    ],
)
def test_a_page_that_knows_no_markdown_gets_none(
    loopback: LoopbackLabelStudio, mode: str, release: str, shown: int
) -> None:
    loopback.release = release
    handler = LabelStudioCallbackHandler(KEY, loopback.url, project_name="Old pages", mode=mode)

    (project,) = loopback.projects.values()
    assert project["label_config"].count(BELOW) == shown
    handler.close()


def test_a_label_config_of_a_user_stays_as_it_is(loopback: LoopbackLabelStudio) -> None:
    loopback.release = "1.20.0"
    config = f'<View><Text name="p" value="$prompt"/><TextArea name="r" toName="p"/>{BELOW}</View>'
    handler = LabelStudioCallbackHandler(KEY, loopback.url, project_name="Old pages", project_config=config)

    (project,) = loopback.projects.values()
    assert project["label_config"] == config
    handler.close()
