"""Rows for fine-tuning at OpenAI, Together and Fireworks: `chat` and `preference`.

    chat         {"messages": [{"role", "content", "tool_calls"?, "weight"?}, ...], "tools"?, "parallel_tool_calls"?}
    preference   {"input": {"messages", "tools"?, "parallel_tool_calls"?},
                  "preferred_output": [{"role": "assistant", "content"}], "non_preferred_output": [...]}

As in the guides "Supervised fine-tuning" and "Direct preference optimization" and in the API's schemas
`FineTuneChatRequestInput` and `FineTunePreferenceRequestInput`. A call's arguments are a JSON string, its result
names the call's id, and every call has a result before anybody else speaks. Earlier answers have the weight 0:
only the last one was reviewed. Preferred answers are text, one message each.
"""

from __future__ import annotations

import re
from typing import Any

from langchain_label_studio.datasets.examples import Example
from langchain_label_studio.datasets.formats.conversations import Linked, check_conversation, link, tools_of
from langchain_label_studio.datasets.rows import RowData, to_json
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.types.turn import Turn

# The API's error messages about names state these patterns.
_SPEAKER = re.compile(r"[^\s<|\\/>]{1,64}")
_FUNCTION = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def chat(example: Example) -> RowData:
    """Return a conversation. Only its last answer is learnt."""
    messages = _messages(example, example.answer)
    for message in messages[:-1]:
        if message["role"] == "assistant":
            message["weight"] = 0
    return {"messages": messages} | _tools(example)


def preference(example: Example) -> RowData:
    """Return a conversation with a better and a worse answer."""
    better, worse = example.one_turn_pair()
    if better.get("tool_calls") or worse.get("tool_calls"):
        raise Unfit(Reason.NEEDS_TOOLS)
    *messages, preferred = _messages(example, better)
    return {
        "input": {"messages": messages} | _tools(example),
        "preferred_output": [preferred],
        "non_preferred_output": _messages(example, worse)[-1:],
    }


def _messages(example: Example, answer: Turn) -> list[dict[str, Any]]:
    check_conversation(example.run.prompt, [answer])
    linked = link((*example.run.prompt, answer))
    _check_calls(linked)
    return [_message(each) for each in linked]


def _check_calls(conversation: list[Linked]) -> None:
    """Check that every call has its own id, and that its result comes before the next turn."""
    waiting: set[str] = set()
    for linked in conversation:
        if linked.turn["role"] == "tool":
            if linked.result_of is None:
                raise Unfit(Reason.RESULT_UNASKED)
            waiting.discard(linked.result_of.id)
        elif waiting:
            raise Unfit(Reason.CALL_UNANSWERED)
        else:
            waiting = {call.id for call in linked.calls}
            if len(waiting) < len(linked.calls):
                raise Unfit(Reason.BROKEN_CALL, "two calls have one id")


def _message(linked: Linked) -> dict[str, Any]:
    turn = linked.turn
    message: dict[str, Any] = {"role": turn["role"]}
    if turn["content"] or not linked.calls:
        message["content"] = turn["content"]
    if linked.result_of:
        return message | {"tool_call_id": linked.result_of.id}
    if name := turn.get("name"):
        message["name"] = _checked(name, _SPEAKER)
    if linked.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": _checked(call.name, _FUNCTION),
                    "arguments": to_json(call.arguments).decode(),
                },
            }
            for call in linked.calls
        ]
    elif turn["role"] == "assistant" and not turn["content"]:
        raise Unfit(Reason.EMPTY_TURN)
    return message


def _checked(name: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(name):
        raise Unfit(Reason.NAME_REFUSED, repr(name[:100]))
    return name


def _tools(example: Example) -> RowData:
    tools = tools_of(example.run)
    if not tools:
        return {}
    for tool in tools:
        _checked(str(tool["function"]["name"]), _FUNCTION)
    parallel = example.run.parameters.get("parallel_tool_calls")
    return {"tools": tools} | ({"parallel_tool_calls": parallel} if isinstance(parallel, bool) else {})
