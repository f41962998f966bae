"""`OrphanedLanes`: recover the lanes of processes that ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from langchain_label_studio.delivery import retry_policy
from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.lane_files import CUT_OFF, directory_size, lanes_in, sweep
from langchain_label_studio.support.log import ThrottledLog

LOOK_AGAIN = 30.0
"""Seconds between two looks for orphaned lanes."""


class OrphanedLanes:
    """Finds the orphaned lanes of an outbox, and takes them over.

    Attributes:
        look_again: Seconds after which to look again.
        bytes_left: The size of the lanes that stay with other processes, or that are not ready yet.
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
        self.bytes_left = 0

    def recover(self, *, except_for: Collection[Path]) -> Iterator[Lane]:
        """Yield the orphaned lanes with records. This process owns them now.

        Args:
            except_for: The directories of the lanes that this process owns already.

        Raises:
            OSError: The directory of the lanes cannot be read.
        """
        sweep(self._lanes)
        self.look_again = LOOK_AGAIN
        self.bytes_left = 0
        for path in lanes_in(self._lanes):
            if path not in except_for:
                try:
                    lane = self._take_over(path)
                except OSError as error:
                    self._log.warning("recover", "%s cannot be read: %s", path, error.strerror)
                    continue
                if lane:
                    yield lane

    def _take_over(self, path: Path) -> Lane | None:
        """Return a lane with records that can be sent now. Else note when to look again, and what stays."""
        lane = Lane.recover(path)
        if lane is None:
            self.bytes_left += directory_size(path)
            return None
        self._drop_without_records(lane)
        if not lane.files:
            lane.delete()
            return None
        since_sending = lane.seconds_since_sending()
        if since_sending is not None and since_sending < retry_policy.GRACE:
            lane.let_go()
            self.bytes_left += directory_size(path)
            self.look_again = min(self.look_again, retry_policy.GRACE - since_sending)
            return None
        return lane

    def _drop_without_records(self, lane: Lane) -> None:
        """Delete the batches without a whole line. Nobody waits for them: their owner died in their first line."""
        for file in [file for file in lane.files if not file.records]:
            if file.size:
                self._log.warning("cut", CUT_OFF, file.path)
            file.path.unlink(missing_ok=True)
            lane.files.remove(file)
