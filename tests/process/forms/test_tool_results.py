"""The result of a tool as people read it: the text of its messages, or else JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langgraph.types import Command

from langchain_label_studio.forms.agent.steps import note_result
from langchain_label_studio.types.run_parts import Step

RESULT = ToolMessage("Sunny", tool_call_id="1")
ROWS: Any = [{"type": "house", "rooms": 2}]


@pytest.mark.parametrize(
    "output",
    [
        RESULT,
        [RESULT],
        Command(update={"messages": [RESULT]}),
        Command(update={"messages": RESULT}),
        Command(update={"research_messages": [RESULT]}),
        Command(update={"history": [HumanMessage("Hi")], "results": [RESULT]}),
        Command(update=[("messages", [RESULT])]),
        Command(update=[RESULT]),
        Command(update={"messages": [{"role": "tool", "content": "Sunny", "tool_call_id": "1"}]}),
        Command(update={"messages": [("assistant", "Sunny")]}),
        [Command(update={"messages": [RESULT]})],
        [{"type": "text", "text": "Sunny"}],
    ],
)
def test_the_text_of_a_result_is_its_messages(output: Any):
    step: Step = {"kind": "tool_call", "tool": "look"}

    note_result(step, output)

    assert step["result"] == {"ok": True, "preview": "Sunny"}


def test_pictures_in_a_result_are_notes():
    step: Step = {"kind": "tool_call", "tool": "look"}

    note_result(
        step,
        [{"type": "text", "text": "Sunny"}, {"type": "image", "base64": "AAAA", "mime_type": "image/png"}],
    )

    assert step["result"]["preview"] == "Sunny\n[image: image/png, 3 B]"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (ROWS, ROWS),
        ([{"type": ["text"]}], [{"type": ["text"]}]),
        (["Sunny"], ["Sunny"]),
        (Command(update={"city": "Paris"}), {"city": "Paris"}),
        (Command(update={"messages": [{"no": "message"}]}), {"messages": [{"no": "message"}]}),
        (Command(update={"rows": ROWS}), {"rows": ROWS}),
    ],
)
def test_any_other_result_is_json(output: Any, shown: Any):
    step: Step = {"kind": "tool_call", "tool": "look"}

    note_result(step, output)

    assert json.loads(step["result"]["preview"]) == shown
