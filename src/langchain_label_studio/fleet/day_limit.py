"""`DayLimit`: at most so many tasks a day, across all workers and across restarts of the relay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from langchain_label_studio.delivery import DeliveryFailedError

_TOO_EARLY = "today's tasks can be counted when the runs on their way are settled"


class DayLimit:
    """Counts the tasks of today in the projects of one target.

    Label Studio is asked once a day. Then the taken records are counted along. A day begins at midnight of this
    computer's time.

    Attributes:
        count: The number of tasks a day.
    """

    def __init__(
        self, count: int, *, count_since: Callable[[datetime], int], unsettled: Callable[[], int]
    ) -> None:
        """Make a limit. Nobody is asked yet.

        Args:
            count: The number of tasks a day.
            count_since: Returns the number of tasks that were created since a time: see `RollingDestination.count_since`.
            unsettled: Returns the number of records that were taken, and are not settled.
        """
        self.count = count
        self._count_since = count_since
        self._unsettled = unsettled
        self._day: date | None = None
        self._used = 0
        self._in_doubt = False

    def left(self, wanted: int) -> int:
        """Return how many more tasks today can have.

        Args:
            wanted: The number of records that may become tasks.

        Raises:
            DeliveryFailedError: Label Studio could not be asked. Or the number is in doubt, and it matters.
        """
        now = datetime.now()  # noqa: DTZ005 (a reviewer's own day)
        unsettled = self._unsettled()
        if now.date() != self._day or (self._in_doubt and not unsettled):
            midnight = datetime.combine(now.date(), datetime.min.time()).astimezone()
            # Label Studio may have the unsettled ones already. So they may count twice, until they are settled.
            self._used = self._count_since(midnight) + unsettled
            self._in_doubt, self._day = unsettled > 0, now.date()
        left = max(0, self.count - self._used)
        if self._in_doubt and left < wanted:
            raise DeliveryFailedError(_TOO_EARLY)
        return left

    def use(self, records: int) -> None:
        """Count records that will be tasks of today."""
        self._used += records
