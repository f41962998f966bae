"""Runs of each mode that fill a page: `record_long_runs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.local_server import LocalLabelStudio
from tests.browser.conftest import ScriptedModel
from tests.support.agents import agent, calls

MODES = ("prompt", "chat", "preference", "rag", "agent")
STEPS = 8
DOCUMENTS = 10
EARLIEST = "How do I begin?"
ANSWER = "Take the train in the morning. " + "It is slow, and you see the coast. " * 57
OTHER_ANSWER = "Take the bus at noon. " + "It is quick, and there is nothing to see. " * 48


def look_up(place: str) -> dict[str, Any]:
    """Look a place up."""
    return {"place": place, "open": True, "hours": ["09:00", "17:00"]}


def talk(question: str, *, turns: int) -> list[HumanMessage | AIMessage]:
    """Return a conversation of so many turns, of which the question is the last."""
    earlier = [
        AIMessage(f"Go on to place {number}. It is beautiful there, and you can stay the night.")
        if number % 2
        else HumanMessage(f"And what comes after place {number}?" if number else EARLIEST)
        for number in range(turns - 1)
    ]
    return [*earlier, HumanMessage(question)]


def record_long_runs(
    server: LocalLabelStudio,
    mode: str,
    questions: Sequence[str],
    *,
    turns: int = 30,
    answers: Sequence[str] = (ANSWER, OTHER_ANSWER),
    **settings: Any,
) -> LabelStudioCallbackHandler:
    """Record a run for each question: of ten documents, or of eight steps, where the mode has any."""
    with LabelStudioCallbackHandler(
        server.api_key, server.url, project_name=f"Browser {uuid4()}", mode=mode, **settings
    ) as handler:
        for question in questions:
            _run(mode, talk(question, turns=turns), answers, handler)
        assert handler.flush(60)
    assert handler.stats().delivered == len(questions), handler.stats()
    return handler


def _run(mode: str, messages: list[Any], answers: Sequence[str], handler: LabelStudioCallbackHandler) -> None:
    config: Any = {"callbacks": [handler]}
    if mode == "agent":
        looked_up = [calls(("look_up", {"place": f"Place {number}"})) for number in range(STEPS - 1)]
        agent(*looked_up, answers[0], tools=[look_up]).invoke({"messages": messages}, config)
        return
    if mode == "rag":
        found = (f"Document {number}: trains leave every hour. " * 20 for number in range(1, DOCUMENTS + 1))
        asked = [{"name": "search", "args": {"query": "trains"}, "id": "1"}]
        messages = [
            *messages,
            AIMessage("", tool_calls=asked),
            *(ToolMessage(text, tool_call_id="1", name="guide.md") for text in found),
        ]
    count = 2 if mode == "preference" else 1
    ScriptedModel(answers=[AIMessage(answer) for answer in answers[:count]]).invoke(messages, config)
