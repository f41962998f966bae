"""What an opinion teaches, whatever the format: good answers, better and worse ones, answers with a label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from langchain_label_studio.datasets.consensus import Opinion, Said
from langchain_label_studio.datasets.skip_reasons import Unfit
from langchain_label_studio.types.review import Review
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.turn import Turn

Basis = Literal["correction", "approval", "preference", "rating", "choices", "feedback", "steps"]
"""What a row rests on.

`correction`: a reviewer changed the answer. `approval`: a reviewer left it as it was. `preference`: answers were
compared. `rating`: stars. `choices`: choices. `feedback`: what a user of the application said.
`steps`: verdicts on single steps of an agent.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An answer to a conversation, and what is to be learnt of it.

    Attributes:
        run: The run, with the conversation.
        answer: The answer; of two, the better one.
        rejected: Of two answers, the worse one.
        label: Whether the answer is good.
        steps: Steps of an agent as text, each with whether it is right.
        basis: What this rests on.
        changed: Whether a reviewer changed the answer.
        by: The reviews that count for it.
        model: The model that gave the answer, where it is not the run's.
        rejected_model: The same of the worse one.
    """

    run: LLMRun
    answer: Turn
    rejected: Turn | None = None
    label: bool | None = None
    steps: tuple[tuple[str, bool], ...] = ()
    basis: Basis
    changed: bool = False
    by: tuple[Review, ...]
    model: str | None = None
    rejected_model: str | None = None

    def pair(self) -> tuple[Turn, Turn]:
        """Return the better and the worse answer; where there is only one, it twice."""
        return self.answer, self.rejected or self.answer


Found = Iterator[Example | Unfit]


def _preferred(opinion: Opinion) -> frozenset[tuple[str, str]]:
    pairs = (said.value for said in opinion.preferences() if isinstance(said, Said))
    return frozenset((pair.better.id, pair.worse.id) for pair in pairs)


def gathered(found: Found) -> Found:
    """Return what is found, and at its end why there is no more."""
    try:
        yield from found
    except Unfit as unfit:
        yield unfit
