"""`Gatherer`: make one record of several runs."""

from __future__ import annotations

from typing import Protocol

from langchain_label_studio.recording.trace_events import TraceEvent
from langchain_label_studio.types.run import RunFields


class Gatherer(Protocol):
    """Collects events until a record is whole. A record is a `RunFields`, which may use `covers` and `excluded`."""

    def begin(self, event: TraceEvent) -> list[RunFields]:
        """Note a start, and return the records of traces that are given up."""

    def end(self, event: TraceEvent) -> list[RunFields]:
        """Note an end, and return the records that are whole now."""

    def ran(self, run: RunFields) -> list[RunFields]:
        """Note a run of a model that finished or failed, and return the records that are whole now."""

    def complete_groups(self) -> list[RunFields]:
        """Return the records to which no open trace can add. Called before a flush and at the end."""
