"""DPO: a better and a worse answer to the same prompt. Begin with `better_answers`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import product

from langchain_label_studio.datasets.consensus import Better, Opinion
from langchain_label_studio.datasets.examples import Example, Found, gathered, preferred_pairs
from langchain_label_studio.datasets.rows import same_words
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.types.turn import Turn


def better_answers(opinion: Opinion) -> Found:
    """Yield pairs of answers: corrected ones with the original, and compared ones.

    Raises:
        Unfit: There is no pair.
    """
    found = [*gathered(_corrections(opinion)), *gathered(_comparisons(opinion))]
    if not found:
        said = opinion.answers()
        if said is None:
            raise Unfit(Reason.NOTHING_PREFERRED)
        raise Unfit(Reason.UNCHANGED if said.value else Reason.ANSWERS_DELETED)
    yield from found


def preferred(opinion: Opinion) -> Hashable | None:
    """Return the preferences of a reviewer, for comparing reviewers."""
    said = opinion.answers()
    answers = None if said is None else tuple(map(same_words, said.value))
    pairs = preferred_pairs(opinion)
    return (answers, pairs) if answers is not None or pairs else None


def _corrections(opinion: Opinion) -> Found:
    said = opinion.answers()
    if said is None:
        return
    before = opinion.run.shown_answers
    if said.value and not before:
        raise Unfit(Reason.NO_ANSWER)
    for original, corrected in _matched(before, said.value):
        yield Example(
            run=opinion.run,
            answer=corrected,
            rejected=original,
            basis="correction",
            changed=True,
            by=said.by,
            rejected_model=opinion.run.model,
        )


def _comparisons(opinion: Opinion) -> Found:
    for said in opinion.preferences():
        if isinstance(said, Unfit):
            yield said
            continue
        pair: Better = said.value
        yield Example(
            run=opinion.run,
            answer=pair.better.answer,
            rejected=pair.worse.answer,
            basis="preference",
            by=said.by,
            model=pair.better.model,
            candidate=pair.better.id,
            before=pair.better.before,
            rejected_before=pair.worse.before,
            rejected_model=pair.worse.model or opinion.run.model,
        )


def _matched(before: Sequence[Turn], after: Sequence[Turn]) -> Iterator[tuple[Turn, Turn]]:
    """Return pairs of an original answer and its correction.

    Unchanged answers are left out. The others are paired in order, if no answer was added or removed. Of one original,
    each correction is better than the original.

    Raises:
        Unfit: The pairs are ambiguous.
    """
    old, new = _without(before, after), _without(after, before)
    if len(before) == 1:
        return product(old, new)
    if old and new and len(before) != len(after):
        raise Unfit(Reason.NOT_ONE_TO_ONE, f"{len(before)} answers became {len(after)}")
    return zip(old, new, strict=False)


def _without(turns: Sequence[Turn], others: Sequence[Turn]) -> list[Turn]:
    """Return the turns without the others. A turn that occurs twice counts twice."""
    there = Counter(map(same_words, others))
    left = []
    for turn in turns:
        if there[same_words(turn)]:
            there[same_words(turn)] -= 1
        else:
            left.append(turn)
    return left
