"""`Turn`: one message of a conversation, as plain data."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Turn(TypedDict):
    """One turn of a conversation. Only `role` and `content` are always there.

    `images` are links and small `data:` URLs; a note of each stands in `content`.
    """

    role: str
    content: str
    name: NotRequired[str]
    tool_calls: NotRequired[list[dict[str, Any]]]
    invalid_tool_calls: NotRequired[list[dict[str, Any]]]
    tool_call_id: NotRequired[str]
    status: NotRequired[str]
    reasoning: NotRequired[str]
    images: NotRequired[list[str]]


def is_plain(turn: Turn) -> bool:
    """Say whether a turn is nothing but its role and its content."""
    return len(turn) == 2
