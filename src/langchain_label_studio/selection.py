"""Which finished runs are recorded, the account of what was left out, and what of that can still be recalled."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import orjson

from langchain_label_studio.forks import begin_anew_in_children
from langchain_label_studio.jsonsafe import encode
from langchain_label_studio.runs import Facts, Status, make_run
from langchain_label_studio.sampling import in_sample
from langchain_label_studio.selectors import Select, as_selector

MAX_AT_HAND = 1000
MAX_BYTES_AT_HAND = 32 * 2**20
MAX_AGE_AT_HAND = 3600.0

_OF_INTEREST = frozenset({"success", "partial"})
_NOT_INCLUDED = "include_errors=False"


class Rated(Protocol):
    """What a user said of a run."""

    @property
    def score(self) -> float | None:
        """How good it was; None where that was not said."""


class Selection:
    """Decides for each finished run whether it is recorded.

    Attributes:
        left_out: What was not recorded, counted by the setting that left it out.
    """

    def __init__(
        self, *, include_errors: bool = False, sample_rate: float = 1.0, select: Select | None = None
    ) -> None:
        """Make a selection.

        Args:
            include_errors: Whether failed, cancelled and abandoned runs are recorded, too.
            sample_rate: The share of all traces that is recorded.
            select: Says of a finished run of these whether it is.
        """
        self._include_errors = include_errors
        self._rate = sample_rate
        self._select = as_selector(select) if select else None
        self._recalls = bool(self._select and self._select.low)
        self._not_sampled = f"sample_rate={sample_rate:g}"
        self._not_selected = f"select={self._select}"
        self._at_hand = AtHand()
        self.left_out: Counter[str] = Counter()
        self.begin_in_child()
        begin_anew_in_children(self)

    def begin_in_child(self) -> None:
        """Begin anew in a forked process."""
        self._lock = threading.RLock()

    def skips(self, trace_id: UUID) -> bool:
        """Say whether the runs of a trace need not even be looked at: they are left out, and nobody recalls them."""
        return self._rate < 1 and not self._recalls and not in_sample(trace_id, self._rate)

    def skip(self) -> None:
        """Count a run of such a trace."""
        self._count(self._not_sampled)

    def takes(self, run: Facts) -> bool:
        """Say whether a run is recorded; count it and keep it at hand where it is not.

        Raises:
            Exception: What a function of the user's own raises.
        """
        if not self._include_errors and not self._asks_for(run["status"]):
            self._count(_NOT_INCLUDED)
            return False
        if not_wanted := run.get("left_out"):
            self._count(not_wanted)
            return False
        if self._rate < 1 and not in_sample(run["trace_id"], self._rate):
            reason = self._not_sampled
        elif self._select is None or self._select(make_run(run)):
            return True
        else:
            reason = self._not_selected
        self._count(reason)
        if self._recalls:
            self._at_hand.put(run, reason)
        return False

    def recall(self, known: str, feedback: Rated) -> Iterator[Facts]:
        """Yield runs that were left out, which are to be recorded after all, because a user rated them low.

        Args:
            known: Id of a run, or of a trace.
            feedback: What the user said.

        Raises:
            Exception: What a function of the user's own raises.
        """
        score = feedback.score
        if self._select is None or score is None or not any(score <= low for low in self._select.low):
            return
        for left in self._at_hand.find(known):
            run = orjson.loads(left.line)
            if self._select(make_run(run), rating=score) and self._at_hand.remove(left):
                self._count(left.reason, -1)
                yield run

    def _asks_for(self, status: Status) -> bool:
        """Say whether runs that ended so come into question without `include_errors=True`."""
        if status == "error":
            return self._select is not None and self._select.failed
        return status in _OF_INTEREST

    def _count(self, reason: str, by: int = 1) -> None:
        with self._lock:
            self.left_out[reason] += by
            if not self.left_out[reason]:
                del self.left_out[reason]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A run that was left out.

    Attributes:
        run_id: Its id.
        trace_id: Id of the outermost run known.
        line: What is known of it, as JSON.
        reason: What left it out.
        at: `time.monotonic()` then.
    """

    run_id: str
    trace_id: str
    line: bytes
    reason: str
    at: float


class AtHand:
    """Runs that were left out lately: so many, so much and so old at most. As text, not as the objects of the application."""

    def __init__(self) -> None:
        self.begin_in_child()
        begin_anew_in_children(self)

    def begin_in_child(self) -> None:
        """Begin anew in a forked process: the runs are the parent's, which would record them, too."""
        self._lock = threading.RLock()
        self._runs: OrderedDict[str, LeftOut] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._runs)

    def put(self, run: Facts, reason: str) -> None:
        """Keep a run."""
        # A copy: orjson keeps room behind what it wrote, which may be ten times as much.
        line = bytes(memoryview(encode(run)))
        left = LeftOut(str(run["run_id"]), str(run["trace_id"]), line, reason, time.monotonic())
        with self._lock:
            self._pop(left.run_id)
            self._runs[left.run_id] = left
            self._size += len(left.line)
            self._drop_what_is_too_much(left.at)

    def find(self, known: str) -> list[LeftOut]:
        """Return the run of this id, or else the runs of this trace."""
        with self._lock:
            self._drop_what_is_too_much(time.monotonic())
            if known in self._runs:
                return [self._runs[known]]
            return [left for left in self._runs.values() if left.trace_id == known]

    def remove(self, left: LeftOut) -> bool:
        """Give up a run; False where somebody else did."""
        with self._lock:
            return self._pop(left.run_id)

    def _drop_what_is_too_much(self, now: float) -> None:
        while self._runs:
            run_id, oldest = next(iter(self._runs.items()))
            fits = len(self._runs) <= MAX_AT_HAND and self._size <= MAX_BYTES_AT_HAND
            if fits and now - oldest.at <= MAX_AGE_AT_HAND:
                break
            self._pop(run_id)

    def _pop(self, run_id: str) -> bool:
        left = self._runs.pop(run_id, None)
        self._size -= len(left.line) if left else 0
        return left is not None
