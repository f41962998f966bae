"""`agent_answer`: the answer of an agent's run, among all that the run said and gave back."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from langchain_label_studio.forms.agent.steps import json_text, last_turn, text_of
from langchain_label_studio.recording.langchain_values import DOCUMENT, MESSAGE, MODEL, is_a
from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.types.turn import Turn

if TYPE_CHECKING:
    from langchain_label_studio.forms.agent.agent_run import AgentRun

MAX_BRANCHES = 500
"""The maximum number of values of an output that are looked at."""

_PARSED = frozenset({"raw", "parsed", "parsing_error"})


def agent_answer(run: AgentRun) -> Turn | None:
    """Return the agent's answer: what its run gave back, or else the last words of its models."""
    said = _given_back(run)
    if said and said["role"] != "user":
        if said["role"] == "tool":
            # With a question to a person, the run stopped between its tools and the answer.
            return None if run.questions else _said(said["content"])
        return None if waits_for_tools(run) else {**said, "role": "assistant"}
    if run.is_calling:
        if run.end is None or run.end.error is not None or run.questions:
            return None
        return _values(run) or run.words
    return run.words


def has_calls(turn: Turn) -> bool:
    """Return whether a turn asks for calls."""
    return bool(turn.get("tool_calls") or turn.get("invalid_tool_calls"))


def waits_for_tools(run: AgentRun) -> bool:
    """Return whether a graph stopped before its tools. A chain that gives a call back has done all it should."""
    outputs = _outputs(run)
    said = last_turn(outputs.get("messages")) if isinstance(outputs, Mapping) else None
    return said is not None and has_calls(said) and outputs.get("structured_response") is None


def _outputs(run: AgentRun) -> Any:
    return run.end.outputs if run.end else None


def _given_back(run: AgentRun) -> Turn | None:
    """Return the output of the outermost run as a turn: its last message, its text, or its structured response."""
    outputs = _outputs(run)
    if not isinstance(outputs, Mapping):
        return _one_turn(outputs)
    last, structured = last_turn(outputs.get("messages")), outputs.get("structured_response")
    # A structured response is a call of a tool, or the text of the last message.
    if structured is not None and (last is None or last["role"] == "tool" or has_calls(last)):
        return _said(json_text(structured))
    if last:
        return last
    if outputs.keys() == _PARSED:  # of `with_structured_output(include_raw=True)`
        parsed = outputs["parsed"]
        return _one_turn(outputs["raw"]) if parsed is None else _said(text_of(parsed))
    answers = _answers_in(outputs)
    if len(answers) == 1:
        return next(iter(answers.values()))
    if answers and not run.in_graph:
        return _said(json_text({key: text_of(outputs[key]) for key in answers}))
    return _one_turn(outputs.get("output"))


def _one_turn(output: Any) -> Turn | None:
    """Return a message, the last message of a list, or a text."""
    if isinstance(output, str):
        return _said(output) if output else None
    if isinstance(output, list | tuple):
        output = output[-1] if output else None
    return to_turn(output) if is_a(MESSAGE, output) else None


def _answers_in(outputs: Mapping[Any, Any]) -> dict[Any, Turn]:
    """Return the values that are answers of a model, by their keys. The branches of a `RunnableParallel` are some."""
    turns = {key: to_turn(each) for key, each in _items(outputs) if is_a(MESSAGE, each)}
    return {key: turn for key, turn in turns.items() if turn["role"] == "assistant"}


def _items(outputs: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    return list(islice(outputs.items(), MAX_BRANCHES))


def _values(run: AgentRun) -> Turn | None:
    """Return the values that a parser made of a call, such as those of `with_structured_output`.

    The state of a graph is not an answer. Nor is it that of a chain, if the words of a model are a value in it.
    """
    outputs = _outputs(run)
    if _is_parsed(outputs):
        return _said(json_text(outputs))
    if run.in_graph:
        return None
    if isinstance(outputs, list) and outputs and (_is_parsed(outputs[0]) or isinstance(outputs[0], Mapping)):
        return _said(json_text(outputs))
    if not isinstance(outputs, Mapping):
        return None
    items = _items(outputs)
    if run.words and any(isinstance(each, str) and each == run.words["content"] for _, each in items):
        return None
    parsed = [each for _, each in items if _is_parsed(each)]
    return _said(json_text(parsed[0] if len(parsed) == 1 else outputs))


def _is_parsed(value: Any) -> bool:
    return is_a(MODEL, value) and not is_a(DOCUMENT, value) and not is_a(MESSAGE, value)


def _said(text: str) -> Turn:
    return {"role": "assistant", "content": text}
