"""`DeliveryStats`: the number of recorded runs by their outcome."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["idle", "waiting", "sending", "unreachable", "blocked"]
"""The activity of a sender.

`waiting`: a batch is being filled. `unreachable`: the destination does not answer, and the sender tries again.
`blocked`: the destination refuses the key or the project until a person changes something.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStats:
    """The number of recorded runs by their outcome, at one moment.

    `submitted = delivered + found_existing + rejected + pending + in_doubt`, always. Handlers of one process that
    share a sender share these numbers.

    Attributes:
        submitted: Runs that this process put into its outbox: its own runs, and those it recovered.
        recovered: How many of these are orphaned runs of other processes.
        delivered: Runs that Label Studio has confirmed as stored.
        found_existing: Runs without Label Studio's confirmation that were found there later.
        rejected: Runs that Label Studio refuses for good. They are set aside.
        pending: Runs that are not sent yet.
        in_doubt: Runs that were sent. Nobody knows yet whether they are stored.
        postponed: How many of the pending wait for a later time. Feedback without a task does.
        in_memory: How many of the pending and of those in doubt are lost if the process ends now.
        state: The activity of the sender.
        oldest_seconds: Seconds for which the oldest pending run has waited, or None.
        rejected_seconds: Seconds since a run was rejected, or None.
        last_error: The reason why the last attempt failed, or else why the last refused run was refused, or None.
        outbox: The folder of the outbox. None if it is in memory only.
        lost: The number of runs that could not be recorded as they should, by reason.
        lost_seconds: Seconds since the last of them, by reason.
        excluded: The number of excluded runs, by the setting that excluded them. They are not part of `submitted`.
        repeated: The number of recorded runs that are like an earlier one, by the `novel()` selector that knew it.
        feedback: The same numbers for users' feedback. None if there was none.
    """

    submitted: int = 0
    recovered: int = 0
    delivered: int = 0
    found_existing: int = 0
    rejected: int = 0
    pending: int = 0
    in_doubt: int = 0
    postponed: int = 0
    in_memory: int = 0
    state: State = "idle"
    oldest_seconds: float | None = None
    rejected_seconds: float | None = None
    last_error: str | None = None
    outbox: str | None = None
    lost: Mapping[str, int] = field(default_factory=dict)
    lost_seconds: Mapping[str, float] = field(default_factory=dict)
    excluded: Mapping[str, int] = field(default_factory=dict)
    repeated: Mapping[str, int] = field(default_factory=dict)
    feedback: DeliveryStats | None = None

    @property
    def adopted(self) -> int:
        """The former name of `recovered`; it goes with the next release."""
        return self.recovered

    @property
    def left_out(self) -> Mapping[str, int]:
        """The former name of `excluded`; it goes with the next release."""
        return self.excluded


def seconds_ago(moment: float | None) -> float | None:
    """Return the seconds since a value of `time.monotonic()`, for people. None for None."""
    return None if moment is None else round(time.monotonic() - moment, 3)


Outcome = Literal["delivered", "found_existing", "rejected"]
"""The outcome of a record: our own request stored it, it was found stored, or it was set aside for good."""


class SettledCounts:
    """Counts settled records. It has no lock.

    Attributes:
        settled: The number of settled records, own and recovered ones.
        own: The number of settled records that this process recorded itself.
        rejected_at: `time.monotonic()` of the last rejected record, or None.
    """

    def __init__(self) -> None:
        self._outcomes: dict[Outcome, int] = {"delivered": 0, "found_existing": 0, "rejected": 0}
        self.settled = 0
        self.own = 0
        self.rejected_at: float | None = None

    def count(self, number: int, outcome: Outcome, *, recovered: bool) -> None:
        """Count records that were settled."""
        self._outcomes[outcome] += number
        self.settled += number
        self.own += 0 if recovered else number
        if number and outcome == "rejected":
            self.rejected_at = time.monotonic()

    def __getitem__(self, outcome: Outcome) -> int:
        return self._outcomes[outcome]
