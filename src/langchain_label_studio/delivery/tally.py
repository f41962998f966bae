"""How much of what was submitted is settled, and how."""

from __future__ import annotations

from typing import Literal

Outcome = Literal["delivered", "found_existing", "rejected"]
"""How a record was settled: stored by our own request, found stored, or set aside for good."""


class Tally:
    """Counts settled records, those of this process and those it adopted. Not locked.

    Attributes:
        settled: How many are settled.
        own: How many of them this process had recorded itself.
    """

    def __init__(self) -> None:
        self._outcomes: dict[Outcome, int] = {"delivered": 0, "found_existing": 0, "rejected": 0}
        self.settled = 0
        self.own = 0

    def count(self, number: int, outcome: Outcome, *, adopted: bool) -> None:
        """Count records that were settled."""
        self._outcomes[outcome] += number
        self.settled += number
        self.own += 0 if adopted else number

    def __getitem__(self, outcome: Outcome) -> int:
        return self._outcomes[outcome]
