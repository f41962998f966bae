"""`Relay`: it brings what workers handed over to object storage to Label Studio.

It has a sender for each target. All of them together have one lease, so that only one relay works at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_label_studio.delivery.stats import State
from langchain_label_studio.errors import LabelStudioError, ObjectStoreError
from langchain_label_studio.fleet.day_limit import DayLimits
from langchain_label_studio.fleet.lease import Lease
from langchain_label_studio.fleet.routes import Route, RouteSettings, open_route
from langchain_label_studio.fleet.targets import find_target_folders, read_target
from langchain_label_studio.label_studio.target_file import Holds
from langchain_label_studio.object_store.store import ObjectStore

_POLL = 0.1
_WAIT_FOR_LEASE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetProgress:
    """The work for one target since the relay started.

    Attributes:
        name: The name of its folder.
        title: The project's name for people.
        what: The name of one record.
        delivered: The number of records that were stored.
        found_existing: The number of records that were found stored.
        rejected: The number of records that Label Studio refused. They are set aside.
        repeated: The number of records that came once more, and were dropped.
        excluded: The number of records that were not chosen, by the reason.
        waiting: The number of records that wait to be sent.
        postponed: The number of records that wait for a later time, as feedback does whose run has no task.
        state: The activity of the sender: see `DeliveryStats`.
        last_error: The reason why the last attempt failed, or None.
    """

    name: str
    title: str
    what: str
    delivered: int
    found_existing: int
    rejected: int
    repeated: int
    excluded: Mapping[str, int]
    waiting: int
    postponed: int
    state: State
    last_error: str | None


class Observer(Protocol):
    """The one that shows what a relay does."""

    def waits(self, holder: str) -> None:
        """Another relay works. This one waits for its end."""

    def works(self) -> None:
        """This relay works from now on."""

    def problem(self, text: str) -> None:
        """Something is wrong. All else goes on."""

    def progress(self, targets: Sequence[TargetProgress]) -> None:
        """So much is done."""


class Relay:
    """Brings what workers handed over to Label Studio."""

    def __init__(
        self, store: ObjectStore, settings: RouteSettings, observer: Observer, *, stop: threading.Event
    ) -> None:
        """Make a relay. It asks for nothing yet.

        Args:
            store: The object storage.
            settings: The server, and where its records go.
            observer: It is told what happens, by one thread.
            stop: The relay ends soon after this is set.
        """
        self._store = store
        self._settings = settings
        self._observer = observer
        self._stop = stop
        self._lease = Lease(store)
        self._routes: dict[str, Route] = {}
        self._limits = DayLimits(settings.at_most_per_day)
        self._unusable: dict[str, str] = {}

    def run(self) -> None:
        """Work until it is told to stop."""
        try:
            while self._wait_for_lease():
                while self._lease.held and not self._stop.is_set():
                    self._open_routes("runs", "feedback")
                    self._watch(self._settings.every)
                if not self._stop.is_set():
                    self._close_routes()
        finally:
            self._end()

    def run_once(self, *, timeout: float) -> bool:
        """Work until everything is settled that is in the storage now.

        Args:
            timeout: The seconds without progress after which it gives up.

        Returns:
            Whether all of it is settled. Feedback whose run has no task may still wait.
        """
        try:
            if not self._wait_for_lease():
                return False
            # Feedback needs the tasks of its runs.
            runs = self._finish("runs", timeout=timeout)
            return self._finish("feedback", timeout=timeout) and runs
        finally:
            self._end()

    def _finish(self, holds: Holds, *, timeout: float) -> bool:
        complete = self._open_routes(holds)
        before: Any = None
        moved = time.monotonic()
        while True:
            routes = [route for route in self._routes.values() if route.target.holds == holds]
            if all(route.is_done for route in routes):
                return complete
            now = [
                (route.outbox.looked, len(route.outbox), route.sender.stats().submitted) for route in routes
            ]
            if now != before:
                before, moved = now, time.monotonic()
            blocked = any(route.sender.stats().state == "blocked" for route in routes)
            if blocked or time.monotonic() - moved > timeout or not self._lease.held or self._stop.is_set():
                return False
            self._stop.wait(_POLL)

    def _wait_for_lease(self) -> bool:
        """Wait until this relay holds the lease. Return False if it was told to stop."""
        told = ""
        while not self._stop.is_set():
            try:
                if self._lease.take():
                    self._observer.works()
                    return True
            except ObjectStoreError as error:
                if error.trouble in {"refused", "missing"}:
                    raise
                self._observer.problem(str(error))
            else:
                if self._lease.holder != told:
                    told = self._lease.holder
                    self._observer.waits(told)
            self._stop.wait(_WAIT_FOR_LEASE)
        return False

    def _open_routes(self, *kinds: Holds) -> bool:
        """Begin with the targets that are new. Return whether all targets of these kinds are open now."""
        try:
            folders = find_target_folders(self._store)
        except ObjectStoreError as error:
            self._observer.problem(str(error))
            return False
        opened = [self._open_route(folder, kinds) for folder in folders if folder not in self._routes]
        return all(opened)

    def _open_route(self, folder: str, kinds: Collection[Holds]) -> bool:
        try:
            target = read_target(self._store, folder)
            if target.holds in kinds:
                self._routes[folder] = open_route(
                    target, self._store, self._lease, self._settings, self._limits
                )
        except LabelStudioError as error:
            # It may be mended. Until then, it is said once.
            if self._unusable.get(folder) != str(error):
                self._observer.problem(str(error))
            self._unusable[folder] = str(error)
            return False
        return True

    def _watch(self, seconds: float) -> None:
        """Tell what happens, for so many seconds."""
        end = time.monotonic() + seconds
        while self._lease.held and not self._stop.is_set() and (left := end - time.monotonic()) > 0:
            self._stop.wait(min(1.0, left))
        self._observer.progress(self.progress())

    def progress(self) -> list[TargetProgress]:
        """Return what is done, target by target."""
        return [_progress(route) for route in self._routes.values()]

    def _close_routes(self) -> None:
        for route in self._routes.values():
            route.outbox.close()  # all of them, before the first is waited for
        for route in self._routes.values():
            route.close()
        self._observer.progress(self.progress())
        self._routes.clear()
        self._limits.clear()

    def _end(self) -> None:
        self._close_routes()
        try:
            self._lease.release()
        except ObjectStoreError as error:
            self._observer.problem(str(error))


def _progress(route: Route) -> TargetProgress:
    stats = route.sender.stats()
    return TargetProgress(
        name=route.target.name,
        title=route.target.title,
        what="run" if route.target.holds == "runs" else "record",
        delivered=stats.delivered,
        found_existing=stats.found_existing,
        rejected=stats.rejected,
        repeated=route.outbox.repeated,
        excluded=dict(route.excluded),
        waiting=route.outbox.left,
        postponed=route.outbox.later,
        state=stats.state,
        last_error=stats.last_error,
    )
