"""From a run's events to its record, and the account of what was never recorded."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from langchain_label_studio import events
from langchain_label_studio.delivery import Sender
from langchain_label_studio.log import ThrottledLog
from langchain_label_studio.messages import Turn
from langchain_label_studio.results import message_ids
from langchain_label_studio.runs import Facts, LLMRun, RunTable, StartedRun, encode_run, make_run
from langchain_label_studio.tasks import usable_data

if TYPE_CHECKING:
    from langchain_core.outputs import LLMResult

MAX_ANSWERED = 10_000

Data = Mapping[str, Any] | Callable[[LLMRun], Mapping[str, Any]]
"""The user's own data for a task: the same for all, or made from each run."""


class Recorder:
    """Follows runs from their start to their end, and hands the finished ones to the sender.

    Attributes:
        runs: The runs in flight.
        lost: What was never recorded, counted by reason.
    """

    def __init__(self, sender: Sender[Any], *, data: Data | None, include_errors: bool) -> None:
        """Make a recorder.

        Args:
            sender: Takes the finished runs.
            data: The user's own data for each task.
            include_errors: Whether failed, cancelled and abandoned runs are recorded, too.
        """
        self._sender = sender
        self._data = data
        self._include_errors = include_errors
        self._log = ThrottledLog()
        self.runs = RunTable()
        self.lost: Counter[str] = Counter()
        self._last_run_id: UUID | None = None
        self._answered: OrderedDict[str, UUID] = OrderedDict()

    def start(
        self,
        kind: Literal["chat", "completion"],
        prompt: Sequence[Turn],
        run_id: UUID,
        event: Mapping[str, Any],
    ) -> None:
        """Note a run's start."""
        trace_id = self.runs.root(run_id, event.get("parent_run_id"))
        started = events.read_start(kind, prompt, event, run_id=run_id, trace_id=trace_id)
        for given_up in self.runs.start(run_id, started):
            self.lose("never_ended", "A run was given up: its end never came, or too many are open.")
            if self._include_errors:
                self._record(given_up.finish({"status": "abandoned"}))

    def end(self, response: LLMResult, run_id: UUID, event: Mapping[str, Any]) -> None:
        """Record a run that came to its end."""
        if started := self._started(run_id, event):
            self._record(events.read_end(started, response))
            if started.facts.get("kind") == "completion":
                return  # without messages
            for message_id in message_ids(response):
                self._answered[message_id] = run_id
                if len(self._answered) > MAX_ANSWERED:
                    self._answered.popitem(last=False)

    def fail(self, error: BaseException, run_id: UUID, event: Mapping[str, Any]) -> None:
        """Record a run that ended otherwise, if some of the answer had come or errors are wanted."""
        if started := self._started(run_id, event):
            run = events.read_error(started, error, event.get("response"))
            if run["status"] == "partial" or self._include_errors:
                self._record(run)

    def run_id_of(self, known: UUID | str | None) -> str | None:
        """Return a run's id, given that or the id of the message it answered with; None is the last run's."""
        run_id = self._answered.get(str(known), known) if known else self._last_run_id
        return None if run_id is None else str(run_id)

    def lose(self, reason: str, message: str, error: BaseException | None = None) -> None:
        """Count and log something that is not recorded."""
        self.lost[reason] += 1
        self._log.warning(reason, message, error=error)

    def _started(self, run_id: UUID, event: Mapping[str, Any]) -> StartedRun | None:
        """Return the run as it started; None where it has ended before."""
        started, first = self.runs.end(run_id)
        if started or not first:
            return started
        trace_id = self.runs.root(run_id, event.get("parent_run_id"))
        return events.unknown_start(event, run_id=run_id, trace_id=trace_id)

    def _record(self, run: Facts) -> None:
        if self._data and (data := self._data_of(run)):
            run["data"] = data
        self._last_run_id = run["run_id"]
        if not self._sender.submit(encode_run(run)):
            self.lose("outbox_full", "The outbox is full: a run was not recorded. Is Label Studio down?")

    def _data_of(self, run: Facts) -> dict[str, Any]:
        try:
            return usable_data((self._data(make_run(run)) if callable(self._data) else self._data) or {})
        except Exception as error:  # noqa: BLE001 (a mistake in the user's function must not cost the run)
            self.lose("data", "The data= function failed: the run is recorded without its data.", error)
            return {}
