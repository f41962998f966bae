"""SFT: good answers to learn from. Begin with `good_answers`."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from langchain_label_studio.datasets.consensus import Opinion
from langchain_label_studio.datasets.examples import Basis, Example, Found, preferred_pairs
from langchain_label_studio.datasets.rows import same_words
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit


def good_answers(opinion: Opinion) -> Found:
    """Yield the answers as the reviewers left them, or the best of compared answers.

    Raises:
        Unfit: There is no good answer.
    """
    run = opinion.run
    if (said := opinion.answers()) is None and opinion.compares:
        yield from _best_answers(opinion)
        return
    answers = run.answers if said is None else said.value
    if not answers:
        raise Unfit(Reason.NO_ANSWER if said is None else Reason.ANSWERS_DELETED)
    before = set(map(same_words, run.answers))
    for answer in answers:
        changed = same_words(answer) not in before
        basis: Basis = "correction" if changed else "approval"
        by = opinion.voters if said is None else said.by
        yield Example(run=run, answer=answer, basis=basis, changed=changed, by=by)


def approved(opinion: Opinion) -> Hashable | None:
    """Return the answers that a reviewer approves, for comparing reviewers."""
    said = opinion.answers()
    if said is None and opinion.compares:
        return preferred_pairs(opinion)
    return frozenset(map(same_words, opinion.run.answers if said is None else said.value))


def _best_answers(opinion: Opinion) -> Found:
    best = opinion.best()
    for candidate in best.value:
        if opinion.rates_each and opinion.is_rated_low(None, candidate.id):
            # The better one of two bad answers is bad.
            yield Unfit(Reason.RATED_LOW)
            continue
        yield Example(
            run=replace(opinion.run, prompt=(*opinion.run.prompt, *candidate.before)),
            answer=candidate.answer,
            basis="preference",
            by=best.by,
            model=candidate.model,
            candidate=candidate.id,
        )
