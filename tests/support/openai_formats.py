"""OpenAI's fine-tuning formats as JSON schemas, and the rules that a schema cannot say.

From the API's schemas `FineTuneChatRequestInput` and `FineTunePreferenceRequestInput` and the guides "Supervised
fine-tuning" and "Direct preference optimization"; from Together's guide to preference data, that both outputs are
exactly one message of the assistant. Nothing else may be in a row: Together refuses what it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator

_NAME = {"type": "string", "pattern": r"^[^\s<|\\/>]{1,64}$"}
_FUNCTION_NAME = {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"}


def _object(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


_CALL = _object(
    ["id", "type", "function"],
    id={"type": "string", "minLength": 1},
    type={"const": "function"},
    function=_object(["name", "arguments"], name=_FUNCTION_NAME, arguments={"type": "string"}),
)
_ASSISTANT = {
    **_object(
        ["role"],
        role={"const": "assistant"},
        content={"type": "string", "minLength": 1},
        name=_NAME,
        tool_calls={"type": "array", "minItems": 1, "items": _CALL},
        weight={"enum": [0, 1]},
    ),
    "anyOf": [{"required": ["content"]}, {"required": ["tool_calls"]}],
}
_MESSAGE = {
    "oneOf": [
        _object(["role", "content"], role={"const": "system"}, content={"type": "string"}, name=_NAME),
        _object(["role", "content"], role={"const": "user"}, content={"type": "string"}, name=_NAME),
        _object(
            ["role", "content", "tool_call_id"],
            role={"const": "tool"},
            content={"type": "string"},
            tool_call_id={"type": "string", "minLength": 1},
        ),
        _ASSISTANT,
    ]
}
_TOOL = _object(
    ["type", "function"],
    type={"const": "function"},
    function=_object(
        ["name"],
        name=_FUNCTION_NAME,
        description={"type": "string"},
        parameters={"type": "object"},
        strict={"type": ["boolean", "null"]},
    ),
)
_TOOLS = {"type": "array", "minItems": 1, "maxItems": 128, "items": _TOOL}
_MESSAGES = {"type": "array", "minItems": 1, "items": _MESSAGE}
_OUTPUT = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "items": _object(
        ["role", "content"],
        role={"const": "assistant"},
        content={"type": "string", "minLength": 1},
        name=_NAME,
    ),
}

CHAT_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(["messages"], messages=_MESSAGES, tools=_TOOLS, parallel_tool_calls={"type": "boolean"}),
}
PREFERENCE_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(
        ["input", "preferred_output", "non_preferred_output"],
        input=_object(
            ["messages"], messages=_MESSAGES, tools=_TOOLS, parallel_tool_calls={"type": "boolean"}
        ),
        preferred_output=_OUTPUT,
        non_preferred_output=_OUTPUT,
    ),
}

_CHAT, _PREFERENCE = Draft202012Validator(CHAT_SCHEMA), Draft202012Validator(PREFERENCE_SCHEMA)


def check_chat_row(row: Mapping[str, Any]) -> None:
    """Check a row of a file for supervised fine-tuning.

    Raises:
        jsonschema.ValidationError: It is of another shape.
        AssertionError: It breaks a rule that a schema cannot say.
    """
    _CHAT.validate(row)
    *_, last = messages = row["messages"]
    assert last["role"] == "assistant", "the last message is what is learnt"
    assert last.get("weight", 1) == 1
    _check_calls(messages)


def check_preference_row(row: Mapping[str, Any]) -> None:
    """Check a row of a file for direct preference optimization. Raises as `check_chat_row`."""
    _PREFERENCE.validate(row)
    messages = row["input"]["messages"]
    assert messages[-1]["role"] != "assistant", "somebody waits for an answer"
    assert row["preferred_output"] != row["non_preferred_output"]
    _check_calls([*messages, *row["preferred_output"]])


def _check_calls(messages: Sequence[Mapping[str, Any]]) -> None:
    """Check that arguments are JSON objects, and that each call has its result before anybody else speaks."""
    waiting: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in waiting, "a result of no call"
            waiting.remove(message["tool_call_id"])
            continue
        assert not waiting, "a call without a result"
        calls = message.get("tool_calls", ())
        waiting = {call["id"] for call in calls}
        assert len(waiting) == len(calls), "an id stands for one call"
        for call in calls:
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
