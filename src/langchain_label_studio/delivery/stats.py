"""`DeliveryStats`: the number of recorded runs by their outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["idle", "waiting", "sending", "unreachable", "blocked"]
"""What the sender is doing.

`waiting`: something is there, and its batch is being filled. `unreachable`: the destination does not
answer, and is asked again. `blocked`: it refuses us until somebody changes something.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStats:
    """What became of everything that was recorded, at one moment.

    `submitted = delivered + found_existing + rejected + pending + in_doubt`, always. All handlers of a
    process that have the same target share these numbers.

    Attributes:
        submitted: Taken into the outbox by this process: its own, and those it recovered.
        recovered: How many of these were taken over.
        delivered: Stored by our own request.
        found_existing: Found stored, after a request whose answer was lost.
        rejected: Refused for good, and set aside.
        pending: Waiting to be sent.
        in_doubt: Sent, with no word yet of whether they were stored.
        postponed: How many of the pending wait for something else first, such as feedback for its run.
        state: What the sender is doing.
        oldest_seconds: How long the oldest one waits, or None.
        last_error: Why the last attempt failed, or None.
        outbox: Where what waits is on the disk; None where it waits in memory only.
        lost: What was never recorded, counted by reason.
        excluded: Runs that a setting kept from being recorded, counted by that setting. Not part of `submitted`.
        feedback: The same of what users said of the runs; None where nobody said anything.
    """

    submitted: int = 0
    recovered: int = 0
    delivered: int = 0
    found_existing: int = 0
    rejected: int = 0
    pending: int = 0
    in_doubt: int = 0
    postponed: int = 0
    state: State = "idle"
    oldest_seconds: float | None = None
    last_error: str | None = None
    outbox: str | None = None
    lost: Mapping[str, int] = field(default_factory=dict)
    excluded: Mapping[str, int] = field(default_factory=dict)
    feedback: DeliveryStats | None = None

    @property
    def adopted(self) -> int:
        """The former name of `recovered`; it goes with the next release."""
        return self.recovered

    @property
    def left_out(self) -> Mapping[str, int]:
        """The former name of `excluded`; it goes with the next release."""
        return self.excluded


Outcome = Literal["delivered", "found_existing", "rejected"]
"""How a record was settled: stored by our own request, found stored, or set aside for good."""


class SettledCounts:
    """Counts settled records, those of this process and those it recovered. Not locked.

    Attributes:
        settled: How many are settled.
        own: How many of them this process had recorded itself.
    """

    def __init__(self) -> None:
        self._outcomes: dict[Outcome, int] = {"delivered": 0, "found_existing": 0, "rejected": 0}
        self.settled = 0
        self.own = 0

    def count(self, number: int, outcome: Outcome, *, recovered: bool) -> None:
        """Count records that were settled."""
        self._outcomes[outcome] += number
        self.settled += number
        self.own += 0 if recovered else number

    def __getitem__(self, outcome: Outcome) -> int:
        return self._outcomes[outcome]
