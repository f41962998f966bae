"""Steps of an agent: what LangChain says as steps, and steps as what a person reads. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.support.json_safe import clip, jsonable
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.text import show_turn
from langchain_label_studio.types.turn import Turn

MAX_STEP_TEXT = 20_000
"""Characters kept of one text of a step; what is cut is said in the text itself."""


# Nodes of the graphs that LangChain itself builds: their names say no more than the step does.
_USUAL_NODES = frozenset({"", "agent", "call_model", "model", "model_request", "tools"})


def call_step(name: str, args: Any) -> Step:
    """Return a call of a tool or a retriever, of which nothing came yet."""
    return {"kind": "tool_call", "tool": name, "args": jsonable(args)}


def note_result(step: Step, output: Any) -> None:
    """Note what a call gave back: a text, a message, documents, or anything else."""
    if hasattr(output, "tool_call_id"):
        turn = to_turn(output)
        note_text(step, turn["content"], ok=turn.get("status") != "error")
    else:
        note_text(step, text_of(output), ok=True)


def note_text(step: Step, text: str, *, ok: bool) -> None:
    """Note what a call gave back, as text; of one that failed, this is why."""
    if ok:
        step["result"] = {"ok": True, "preview": clip(text, MAX_STEP_TEXT)}
    else:
        note_error(step, text)


def note_error(step: Step, message: str) -> None:
    """Note why a step failed."""
    step["kind"] = "error"
    step["error"] = {"message": clip(message, MAX_STEP_TEXT) or "failed"}


def note_cancelled(step: Step) -> None:
    """Note that the caller of a step stopped it before it ended."""
    step["cancelled"] = True


def steps_of_answer(turn: Turn) -> tuple[list[Step], list[tuple[Step, str]]]:
    """Return a model's turn as steps: what it thought and said, and the calls it asks for, each with its id."""
    said: list[Step] = []
    if thought := turn.get("reasoning"):
        said.append({"kind": "reasoning", "summary": clip(thought, MAX_STEP_TEXT)})
    asked = [
        (call_step(str(call.get("name") or ""), call.get("args")), str(call.get("id") or ""))
        for call in turn.get("tool_calls", ())
    ]
    for call in turn.get("invalid_tool_calls", ()):
        step = call_step(str(call.get("name") or ""), call.get("args"))
        note_error(step, f"invalid tool call: {call.get('error') or 'not JSON'}")
        asked.append((step, ""))
    if turn["content"] or not (said or asked):
        said.append({"kind": "agent", "content": clip(turn["content"], MAX_STEP_TEXT)})
    return said, asked


def with_costs(step: Step, run: RunFields) -> Step:
    """Return the step with which model did it, in which time, and for how many tokens."""
    if run.get("latency_ms") is not None:
        step["durationMs"] = run["latency_ms"]
    if run.get("model"):
        step["model"] = run["model"]
    if run.get("total_tokens"):
        step["tokens"] = run["total_tokens"]
    return step


def who(metadata: Mapping[str, Any], main_agent: str | None) -> str:
    """Return which sub-agent or node of a graph something happened in; empty where it is the agent itself.

    Args:
        metadata: Metadata of the event; LangGraph names the nodes there, from the outermost to the innermost,
            as `outer:id|inner:id`, and `create_agent` its agents.
        main_agent: Name of the outermost agent.
    """
    agent = metadata.get("lc_agent_name")
    if agent and agent != main_agent:
        return str(agent)
    places = str(metadata.get("langgraph_checkpoint_ns") or "").split("|")
    nodes = [place.partition(":")[0] for place in places]
    return " / ".join(node for node in nodes if node not in _USUAL_NODES)


def depth_of(metadata: Mapping[str, Any]) -> int:
    """Return in how many graphs around it something happened, besides the outermost."""
    return str(metadata.get("langgraph_checkpoint_ns") or "").count("|")


def text_of(value: Any) -> str:
    """Return any value as text: a message's text, documents one after the other, else JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if hasattr(value, "additional_kwargs"):
        return show_turn(to_turn(value))
    if isinstance(value, Sequence) and value and all(hasattr(item, "page_content") for item in value):
        return "\n\n".join(
            f"[{number}] {clip(item.page_content, MAX_STEP_TEXT)}" for number, item in enumerate(value, 1)
        )
    return json.dumps(jsonable(value), ensure_ascii=False, indent=1)


def turns_of(inputs: Any) -> list[Turn]:
    """Return what an agent was asked as turns: messages in any form LangChain takes, or one text."""
    if isinstance(inputs, Mapping):
        given = inputs.get("messages")
        if given is None:
            # Chains take their one text under any name.
            texts = [value for value in inputs.values() if isinstance(value, str)]
            return _one_turn(texts[0] if len(inputs) == 1 and texts else inputs)
    else:
        given = inputs
    if given is None or (isinstance(given, str) and not given):
        return []
    if hasattr(given, "resume"):  # LangGraph's Command: an answer to an interrupt
        return _one_turn(given.resume)
    return _messages(given) or _one_turn(given)


def _one_turn(value: Any) -> list[Turn]:
    text = text_of(value)
    return [{"role": "user", "content": clip(text)}] if text else []


def _messages(given: Any) -> list[Turn]:
    from langchain_core.messages import convert_to_messages  # noqa: PLC0415 (who calls has loaded it)

    try:
        return [
            to_turn(message) for message in convert_to_messages(given if isinstance(given, list) else [given])
        ]
    except Exception:  # noqa: BLE001 (an input may be anything)
        return []
