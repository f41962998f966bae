"""Conversational rows for TRL (1.16, docs/source/dataset_formats.md), and for tools that read chats like it.

    language modeling     {"messages": [{"role", "content"}, ...]}
    prompt-completion     {"prompt": [...], "completion": [{"role": "assistant", "content"}]}
    preference            {"prompt": [...], "chosen": [...], "rejected": [...]}, implicit prompt without "prompt"
    unpaired preference   {"prompt": [...], "completion": [...], "label": bool}
    stepwise supervision  {"prompt": "...", "completions": ["...", ...], "labels": [bool, ...]}, plain text only

Tool calls are `{"type": "function", "function": {"name", "arguments": {...}}}`, results name the tool, and the tools
stand in the column `tools`; calls have no ids there. `content` is always text: chat templates add it to text.
"""

from __future__ import annotations

from typing import Any

from langchain_label_studio.datasets.examples import Example
from langchain_label_studio.datasets.formats.conversations import Linked, check_conversation, link, tools_of
from langchain_label_studio.datasets.rows import RowData
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.types.text import show_turn, transcript
from langchain_label_studio.types.turn import Turn


def messages(example: Example) -> RowData:
    """Return a conversation that ends with its answer."""
    return {"messages": _messages(example, example.answer)} | _tools(example)


def prompt_completion(example: Example) -> RowData:
    """Return a conversation and its answer. Only the answer is learnt."""
    *prompt, answer = _messages(example, example.answer)
    return {"prompt": prompt, "completion": [answer]} | _tools(example)


def preference(example: Example) -> RowData:
    """Return a conversation with a better and a worse answer."""
    chosen, rejected = _two(example)
    asked = len(example.run.prompt)
    return {"prompt": chosen[:asked], "chosen": chosen[asked:], "rejected": rejected[asked:]} | _tools(
        example
    )


def preference_with_implicit_prompt(example: Example) -> RowData:
    """Return a conversation twice, with a better and with a worse answer."""
    chosen, rejected = _two(example)
    return {"chosen": chosen, "rejected": rejected} | _tools(example)


def labelled(example: Example) -> RowData:
    """Return a conversation and its answer, with the label good or bad."""
    row = prompt_completion(example)
    return {"prompt": row.pop("prompt"), "completion": row.pop("completion"), "label": example.label} | row


def stepwise(example: Example) -> RowData:
    """Return a conversation as text, and the steps after it. Each step is right or wrong."""
    turns = [(turn["role"], show_turn(turn)) for turn in example.run.prompt]
    if not turns:
        raise Unfit(Reason.NO_PROMPT)
    return {
        "prompt": transcript(turns),
        "completions": [text for text, _ in example.steps],
        "labels": [label for _, label in example.steps],
    }


def _two(example: Example) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    better, worse = example.pair()
    return _messages(example, better, example.before), _messages(example, worse, example.rejected_before)


def _messages(example: Example, answer: Turn, before: tuple[Turn, ...] = ()) -> list[dict[str, Any]]:
    conversation = (*example.run.prompt, *before)
    check_conversation(conversation, [answer])
    return [_message(linked) for linked in link((*conversation, answer))]


def _message(linked: Linked) -> dict[str, Any]:
    turn, called = linked.turn, linked.result_of
    message: dict[str, Any] = {"role": turn["role"], "content": turn["content"]}
    if turn["role"] == "tool" and (name := called.name if called else turn.get("name")):
        message["name"] = name
    if linked.calls:
        message["tool_calls"] = [
            {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in linked.calls
        ]
    return message


def _tools(example: Example) -> RowData:
    tools = tools_of(example.run)
    return {"tools": tools} if tools else {}
