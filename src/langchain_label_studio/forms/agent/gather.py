"""`AgentGatherer`: make one record of all events of an agent's run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from langchain_label_studio.forms.agent import steps as made
from langchain_label_studio.forms.agent.agent_run import AgentRun, make_record
from langchain_label_studio.forms.trace_gatherer import TraceGatherer
from langchain_label_studio.recording.langchain_values import COMMAND, is_a
from langchain_label_studio.recording.llm_results import status_of
from langchain_label_studio.recording.trace_events import TraceEvent
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.support.redaction import error_text
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.user_functions import GroupBy

# Tools of LangChain's classic `AgentExecutor`.
_MISSING_TOOL = "invalid_tool"
_PARSER_TOOL = "_Exception"


class AgentGatherer(TraceGatherer[AgentRun]):
    """Makes one record of each outermost run and everything below it."""

    def opened(self, top: UUID) -> AgentRun:
        """Return a new run."""
        return AgentRun(top)

    def size(self, state: AgentRun) -> int:
        """Return the characters of the steps and of the conversation."""
        return state.size

    def began(self, state: AgentRun, event: TraceEvent) -> None:
        """Note the input of the agent, and each call of a tool or a retriever."""
        if event.run_id == state.top:
            state.name, state.began = event.name, event.at
            state.metadata = dict(event.event.get("metadata") or {})
            state.asked_for = made.turns_of(event.inputs)
            state.given = made.text_of(event.inputs) if not state.asked_for else ""
            state.resumed = is_a(COMMAND, event.inputs)
            state.keep([*state.asked_for, state.given, jsonable(state.metadata)])
        elif event.kind != "chain" or event.parent_run_id in state.inside:
            state.inside.add(event.run_id)
        elif "langgraph_node" in (event.event.get("metadata") or {}):
            # A chain that is called in a node of a graph has this name, too.
            state.in_graph = state.in_graph or "langgraph_node" not in state.metadata
        state.parents[event.run_id] = event.parent_run_id
        if event.kind == "chain":
            return
        state.running[event.run_id] = (_started(state, event), event.at)

    def ended(self, state: AgentRun, event: TraceEvent) -> list[RunFields]:
        """Note the outcome of a call, questions to a person, and the end of the run."""
        if _was_cut_off(event):
            # LangChain before 1.8 reports no end of a cancelled tool, only that of the run around it.
            for step in state.running_below(event.run_id):
                made.note_cancelled(step)
        state.inside.discard(event.run_id)
        state.parents.pop(event.run_id, None)
        for question_id, question in _questions(event.error):
            if question_id not in state.questions:
                state.questions.add(question_id)
                state.add({"kind": "interrupt", "content": made.text_of(question)}, {})
        if event.run_id == state.top:
            state.end = event
        if event.run_id in state.running:
            step, began = state.running.pop(event.run_id)
            step["durationMs"] = int((event.at - began) * 10_000) / 10
            _note_outcome(step, event)
            state.keep([step.get("result"), step.get("error")])
        return []

    def answered(self, state: AgentRun, run: RunFields) -> list[RunFields]:
        """Note the thoughts and words of a model, and the calls that it asks for."""
        metadata = run.get("metadata") or {}
        # A call of a tool that does not exist gets an answer, too.
        for step, turn in state.requested.answered(run.get("prompt", ())):
            made.note_text(step, turn["content"], ok=turn.get("status") != "error")
            state.keep(turn["content"])
        state.add_model(run)
        for turn in run.get("answers", ()):
            said, asked = made.steps_of_answer(turn)
            for step in said:
                state.add(made.with_costs(step, run), metadata)
            requested = [(state.add(step, metadata), call_id) for step, call_id in asked]
            state.requested.add(requested, run.get("prompt", ()))
        if error := run.get("error"):
            state.add(made.with_costs({"kind": "error", "error": {"message": error}}, run), metadata)
        return []

    def closed(self, state: AgentRun, *, given_up: bool) -> list[RunFields]:
        """Return the record of the run. A run without a model, a tool or a retriever makes no record."""
        return [make_record(state, given_up=given_up)] if state.models or state.steps else []


def follow_agents(group_by: GroupBy | None) -> AgentGatherer:  # noqa: ARG001 (a trace is a record: nothing to group)
    """Return a gatherer that makes one record of each outermost run."""
    return AgentGatherer()


def _started(state: AgentRun, event: TraceEvent) -> Step:
    """Return the step of a call that starts.

    `AgentExecutor` has two tools of its own. One tells the model that a tool does not exist: that is the error of a
    call. The other one tells it that its answer cannot be parsed: that is an error without a call.
    """
    metadata = event.event.get("metadata") or {}
    name, args = event.name or event.kind, event.event.get("inputs") or event.inputs
    if event.kind == "retriever":
        args = {"query": args}
    if name == _PARSER_TOOL:
        return state.add({"kind": "error", "error": {"message": made.text_of(args)}}, metadata)
    is_missing = name == _MISSING_TOOL and isinstance(args, Mapping) and "requested_tool_name" in args
    if is_missing:
        name, args = str(jsonable(args["requested_tool_name"])), None
    step = state.requested.start(name, args, call_id=event.event.get("tool_call_id"))
    if step is None:
        step = state.add(made.call_step(name, args), metadata)
    if is_missing:
        made.note_error(step, "no such tool")
    return step


def _questions(error: BaseException | None) -> Iterator[tuple[str, Any]]:
    """Yield the id and the question of each interrupt. LangGraph reports interrupts as an error."""
    if type(error).__name__ == "GraphInterrupt" and error is not None and error.args:
        for interrupt in error.args[0] or ():
            yield str(getattr(interrupt, "id", "")), getattr(interrupt, "value", None)


def _note_outcome(step: Step, event: TraceEvent) -> None:
    if event.error is None and step["kind"] == "error":
        made.note_error(step, made.text_of(event.outputs))
    elif event.error is None:
        made.note_result(step, event.outputs)
    elif _was_cut_off(event):
        made.note_cancelled(step)
    elif not _is_control_flow(event.error):
        made.note_error(step, error_text(event.error))


def _was_cut_off(event: TraceEvent) -> bool:
    """Return whether the caller stopped a run before its end."""
    return event.error is not None and status_of(event.error) != "error"


def _is_control_flow(error: BaseException) -> bool:
    """Return whether LangGraph raised this error to continue at another node. Then nothing failed."""
    return any(kind.__name__ == "GraphBubbleUp" for kind in type(error).__mro__)
