"""`AgentRun`: an agent's run so far; `make_record`: its record at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from langchain_label_studio.forms.agent.answer import agent_answer, has_calls, waits_for_tools
from langchain_label_studio.forms.agent.requested_calls import RequestedCalls
from langchain_label_studio.forms.agent.steps import depth_of, steps_of_answer, who
from langchain_label_studio.recording.llm_results import status_of
from langchain_label_studio.recording.run_events import thread_id_of
from langchain_label_studio.recording.trace_events import TraceEvent
from langchain_label_studio.support.json_safe import characters_in
from langchain_label_studio.support.redaction import error_text
from langchain_label_studio.types.run import TOKEN_COUNTS, RunFields, pick, run_size
from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.turn import Turn

MAX_STEPS = 500
"""The maximum number of steps of a run. Of a longer run, steps from the middle are omitted."""

INTERRUPT = "interrupt"
"""The finish reason of a run that waits for a person."""

_OF_THE_MODEL = ("model", "provider", "parameters", "finish_reason", "log_probability", "tags", "thread_id")


@dataclass(slots=True)
class AgentRun:
    """An agent's run so far.

    Attributes:
        top: The id of the outermost run.
        name: The name of the outermost run.
        metadata: The metadata of the outermost run.
        began: Its start, in seconds since 1970. None if there are only events of a model.
        asked_for: Its input, if that is a conversation or one text.
        given: Any other input as text.
        resumed: Whether the input is a person's answer to an interrupt.
        end: The event of its end.
        steps: The steps, in order, without the words of the user.
        omitted_steps: The number of steps that are omitted from the middle.
        prompt: The conversation that the agent's own model saw before its first answer, or else that any model saw.
        own: The finished runs of the agent's own model, without the conversation. Of all but the last ones, only the id,
            the tokens and whether it was cached are kept.
        others: The finished runs of the models of sub-agents.
        latest: The last answer of a model that no tool or retriever called.
        words: The last one of these answers that has a text and no call.
        in_graph: Whether there are nodes of a graph in the run.
        parents: The caller of each open chain, tool and retriever.
        inside: The open tools and retrievers that the agent called, and all open runs inside them.
        running: The open calls and the times of their starts, by the id of their run.
        requested: The calls that a model asked for and that have not started.
        questions: The ids of the interrupts that are steps already.
        size: About how many characters all this has.
    """

    top: UUID
    name: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    began: float | None = None
    asked_for: list[Turn] = field(default_factory=list)
    given: str = ""
    resumed: bool = False
    end: TraceEvent | None = None
    steps: list[Step] = field(default_factory=list)
    omitted_steps: int = 0
    prompt: tuple[Turn, ...] = ()
    own: list[RunFields] = field(default_factory=list)
    others: list[RunFields] = field(default_factory=list)
    latest: Turn | None = None
    words: Turn | None = None
    in_graph: bool = False
    parents: dict[UUID, UUID | None] = field(default_factory=dict)
    inside: set[UUID] = field(default_factory=set)
    running: dict[UUID, tuple[Step, float]] = field(default_factory=dict)
    requested: RequestedCalls = field(default_factory=RequestedCalls)
    questions: set[str] = field(default_factory=set)
    size: int = 0

    @property
    def models(self) -> list[RunFields]:
        """The runs of the agent's own model. If it has none, the runs of all models."""
        return self.own or self.others

    @property
    def is_calling(self) -> bool:
        """Whether the last answer asks for calls."""
        return self.latest is not None and has_calls(self.latest)

    def add(self, step: Step, metadata: Mapping[str, Any]) -> Step:
        """Add a step at the end, with the name of its sub-agent."""
        if agent := who(metadata, self.metadata):
            step["agent"] = agent
        self.steps.append(step)
        self.keep(step)
        if len(self.steps) > 2 * MAX_STEPS:
            self.shorten()
        return step

    def keep(self, tree: Any) -> None:
        """Count what is kept from now on."""
        self.size += characters_in(tree)

    def running_below(self, run_id: UUID) -> list[Step]:
        """Return the open calls inside a run."""
        return [step for call, (step, _) in self.running.items() if run_id in self._ancestors(call)]

    def _ancestors(self, run_id: UUID) -> list[UUID]:
        path: list[UUID] = []
        parent = self.parents.get(run_id)
        while parent is not None and parent not in path:  # an id may come twice, and then lead in a circle
            path.append(parent)
            parent = self.parents.get(parent)
        return path

    def add_model(self, run: RunFields) -> None:
        """Note a finished run of a model."""
        is_inside = run.get("parent_run_id") in self.inside
        own = not is_inside and not depth_of(run.get("metadata") or {})
        if not is_inside:
            self._listen(run)
        if not self.own and (own or not self.others):
            self.prompt = self._before_own_steps(run.get("prompt", ()))
            self.keep(self.prompt)
        runs = self.own if own else self.others
        # The conversation of each turn repeats the conversations before it. And only the last answer is used.
        for place in range(len(runs) - 1, -1, -1) if run.get("answers") else ():
            if "kind" not in runs[place]:
                break
            self.size -= run_size(runs[place])
            runs[place] = pick(runs[place], ("run_id", "cached", *TOKEN_COUNTS))
        runs.append({**run, "prompt": ()})
        self.size += run_size(runs[-1])

    def _before_own_steps(self, conversation: Sequence[Turn]) -> tuple[Turn, ...]:
        """Return a conversation up to what this run itself said after the words of the user.

        A model may see what sub-agents said and found before it. These are steps. Other turns after the words of the
        user, such as instructions or the first words of the answer, come from the application.
        """
        asked = [turn["content"] for turn in self.asked_for if turn["role"] == "user"][-1:]
        end = len(conversation)
        for place in range(len(conversation) - 1, -1, -1) if asked and not self.resumed else ():
            turn = conversation[place]
            if turn["role"] == "user" and turn["content"] in asked:
                return tuple(conversation[:end])
            if turn["role"] == "assistant" and self._has_steps_of(turn):
                end = place
        return tuple(conversation)

    def _has_steps_of(self, turn: Turn) -> bool:
        said, asked = steps_of_answer(turn)
        of_turn = [_what(step) for step in (*said, *(step for step, _ in asked))]
        return any(_what(step) in of_turn for step in self.steps)

    def _listen(self, run: RunFields) -> None:
        """Note what may be the answer of the agent."""
        for turn in run.get("answers", ())[:1]:
            self.size -= self._size_of_words()
            self.latest = turn
            if not self.is_calling and (turn["content"] or self.words is None):
                self.words = turn
            self.size += self._size_of_words()

    def _size_of_words(self) -> int:
        """Return the characters of the words, if they are of an earlier run. Those of the last run are a part of it."""
        return 0 if self.words is self.latest else characters_in(self.words)

    def shorten(self) -> None:
        """Omit steps from the middle if there are too many."""
        if (too_many := len(self.steps) - MAX_STEPS) > 0:
            half = MAX_STEPS // 2
            self.size -= characters_in(self.steps[half : half + too_many])
            del self.steps[half : half + too_many]
            self.omitted_steps += too_many


