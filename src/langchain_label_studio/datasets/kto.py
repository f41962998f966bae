"""KTO: answers with a label, good or bad. Begin with `Labelling`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from langchain_label_studio.datasets.consensus import Opinion, Said, Stars
from langchain_label_studio.datasets.examples import Basis, Example, Found
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.types.review import Review


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """The rule for the label of an answer: its stars or its choices decide.

    Attributes:
        rating: The name of the control whose stars count. None for the first control of each review.
        threshold: An answer with at least this many stars is good. None is the middle of the scale: of 5 stars,
            4 and 5 are good, 1 and 2 are bad, and 3 gives no row.
        good: Choices that make an answer good, by the control's name. With choices, stars are ignored.
        bad: Choices that make an answer bad.
        feedback: Scores of the users' feedback, by its key. An unreviewed answer is good from this score on. The
            first key with a score counts.
    """

    rating: str | None = None
    threshold: float | None = None
    feedback: Mapping[str, float] = field(default_factory=dict)
    good: Mapping[str, frozenset[str]]
    bad: Mapping[str, frozenset[str]]

    def labelled_answers(self, opinion: Opinion) -> Found:
        """Yield the original answer with its label.

        Raises:
            Unfit: There is no label, or there are several answers.
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
            Unfit: The answer is neither good nor bad.
        """
        if _is_unreviewed(opinion):
            return self._said_by_users(opinion)
        if self.good:
            return self._chosen(opinion)
        stars = opinion.stars(self.rating)
        return Said(self._is_good(stars.value), stars.by)

    def statement(self, opinion: Opinion) -> Hashable | None:
        """Return the label, or the reason for no label. None without stars or choices."""
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


def _agreeing(opinion: Opinion, wanted: Mapping[str, frozenset[str]]) -> tuple[Review, ...]:
    """Return the reviews that chose a control for which a wanted value won."""
    said = [opinion.choices(control) for control, values in wanted.items()]
    won = [
        each for each, values in zip(said, wanted.values(), strict=True) if not values.isdisjoint(each.value)
    ]
    counted = {id(voter) for each in won for voter in each.by}
    return tuple(voter for voter in opinion.voters if id(voter) in counted)
