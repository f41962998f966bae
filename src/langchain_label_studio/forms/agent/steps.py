"""`call_step`, `steps_of_answer` and more: make an agent's steps of LangChain's values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from langchain_label_studio.recording.langchain_values import (
    COMMAND,
    DOCUMENT,
    MESSAGE,
    PROMPT_VALUE,
    is_a,
)
from langchain_label_studio.recording.messages import to_turn
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.support.safe_text import clip
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.text import show_turn
from langchain_label_studio.types.turn import Turn

MAX_STEP_TEXT = 20_000
"""The maximum number of characters of a text of a step. A text that was cut says so."""

MAX_STEP_ITEMS = 2000
"""The maximum number of items of a value that becomes a text of a step."""

MAX_MESSAGES = 100
"""The maximum number of messages or documents that are read of an input or a result. Of more messages, the last ones."""

# The types of the blocks that LangChain takes as the content of a tool's message.
_BLOCKS = frozenset(
    {"text", "image", "image_url", "audio", "video", "file", "document", "json", "search_result"}
)

# The nodes of the graphs that LangChain itself builds. Their names add nothing to the step.
_USUAL_NODES = frozenset({"", "agent", "call_model", "model", "model_request", "tools"})


def call_step(name: str, args: Any) -> Step:
    """Return a call of a tool or a retriever, without a result so far."""
    return {"kind": "tool_call", "tool": name, "args": jsonable(args)}


def note_result(step: Step, output: Any) -> None:
    """Note the result of a call: a text, messages, blocks of a message, LangGraph's `Command`, documents, or any value."""
    if turns := _turns_in(output):
        ok = all(turn.get("status") != "error" for turn in turns)
        note_text(step, "\n\n".join(turn["content"] for turn in turns), ok=ok)
    else:
        note_text(step, text_of(output.update if is_a(COMMAND, output) else output), ok=True)


def _turns_in(output: Any) -> list[Turn]:
    """Return the messages of a tool's output: those of a `Command`, too. If some are results, return only these."""
    parts = output if isinstance(output, list | tuple) else [output]
    if parts and all(map(_is_block, parts[:MAX_MESSAGES])):
        return _turns({"role": "user", "content": list(parts[:MAX_MESSAGES])})
    turns: list[Turn] = []
    for part in parts[-MAX_MESSAGES:]:
        if is_a(MESSAGE, part):
            turns.append(to_turn(part))
        elif is_a(COMMAND, part):
            turns += _turns_of_update(part.update)
    return [turn for turn in turns if turn["role"] == "tool"] or turns


def _is_block(value: Any) -> bool:
    return type(value) is dict and isinstance(kind := value.get("type"), str) and kind in _BLOCKS


def _turns_of_update(update: Any) -> list[Turn]:
    """Return the messages in an update of a graph's state. A graph may have them under any key, or as its whole state."""
    if isinstance(update, Mapping):
        values = list(islice(update.items(), MAX_MESSAGES))
    elif isinstance(update, list | tuple) and all(map(_is_pair, update[:MAX_MESSAGES])):
        values = list(update[:MAX_MESSAGES])
    else:
        values = [("messages", update)]
    return [
        turn
        for name, value in values
        for each in (value[-MAX_MESSAGES:] if isinstance(value, list | tuple) else [value])
        if name == "messages" or is_a(MESSAGE, each)
        for turn in _turns(each)
    ]


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def note_text(step: Step, text: str, *, ok: bool) -> None:
    """Note the result of a call as text, or its error if it failed."""
    if ok:
        step["result"] = {"ok": True, "preview": clip(text, MAX_STEP_TEXT)}
    else:
        note_error(step, text)


def note_error(step: Step, message: str) -> None:
    """Note the error of a step."""
    step["kind"] = "error"
    step["error"] = {"message": clip(message, MAX_STEP_TEXT) or "failed"}


def note_cancelled(step: Step) -> None:
    """Note that the caller of a step stopped it before it ended."""
    step["cancelled"] = True


def steps_of_answer(turn: Turn) -> tuple[list[Step], list[tuple[Step, str]]]:
    """Return a model's turn as steps: its thoughts and words, and the calls that it asks for, with their ids."""
    said: list[Step] = []
    if thought := turn.get("reasoning"):
        said.append({"kind": "reasoning", "summary": clip(thought, MAX_STEP_TEXT)})
    for call in turn.get("server_tools", ()):
        step = call_step(str(call.get("name") or ""), call.get("args"))
        if error := call.get("error"):
            note_error(step, str(error))
        elif "result" in call:
            note_text(step, str(call["result"]), ok=True)
        said.append(step)
    asked = [
        (call_step(str(call.get("name") or ""), call.get("args")), str(call.get("id") or ""))
        for call in turn.get("tool_calls", ())
    ]
    for call in turn.get("invalid_tool_calls", ()):
        step = call_step(str(call.get("name") or ""), call.get("args"))
        note_error(step, f"invalid tool call: {call.get('error') or 'not JSON'}")
        asked.append((step, str(call.get("id") or "")))
    if turn["content"] or not (said or asked):
        said.append({"kind": "agent", "content": clip(turn["content"], MAX_STEP_TEXT)})
    return said, asked