def _what(step: Step) -> tuple[Any, ...]:
    return step.get("tool"), step.get("args"), step.get("content"), step.get("summary")


def make_record(run: AgentRun, *, given_up: bool) -> RunFields:
    """Return the record of a whole run.

    Args:
        run: The run.
        given_up: True if its end never came.
    """
    last: RunFields = run.models[-1] if run.models else {}
    models = [*run.own, *run.others]
    record = pick(last, _OF_THE_MODEL)
    record |= {
        "run_id": run.top,
        "trace_id": run.top if run.began is not None else last.get("trace_id", run.top),
        "kind": "chat",
        "metadata": {**(last.get("metadata") or {}), **run.metadata},
        "covers": [model["run_id"] for model in models],
        **_added_up(models),
        **_times(run, last),
        **_ending(run, last, given_up=given_up),
    }
    if run.name:
        record["run_name"] = run.name
    if run.began is None and "parent_run_id" in last:
        record["parent_run_id"] = last["parent_run_id"]
    if models and all(model.get("cached") for model in models):
        record["cached"] = True
    if thread_id := thread_id_of(run.metadata.get("thread_id")):
        record["thread_id"] = thread_id
    record["prompt"] = _prompt(run)
    answer = agent_answer(run)
    record["answers"] = (answer,) if answer else ()
    record["steps"] = tuple(_all_steps(run, record))
    return record


def _prompt(run: AgentRun) -> tuple[Turn, ...]:
    """Return the conversation as the model saw it before its first answer. Without a model, return the input."""
    return (
        run.prompt or tuple(run.asked_for) or (({"role": "user", "content": run.given},) if run.given else ())
    )


def _all_steps(run: AgentRun, record: RunFields) -> list[Step]:
    """Return the steps with the words of the user before them, and the error that ended the run after them."""
    run.shorten()
    steps = list(run.steps)
    if run.omitted_steps:
        note = f"[{run.omitted_steps:,} steps are omitted here]"
        steps.insert(MAX_STEPS // 2, {"kind": "agent", "content": note})
    error = record.get("error")
    if error and not any(step.get("error", {}).get("message") == error for step in steps):
        steps.append({"kind": "error", "error": {"message": error}})
    asked = run.asked_for or [turn for turn in record["prompt"] if turn["role"] == "user"]
    return [{"kind": "user", "content": asked[-1]["content"] if asked else ""}, *steps]


def _ending(run: AgentRun, last: RunFields, *, given_up: bool) -> RunFields:
    """Return the status of the run. With an interrupt, LangGraph ends the run before its tools, without an error."""
    if given_up:
        return {"status": "abandoned"}
    if run.questions or waits_for_tools(run):
        return {"status": "partial", "finish_reason": INTERRUPT}
    if run.end is None:
        return pick(last, ("status", "error")) or {"status": "abandoned"}
    if run.end.error is None:
        return {"status": "success"}
    ending: RunFields = {"status": status_of(run.end.error)}
    if ending["status"] == "error":
        ending["error"] = error_text(run.end.error)
    return ending


def _times(run: AgentRun, last: RunFields) -> RunFields:
    if run.began is None:
        return pick(last, ("started_at", "latency_ms"))
    times: RunFields = {"started_at": run.began}
    if run.end:
        times["latency_ms"] = int((run.end.at - run.began) * 10_000) / 10
    return times


def _added_up(models: Sequence[RunFields]) -> RunFields:
    total: RunFields = {}
    for name in TOKEN_COUNTS:
        if counts := [model[name] for model in models if name in model]:
            total[name] = sum(counts)
    return total
