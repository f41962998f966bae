"""`PostponedLanes`: lanes of records that wait for a later time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.outbox import Record

_Pause = tuple[float, bool]
"""The seconds, and whether another process had recorded the records."""


class PostponedLanes:
    """The lanes of postponed records: one for each length of a pause. The records of a lane come back together."""

    def __init__(self, create: Callable[[], Lane]) -> None:
        """Begin with none.

        Args:
            create: Makes a lane of this process.
        """
        self._create = create
        self._lanes: dict[_Pause, tuple[float, Lane]] = {}

    @property
    def lanes(self) -> list[Lane]:
        """The lanes that wait."""
        return [lane for _, lane in list(self._lanes.values())]

    def add(self, records: Sequence[Record], *, seconds: float, recovered: bool) -> int:
        """Write records to the disk. Return their size in bytes.

        Raises:
            OSError: The disk does not take the records. None of them is written.
        """
        pause = (seconds, recovered)
        if pause not in self._lanes:
            lane = self._create()
            lane.recovered = recovered
            self._lanes[pause] = (time.monotonic() + seconds, lane)
        _, lane = self._lanes[pause]
        lines = b"".join(record.body + b"\n" for record in records)
        try:
            lane.append(lines, records=len(records))
        except OSError:
            # Somebody may have deleted this lane: it is due now, and gets no more records.
            self._lanes[pause] = (0.0, lane)
            raise
        return len(lines)

    def due(self) -> list[Lane]:
        """Remove and return the lanes whose time has come."""
        now = time.monotonic()
        return [self._take(pause) for pause, (at, _) in list(self._lanes.items()) if at <= now]

    def own(self) -> list[Lane]:
        """Remove and return the lanes of records that this process recorded itself."""
        return [self._take(pause) for pause in list(self._lanes) if not pause[1]]

    def seconds_left(self) -> float:
        """Return the seconds until the next lane is due."""
        return min((at for at, _ in self._lanes.values()), default=math.inf) - time.monotonic()

    def _take(self, pause: _Pause) -> Lane:
        _, lane = self._lanes.pop(pause)
        lane.seal()
        return lane
