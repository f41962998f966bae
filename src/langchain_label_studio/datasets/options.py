"""The options that select reviews: `Options` as users write them, `ReviewSelection` as they are used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from numbers import Real
from typing import Any, Literal, TypedDict, get_args

from langchain_label_studio.datasets.skip_reasons import Reason
from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.did_you_mean import did_you_mean
from langchain_label_studio.support.moments import resolve_moment
from langchain_label_studio.types.review import Review

Policy = Literal["all", "latest", "majority", "agreed-only"]
"""How several reviews of one task are combined.

- `all`: Each review counts for itself. A task may give several rows, and they may contradict each other.
- `latest`: Only the last saved review counts.
- `majority`: All reviews together give one opinion: the answer that most reviewers left, the mean of the stars, the
  choices of more than half of the reviewers, and of two answers the one that more reviewers prefer. A tie gives no row.
- `agreed-only`: All reviews together give one opinion, if all agree.
"""

Values = str | Collection[str]
"""One text, or several."""


class Options(TypedDict, total=False):
    """The options of `to_sft`, `to_dpo`, `to_reward`, `to_kto` and `to_prm`, all by keyword.

    Attributes:
        policy: How several reviews of one task are combined, see `Policy`. Default: `"all"`.
        unanimous: Use only tasks on which at least two reviewers agree, as far as the rows show, or of which one review is
            the ground truth. With this option, and with every policy but `"all"`, only the last review of each person
            counts.
        only_changed: Use only answers that a reviewer changed.
        min_rating: Use an unchanged answer only with at least this many stars. A corrected answer is used with any
            stars, because they rate the original. By default, answers without stars are used, too.
        models: Use only answers of these models.
        since: Use only reviews saved at this time or later: a `datetime`, or ISO 8601 text. Without a time zone,
            it is local time.
        until: Use only reviews saved before this time.
        choices: Use only reviews with one of these choices, by the control's name:
            `{"topic": ["billing", "other"]}`. A value of a taxonomy is its path, such as `"Harmful / Violence"`, a
            part of that from its beginning, or its last name. An alias is as good as its value.
        exclude: Leave out reviews with one of these choices.
        rating: The name of the control whose stars count. Default: the first control with stars, but for one whose name is
            that of a fault, such as `toxicity`.
        deduplicate: Write the same row only once.
    """

    policy: Policy
    unanimous: bool
    only_changed: bool
    min_rating: float | None
    models: Values
    since: datetime | str | None
    until: datetime | str | None
    choices: Mapping[str, Values] | None
    exclude: Mapping[str, Values] | None
    rating: str | None
    deduplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSelection:
    """The options as they are used, see `Options`.

    Attributes:
        feedback: The keys of the users' feedback that counts if nobody reviewed the task.
    """

    policy: Policy
    unanimous: bool
    only_changed: bool
    min_rating: float | None
    models: frozenset[str]
    since: datetime | None
    until: datetime | None
    choices: Mapping[str, frozenset[str]]
    exclude: Mapping[str, frozenset[str]]
    rating: str | None
    deduplicate: bool
    feedback: frozenset[str] = frozenset()

    @property
    def counts_people(self) -> bool:
        """Whether the reviews of a task are combined."""
        return self.unanimous or self.policy != "all"

    def refusal(self, review: Review) -> tuple[Reason, str] | None:
        """Return the reason why a review does not count. None if it counts."""
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
    exclude: Mapping[str, Values] | None = None,
    rating: str | None = None,
    deduplicate: bool = False,
) -> ReviewSelection:
    """Check the options, and return them as they are used. See `Options`.

    Raises:
        SettingError: An option cannot be right.
    """
    check_one_of("policy", policy, get_args(Policy))
    check_stars("min_rating", min_rating)
    wanted, unwanted = by_control(choices), by_control(exclude)
    check_different("choices", wanted, "exclude", unwanted)
    begin, end = resolve_moment("since", since), resolve_moment("until", until)
    if begin is not None and end is not None and begin >= end:
        msg = f"since={since!s} and until={until!s}: no review is between them. The first time has to be the earlier one."
        raise SettingError(msg)
    return ReviewSelection(
        policy=policy,
        unanimous=unanimous,
        only_changed=only_changed,
        min_rating=min_rating,
        models=several(models),
        since=begin,
        until=end,
        choices=wanted,
        exclude=unwanted,
        rating=rating,
        deduplicate=deduplicate,
    )


def check_one_of(name: str, value: str, known: Iterable[str]) -> None:
    """Check that a setting is one of the known words.

    Raises:
        SettingError: It is another word.
    """
    words = tuple(known)
    if value not in words:
        msg = f"{name}={value!r}: use one of {', '.join(map(repr, words))}.{did_you_mean(value, words)}"
        raise SettingError(msg)


def check_stars(name: str, stars: float | None) -> None:
    """Check that a setting is a number of stars. The project decides how many there can be: see `option_checks`.

    Raises:
        SettingError: It is no number, or less than one star.
    """
    if stars is None or (is_number(stars) and stars >= 1):
        return
    msg = f"{name}={stars!r}: use a number of stars, from 1."
    raise SettingError(msg)


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    return not isinstance(value, bool) and isinstance(value, Real) and isfinite(value)


def check_different(
    name: str, values: Mapping[str, frozenset[str]], other: str, others: Mapping[str, frozenset[str]]
) -> None:
    """Check that two settings do not name the same choice.

    Raises:
        SettingError: Both name it.
    """
    for control, names in values.items():
        for value in sorted(names & others.get(control, frozenset())):
            msg = f"{name}= and {other}= both name {control}={value}. A choice can be in one of them only."
            raise SettingError(msg)


def by_control(choices: Mapping[str, Values] | None) -> dict[str, frozenset[str]]:
    """Return values as sets, by their control."""
    return {control: several(values) for control, values in (choices or {}).items()}


def several(values: Values) -> frozenset[str]:
    """Return one or several texts as a set."""
    return frozenset([values] if isinstance(values, str) else values)
