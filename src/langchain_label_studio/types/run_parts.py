"""The parts of a run that forms gather: `Document` and `Step`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Required, TypedDict


class Document(TypedDict, total=False):
    """A retrieved document.

    Attributes:
        id: Its id, where it has one.
        content: Its text.
        metadata: Its metadata.
        score: How well it fits, as the retriever says.
        query: What was asked for.
    """

    id: str
    content: Required[str]
    metadata: Mapping[str, Any]
    score: float
    query: str


class StepResult(TypedDict):
    """What came of a step.

    Attributes:
        ok: Whether it did what it should.
        preview: What came of it, as text.
    """

    ok: bool
    preview: str


class StepError(TypedDict):
    """Why a step failed.

    Attributes:
        message: The error, without headers or secrets.
    """

    message: str


class Step(TypedDict, total=False):
    """A step of an agent, called as Label Studio's agent evaluation calls it.

    Its template says how (docs/source/templates/interfaces-agent-eval.md); `agent`,
    `cancelled` and the kind `interrupt` are ours.

    Attributes:
        kind: What it is: what the user said, what a model thought (`reasoning`) or said (`agent`), a call of a tool or
            a retriever, a failure, or a wait for a person.
        agent: Which sub-agent or node of a graph did it; missing where it was the agent itself.
        content: What was said, or what a person is asked.
        summary: What was thought.
        tool: Name of the tool or the retriever.
        args: What it was called with.
        result: What it gave back.
        error: Why it failed.
        cancelled: Whether its caller stopped it before it ended; missing where not.
        model: The model that said it.
        tokens: Tokens read and written for it.
        durationMs: Milliseconds from start to end.
    """

    kind: Required[Literal["user", "reasoning", "agent", "tool_call", "error", "interrupt"]]
    agent: str
    content: str
    summary: str
    tool: str
    args: Any
    result: StepResult
    error: StepError
    cancelled: bool
    model: str
    tokens: int
    durationMs: float
