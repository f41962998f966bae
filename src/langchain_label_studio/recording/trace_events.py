"""`TraceEvent`: the start or the end of a chain, a tool or a retriever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

EventKind = Literal["chain", "tool", "retriever"]


@dataclass(slots=True)
class TraceEvent:
    """The start or the end of a chain, a tool or a retriever. Its values are live objects: keep copies.

    Attributes:
        kind: Chain, tool or retriever.
        run_id: Its id.
        parent_run_id: The id of its caller.
        at: The time of the event, in seconds since 1970.
        name: Its name. At the start only.
        inputs: The input of a chain or a tool, or the query of a retriever. At the start only.
        outputs: Its result. At the end only.
        error: The error with which it failed. At the end only.
        event: The other arguments of the event, such as `tags` and `metadata`.
    """

    kind: EventKind
    run_id: UUID
    parent_run_id: UUID | None
    at: float
    event: dict[str, Any]
    name: str | None = None
    inputs: Any = None
    outputs: Any = None
    error: BaseException | None = None
