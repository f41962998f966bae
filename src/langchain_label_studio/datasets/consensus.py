"""The opinion of one or several reviewers of a task: `Opinion`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from langchain_label_studio.datasets.chosen import choosing_controls, chosen
from langchain_label_studio.datasets.rows import same_words
from langchain_label_studio.datasets.skip_reasons import Reason, Unfit
from langchain_label_studio.datasets.verdicts import asks_for_fault, calls_bad, calls_good, lists_faults
from langchain_label_studio.types.review import Candidate, Rating, Review
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.turn import Turn

_T = TypeVar("_T")
_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Said(Generic[_T]):
    """A statement and its reviews.

    Attributes:
        value: The statement.
        by: The reviews that made it.
    """

    value: _T
    by: tuple[Review, ...]


@dataclass(frozen=True, slots=True)
class Better:
    """A better and a worse answer."""

    better: Candidate
    worse: Candidate


@dataclass(frozen=True, slots=True)
class Stars:
    """The stars of an answer: the mean, if several people rated it."""

    value: float
    scale: int | None

    @property
    def middle(self) -> float | None:
        """The middle of the scale, which begins with one star. None for an unknown scale."""
        return None if self.scale is None else (1 + self.scale) / 2


@dataclass(frozen=True, slots=True)
class Opinion:
    """The opinion of one or several reviewers of a task. A single review is a majority of one.

    Attributes:
        voters: The reviews, at least one.
    """

    voters: tuple[Review, ...]

    @property
    def run(self) -> LLMRun:
        """The run that was reviewed."""
        return self.voters[0].run

    @property
    def compares(self) -> bool:
        """Whether the reviewers compared answers."""
        return any(voter.preference for voter in self.voters)

    def answers(self) -> Said[tuple[Turn, ...]] | None:
        """Return the corrected answers, or None if no review corrects or confirms them.

        Raises:
            Unfit: Two answers have the same number of reviewers.
        """
        spoke = [voter for voter in self.voters if voter.corrected is not None]
        by_words = _grouped(spoke, lambda voter: tuple(map(same_words, voter.final_answers)))
        if not by_words:
            return None
        winners = _most(by_words.values(), len)
        if len(winners) > 1:
            raise Unfit(Reason.TIE)
        return Said(winners[0][0].final_answers, tuple(winners[0]))

    def preferences(self) -> Iterator[Said[Better] | Unfit]:
        """Yield the better one of each two answers, or an `Unfit` for a tie."""
        votes: dict[frozenset[str], dict[str, list[tuple[Better, Review]]]] = {}
        for voter in self.voters:
            for better, worse in voter.preference.pairs() if voter.preference else ():
                sides = votes.setdefault(frozenset({better.id, worse.id}), defaultdict(list))
                sides[better.id].append((Better(better, worse), voter))
        for sides in votes.values():
            winners = _most(sides.values(), len)
            if len(winners) > 1:
                yield Unfit(Reason.TIE, "which of two answers is better")
            else:
                yield Said(winners[0][0][0], tuple(voter for _, voter in winners[0]))

    def best(self) -> Said[tuple[Candidate, ...]]:
        """Return the best answers: better than another, and none is better.

        Raises:
            Unfit: There is no best answer. The reviewers may contradict each other.
        """
        pairs = [said for said in self.preferences() if isinstance(said, Said)]
        beaten = {said.value.worse.id for said in pairs}
        unbeaten = {said.value.better.id: said for said in pairs if said.value.better.id not in beaten}
        if not unbeaten:
            raise Unfit(Reason.TIE if len(self.voters) > 1 else Reason.NOTHING_PREFERRED)
        counted = {id(voter) for said in pairs if said.value.better.id in unbeaten for voter in said.by}
        return Said(
            tuple(said.value.better for said in unbeaten.values()),
            tuple(voter for voter in self.voters if id(voter) in counted),
        )

    @property
    def rates_each(self) -> bool:
        """Whether the reviewers gave stars to each of the answers that they compared."""
        return any(
            candidate.rating
            for voter in self.voters
            for candidate in (voter.preference.candidates if voter.preference else ())
        )

    def stars(self, control: str | None, candidate: str | None = None) -> Said[Stars]:
        """Return the mean of the stars.

        Args:
            control: The name of the control. None for the first control of each review.
            candidate: The id of one of the answers that were compared. Without a control, its own stars count, if it
                has any.

        Raises:
            Unfit: Nobody rated, or the scales differ.
        """
        rated = [(rating, voter) for voter in self.voters if (rating := _rating(voter, control, candidate))]
        if not rated:
            raise Unfit(Reason.NOT_RATED)
        scales = {rating.scale for rating, _ in rated}
        if len(scales) > 1:
            raise Unfit(Reason.DIFFERENT_SCALES)
        mean = sum(rating.value for rating, _ in rated) / len(rated)
        return Said(Stars(mean, scales.pop()), tuple(voter for _, voter in rated))

    def is_rated_low(self, control: str | None, candidate: str | None = None) -> bool:
        """Return whether the stars are below the middle of the scale. False without stars. See `stars`.

        Raises:
            Unfit: The scales differ, or nobody knows the scale.
        """
        if not any(_rating(voter, control, candidate) for voter in self.voters):
            return False
        stars = self.stars(control, candidate).value
        if stars.middle is None:
            raise Unfit(Reason.SCALE_UNKNOWN)
        return stars.value < stars.middle

    def choices(self, control: str) -> Said[frozenset[str]]:
        """Return all names of the values that more than half of the choosing reviewers chose."""
        votes, chose = self._votes(control)
        return Said(frozenset(name for name, count in votes.items() if 2 * count > len(chose)), chose)

    def objections(self, control: str) -> frozenset[str]:
        """Return all names of the values that at least half of the choosing reviewers chose: in doubt, they count."""
        votes, chose = self._votes(control)
        return frozenset(name for name, count in votes.items() if 2 * count >= len(chose))

    def approves(self, control: str | None) -> bool:
        """Whether a reviewer said something good of an answer, or left it as it is in a box that corrects it.

        Stars count, whatever they are: see `is_rated_low`. A list of faults of which nothing was chosen says that there is
        no fault. If nobody knows what the reviewer was asked, the review
        itself says that the answer is good.
        """
        return any(
            not voter.asked
            or voter.corrected is not None
            or _rating(voter, control, None)
            or any(
                calls_good(control, name)
                for control in choosing_controls(voter)
                for name in chosen(voter, control)
            )
            or _finds_no_fault(voter)
            for voter in self.voters
        )

    def faults(self, candidate: str | None) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield each control whose choices call an answer harmful or bad, and all names of these choices.

        Args:
            candidate: The id of the answer, if answers were compared. Choices about another one do not count.
        """
        compared = {
            each.id for voter in self.voters if voter.preference for each in voter.preference.candidates
        }
        for control in dict.fromkeys(name for voter in self.voters for name in choosing_controls(voter)):
            tag = next((voter.asked[control] for voter in self.voters if control in voter.asked), None)
            about = set(tag.to_names) if tag else set()
            if candidate is not None and about and about <= compared - {candidate}:
                continue
            names = self.objections(control)
            if any(calls_bad(control, name) for name in names) or (
                names and tag and lists_faults(control, tuple(tag.values.values()))
            ):
                yield control, names

    def _votes(self, control: str) -> tuple[Counter[str], tuple[Review, ...]]:
        names = [(voter, chosen(voter, control)) for voter in self.voters]
        votes = Counter(name for _, every in names for name in every)
        return votes, tuple(voter for voter, every in names if every)


def _finds_no_fault(review: Review) -> bool:
    return any(
        not tag.is_for_regions and lists_faults(name, tuple(tag.values.values())) and not chosen(review, name)
        for name, tag in review.asked.items()
        if tag.values
    )


def _rating(review: Review, control: str | None, candidate: str | None) -> Rating | None:
    if control is None and candidate is not None and review.preference:
        compared = review.preference.candidates
        if any(each.rating for each in compared):
            return next((each.rating for each in compared if each.id == candidate), None)
    return review.ratings.get(control or rated_control(review) or "")


def rated_control(review: Review) -> str | None:
    """Return the control whose stars count if none is named: the first one that does not ask for a fault."""
    return next((name for name in review.ratings if not asks_for_fault(name)), None)


def _grouped(items: Iterable[_T], key: Callable[[_T], _K]) -> dict[_K, list[_T]]:
    groups: dict[_K, list[_T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _most(items: Iterable[_T], size: Callable[[_T], int]) -> list[_T]:
    """Return the biggest items; several if they have the same size."""
    groups = _grouped(items, size)
    return groups[max(groups)]
