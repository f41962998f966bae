"""What happens around the runs of a model, as LangChain tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

EventKind = Literal["chain", "tool", "retriever"]


@dataclass(slots=True)
class TraceEvent:
    """What LangChain says of a chain, a tool or a retriever. Its values are live objects: keep copies.

    Attributes:
        kind: What it is.
        run_id: Its id.
        parent_run_id: Id of what called it.
        at: Seconds since 1970.
        name: Its name; at its start.
        inputs: A chain's or a tool's input, a retriever's query; at its start.
        outputs: What came of it; at its end.
        error: Why it failed, where it did.
        event: The event's other arguments, such as `tags` and `metadata`.
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
