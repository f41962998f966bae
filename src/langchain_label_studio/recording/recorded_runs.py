"""`RecordedRuns`: the runs that the handlers of a server recorded lately, and the ids of their records."""

from __future__ import annotations

import time
import weakref
from collections.abc import Hashable, Iterable
from typing import NamedTuple, Protocol

from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.json_safe import encode
from langchain_label_studio.types.record_id import new_record_id
from langchain_label_studio.types.run import RunFields

MAX_REMEMBERED = 10_000

_MAX_OF_ONE_ID = 16
_of_servers: weakref.WeakValueDictionary[Hashable, RecordedRuns] = weakref.WeakValueDictionary()


class ProjectKey(NamedTuple):
    """What a handler knows of its project.

    Attributes:
        id: Its number. None before Label Studio has answered, if the handler has only the title.
        title: Its title. None before Label Studio has answered, if the handler has only the number.
    """

    id: int | None = None
    title: str | None = None

    def is_same(self, other: ProjectKey) -> bool:
        """Return whether two handlers have the same project, as far as they know."""
        if self.id is not None and other.id is not None:
            return self.id == other.id
        return self.title == other.title and (self.title is not None or self.id == other.id)


class _Recorded(NamedTuple):
    """A run that was recorded.

    Attributes:
        record_id: The id of its record.
        project: The project.
        form: The name of its form.
        by: The recorder that recorded it, as an `id()`.
        at: The time when it was recorded.
        said: A hash of its last question and its answers. None if no other recorder heard of it.
    """

    record_id: str
    project: ProjectKey
    form: str
    by: int
    at: float
    said: int | None


class Gathers(Protocol):
    """A recorder that may make one record of several runs."""

    def gathers(self, run: RunFields, project: ProjectKey, form: str) -> bool:
        """Return whether it puts a run that it hears into a record of this project and form, with runs around it."""


class RecordedRuns(ForkSafe):
    """The last recorded runs of a server's projects.

    Two handlers of a project may hear the same run: one of the model, and one of the call. The first one records it. A
    run that begins after that, or says something else, has the same id by the choice of the application, and is a run
    of its own. If runs are gathered, the handler of the call records it, which knows the runs around it.
    """

    def __init__(self) -> None:
        """Remember no runs."""
        self._recorders: weakref.WeakSet[Gathers] = weakref.WeakSet()
        self._has_several = False
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._known: BoundedDict[str, tuple[_Recorded, ...]] = BoundedDict(MAX_REMEMBERED)

    def join(self, recorder: Gathers) -> None:
        """Note a recorder, as long as it lives."""
        with self._lock:
            self._recorders.add(recorder)
            self._has_several = len(self._recorders) > 1

    def is_gathered(self, run: RunFields, project: ProjectKey, form: str) -> bool:
        """Return whether a recorder that joined puts a run into a record with the runs around it."""
        with self._lock:
            recorders = list(self._recorders)
        return any(recorder.gathers(run, project, form) for recorder in recorders)

    def add(
        self, recorder: object, run: RunFields, project: ProjectKey, covers: Iterable[str] = ()
    ) -> str | None:
        """Note that a run is recorded now.

        Args:
            recorder: The recorder that records it.
            run: The run.
            project: The project that gets it.
            covers: The ids of further runs in the record.

        Returns:
            The id of its record. None if another recorder recorded it before.
        """
        run_id, form = str(run["run_id"]), run.get("form", "")
        # A recorder that is alone records everything. One that comes later has not heard of this run.
        said = _said(run) if self._has_several else None
        with self._lock:
            known = self._known.get(run_id, ())
            for each in known if said is not None else ():
                is_same = each.said == said and each.form == form and each.project.is_same(project)
                if is_same and each.by != id(recorder) and run.get("started_at", 0.0) <= each.at:
                    return None
            record_id = new_record_id(run_id)
            now = _Recorded(record_id, project, form, id(recorder), time.time(), said)
            self._known[run_id] = (*known[1 - _MAX_OF_ONE_ID :], now)
            for covered in covers:
                if covered != run_id:
                    self._known[covered] = (*self._known.get(covered, ())[1 - _MAX_OF_ONE_ID :], now)
            return record_id

    def record_of(self, run_id: str, project: ProjectKey) -> str | None:
        """Return the id of the latest record with a run in a project. None if it is not known here."""
        known = self._known.get(run_id, ())
        return next((each.record_id for each in reversed(known) if each.project.is_same(project)), None)


def _said(run: RunFields) -> int:
    """Return a hash of the last question and the answers. The turns before them are long, and the same in a retry."""
    return hash(encode([run.get("prompt", ())[-1:], run.get("answers", ())]))


def share_recorded_runs(server: Hashable) -> RecordedRuns:
    """Return the runs that this process recorded on a server. Keep it as long as the handler lives.

    Args:
        server: The address of the server.
    """
    return _of_servers.setdefault(server, RecordedRuns())
