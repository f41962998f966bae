"""Runs with nothing in them: the page is there, and the reviewer can write what was missing."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from playwright.sync_api import expect

from tests.browser.conftest import AnnotationOf, Record
from tests.browser.pages import Reviewer

EMPTY_TOOL = ToolMessage("", tool_call_id="")
PROMPTS = {
    "no-messages": [],
    "empty-turns": [
        HumanMessage(""),
        AIMessage([]),
        EMPTY_TOOL,
        HumanMessage([{"type": "text", "text": ""}]),
    ],
}
LEFT_OUT = """
<View>
<Text name="prompt" value="$prompt"/>
<Paragraphs name="dialogue" value="$dialogue" textKey="said" nameKey="by"/>
<HyperText name="html" value="$html"/>
<Markdown name="markdown" value="$markdown"/>
<List name="list" value="$list"/>
<Ranker name="rank" toName="list"/>
<Image name="image" value="$image"/>
<Table name="table" value="$table"/>
<Choices name="choices" toName="prompt" value="$choices"/>
<TextArea name="response" toName="prompt"/>
<Rating name="rating" toName="prompt"/>
</View>
"""


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
@pytest.mark.parametrize("mode", ["prompt", "chat"])
def test_empty_run(mode: str, prompt: Any, record: Record, reviewer: Reviewer, annotation_of: AnnotationOf):
    handler = record(prompt, "", mode=mode)

    reviewer.open_task(handler.project_url)
    reviewer.write("What should have been said.")
    reviewer.rate(2)
    reviewer.submit()

    assert annotation_of(handler) == {
        "response": {"text": ["What should have been said."]},
        "rating": {"rating": 2},
    }


def test_data_left_out(record: Record, reviewer: Reviewer):
    handler = record("Tell me a joke.", "Knock, knock.", project_config=LEFT_OUT, data=lambda run: {})

    reviewer.open_task(handler.project_url)

    expect(reviewer.task.get_by_text("Tell me a joke.")).to_be_visible()
    expect(reviewer.responses).to_have_text(["Knock, knock."])
