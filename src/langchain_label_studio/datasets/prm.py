"""PRM: steps of agents, right or wrong. Begin with `judged_steps`."""

from __future__ import annotations

from collections.abc import Hashable

from langchain_label_studio.datasets.consensus import Opinion
from langchain_label_studio.datasets.examples import Example, Found
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.types.review import Review
from langchain_label_studio.types.text import step_text
from langchain_label_studio.types.turn import Turn

CORRECT = "correct"

_NOTHING: Turn = {"role": "assistant", "content": ""}


def judged_steps(opinion: Opinion) -> Found:
    """Yield the steps of a run up to the first step without a verdict, each with a label.

    The user's turn is no step. A partly right step is wrong.

    Raises:
        Unfit: There are no steps, the first step has no verdict, or the verdicts on a step are a tie.
    """
    if not opinion.run.steps:
        raise Unfit(Reason.STEPS_NOT_JUDGED, "the run has no steps of an agent")
    votes = [_votes(review) for review in opinion.voters]
    labelled: list[tuple[str, bool]] = []
    for index, step in enumerate(opinion.run.steps[1:], start=1):
        said = [each[index] for each in votes if index in each]
        if not said:
            break
        right = sum(said)
        if 2 * right == len(said):
            raise Unfit(Reason.TIE, f"step {index}")
        labelled.append((step_text(step), 2 * right > len(said)))
    if not labelled:
        raise Unfit(Reason.STEPS_NOT_JUDGED)
    by = tuple(review for review, said in zip(opinion.voters, votes, strict=True) if said)
    answer = opinion.run.answers[0] if opinion.run.answers else _NOTHING
    yield Example(run=opinion.run, answer=answer, steps=tuple(labelled), basis="steps", by=by)


def judged(opinion: Opinion) -> Hashable | None:
    """Return the verdicts of a reviewer, for comparing reviewers."""
    return frozenset(_votes(opinion.voters[0]).items()) or None


def _votes(review: Review) -> dict[int, bool]:
    return {step.index: step.verdict == CORRECT for step in review.steps if step.verdict is not None}
