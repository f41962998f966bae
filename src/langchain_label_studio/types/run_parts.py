"""The parts of a run that forms gather: `Document` and `Step`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Required, TypedDict


class Document(TypedDict, total=False):
    """A retrieved document.

    Attributes:
        id: Its id, if it has one.
        content: Its text.
        metadata: Its metadata.
        score: The score that the retriever gave it.
        query: The query for which it was retrieved.
    """

    id: str
    content: Required[str]
    metadata: Mapping[str, Any]
    score: float
    query: str


class StepResult(TypedDict):
    """The result of a step.

    Attributes:
        ok: Whether it succeeded.
        preview: The result as text.
    """

    ok: bool
    preview: str


class StepError(TypedDict):
    """The error of a step.

    Attributes:
        message: The error, without headers and secrets.
    """

    message: str


class Step(TypedDict, total=False):
    """A step of an agent. Its keys are those of Label Studio's template for agent evaluation.

    The template is described in docs/source/templates/interfaces-agent-eval.md of Label Studio. The keys `agent` and
    `cancelled` and the kind `interrupt` are added by this package.

    Attributes:
        kind: The words of the user (`user`), thoughts (`reasoning`) or words (`agent`) of a model, a call of a tool or
            a retriever (`tool_call`), a failure (`error`), or a wait for a person (`interrupt`).
        agent: The sub-agent or the node of the graph that did it. Missing for the agent itself.
        content: The words, or the question to a person.
        summary: The thoughts.
        tool: The name of the tool or the retriever.
        args: The arguments of the call.
        result: The result of the call.
        error: The error with which it failed.
        cancelled: True if its caller stopped it before it ended. Else it is missing.
        model: The model that gave it.
        tokens: The tokens that were read and written for it.
        durationMs: The milliseconds from its start to its end.
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


class RunPriority(TypedDict, total=False):
    """How soon reviewers see a run.

    Attributes:
        value: The number that was known at its end: the higher, the sooner.
        feedback: The weight of a dislike, which comes later.
        new: The weight of its novelty, which is known when it is sent. Then it is a part of `value`.
        waiting: The weight of a week of waiting.
    """

    value: Required[float]
    feedback: float
    new: float
    waiting: float
