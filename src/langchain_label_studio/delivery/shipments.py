"""`Shipments`: the batches of a sender that are on their way."""

from __future__ import annotations

import math
import threading

from langchain_label_studio.delivery.outbox import Outbox
from langchain_label_studio.delivery.shipment import Settle, Shipment

MAX_ASIDE = 8
"""The number of batches that may be put aside at the same time. Then the next batch waits for one of them."""


class Shipments:
    """One batch that is sent now, and batches that were put aside: the destination works on them, or may do so.

    The sender's thread changes them. Any thread may look at them.

    Attributes:
        current: The shipment that the next attempt is for. None if the next attempt chooses one.
    """

    def __init__(self, outbox: Outbox) -> None:
        """Begin without a batch.

        Args:
            outbox: The outbox of the batches.
        """
        self.current: Shipment | None = None
        self._outbox = outbox
        self._aside: list[Shipment] = []
        self._own = 0
        # Reentrant: a signal handler may flush in the middle of a flush.
        self._lock = threading.RLock()

    def choose(self, now: float, settle: Settle) -> Shipment | None:
        """Return the shipment of the next attempt, which is the current one from now on. None if no record waits.

        Args:
            now: `time.monotonic()`.
            settle: For a new shipment: see there. Only shipments keep it, so that an idle sender is freed at once.

        Raises:
            OSError: The next batch cannot be read.
        """
        if self.current is None:
            with self._lock:
                self.current = next((each for each in self._aside if each.ready_at <= now), None)
                if self.current:
                    self._aside.remove(self.current)
        if self.current is None and (batch := self._outbox.next_batch()):
            self.current = Shipment(batch, self._outbox, settle, place=self._own)
            if not batch.recovered:
                self._own += self.current.size
        return self.current

    def put_aside(self) -> None:
        """Let other batches come before the current one, because its end takes time."""
        with self._lock:
            if self.current and len(self._aside) < MAX_ASIDE:
                self._outbox.defer(self.current.batch)
                self._aside.append(self.current)
                self.current = None

    def remove_current(self) -> None:
        """Remove the current batch from the outbox. All its records are settled."""
        if self.current:
            self._outbox.remove(self.current.batch)
            self.current = None

    @property
    def ready_at(self) -> float:
        """`time.monotonic()` at which one of them may be tried again."""
        if self.current:
            return self.current.ready_at
        return min((each.ready_at for each in self._aside), default=math.inf)

    @property
    def waiting(self) -> int:
        """The number of pending records, without the batches that were put aside."""
        return len(self._outbox) - sum(each.size for each in self._aside)

    @property
    def in_doubt(self) -> int:
        """The number of records that may be stored or not."""
        return sum(len(each.unsettled()) for each in self._all() if each.batch.in_doubt)

    def hold(self, own: int) -> bool:
        """Return whether one of the first own records is on its way.

        A batch also holds its records until it is removed. Then the process may end at once, and leaves nothing behind.

        Args:
            own: The number of own records.
        """
        return any(
            not each.unsettled() or (each.place < own and not each.batch.recovered) for each in self._all()
        )

    def _all(self) -> list[Shipment]:
        with self._lock:
            return [*self._aside, *([self.current] if self.current else [])]
