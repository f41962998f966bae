"""`DayLimit`: at most so many tasks a day, across all workers and across restarts of the relay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime


class DayLimit:
    """Counts the tasks of today in the projects of one target.

    Label Studio is asked once a day, and again after `forget`. Then the taken records are counted along. A day begins at
    midnight of this computer's time.

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
        self._day: date | None = None
        self._used = 0

    def left(self) -> int:
        """Return how many more tasks today can have.

        Raises:
            DeliveryFailedError: Label Studio could not be asked.
        """
        now = datetime.now()  # noqa: DTZ005 (a reviewer's own day)
        if now.date() != self._day:
            midnight = datetime.combine(now.date(), datetime.min.time()).astimezone()
            self._used = self._count_since(midnight)
            self._day = now.date()
        return max(0, self.count - self._used)

    def use(self, records: int) -> None:
        """Count records that will be tasks of today."""
        self._used += records

    def forget(self) -> None:
        """Ask Label Studio again with the next question."""
        self._day = None
