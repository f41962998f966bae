"""`DayQuota` and `ThreadQuota`: choose the first runs of each day, or of each conversation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.types.run import LLMRun

MAX_THREADS = 100_000


class _Quota(ForkSafe):
    """Counts in this process. Several threads may use it. A copy in another process begins anew."""

    def __init__(self, count: int) -> None:
        self._count = count
        super().__init__()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._count,)


class DayQuota(_Quota):
    """Chooses the first runs of each day."""

    def _begin(self) -> None:
        super()._begin()
        self._day: date | None = None
        self._left = 0

    def take(self, _run: LLMRun, *, counts: bool) -> bool:
        """Return whether the run is one of the first of today.

        Args:
            counts: Whether the run counts.
        """
        today = datetime.now().date()  # noqa: DTZ005 (a reviewer's own day)
        with self._lock:
            if today != self._day:
                self._day, self._left = today, self._count
            if self._left == 0:
                return False
            self._left -= counts
            return True


class ThreadQuota(_Quota):
    """Chooses the first runs of each conversation."""

    def _begin(self) -> None:
        super()._begin()
        self._seen: BoundedDict[str, int] = BoundedDict(MAX_THREADS)

    def take(self, run: LLMRun, *, counts: bool) -> bool:
        """Return whether the run is one of the first of its conversation.

        Args:
            run: The run.
            counts: Whether the run counts.
        """
        if run.thread_id is None:
            return True
        with self._lock:
            seen = self._seen.get(run.thread_id, 0)
            if counts:
                self._seen[run.thread_id] = min(seen + 1, self._count)
                self._seen.move_to_end(run.thread_id)
            return seen < self._count
