"""Finished runs as values, and the bounded table of runs in flight."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import orjson

from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.forks import begin_anew_in_children
from langchain_label_studio.jsonsafe import encode
from langchain_label_studio.messages import Turn, show_turn

Status = Literal["success", "partial", "error", "cancelled", "abandoned"]
"""How a run ended.

`partial`: cut off, with some of the answer there. `cancelled`: the application stopped waiting.
`abandoned`: nobody read on, or its end never came. `error`: it failed.
"""

FORMAT_VERSION = 1
MAX_OPEN_RUNS = 10_000
MAX_OPEN_CHARACTERS = 256 * 2**20
MAX_RUN_AGE = 3600.0
MAX_ANCESTORS = 100_000

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
_TUPLES = ("prompt", "answers", "tags")


def make_run(facts: Facts) -> LLMRun:
    """Return the run that the facts are of."""
    known = {name: value for name, value in facts.items() if name in _FIELDS}
    known |= {name: str(known[name]) for name in _IDS if known.get(name)}
    known |= {name: tuple(known.get(name, ())) for name in _TUPLES}
    if isinstance(started_at := known.get("started_at"), float):
        known["started_at"] = _iso(started_at)
    return LLMRun(**known)


def encode_run(facts: Facts) -> bytes:
    """Return a run as one line of JSON, without what must not leave the process."""
    metadata = facts.get("metadata") or {}
    sent = {key: value for key, value in metadata.items() if key in METADATA_SENT}
    return encode({"v": FORMAT_VERSION, **facts, "metadata": sent})


def decode_run(line: bytes) -> LLMRun:
    """Return the run that `encode_run` wrote.

    Raises:
        LabelStudioError: A newer version of this package wrote it.
        ValueError: It is not such a line.
    """
    record = orjson.loads(line)
    version = record.pop("v", None)
    if version != FORMAT_VERSION:
        msg = f"A run was recorded in format {version}; this version reads {FORMAT_VERSION}. Update the package."
        raise LabelStudioError(msg)
    return make_run(record)


def read_run_id(line: bytes) -> str:
    """Return the id of a run that `encode_run` wrote.

    Raises:
        ValueError: It is not such a line.
    """
    try:
        return str(orjson.loads(line)["run_id"])
    except (KeyError, TypeError):
        msg = "a line without a run's id"
        raise ValueError(msg) from None


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class StartedRun:
    """What is known of a run before its end.

    Attributes:
        facts: What its start event said.
        clock: `time.perf_counter()` at its start.
        size: How many characters of the conversation it keeps.
        batch_size: How many prompts went to the model in one request.
    """

    facts: Facts
    clock: float
    size: int = 0
    batch_size: int = 1

    def finish(self, known_now: Facts) -> Facts:
        """Return the run as it ended; it is not to be started again."""
        if "started_at" in self.facts:
            known_now["latency_ms"] = int((time.perf_counter() - self.clock) * 10_000) / 10
        self.facts.update(known_now)
        return self.facts


class RunTable:
    """Runs in flight, their ancestors, and the runs that ended lately. Bounded; safe in threads.

    LangChain may deliver a start or an end twice, an end without a start, and never deliver an end.
    """

    def __init__(self, *, max_open: int = MAX_OPEN_RUNS, max_age: float = MAX_RUN_AGE) -> None:
        self._max_open = max_open
        self._max_age = max_age
        self.begin_in_child()
        begin_anew_in_children(self)

    def begin_in_child(self) -> None:
        """Begin anew in a forked process: the runs in flight are the parent's."""
        self._lock = threading.RLock()
        self._open: OrderedDict[UUID, StartedRun] = OrderedDict()
        self._size = 0
        self._ended: OrderedDict[UUID, None] = OrderedDict()
        self._roots: OrderedDict[UUID, UUID] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, run_id: UUID, parent_run_id: UUID | None) -> None:
        """Note a chain, tool or retriever, so that runs inside it find their root."""
        with self._lock:
            self._roots[run_id] = self.root(run_id, parent_run_id)
            if len(self._roots) > MAX_ANCESTORS:
                self._roots.popitem(last=False)

    def leave(self, run_id: UUID) -> None:
        """Forget a chain, tool or retriever that ended."""
        with self._lock:
            self._roots.pop(run_id, None)

    def root(self, run_id: UUID, parent_run_id: UUID | None) -> UUID:
        """Return the outermost run known above a run."""
        if parent_run_id is None:
            return run_id
        return self._roots.get(parent_run_id, parent_run_id)

    def start(self, run_id: UUID, started: StartedRun) -> list[StartedRun]:
        """Note a run's start; a second start of the same run is ignored.

        Returns:
            Runs that are given up, because their end is overdue or the table is full.
        """
        with self._lock:
            if run_id not in self._ended and self._open.setdefault(run_id, started) is started:
                self._size += started.size
            return self._overdue(started.clock)

    def end(self, run_id: UUID) -> tuple[StartedRun | None, bool]:
        """Note a run's end.

        Returns:
            The run as it started (None where its start never came), and whether this is its first end.
        """
        with self._lock:
            started = self._open.pop(run_id, None)
            first = started is not None or run_id not in self._ended
            self._note_end(run_id, started)
            return started, first

    def _overdue(self, now: float) -> list[StartedRun]:
        given_up = []
        while self._open:
            try:
                oldest = next(iter(self._open.values()))
            except (RuntimeError, StopIteration):
                break  # a signal handler recorded a run just now; the next start looks again
            fits = len(self._open) <= self._max_open and self._size <= MAX_OPEN_CHARACTERS
            if fits and now - oldest.clock <= self._max_age:
                break
            run_id, _ = self._open.popitem(last=False)
            self._note_end(run_id, oldest)
            given_up.append(oldest)
        return given_up

    def _note_end(self, run_id: UUID, started: StartedRun | None) -> None:
        self._ended[run_id] = None
        if len(self._ended) > self._max_open:
            self._ended.popitem(last=False)
        if started:
            self._size -= started.size
