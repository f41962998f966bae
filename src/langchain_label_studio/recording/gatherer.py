"""`Gatherer`: makes one record of several runs."""

from __future__ import annotations

from typing import Protocol

from langchain_label_studio.recording.trace_events import TraceEvent
from langchain_label_studio.types.run import Facts


class Gatherer(Protocol):
    """Collects what happens until a record is whole. Records are facts as `make_run` takes them.

    A record may name the runs it covers, besides its own, under `covers`: their ids then lead to its task.
    One that is of no use in the form says why under `excluded`: it is counted there, and not recorded.
    """

    def begin(self, event: TraceEvent) -> list[Facts]:
        """Note a start, and return records that are given up."""

    def end(self, event: TraceEvent) -> list[Facts]:
        """Note an end, and return the records that are whole now."""

    def ran(self, run: Facts) -> list[Facts]:
        """Note a finished run of a model, failed ones among them, and return the records that are whole now."""

    def complete_groups(self) -> list[Facts]:
        """Return the records that wait for nothing but time: before a flush, and at the end."""
