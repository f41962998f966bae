"""`Recorder`: turn the events of runs into records, and count the runs that are lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from langchain_label_studio.recording import run_events
from langchain_label_studio.recording.llm_results import message_ids, status_of, text_or_none
from langchain_label_studio.recording.mask_run import DROPPED, mask_run
from langchain_label_studio.recording.open_runs import RunTable, StartedRun
from langchain_label_studio.recording.recorded_runs import ProjectKey, RecordedRuns
from langchain_label_studio.recording.selection import Rated, RunSelection
from langchain_label_studio.recording.trace_events import EventKind, TraceEvent
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.idle_timer import IdleTimer
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.support.log_fields import LossEvent
from langchain_label_studio.support.redaction import error_text
from langchain_label_studio.types.record_id import run_id_of
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_parts import RunPriority
from langchain_label_studio.types.run_record import encode_run, make_run, metadata_sent
from langchain_label_studio.types.task_columns import usable_data
from langchain_label_studio.types.user_functions import Data, Mask

if TYPE_CHECKING:
    from langchain_core.outputs import LLMResult

    from langchain_label_studio.priority.rule import PriorityRule
    from langchain_label_studio.recording.gatherer import Gatherer

MAX_ANSWERED = 10_000


class Recorder:
    """Follows each run from its start to its end, and submits the finished run to the outbox.

    Attributes:
        runs: The open runs.
        selection: Decides which finished runs are recorded.
        lost: The number of runs that could not be recorded, by reason.
        lost_at: `time.monotonic()` of the last of them, by reason.
    """

    def __init__(
        self,
        submit: Callable[[bytes], bool],
        *,
        data: Data | None,
        selection: RunSelection | None = None,
        mask: Mask | None = None,
        priority: PriorityRule | None = None,
        form: str = "",
        gatherer: Gatherer | None = None,
        quiet_after: float | None = None,
        recorded: RecordedRuns | None = None,
        project: Callable[[], ProjectKey] = ProjectKey,
        log: ThrottledLog | None = None,
    ) -> None:
        """Make a recorder.

        Args:
            submit: Takes a finished run as a line of JSON. Returns False if there is no room for it.
            data: The user's own data for each task.
            selection: Decides which finished runs are recorded. None records the runs without an error.
            mask: The user's mask.
            priority: Says how soon reviewers see a run. None says nothing.
            form: The name of the form, as runs carry it: empty for `"prompt"` and `"chat"`.
            gatherer: Makes one record of several runs. None makes a record of each run.
            quiet_after: The seconds without an event after which groups are completed. None completes them only on
                request.
            recorded: The runs that the handlers of the server record. None shares them with no other recorder.
            project: Returns the project that gets the runs, as far as it is known now.
            log: Takes the warnings. None is a log of its own.
        """
        self._submit = submit
        self._data = data
        self.selection = selection or RunSelection()
        self._mask = mask
        self._priority = priority
        self._form = form
        self._gatherer = gatherer
        self._looked_into = bool(
            gatherer or mask or data or self.selection.looks_into_runs or (priority and priority.functions)
        )
        self._quiet = None if quiet_after is None else IdleTimer(quiet_after, self.hand_over)
        self._log = log or ThrottledLog()
        self.runs = RunTable()
        self.lost: Counter[str] = Counter()
        self.lost_at: dict[str, float] = {}
        self._recorded = recorded or RecordedRuns()
        self._recorded.join(self)
        self._project = project
        self._last_record_id: str | None = None
        self._answered: BoundedDict[str, UUID] = BoundedDict(MAX_ANSWERED)
        self._part_of: BoundedDict[str, str] = BoundedDict(MAX_ANSWERED)

    def start(
        self,
        kind: Literal["chat", "completion"],
        asked: Iterable[Any],
        run_id: UUID,
        event: Mapping[str, Any],
    ) -> None:
        """Note the start of a run.

        Args:
            kind: The kind of model.
            asked: The prompts of a completion model, or the conversations of a chat model. They are not read if the
                run is excluded.
            run_id: The run's id.
            event: The event's other arguments.
        """
        trace_id = self.runs.root(run_id, event.get("parent_run_id"))
        # A gatherer may put runs of several traces into one record. Then the sample is taken of the records.
        if self._gatherer is None and self.selection.excludes_trace(trace_id):
            started = run_events.excluded_start(event)
        else:
            started = run_events.read_start(
                kind, asked, event, run_id=run_id, trace_id=trace_id, looked_into=self._looked_into
            )
        for given_up in self.runs.start(run_id, started):
            if given_up.excluded:
                self.selection.count_excluded()
                continue
            self._finish(given_up.finish({"status": "abandoned", "given_up": True}))
        if not started.excluded:
            self.selection.expect(started.fields)

    def end(self, response: LLMResult, run_id: UUID, event: Mapping[str, Any]) -> None:
        """Record a run that ended without an error."""
        if started := self._started(run_id, event):
            self._finish(run_events.read_end(started, response))
            if started.fields.get("kind") == "completion":
                return  # its answers are not messages
            for message_id in message_ids(response):
                self._answered[message_id] = run_id

    def fail(self, error: BaseException, run_id: UUID, event: Mapping[str, Any]) -> None:
        """Record a run that ended with an error, with the part of the answer that came before."""
        if started := self._started(run_id, event):
            run = run_events.read_error(started, error, event.get("response"))
            # The text of an error may be long, and is searched for secrets: not for a run that is not recorded.
            if status_of(error) == "error" and (self._gatherer or self.selection.can_take(run["status"])):
                run["error"] = error_text(error)
            self._finish(run)

    def enter(
        self, kind: EventKind, serialized: Any, inputs: Any, run_id: UUID, event: dict[str, Any]
    ) -> None:
        """Note the start of a chain, a tool or a retriever."""
        parent_run_id = event.get("parent_run_id")
        self.runs.enter(run_id, parent_run_id)
        if self._gatherer:
            name = event.get("name") or (serialized or {}).get("name")
            self._record_all(
                self._gatherer.begin(
                    TraceEvent(
                        kind,
                        run_id,
                        parent_run_id,
                        time.time(),
                        event,
                        name=text_or_none(name),
                        inputs=inputs,
                    )
                )
            )

    def leave(
        self,
        kind: EventKind,
        run_id: UUID,
        event: dict[str, Any],
        *,
        outputs: Any = None,
        error: BaseException | None = None,
    ) -> None:
        """Note the end or the failure of a chain, a tool or a retriever."""
        self.runs.leave(run_id)
        if self._quiet:
            self._quiet.heard()
        if self._gatherer:
            parent_run_id = event.get("parent_run_id")
            self._record_all(
                self._gatherer.end(
                    TraceEvent(kind, run_id, parent_run_id, time.time(), event, outputs=outputs, error=error)
                )
            )

    def complete_groups(self) -> None:
        """Record the groups to which no open trace can add."""
        if self._gatherer:
            self._record_all(self._gatherer.complete_groups())

    def hand_over(self) -> None:
        """Record these groups, in a thread or at the end of a process. Errors are logged and not raised."""
        try:
            self.complete_groups()
        except Exception as error:  # noqa: BLE001 (in a thread, and at the end of a process)
            self.lose("callback_error", "Runs that waited for others were not recorded.", error)

    def record_id_of(self, known: UUID | str | None) -> str | None:
        """Return the id of a run's record. Of several runs with the same id, it is the latest one.

        Args:
            known: As for `run_id_of`.

        Returns:
            The id of the record. None if no handler of the project in this process recorded the run.
        """
        run_id = self.run_id_of(known) if known else None
        return self._recorded.record_of(run_id, self._project()) if run_id else self._last_record_id

    def run_id_of(self, known: UUID | str | None) -> str | None:
        """Return the id of the run that is recorded.

        Args:
            known: Its id, the id of its answer, or the id of a run in the same record. None is the last recorded run.
        """
        if not known:
            return None if self._last_record_id is None else run_id_of(self._last_record_id)
        run_id = str(self._answered.get(str(known), known))
        # Another handler may have recorded it, in a record with the runs around it.
        record_id = self._recorded.record_of(run_id, self._project())
        return self._part_of.get(run_id, run_id) if record_id is None else run_id_of(record_id)

    def recall(self, run_id: UUID | str, *, feedback: Rated) -> bool:
        """Record excluded runs that `select=` wants because of a low score.

        Args:
            run_id: The id of a run, of the message that it answered with, or of a trace with all its runs.
            feedback: The user's feedback.

        Returns:
            True if a run was recorded now. A run is not recorded if it is recorded already, is too old, or ran in
            another process.
        """
        recalled = False
        try:
            for run in self.selection.recall(self.run_id_of(run_id) or "", feedback):
                self._record(run)
                recalled = True
        except Exception as error:  # noqa: BLE001 (feedback must not fail because of a mistake in the user's function)
            self.lose("select", "The select= function failed: a run is not recalled.", error)
        return recalled

    def masked(self, text: str) -> str:
        """Return a text, masked. If the mask fails for it, the text is dropped."""
        if self._mask is None:
            return text
        try:
            masked = self._mask(text)
        except Exception as error:  # noqa: BLE001 (a mistake in the user's function must not show what it should hide)
            self.lose("mask", "The mask= function failed: a text is dropped.", error)
            return DROPPED
        if not isinstance(masked, str):
            self.lose("mask", "The mask= function returned something that is no text: a text is dropped.")
            return DROPPED
        return masked

    def _masked_run(self, run: Mapping[str, Any]) -> dict[str, Any]:
        return mask_run(run, self.masked)

    def lose(
        self,
        reason: LossEvent,
        message: str,
        error: BaseException | None = None,
        *,
        run_id: object = None,
    ) -> None:
        """Count and log a run, or a part of one, that is not recorded."""
        self.lost[reason] += 1
        self.lost_at[reason] = time.monotonic()
        self._log.warning(reason, message, error=error, run_id=run_id)

    def _started(self, run_id: UUID, event: Mapping[str, Any]) -> StartedRun | None:
        """Return the run as it started. None if it has ended before, or is excluded."""
        started, first = self.runs.end(run_id, event.get("tags"))
        if started and started.excluded:
            self.selection.count_excluded()
            return None
        if started or not first:
            return started
        trace_id = self.runs.root(run_id, event.get("parent_run_id"))
        return run_events.unknown_start(event, run_id=run_id, trace_id=trace_id)

    def _finish(self, run: RunFields) -> None:
        """Record a run that ended. With a gatherer, record the records that are whole now."""
        if self._quiet:
            self._quiet.heard()
        if self._gatherer is None:
            self._record_if_taken(run)
        elif self._is_inside(run) or not self._recorded.is_gathered(run, self._project(), self._form):
            self._record_all(self._gatherer.ran(run))

    def gathers(self, run: RunFields, project: ProjectKey, form: str) -> bool:
        """Return whether a run is put into a record of this project and form, with the runs around it."""
        return (
            self._gatherer is not None
            and self._form == form
            and self._is_inside(run)
            and self._project().is_same(project)
        )

    def _is_inside(self, run: RunFields) -> bool:
        return self.runs.is_inside(run["run_id"], run.get("parent_run_id"))

    def _record_all(self, records: Iterable[RunFields]) -> None:
        for record in records:
            self._record_if_taken(record)

    def _record_if_taken(self, record: RunFields) -> None:
        if self._form:
            record["form"] = self._form
        record.pop("metadata_size", None)
        covers: Sequence[str] = ()
        if "covers" in record:
            covers = [str(covered) for covered in record.pop("covers")]
            for covered in covers:
                self._part_of[covered] = str(record["run_id"])
        if record.pop("given_up", False):
            message = "A run was given up: its end never came, or too many are open."
            self.lose("never_ended", message, run_id=record["run_id"])
            if not self.selection.can_take(record["status"]):
                return
        if self._is_taken(record):
            self._record(record, covers)

    def _is_taken(self, run: RunFields) -> bool:
        try:
            return self.selection.takes(run)
        except Exception as error:  # noqa: BLE001 (a mistake in the user's function must not cost the run)
            message = "The select= function failed: the run is recorded."
            self.lose("select", message, error, run_id=run["run_id"])
            return True

    def _record(self, run: RunFields, covers: Iterable[str] = ()) -> None:
        record_id = self._recorded.add(self, run, self._project(), covers)
        if record_id is None:  # another handler of this project has recorded it
            self._last_record_id = self._recorded.record_of(str(run["run_id"]), self._project())
            return
        run["record_id"] = self._last_record_id = record_id
        if self._data and (data := self._data_of(run)):
            run["data"] = data
        if self._priority:
            run["priority"] = self._priority_of(run, self._priority)
        if self._looked_into:
            run["metadata"] = metadata_sent(run.get("metadata") or {})
        if not self._submit(encode_run(run, self._masked_run if self._mask else None)):
            message = "The outbox is full: a run was not recorded. Is Label Studio down?"
            self.lose("outbox_full", message, run_id=run["run_id"])

    def _priority_of(self, run: RunFields, rule: PriorityRule) -> RunPriority:
        try:
            return rule.rate(run)
        except Exception as error:  # noqa: BLE001 (a mistake in the user's function must not cost the run)
            self.lose(
                "priority",
                "The priority= function failed: the run is recorded with the rest of its priority.",
                error,
                run_id=run["run_id"],
            )
            return rule.without_functions.rate(run)

    def _data_of(self, run: RunFields) -> dict[str, Any]:
        try:
            return usable_data((self._data(make_run(run)) if callable(self._data) else self._data) or {})
        except Exception as error:  # noqa: BLE001 (a mistake in the user's function must not cost the run)
            message = "The data= function failed: the run is recorded without its data."
            self.lose("data", message, error, run_id=run["run_id"])
            return {}
