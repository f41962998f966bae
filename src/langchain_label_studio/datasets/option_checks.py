"""Options that do not fit the project of the reviews: `SeenReviews.check`.

`Review.asked` says which controls the project has. What reviews say counts as well: a control that was deleted from the
label config is still in them. So the check comes after the last review.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from langchain_label_studio.datasets.chosen import choosing_controls, chosen, names_in
from langchain_label_studio.datasets.consensus import rated_control
from langchain_label_studio.datasets.kto import Labelling
from langchain_label_studio.datasets.options import ReviewSelection
from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.did_you_mean import did_you_mean
from langchain_label_studio.types.control_tag import ControlTag
from langchain_label_studio.types.review import Review

_CHOOSE = frozenset({"Choices", "Taxonomy"})
_SHOWN = 12
"""The names in a message, at most."""


@dataclass(slots=True)
class SeenReviews:
    """What reviews say of their project.

    Attributes:
        asked: The controls of the label config that are for a whole task.
        scales: The stars that each control has, as the ratings say. None if nobody knows how many.
        first_rated: The controls whose stars count if no control is named.
        chosen: The names of the values that somebody chose, by the control.
        models: The models that answered.
        feedback: The keys of users' feedback.
    """

    asked: dict[str, ControlTag] = field(default_factory=dict)
    scales: dict[str, int | None] = field(default_factory=dict)
    first_rated: set[str] = field(default_factory=set)
    chosen: dict[str, set[str]] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    feedback: set[str] = field(default_factory=set)

    def noted(self, reviews: Iterable[Review]) -> Iterator[Review]:
        """Yield the reviews, and note what they say."""
        for review in reviews:
            self.asked |= {name: tag for name, tag in review.asked.items() if not tag.is_for_regions}
            self.scales |= {name: rating.scale for name, rating in review.ratings.items()}
            self.first_rated.update(filter(None, [rated_control(review)]))
            for control in choosing_controls(review):
                self.chosen.setdefault(control, set()).update(chosen(review, control))
            compared = review.preference.candidates if review.preference else ()
            self.models.update(
                model for model in (review.run.model, *(each.model for each in compared)) if model
            )
            self.feedback.update(review.feedback)
            yield review

    def check(self, selection: ReviewSelection, labelling: Labelling | None) -> None:
        """Check that the options can be right for these reviews. If nobody knows what they were asked, nothing is known.

        Raises:
            SettingError: An option names something that the project does not have, or more stars than there are.
        """
        if not self.asked:
            return
        if self.models and selection.models and selection.models.isdisjoint(self.models):
            _refuse("models", selection.models, "no review is of it", "The models", self.models)
        if self.feedback and selection.feedback and selection.feedback.isdisjoint(self.feedback):
            _refuse("feedback", selection.feedback, "no user gave it", "The feedback", self.feedback)
        self._check_rating("rating", selection.rating)
        self._check_stars("min_rating", selection.min_rating, selection.rating)
        self._check_choices("choices", selection.choices)
        self._check_choices("exclude", selection.exclude)
        if labelling:
            self._check_stars("threshold", labelling.threshold, labelling.rating)
            self._check_choices("good", labelling.good)
            self._check_choices("bad", labelling.bad)

    def _check_rating(self, option: str, control: str | None) -> None:
        if control is not None and control not in self._all_scales():
            msg = f"{option}= names {control!r}, which is no control with stars. {self._controls()}"
            raise SettingError(msg + did_you_mean(control, self._all_scales()))

    def _check_stars(self, option: str, stars: float | None, control: str | None) -> None:
        if stars is None:
            return
        scales = self._all_scales()
        if not scales:
            msg = f"{option}={stars:g}: no control has stars. {self._controls()}"
            raise SettingError(msg)
        # Without a name, the first control of a review counts: of all reviews, these.
        for name in [control] if control else sorted(self.first_rated) or [*scales][:1]:
            scale = scales.get(name)
            if scale is not None and stars > scale:
                msg = f"{option}={stars:g}: the control {name!r} has {scale} stars. {self._controls()}"
                raise SettingError(msg)

    def _check_choices(self, option: str, wanted: Mapping[str, Iterable[str]]) -> None:
        asked = {name: tag for name, tag in self.asked.items() if tag.type in _CHOOSE}
        for control, values in wanted.items():
            if control not in asked and control not in self.chosen:
                msg = f"{option}= names {control!r}, which is no control with choices. {self._controls()}"
                raise SettingError(msg + did_you_mean(control, [*asked, *self.chosen]))
            if control in asked and not asked[control].values:
                continue  # the tasks' data have them
            known = self.chosen.get(control, set()) | (
                names_in(asked[control]) if control in asked else set()
            )
            for value in sorted(set(values) - known):
                _refuse(option, [value], f"the control {control!r} has no such choice", "It has", known)

    def _all_scales(self) -> dict[str, int | None]:
        asked = {name: tag.scale for name, tag in self.asked.items() if tag.scale is not None}
        return asked | self.scales

    def _controls(self) -> str:
        """Return a sentence about the controls of the project."""
        scales = self._all_scales()
        said = {name: tag.type for name, tag in self.asked.items()}
        said |= {name: ", ".join([*tag.values][:_SHOWN]) for name, tag in self.asked.items() if tag.values}
        said |= {name: f"{scale} stars" for name, scale in scales.items() if scale is not None}
        listed = ", ".join(f"{name} ({what})" for name, what in said.items())
        return f"The controls of this project: {listed}."


def _refuse(option: str, given: Collection[str], why: str, which: str, known: Collection[str]) -> NoReturn:
    listed = ", ".join(map(repr, sorted(known)[:_SHOWN])) or "none"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    named = ", ".join(map(repr, sorted(given)))
    msg = f"{option}= names {named}, but {why}. {which}: {listed}{more}.{did_you_mean(min(given), known)}"
    raise SettingError(msg)
