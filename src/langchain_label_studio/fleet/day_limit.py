"""`DayLimit`: at most so many tasks a day in a project, across all workers and across restarts of the relay."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from langchain_label_studio.delivery import DeliveryFailedError
from langchain_label_studio.label_studio.destinations.rolling import RollingDestination
from langchain_label_studio.label_studio.settings import Settings

_TOO_EARLY = "today's tasks can be counted when the runs on their way are settled"


class DayLimit:
    """Counts the tasks of today in one project, or in the projects of one project name.

    Label Studio is asked once a day. Then the taken records are counted along. A day begins at midnight of this
    computer's time. Several threads may use it: a project may get the runs of several targets.

    Attributes:
        count: The number of tasks a day.
    """

    def __init__(self, count: int, *, count_since: Callable[[datetime], int]) -> None:
        """Make a limit. Nobody is asked yet.

        Args:
            count: The number of tasks a day.
            count_since: Returns the number of tasks that were created since a time: see `RollingDestination.count_since`.
        """
        self.count = count
        self._count_since = count_since
        self._unsettled: list[Callable[[], int]] = []
        self._lock = threading.Lock()
        self._day: date | None = None
        self._used = 0
        self._in_doubt = False

    def watch(self, unsettled: Callable[[], int]) -> None:
        """Take one more target into account.

        Args:
            unsettled: Returns the number of its records that were taken, and are not settled.
        """
        with self._lock:
            self._unsettled.append(unsettled)

    @contextmanager
    def turn(self, wanted: int) -> Iterator[int]:
        """Let one thread at a time take records. The block gets the number of tasks that today has left.

        Args:
            wanted: The number of records that may become tasks.

        Raises:
            DeliveryFailedError: Label Studio could not be asked. Or the number is in doubt, and it matters.
        """
        with self._lock:
            yield self._left(wanted)

    def use(self, records: int) -> None:
        """Count records that will be tasks of today. Only the block of `turn` calls it."""
        self._used += records

    def _left(self, wanted: int) -> int:
        now = datetime.now()  # noqa: DTZ005 (a reviewer's own day)
        unsettled = sum(each() for each in self._unsettled)
        if now.date() != self._day or (self._in_doubt and not unsettled):
            midnight = datetime.combine(now.date(), datetime.min.time()).astimezone()
            # Label Studio may have the unsettled ones already. So they may count twice, until they are settled.
            self._used = self._count_since(midnight) + unsettled
            self._in_doubt, self._day = unsettled > 0, now.date()
        left = max(0, self.count - self._used)
        if self._in_doubt and left < wanted:
            raise DeliveryFailedError(_TOO_EARLY)
        return left


class DayLimits:
    """The limits of all projects of a relay, for as long as it holds its lease."""

    def __init__(self, count: int | None) -> None:
        """Begin without a project.

        Args:
            count: The number of tasks that each project gets in a day. None is no limit.
        """
        self._count = count
        self._known: dict[tuple[int | None, str], DayLimit] = {}

    def of(self, settings: Settings, *, unsettled: Callable[[], int]) -> DayLimit | None:
        """Return the limit of a project, which the targets of this project share. None if there is no limit.

        Args:
            settings: The server, the key and the project.
            unsettled: Returns the number of the target's records that were taken, and are not settled.
        """
        if self._count is None:
            return None
        key = settings.project_id, settings.project_name
        if key not in self._known:
            # It only asks, and one thread at a time.
            projects = RollingDestination(settings, at_most=None, before_import=_imports_nothing)
            self._known[key] = DayLimit(self._count, count_since=projects.count_since)
        self._known[key].watch(unsettled)
        return self._known[key]

    def clear(self) -> None:
        """Forget all of them, because another relay may work from now on."""
        self._known.clear()


def _imports_nothing() -> None:
    raise NotImplementedError
