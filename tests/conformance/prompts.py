"""The prompts that packages of several providers take: images, calls with their results, tools of a provider."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_label_studio.types.turn import Turn
from tests.conformance.script import IMAGE, SECRET, Prompt

IMAGE_URL = f"data:image/png;base64,{IMAGE}"
IMAGE_NOTE = "[image: image/png, 70 B]"
CALL = {"name": "weather", "args": {"city": "Rome"}, "id": "call_1"}
AND_OSLO = HumanMessage("And in Oslo?")

QUESTION: Turn = {"role": "user", "content": "How is Rome?"}
LAST: Turn = {"role": "user", "content": "And in Oslo?"}
CALLED: Turn = {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]}
THOUGHT: Turn = {**CALLED, "reasoning": "Rome is warm."}


def text(said: str) -> dict[str, Any]:
    """Return a block of text."""
    return {"type": "text", "text": said}


def image(name: str, block: dict[str, Any]) -> Prompt:
    """Return a question about an image.

    Args:
        name: Whose block it is.
        block: The block.
    """
    return Prompt(
        name=f"an image of {name}",
        messages=[HumanMessage([text("Look:"), block, text("Where is it?")])],
        turns=[{"role": "user", "content": f"Look:\n{IMAGE_NOTE}\nWhere is it?", "images": [IMAGE_URL]}],
    )


def answered(name: str, answer: AIMessage, turn: Turn) -> Prompt:
    """Return a history with one answer.

    Args:
        name: What is in the answer.
        answer: The answer.
        turn: The turn that it becomes.
    """
    return Prompt(
        name=name, messages=[HumanMessage("How is Rome?"), answer, AND_OSLO], turns=[QUESTION, turn, LAST]
    )


IMAGES = [
    image("LangChain", {"type": "image", "base64": IMAGE, "mime_type": "image/png"}),
    image(
        "LangChain, before its standard",
        {"type": "image", "source_type": "base64", "data": IMAGE, "mime_type": "image/png"},
    ),
    image("OpenAI", {"type": "image_url", "image_url": {"url": IMAGE_URL}}),
]

A_CALL = Prompt(
    name="a call that failed",
    messages=[
        SystemMessage("Be brief."),
        HumanMessage("How is Rome?"),
        AIMessage("Let me look.", tool_calls=[CALL]),
        ToolMessage("It failed.", tool_call_id="call_1", status="error"),
        AND_OSLO,
    ],
    turns=[
        {"role": "system", "content": "Be brief."},
        QUESTION,
        CALLED,
        {"role": "tool", "content": "It failed.", "tool_call_id": "call_1", "status": "error"},
        LAST,
    ],
)

STANDARD_CALL = Prompt(
    name="thoughts and a call in standard blocks, with an image as a result",
    messages=[
        HumanMessage("How is Rome?"),
        AIMessage(
            content_blocks=[
                {"type": "reasoning", "reasoning": "Rome is warm."},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_call", **CALL},
            ]
        ),
        ToolMessage(
            content_blocks=[
                {"type": "text", "text": "24 °C"},
                {"type": "image", "base64": IMAGE, "mime_type": "image/png"},
            ],
            tool_call_id="call_1",
        ),
        AND_OSLO,
    ],
    turns=[
        QUESTION,
        THOUGHT,
        {
            "role": "tool",
            "content": f"24 °C\n{IMAGE_NOTE}",
            "images": [IMAGE_URL],
            "tool_call_id": "call_1",
        },
        LAST,
    ],
)

STANDARD_SERVER_TOOL = answered(
    "a tool of the provider in standard blocks",
    AIMessage(
        content_blocks=[
            {"type": "text", "text": "I look it up. "},
            {"type": "server_tool_call", "name": "web_search", "args": {"query": "Rome"}, "id": "s1"},
            {
                "type": "server_tool_result",
                "tool_call_id": "s1",
                "status": "success",
                "output": [{"title": "Rome", "url": "https://weather.example", "encrypted_content": SECRET}],
            },
            {
                "type": "text",
                "text": "It is sunny.",
                "annotations": [{"type": "citation", "url": "https://weather.example", "title": "Rome"}],
            },
        ]
    ),
    {
        "role": "assistant",
        "content": "I look it up. It is sunny.",
        "server_tools": [
            {
                "name": "web_search",
                "args": {"query": "Rome"},
                "id": "s1",
                "result": "Rome\nhttps://weather.example",
            }
        ],
        "citations": [{"title": "Rome", "url": "https://weather.example"}],
    },
)

COMMON = [*IMAGES, A_CALL, STANDARD_CALL, STANDARD_SERVER_TOOL]
