"""An example for a model to learn from, before it has a format: `Example`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from langchain_label_studio.datasets.consensus import Opinion, Said
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.types.review import Review
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.turn import Turn

Basis = Literal["correction", "approval", "preference", "rating", "choices", "feedback", "steps"]
"""The reason for a row.

- `correction`: a reviewer changed the answer.
- `approval`: a reviewer left the answer unchanged.
- `preference`: a reviewer compared answers.
- `rating`: stars.
- `choices`: choices.
- `feedback`: feedback of a user of the application.
- `steps`: verdicts on the steps of an agent.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An answer to a conversation, for a model to learn from.

    Attributes:
        run: The run with the conversation.
        answer: The answer; of two answers, the better one.
        rejected: The worse one of two answers.
        label: Whether the answer is good.
        steps: The steps of an agent as text, each with a label.
        basis: The reason for the row.
        changed: Whether a reviewer changed the answer.
        by: The reviews behind it.
        model: The model of the answer, if it is not the run's.
        rejected_model: The model of the worse answer, if it is not the run's.
        before: The turns between the run's prompt and the answer, if whole conversations were compared.
        rejected_before: The same turns of the worse answer.
        candidate: The id of the answer among those that were compared. None if none were compared.
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
    before: tuple[Turn, ...] = ()
    rejected_before: tuple[Turn, ...] = ()
    candidate: str | None = None

    @property
    def praises_original(self) -> bool:
        """Whether the row says that an answer which nobody corrected is good."""
        if self.label is not None:
            return self.label
        return not self.changed and self.basis != "steps"

    def pair(self) -> tuple[Turn, Turn]:
        """Return the better and the worse answer, or a single answer twice."""
        return self.answer, self.rejected or self.answer

    def one_turn_pair(self) -> tuple[Turn, Turn]:
        """Return the pair for a format in which an answer is one turn.

        Raises:
            Unfit: An answer has more turns.
        """
        if self.before or self.rejected_before:
            raise Unfit(Reason.SEVERAL_TURNS)
        return self.pair()


Found = Iterator[Example | Unfit]


def preferred_pairs(opinion: Opinion) -> frozenset[tuple[str, str]]:
    """Return the pairs of a better and a worse answer, by their ids."""
    pairs = (said.value for said in opinion.preferences() if isinstance(said, Said))
    return frozenset((pair.better.id, pair.worse.id) for pair in pairs)


def gathered(found: Found) -> Found:
    """Yield the examples. An `Unfit` that ends them is yielded, not raised."""
    try:
        yield from found
    except Unfit as unfit:
        yield unfit
