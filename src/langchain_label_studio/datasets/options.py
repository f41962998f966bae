"""Which reviews are taken, and whose word counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict, get_args

from langchain_label_studio.datasets.skip_reasons import Reason
from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.moments import resolve_moment
from langchain_label_studio.types.review import Review

Policy = Literal["all", "latest", "majority", "agreed-only"]
"""What is made of several reviews of one task.

`all`: each review stands for itself, so a task may give several rows, which may contradict each other.
`latest`: the review that was saved last. `majority`: one opinion of all of them: the answer that most of them left,
the mean of their stars, the choices that more than half of them made, of two answers the one that more of them
prefer; where as many say one thing as another, there is no row. `agreed-only`: one opinion, if all say the same.
"""

Values = str | Collection[str]
"""One text, or several."""


class Options(TypedDict, total=False):
    """What all functions that make rows take, by keyword.

    Attributes:
        policy: What is made of several reviews of one task, see `Policy`; `"all"` if left out: nothing is weighed
            against anything that nobody asked to be weighed.
        unanimous: Only tasks that at least two people reviewed who say the same, as far as the rows show it. For
            this, and for any policy but `"all"`, only the last of each person's reviews of a task counts.
        only_changed: Only answers that a reviewer changed.
        min_rating: Stars that an answer needs which was left as it was. One that was corrected is taken whatever
            its stars: they are for what the model had said. If left out, answers without stars are taken, too.
        models: Only answers of these models.
        since: Only reviews saved then or later: a time, or ISO 8601 text; without a zone it is this computer's.
        until: Only reviews saved before then.
        choices: Only where one of these values was chosen, by the control's name: `{"topic": ["billing", "other"]}`.
        rating: Name of the control whose stars count; the first one that has some if left out.
        deduplicate: Leave out rows that are there already.
    """

    policy: Policy
    unanimous: bool
    only_changed: bool
    min_rating: float | None
    models: Values
    since: datetime | str | None
    until: datetime | str | None
    choices: Mapping[str, Values] | None
    rating: str | None
    deduplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSelection:
    """The options as they are used, see `Options`; and the keys of the feedback that stands for a review."""

    policy: Policy
    unanimous: bool
    only_changed: bool
    min_rating: float | None
    models: frozenset[str]
    since: datetime | None
    until: datetime | None
    choices: Mapping[str, frozenset[str]]
    rating: str | None
    deduplicate: bool
    feedback: frozenset[str] = frozenset()

    @property
    def counts_people(self) -> bool:
        """Whether the reviews of a task are looked at together."""
        return self.unanimous or self.policy != "all"

    def refusal(self, review: Review) -> tuple[Reason, str] | None:
        """Return why a review does not count at all, whatever it says; else None."""
        if review.annotation_id is None and self.feedback.isdisjoint(review.feedback):
            return Reason.NOT_REVIEWED, ""
        if review.was_skipped:
            return Reason.TASK_SKIPPED, ""
        if review.unreadable:
            return Reason.NOT_READABLE, "; ".join(review.unreadable)
        if not self._in_time(review.saved_at):
            return Reason.OTHER_TIME, ""
        return None

    def _in_time(self, when: datetime | None) -> bool:
        if when is None:
            return self.since is None and self.until is None
        return (self.since is None or when >= self.since) and (self.until is None or when < self.until)


def make_selection(
    *,
    policy: Policy = "all",
    unanimous: bool = False,
    only_changed: bool = False,
    min_rating: float | None = None,
    models: Values = (),
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    choices: Mapping[str, Values] | None = None,
    rating: str | None = None,
    deduplicate: bool = False,
) -> ReviewSelection:
    """Return the options, checked. See `Options`.

    Raises:
        SettingError: One of them cannot be right.
    """
    check_one_of("policy", policy, get_args(Policy))
    return ReviewSelection(
        policy=policy,
        unanimous=unanimous,
        only_changed=only_changed,
        min_rating=min_rating,
        models=several(models),
        since=resolve_moment("since", since),
        until=resolve_moment("until", until),
        choices={control: several(values) for control, values in (choices or {}).items()},
        rating=rating,
        deduplicate=deduplicate,
    )


def check_one_of(name: str, value: str, known: Iterable[str]) -> None:
    """Check a setting that has to be one of some words.

    Raises:
        SettingError: It is not.
    """
    if value not in known:
        msg = f"{name}={value!r}: use one of {', '.join(map(repr, known))}."
        raise SettingError(msg)


def several(values: Values) -> frozenset[str]:
    """Return the texts, of which one may stand alone."""
    return frozenset([values] if isinstance(values, str) else values)
