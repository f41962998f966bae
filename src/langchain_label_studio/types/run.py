"""`LLMRun`: a finished run; `RunFields`: a run on its way there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, cast
from uuid import UUID

from langchain_label_studio.support.json_safe import encode
from langchain_label_studio.types.run_parts import Document, RunPriority, Step
from langchain_label_studio.types.text import show_turn
from langchain_label_studio.types.turn import Turn

Status = Literal["success", "partial", "error", "cancelled", "abandoned"]
"""The way in which a run ended.

- `success`: it has its whole answer.
- `partial`: it was cut off, and has a part of the answer.
- `cancelled`: the application stopped waiting for it.
- `abandoned`: the application did not read the stream to its end, or the run's end never came.
- `error`: it failed.
"""

PARAMETERS_SENT = frozenset(
    {
        *("frequency_penalty", "max_completion_tokens", "max_output_tokens", "max_tokens", "model", "n"),
        *("parallel_tool_calls", "presence_penalty", "reasoning", "reasoning_effort", "seed"),
        *("stop", "stream", "temperature", "tool_choice", "tools", "top_k", "top_p"),
        # The schema of a structured answer: OpenAI, Anthropic and Bedrock, Gemini, Ollama.
        *("response_format", "text", "output_config", "output_format"),
        *("response_json_schema", "response_mime_type", "response_schema", "format"),
    }
)
"""The keys of a run's invocation parameters that leave the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMRun:
    """One finished run of a model.

    Attributes:
        record_id: The id of its record, which no other record has. Empty if an earlier version recorded the run.
        run_id: LangChain's id of the run. It comes again if an application passes it again.
        trace_id: The id of the outermost run that is known. A run that stands alone has its own id here.
        parent_run_id: The id of the run that called it.
        run_name: The `run_name` of the run's config.
        kind: `"chat"` for chat models, `"completion"` for text completion models.
        status: How it ended, see `Status`.
        prompt: The conversation so far. For a completion model, it is one turn of the user.
        answers: The model's answers: one turn for each candidate, in order.
        error: The error with which it failed, without headers and secrets.
        model: The name of the model, as the response gives it, or else as the run's start does.
        provider: The provider of the model, such as `"openai"`.
        finish_reason: The reason why the model stopped.
        log_probability: The mean natural log-probability of the first answer's tokens, where the model gives it.
        input_tokens: The tokens that were read.
        output_tokens: The tokens that were written, of all candidates together.
        total_tokens: The tokens that were read and written.
        usage: More details of the token counts.
        cached: Whether LangChain took the answer from its cache, without a call of the model.
        started_at: The time when it started, as ISO 8601 in UTC.
        latency_ms: The milliseconds from its start to its end.
        thread_id: The conversation (thread) to which it belongs.
        tags: The run's tags, without LangChain's internal ones.
        metadata: The run's metadata. Only the keys of `METADATA_SENT` leave the process.
        parameters: The invocation parameters, of `PARAMETERS_SENT`.
        data: The user's own data for the task.
        form: The name of its form of review. Empty for `"prompt"` and `"chat"`, because these show it as it is.
        question: The question that it answers, if that is another text than the last turn of the user.
        documents: The documents that were retrieved for it.
        steps: The steps of an agent's run, in order.
        candidates: The run, the model and more of each answer, in the order of the answers, if several runs were
            merged.
        chance: The chance that it had to be recorded, above 0 and up to 1. A rule such as `errors()` leaves nothing to
            chance; `sample_rate`, `sampled` and `balanced` do.
        certain_score: The score of a user up to which it was certain to be recorded. None if no score makes it certain.
        certain_chance: The chance that it had with such a score, above 0 and up to 1. It is less than 1 only if the relay of
            a fleet drew runs once more.
        priority: How soon reviewers see it. None without `priority=`.
    """

    record_id: str = ""
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
    log_probability: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    cached: bool = False
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
    chance: float = 1.0
    certain_score: float | None = None
    certain_chance: float = 1.0
    priority: RunPriority | None = None

    @property
    def shown_question(self) -> str:
        """The question that reviewers see: `question`, or else the last turn of the user."""
        turns = [turn for turn in self.prompt if turn["role"] == "user"] or list(self.prompt)
        return self.question or (show_turn(turns[-1]) if turns else "")

    @property
    def shown_answers(self) -> tuple[Turn, ...]:
        """The answers that reviewers see: those that are not empty."""
        return tuple(turn for turn in self.answers if show_turn(turn))


TokenCount = Literal["input_tokens", "output_tokens", "total_tokens"]
TOKEN_COUNTS: tuple[TokenCount, ...] = ("input_tokens", "output_tokens", "total_tokens")
"""The fields that are added up when several runs become one record."""


class RunFields(TypedDict, total=False):
    """The fields of an `LLMRun` by their names. A field with an unknown value is missing.

    A run is such a dict from its first event to its line in the outbox. It becomes an `LLMRun` (`make_run`) only if
    somebody reads it. Two fields differ from the fields of `LLMRun`. Four more stay in this process:

    Attributes:
        run_id: The id, not yet as text. `trace_id` and `parent_run_id` are not text, either.
        started_at: Seconds since 1970.
        covers: The ids of further runs in this record. They lead to its task.
        metadata_size: About how many characters the metadata keeps.
        given_up: Whether its end never came. Then it is counted as lost, and not as excluded.
        excluded: The reason why the form has no use for the run. The run is counted under it, and not recorded.
    """

    record_id: str
    run_id: UUID
    trace_id: UUID
    parent_run_id: UUID
    run_name: str
    kind: Literal["chat", "completion"]
    status: Status
    prompt: tuple[Turn, ...]
    answers: tuple[Turn, ...]
    error: str
    model: str
    provider: str
    finish_reason: str
    log_probability: float
    input_tokens: int
    output_tokens: int
    total_tokens: int
    usage: Mapping[str, Any]
    cached: bool
    started_at: float
    latency_ms: float
    thread_id: str
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    parameters: Mapping[str, Any]
    data: Mapping[str, Any]
    form: str
    question: str
    documents: tuple[Document, ...]
    steps: tuple[Step, ...]
    candidates: tuple[Mapping[str, Any], ...]
    chance: float
    certain_score: float
    certain_chance: float
    priority: RunPriority
    covers: Sequence[UUID]
    metadata_size: int
    given_up: bool
    excluded: str


def pick(run: RunFields, names: Iterable[str]) -> RunFields:
    """Return the known fields of a run among these."""
    known: Mapping[str, Any] = run
    return cast("RunFields", {name: known[name] for name in names if name in known})


def run_size(run: RunFields) -> int:
    """Return about how many characters a run keeps."""
    known: Mapping[str, object] = run
    kept = ("prompt", "answers", "parameters", "tags", "documents", "steps")
    return len(encode([known[name] for name in kept if name in run])) + run.get("metadata_size", 0)
