"""`Turn`: one message of a conversation, as plain data."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Turn(TypedDict):
    """One turn of a conversation. Only `role` and `content` are always there.

    Attributes:
        role: `user`, `assistant`, `system`, `tool`, or a role of the application's own.
        content: The text. In what a person or a tool says, images, sound and files are notes in it.
        name: The name of the speaker or the tool.
        tool_calls: The calls that the model asks for: `name`, `args` and `id` of each.
        invalid_tool_calls: Calls that cannot be read: `name`, `args`, `id` and `error` of each.
        tool_call_id: The id of the call that a tool answers.
        status: `error` if the tool failed.
        reasoning: The model's thoughts.
        images: Links and small `data:` URLs of the images, to look at.
        server_tools: Calls that the provider carried out itself: `name`, `args`, `id`, and `result` or `error` of each.
        citations: The sources that the model names: `title`, `url` and `text` of each.
        notes: Notes of what is not text in an answer, such as `[refusal]` or `[image: image/png, 3.0 kB]`.
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
    server_tools: NotRequired[list[dict[str, Any]]]
    citations: NotRequired[list[dict[str, str]]]
    notes: NotRequired[list[str]]


def is_plain(turn: Turn) -> bool:
    """Return whether a turn has only a role and content."""
    return len(turn) == 2