def with_costs(step: Step, run: RunFields) -> Step:
    """Return the step with its model, its time and its tokens."""
    if run.get("latency_ms") is not None:
        step["durationMs"] = run["latency_ms"]
    if run.get("model"):
        step["model"] = run["model"]
    if run.get("total_tokens"):
        step["tokens"] = run["total_tokens"]
    return step


def who(metadata: Mapping[str, Any], outermost: Mapping[str, Any]) -> str:
    """Return the sub-agent or the node of a graph of an event. Empty for the agent itself.

    Args:
        metadata: The metadata of the event. LangGraph names the nodes in it, from the outermost to the innermost, as
            `outer:id|inner:id`. `create_agent` names its agents in it.
        outermost: The metadata of the outermost run.
    """
    agent = _text_in(metadata, "lc_agent_name")
    if agent and agent != _text_in(outermost, "lc_agent_name"):
        return agent
    nodes = [place.partition(":")[0] for place in _text_in(metadata, "langgraph_checkpoint_ns").split("|")]
    return " / ".join(node for node in nodes if node not in _USUAL_NODES)


def depth_of(metadata: Mapping[str, Any]) -> int:
    """Return the number of graphs around an event, without the outermost one."""
    return _text_in(metadata, "langgraph_checkpoint_ns").count("|")


def _text_in(metadata: Mapping[str, Any], key: str) -> str:
    """Return a text. An application may put any value there: what is no text may take any time to become one."""
    text = metadata.get(key)
    return text if isinstance(text, str) else ""


def text_of(value: Any) -> str:
    """Return any value as text: the text of a message, the documents of a list, or else JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if is_a(MESSAGE, value):
        return show_turn(to_turn(value))
    if isinstance(value, list | tuple) and value and is_a(DOCUMENT, value[0]):
        return "\n\n".join(
            f"[{number}] {clip(item.page_content, MAX_STEP_TEXT)}"
            for number, item in enumerate(value[:MAX_MESSAGES], 1)
            if is_a(DOCUMENT, item)
        )
    return json_text(value)


def json_text(value: Any) -> str:
    """Return any value as JSON with line ends. It takes no longer than what is kept of the value."""
    kept = jsonable(value, items=MAX_STEP_ITEMS, characters=MAX_STEP_TEXT)
    return json.dumps(kept, ensure_ascii=False, indent=1)


def turns_of(inputs: Any) -> list[Turn]:
    """Return the input of an agent as turns: messages in any form that LangChain takes, or one text.

    Returns:
        The turns, the last ones of many. Empty if the input is anything else.
    """
    given = inputs
    if isinstance(inputs, Mapping):
        # The one text of a chain may have any key.
        given = next(iter(inputs.values())) if len(inputs) == 1 else inputs.get("messages")
        if "messages" not in inputs and not isinstance(given, str):
            return []
    if is_a(COMMAND, given):  # an answer to an interrupt
        return _one_turn(given.resume)
    if isinstance(given, str):
        return _one_turn(given)
    return _turns(given) if given is not None else []


def last_turn(messages: Any) -> Turn | None:
    """Return the last message of a list, or the one message, as a turn. None for anything else."""
    if isinstance(messages, list | tuple):
        messages = list(messages[-1:])
    elif not is_a(MESSAGE, messages):
        return None
    return next(iter(_turns(messages)), None)


def _one_turn(value: Any) -> list[Turn]:
    text = text_of(value)
    return [{"role": "user", "content": clip(text)}] if text else []


def _turns(given: Any) -> list[Turn]:
    with no_fork():
        from langchain_core.messages import convert_to_messages  # noqa: PLC0415 (LangChain has loaded it before it calls)

    try:
        given = given.to_messages() if is_a(PROMPT_VALUE, given) else given  # the value of a prompt
        messages = given[-MAX_MESSAGES:] if isinstance(given, list) else [given]
        return [to_turn(message) for message in convert_to_messages(messages)]
    except Exception:  # noqa: BLE001 (an input may be anything)
        return []
