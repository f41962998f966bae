"""Finished runs as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, Required, TypedDict

from langchain_label_studio.lines import decode_line, encode_line, read_name
from langchain_label_studio.messages import Turn, show_turn

Status = Literal["success", "partial", "error", "cancelled", "abandoned"]
"""How a run ended.

`partial`: cut off, with some of the answer there. `cancelled`: the application stopped waiting.
`abandoned`: nobody read on, or its end never came. `error`: it failed.
"""

FORMAT_VERSION = 1

METADATA_SENT = frozenset(
    {
        *("assistant_id", "checkpoint_ns", "conversation_id", "graph_id", "langgraph_node", "langgraph_step"),
        *(
            "lc_agent_name",
            "ls_integration",
            "ls_max_tokens",
            "ls_model_name",
            "ls_model_type",
            "ls_provider",
        ),
        *("ls_stop", "ls_temperature", "session_id", "thread_id", "user_id"),
    }
)
"""Keys of a run's metadata that leave the process. The others may hold anything."""

PARAMETERS_SENT = frozenset(
    {
        *("frequency_penalty", "max_completion_tokens", "max_output_tokens", "max_tokens", "model", "n"),
        *(
            "parallel_tool_calls",
            "presence_penalty",
            "reasoning",
            "reasoning_effort",
            "response_format",
            "seed",
        ),
        *("stop", "stream", "temperature", "tool_choice", "tools", "top_k", "top_p"),
    }
)
"""Keys of a run's invocation parameters that leave the process."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMRun:
    """One finished run of a model.

    Attributes:
        run_id: LangChain's id of the run.
        trace_id: Id of the outermost run known; the run's own where it stands alone.
        parent_run_id: Id of the run that called it.
        run_name: The `run_name` of the run's config.
        kind: `"chat"` for chat models, `"completion"` for text completion models.
        status: How it ended, see `Status`.
        prompt: The conversation so far; for a completion model one user turn.
        answers: What the model said: one turn for each candidate, in order.
        error: Why it failed, without headers or secrets.
        model: The model's name, as the response gives it where it does.
        provider: Who runs the model, such as `"openai"`.
        finish_reason: Why the model stopped.
        input_tokens: Tokens read.
        output_tokens: Tokens written, of all candidates together.
        total_tokens: Both together.
        usage: Further details of the token counts.
        started_at: When it started, as ISO 8601 in UTC.
        latency_ms: Milliseconds from start to end.
        thread_id: The conversation it belongs to.
        tags: The run's tags, without LangChain's internal ones.
        metadata: The run's metadata. Of it, only `METADATA_SENT` leaves the process.
        parameters: The invocation parameters of `PARAMETERS_SENT`.
        data: The user's own data for the task.
        form: Name of the form in which it is reviewed; empty where it is shown as it is.
        question: What it was to answer, where that is known to be another text than the last turn of the user.
        documents: What was retrieved for it.
        steps: What happened in it, in order, where it is a whole run of an agent.
        candidates: Who gave each of the answers, where these come from several runs: `model`, `run_id` and
            more of each, in the order of the answers.
    """

    run_id: str
    trace_id: str
    parent_run_id: str | None = None
    run_name: str | None = None
    kind: Literal["chat", "completion"] = "chat"
    status: Status = "success"
    prompt: tuple[Turn, ...] = ()
    answers: tuple[Turn, ...] = ()
    error: str | None = None
    model: str | None = None
    provider: str | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    started_at: str | None = None
    latency_ms: float | None = None
    thread_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    form: str = ""
    question: str | None = None
    documents: tuple[Document, ...] = ()
    steps: tuple[Step, ...] = ()
    candidates: tuple[Mapping[str, Any], ...] = ()

    @property
    def shown_answers(self) -> tuple[Turn, ...]:
        """The answers that reviewers see: those that say something."""
        return tuple(turn for turn in self.answers if show_turn(turn))


Facts = dict[str, Any]
"""Fields of an `LLMRun` by name, as far as they are known.

A run on its way to the outbox is such a dict, and only becomes an `LLMRun` where somebody looks at it. What takes
its time to write as text is left for then, too: ids may be UUIDs, and a time is seconds since 1970.
"""

_FIELDS = frozenset(item.name for item in fields(LLMRun))
_IDS = ("run_id", "trace_id", "parent_run_id")
_TUPLES = ("prompt", "answers", "tags", "documents", "steps", "candidates")


def make_run(facts: Facts) -> LLMRun:
    """Return the run that the facts are of."""
    known = {name: value for name, value in facts.items() if name in _FIELDS}
    known |= {name: str(known[name]) for name in _IDS if known.get(name)}
    known |= {name: tuple(known.get(name, ())) for name in _TUPLES}
    if isinstance(started_at := known.get("started_at"), float):
        known["started_at"] = _iso(started_at)
    return LLMRun(**known)


def encode_run(facts: Facts, mask: Callable[[Facts], Facts] | None = None) -> bytes:
    """Return a run as one line of JSON, without what must not leave the process.

    Args:
        facts: The run.
        mask: Hides in what is left of it what nobody must see.
    """
    metadata = facts.get("metadata") or {}
    sent = {**facts, "metadata": {key: value for key, value in metadata.items() if key in METADATA_SENT}}
    return encode_line(mask(sent) if mask else sent, version=FORMAT_VERSION)


def decode_run(line: bytes) -> LLMRun:
    """Return the run that `encode_run` wrote.

    Raises:
        LabelStudioError: A newer version of this package wrote it.
        ValueError: It is not such a line.
    """
    return make_run(decode_line(line, version=FORMAT_VERSION, what="A run"))


def read_run_id(line: bytes) -> str:
    """Return the id of a run that `encode_run` wrote.

    Raises:
        ValueError: It is not such a line.
    """
    return read_name(line, "run_id", what="a run's id")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
