"""`OrphanedLanes`: recover the lanes of processes that ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from weakref import WeakSet

from langchain_label_studio.delivery import retry_policy
from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.lane_files import (
    CUT_OFF,
    directory_size,
    lanes_in,
    seconds_since,
    sweep,
)
from langchain_label_studio.support.log import ThrottledLog

if sys.platform != "win32":
    import resource

LOOK_AGAIN = 30.0
"""Seconds between two looks for orphaned lanes."""

MAX_LANES = 32
"""The maximum number of recovered lanes of a process, in all its outboxes together."""

_SHARE = 64
"""Recovered lanes are at most one of so many files that the process may open. The user's program needs the others."""

_owned: WeakSet[Lane] = WeakSet()


class OrphanedLanes:
    """Finds the orphaned lanes of an outbox, and takes them over, a few at a time: each costs open files.

    Attributes:
        look_again: Seconds after which to look again.
    """

    def __init__(self, lanes: Path, log: ThrottledLog) -> None:
        """Begin without a look.

        Args:
            lanes: The directory of all lanes.
            log: The log for lanes that cannot be read.
        """
        self._lanes = lanes
        self._log = log
        self.look_again = LOOK_AGAIN
        self._to_try: dict[Path, int] = {}
        self._bytes_of_others = 0
        self._seen: dict[Path, tuple[float, float]] = {}

    @property
    def bytes_left(self) -> int:
        """The size of the lanes that stay with other processes, or whose turn has not come."""
        return self._bytes_of_others + sum(self._to_try.values())

    def recover(self, *, except_for: Collection[Path], owned: int) -> Iterator[Lane]:
        """Look for orphaned lanes. Yield those with records. This process owns them now.

        Args:
            except_for: The directories of the lanes that this process owns already.
            owned: The number of lanes that were recovered before, and still have records.

        Raises:
            OSError: The directory of the lanes cannot be read.
        """
        sweep(self._lanes)
        self.look_again = LOOK_AGAIN
        self._bytes_of_others = 0
        self._to_try = {
            path: directory_size(path) for path in lanes_in(self._lanes) if path not in except_for
        }
        self._seen = {path: seen for path, seen in self._seen.items() if path in self._to_try}
        yield from self.recover_more(owned=owned)

    def recover_more(self, *, owned: int) -> Iterator[Lane]:
        """Yield more lanes that the last look found, as many as there is room for.

        Args:
            owned: The number of lanes that were recovered before, and still have records.
        """
        while self._to_try and _has_room(owned):
            path = next(iter(self._to_try))
            size = self._to_try.pop(path)
            try:
                lane = self._take_over(path, size)
            except OSError as error:
                self._log.warning(
                    "lane_unreadable",
                    "%s cannot be read: %s",
                    path,
                    error.strerror,
                    file=str(path),
                    reason=error.strerror,
                )
                continue
            if lane:
                owned += 1
                _owned.add(lane)
                yield lane

    def _take_over(self, path: Path, size: int) -> Lane | None:
        """Return a lane with records that can be sent now. Else note when to look again, and what stays."""
        lane = Lane.recover(path)
        if lane is None:
            self._bytes_of_others += size
            return None
        self._drop_without_records(lane)
        if not lane.files:
            lane.delete()
            return None
        grace_left = self._grace_left(lane)
        if grace_left > 0:
            lane.let_go()
            self._bytes_of_others += size
            self.look_again = min(self.look_again, grace_left)
            return None
        return lane

    def _grace_left(self, lane: Lane) -> float:
        """Return the seconds for which nobody asks about the last request of a dead process."""
        began = max((lane.sending_since(file) for file in lane.files if file.sending), default=None)
        if began is None:
            return 0.0
        # After the clock was set back, the request seems to begin in the future. Then its age is not known, and the
        # time counts from the moment at which it was seen here.
        now = time.monotonic()
        known, seen = self._seen.get(lane.path, (began, now))
        if known != began:
            seen = now
        self._seen[lane.path] = began, seen
        return retry_policy.GRACE - max(seconds_since(began), now - seen)

    def _drop_without_records(self, lane: Lane) -> None:
        """Delete the batches without a whole line. Nobody waits for them: their owner died in their first line."""
        for file in [file for file in lane.files if not file.records]:
            if file.size:
                self._log.warning("cut_off", CUT_OFF, file.path, file=str(file.path))
            file.path.unlink(missing_ok=True)
            lane.files.remove(file)


def _has_room(owned: int) -> bool:
    """Return whether this process may own one lane more. An outbox may always own one: all are sent in the end."""
    return not owned or len(_owned) < _max_lanes()


def _max_lanes() -> int:
    if sys.platform == "win32":
        return MAX_LANES
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_LANES if limit == resource.RLIM_INFINITY else min(MAX_LANES, limit // _SHARE)
