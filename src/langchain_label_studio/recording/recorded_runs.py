"""`RecordedRuns`: the runs that the handlers of one project recorded lately, and the ids of their records."""

from __future__ import annotations

import time
import weakref
from collections.abc import Hashable
from dataclasses import dataclass

from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.types.record_id import new_record_id
from langchain_label_studio.types.run import RunFields

MAX_REMEMBERED = 10_000

_of_projects: weakref.WeakValueDictionary[Hashable, RecordedRuns] = weakref.WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A run that was recorded.

    Attributes:
        record_id: The id of its record.
        by: The recorder that recorded it, as an `id()`.
        at: The time when it was recorded.
    """

    record_id: str
    by: int
    at: float


class RecordedRuns(ForkSafe):
    """The last recorded runs of a project.

    Two handlers of a project may hear the same run: one of the model, and one of the call. The first one records it. A
    run that begins after that has the same id by the choice of the application, and is a run of its own.
    """

    def _begin(self) -> None:
        super()._begin()
        self._known: BoundedDict[tuple[str, str], _Recorded] = BoundedDict(MAX_REMEMBERED)
        self._latest: BoundedDict[str, str] = BoundedDict(MAX_REMEMBERED)

    def add(self, recorder: object, run: RunFields) -> str | None:
        """Note that a run is recorded now.

        Args:
            recorder: The recorder that records it.
            run: The run.

        Returns:
            The id of its record. None if another recorder recorded it before.
        """
        run_id = str(run["run_id"])
        with self._lock:
            key = (run_id, run.get("form", ""))
            earlier = self._known.get(key)
            if earlier and earlier.by != id(recorder) and run.get("started_at", 0.0) <= earlier.at:
                return None
            record_id = new_record_id(run_id)
            self._known[key] = _Recorded(record_id, id(recorder), time.time())
            self._latest[run_id] = record_id
            return record_id

    def record_of(self, run_id: str) -> str | None:
        """Return the id of the latest record of a run. None if it is not known here."""
        return self._latest.get(run_id)


def share_recorded_runs(project: Hashable) -> RecordedRuns:
    """Return the runs that the handlers of a project recorded in this process. Keep it as long as the handler lives.

    Args:
        project: The project, as the handlers know it.
    """
    return _of_projects.setdefault(project, RecordedRuns())
