"""`SOURCES`: what the metrics are read from: the senders of this process, and what it counts by reason.

A sender or a handler may end before the process does. Its last counts stay part of the sums, so that no sum falls: to a
monitoring system, a counter that falls is one that began anew.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple, Protocol, get_args

from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.log_fields import LossEvent

Kind = Literal["runs", "feedback"]
SenderCount = Literal["submitted", "recovered", "delivered", "found_existing", "rejected"]
ReasonCount = Literal["lost", "excluded"]

SENDER_COUNTS: tuple[SenderCount, ...] = (
    "submitted",
    "recovered",
    "delivered",
    "found_existing",
    "rejected",
)


# Told from the beginning, at 0. Else a monitoring system would not see the first loss: it compares a count with an earlier
# one. What excludes runs is not known before.
_KNOWN_REASONS: dict[ReasonCount, tuple[str, ...]] = {"lost": get_args(LossEvent), "excluded": ()}


class Series(NamedTuple):
    """The attributes of one series of a metric.

    Attributes:
        project: The project's name as the application wrote it, or its number.
        kind: The kind of the records.
        reason: The reason, for what is counted by reason.
    """

    project: str
    kind: Kind
    reason: str = ""


class _Numbers(Protocol):
    """The numbers of a sender at one moment: its `DeliveryStats`."""

    @property
    def pending(self) -> int: ...
    @property
    def in_doubt(self) -> int: ...
    @property
    def postponed(self) -> int: ...
    @property
    def in_memory(self) -> int: ...
    @property
    def oldest_seconds(self) -> float | None: ...
    @property
    def state(self) -> str: ...


class WatchedSender(Protocol):
    """A sender, as this module sees it."""

    def stats(self) -> _Numbers:
        """Return its numbers. It waits neither for the network nor for a disk."""


_Counts = dict[tuple[str, Series], int]


class _Watched:
    """The counts of an owner, as long as it lives."""

    def __init__(self, read: Callable[[], _Counts], *, goes_on: bool) -> None:
        self._read = read
        self._goes_on = goes_on
        self._inherited: _Counts = {}
        self.last: _Counts = {}

    def look(self) -> None:
        self.last |= {key: count - self._inherited.get(key, 0) for key, count in self._read().items()}

    def begin_in_child(self) -> None:
        # A sender counts from 0 in a child. What is counted by reason goes on where the parent was.
        self.last, self._inherited = {}, self._read() if self._goes_on else {}


class MetricSources(ForkSafe):
    """The sources of all metrics in this process."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._senders: weakref.WeakKeyDictionary[WatchedSender, tuple[Series, _Watched]]
        self._senders = weakref.WeakKeyDictionary()
        super().__init__()

    def _begin(self) -> None:
        super()._begin()
        self._ended: Counter[tuple[str, Series]] = Counter()
        self._highest: _Counts = {}

    def begin_in_child(self) -> None:
        """Count what this process does from now on, without what its parent did."""
        super().begin_in_child()
        for watched in self._watched.values():
            watched.begin_in_child()

    def add_sender(self, sender: WatchedSender, series: Series) -> None:
        """Watch a sender as long as it lives."""
        known = weakref.ref(sender)

        def read() -> _Counts:
            living = known()
            numbers = living.stats() if living else None
            return {(name, series): getattr(numbers, name) for name in SENDER_COUNTS} if numbers else {}

        self._senders[sender] = series, self._watch(sender, read, goes_on=False)

    def add_reasons(
        self, owner: object, counts: Mapping[ReasonCount, Mapping[str, int]], series: Series
    ) -> None:
        """Watch counts by reason as long as their owner lives."""

        def read() -> _Counts:
            return {
                (name, series._replace(reason=reason)): by_reason.get(reason, 0)
                for name, by_reason in counts.items()
                for reason in (*_KNOWN_REASONS[name], *list(by_reason))
            }

        self._watch(owner, read, goes_on=True)

    def counts(self, name: SenderCount | ReasonCount) -> list[tuple[Series, int]]:
        """Return the sums of one counter. No sum ever falls, also where a count did: a low rating brings a run back."""
        for watched in list(self._watched.values()):
            watched.look()
        with self._lock:
            sums = Counter(self._ended)
            for watched in self._watched.values():
                sums.update(watched.last)
            for key, count in sums.items():
                self._highest[key] = max(count, self._highest.get(key, 0))
            return [(series, count) for (of, series), count in self._highest.items() if of == name]

    def numbers(self) -> Iterator[tuple[Series, _Numbers]]:
        """Yield the numbers of each living sender at this moment."""
        for sender, (series, _) in list(self._senders.items()):
            yield series, sender.stats()

    def look_at(self, sender: WatchedSender) -> None:
        """Read the counts of a sender now: it may end in a moment."""
        if known := self._senders.get(sender):
            known[1].look()

    def _watch(self, owner: object, read: Callable[[], _Counts], *, goes_on: bool) -> _Watched:
        watched = _Watched(read, goes_on=goes_on)
        self._watched[id(watched)] = watched
        weakref.finalize(owner, self._keep, watched).atexit = False
        return watched

    def _keep(self, watched: _Watched) -> None:
        """Keep the last counts of an owner that has ended."""
        watched.look()
        with self._lock:
            if self._watched.pop(id(watched), None):
                self._ended.update(watched.last)


SOURCES = MetricSources()
