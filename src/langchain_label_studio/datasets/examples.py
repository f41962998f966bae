"""What an opinion teaches, whatever the format: good answers, better and worse ones, answers with a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from langchain_label_studio.datasets.opinions import Better, Opinion, Said, Stars
from langchain_label_studio.datasets.reasons import Reason, Unfit
from langchain_label_studio.datasets.rows import same_words
from langchain_label_studio.messages import Turn
from langchain_label_studio.review import Review
from langchain_label_studio.runs import LLMRun

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


def good_answers(opinion: Opinion) -> Found:
    """Return the answers as they should be; where none was corrected, the best of those compared.

    Raises:
        Unfit: There are none.
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


def better_answers(opinion: Opinion) -> Found:
    """Return pairs of answers: corrected ones with the original, and those that were compared.

    Raises:
        Unfit: There are none.
    """
    found = [*gathered(_corrections(opinion)), *gathered(_comparisons(opinion))]
    if not found:
        said = opinion.answers()
        if said is None:
            raise Unfit(Reason.NOTHING_PREFERRED)
        raise Unfit(Reason.UNCHANGED if said.value else Reason.ANSWERS_DELETED)
    yield from found


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """What makes an answer good or bad: its stars, or what was chosen.

    Attributes:
        rating: Name of the control whose stars count; None for the first of each review.
        threshold: Stars from which an answer is good; below, it is bad. None is the middle of the scale, which
            itself is neither: of 5 stars, 4 and 5 are good, 1 and 2 bad.
        good: Choices that make an answer good, by the control's name. Where some are given, stars do not count.
        bad: Choices that make it bad.
        feedback: Scores from which an answer that nobody reviewed is good, by the feedback's key; below, it is bad. The
            first that there is counts.
    """

    rating: str | None = None
    threshold: float | None = None
    feedback: Mapping[str, float] = field(default_factory=dict)
    good: Mapping[str, frozenset[str]]
    bad: Mapping[str, frozenset[str]]

    def labelled_answers(self, opinion: Opinion) -> Found:
        """Return the original answer with its label.

        Raises:
            Unfit: It has none, or there are several answers.
        """
        label = self.label(opinion)
        run = opinion.run
        if len(run.answers) != 1:
            raise Unfit(Reason.ONE_JUDGEMENT if run.answers else Reason.NO_ANSWER)
        yield Example(
            run=run,
            answer=run.answers[0],
            label=label.value,
            basis=self._basis(opinion),
            changed=any(voter.changed for voter in label.by),
            by=label.by,
        )

    def label(self, opinion: Opinion) -> Said[bool]:
        """Return whether the answer is good.

        Raises:
            Unfit: It is neither good nor bad.
        """
        if _is_unreviewed(opinion):
            return self._said_by_users(opinion)
        if self.good:
            return self._chosen(opinion)
        stars = opinion.stars(self.rating)
        return Said(self._is_good(stars.value), stars.by)

    def statement(self, opinion: Opinion) -> Hashable | None:
        """Return the label, or what there is in its place; None where nothing was said."""
        try:
            return self.label(opinion).value
        except Unfit as unfit:
            nothing = unfit.reason in {Reason.NOT_RATED, Reason.NEITHER_CHOSEN}
            return None if nothing else unfit.reason

    def _basis(self, opinion: Opinion) -> Basis:
        if _is_unreviewed(opinion):
            return "feedback"
        return "choices" if self.good else "rating"

    def _said_by_users(self, opinion: Opinion) -> Said[bool]:
        given = opinion.voters[0].feedback
        for key, threshold in self.feedback.items():
            if key in given and (score := given[key].score) is not None:
                return Said(score >= threshold, opinion.voters)
        raise Unfit(Reason.NOT_RATED)

    def _is_good(self, stars: Stars) -> bool:
        if self.threshold is not None:
            return stars.value >= self.threshold
        if stars.middle is None:
            raise Unfit(Reason.SCALE_UNKNOWN)
        if stars.value == stars.middle:
            raise Unfit(Reason.RATED_IN_THE_MIDDLE)
        return stars.value > stars.middle

    def _chosen(self, opinion: Opinion) -> Said[bool]:
        good, bad = _agreeing(opinion, self.good), _agreeing(opinion, self.bad)
        if good and bad:
            raise Unfit(Reason.BOTH_CHOSEN)
        if not (good or bad):
            raise Unfit(Reason.NEITHER_CHOSEN)
        return Said(bool(good), good or bad)


def _is_unreviewed(opinion: Opinion) -> bool:
    return all(voter.annotation_id is None for voter in opinion.voters)


def approved(opinion: Opinion) -> Hashable | None:
    """Return which answers a reviewer wants to have, for comparing reviewers."""
    said = opinion.answers()
    if said is None and opinion.compares:
        return _preferred(opinion)
    return frozenset(map(same_words, opinion.run.answers if said is None else said.value))


def preferred(opinion: Opinion) -> Hashable | None:
    """Return which answers a reviewer finds better than which others, for comparing reviewers."""
    said = opinion.answers()
    answers = None if said is None else tuple(map(same_words, said.value))
    pairs = _preferred(opinion)
    return (answers, pairs) if answers is not None or pairs else None


def _preferred(opinion: Opinion) -> frozenset[tuple[str, str]]:
    pairs = (said.value for said in opinion.preferences() if isinstance(said, Said))
    return frozenset((pair.better.id, pair.worse.id) for pair in pairs)


def _best_answers(opinion: Opinion) -> Found:
    best = opinion.best()
    for candidate in best.value:
        yield Example(
            run=opinion.run,
            answer=candidate.answer,
            basis="preference",
            by=best.by,
            model=candidate.model,
        )


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
            rejected_model=pair.worse.model or opinion.run.model,
        )


def _matched(before: Sequence[Turn], after: Sequence[Turn]) -> Iterator[tuple[Turn, Turn]]:
    """Return which answer became which.

    Answers that are there before and after are left out; what is left goes together in order, if no answer was
    added or taken away.

    Raises:
        Unfit: It cannot be told.
    """
    old, new = _without(before, after), _without(after, before)
    if old and new and len(before) != len(after):
        raise Unfit(Reason.NOT_ONE_TO_ONE, f"{len(before)} answers became {len(after)}")
    return zip(old, new, strict=False)


def _without(turns: Sequence[Turn], others: Sequence[Turn]) -> list[Turn]:
    """Return the turns that are not among the others, each counted as often as it is there."""
    there = Counter(map(same_words, others))
    left = []
    for turn in turns:
        if there[same_words(turn)]:
            there[same_words(turn)] -= 1
        else:
            left.append(turn)
    return left


def _agreeing(opinion: Opinion, wanted: Mapping[str, frozenset[str]]) -> tuple[Review, ...]:
    """Return who chose something for which one of the wanted values won."""
    said = [opinion.choices(control) for control, values in wanted.items()]
    won = [
        each for each, values in zip(said, wanted.values(), strict=True) if not values.isdisjoint(each.value)
    ]
    counted = {id(voter) for each in won for voter in each.by}
    return tuple(voter for voter in opinion.voters if id(voter) in counted)


def gathered(found: Found) -> Found:
    """Return what is found, and at its end why there is no more."""
    try:
        yield from found
    except Unfit as unfit:
        yield unfit
