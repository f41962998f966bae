"""`find_comparison`: the answers that a label config puts beside each other, and the controls that compare them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from langchain_label_studio.label_config.names import asks_for_faults, says_answers_or_chats, word_set, words
from langchain_label_studio.label_config.parse import PROMPT_TAGS, InputTag
from langchain_label_studio.types.control_tag import ControlTag

Side = int | Literal["tie"]
"""The place of the better answer, or `tie`."""

_PLACES: Mapping[str, int] = {
    word: place
    for place, same in enumerate(
        (
            ("1", "a", "one", "first", "left"),
            ("2", "b", "two", "second", "right"),
            ("3", "c", "three", "third"),
            ("4", "d", "four", "fourth"),
            ("5", "e", "five", "fifth"),
            ("6", "f", "six", "sixth"),
        )
    )
    for word in same
}
_TIE = word_set(
    """
    both draw equal equally equivalent even neither none same similar tie tied
    """
)
_FILLERS = word_set(
    """
    about answer are assistant best better bit by candidate choice choose chosen clearly completion far
    good is it little lot model more most much on option output prefer preferred reply resp response
    side significantly slightly somewhat strongly summary the was winner wins
    """
)
_ARTICLE = re.compile(r"\b(?:(?:is|are|was)\s+an?\b|an?\s+(?=bit|little|lot|tie|draw))", re.IGNORECASE)
_THAN = re.compile(r"\b(?:than|over|beats)\b.*|>.*", re.IGNORECASE | re.DOTALL)
_LESS = re.compile(r"^.*<", re.DOTALL)
_EQUAL_SIGN = re.compile(r"^[\w\s]+[=~≈]+[\w\s]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison of answers.

    Attributes:
        tags: The tags that show the answers, in order: left before right.
        sides: For each `Choices` that compares them, the better answer by what an annotation holds.
        rated: For each `Rating` of a single answer, the place of the answer.
    """

    tags: tuple[InputTag, ...]
    sides: Mapping[str, Mapping[str, Side]] = field(default_factory=dict)
    rated: Mapping[str, int] = field(default_factory=dict)


def find_comparison(inputs: Mapping[str, InputTag], controls: Iterable[ControlTag]) -> Comparison | None:
    """Return the comparison of a label config. None if it compares no answers.

    A `Pairwise` compares the two tags that it names. Without one, tags such as `answer1` and `answer2`, or `response_a`
    and `response_b`, are compared if the values of a `Choices` name them (`left is better`), or if each has a `Rating`.
    A control that asks for the worse answer, or for a fault, compares nothing.

    Args:
        inputs: The tags that show data, by their names.
        controls: The controls.
    """
    known = tuple(control for control in controls if not asks_for_faults(control.name))
    pairwise = next((control for control in known if control.type == "Pairwise"), None)
    tags = _named(pairwise.to_names, inputs) if pairwise else _numbered(inputs.values())
    if not tags:
        return None
    sides = {
        control.name: named
        for control in known
        if control.type == "Choices"
        and (named := _sides(control, tags, beside_pairwise=pairwise is not None))
    }
    rated = _rated([control for control in known if control.type == "Rating"], tags)
    if not (pairwise or sides or rated):
        return None
    return Comparison(tags=tags, sides=sides, rated=rated)


def side_of(value: str, names: Sequence[str]) -> Side | None:
    """Return the answer that a value names as the better one.

    Args:
        value: The value of a choice, such as `Left is better`, `B`, `model_a` or `tie (both bad)`.
        names: The names of the answers, in order.

    Returns:
        The place of the answer, `"tie"`, or None if the value says neither.
    """
    plain = value.strip().casefold()
    if plain in (known := [name.casefold() for name in names]):
        return known.index(plain)
    if _EQUAL_SIGN.match(plain):
        return "tie"
    said = set(words(_ARTICLE.sub("", _THAN.sub("", _LESS.sub("", plain))))) - _FILLERS
    if said & _TIE or said == {"no", "preference"}:
        return "tie"
    if len(said) != 1 or not said <= _PLACES.keys():
        return None
    place = _PLACES[said.pop()]
    return place if place < len(names) else None


def split_place(name: str) -> tuple[str, int] | None:
    """Return a name without its last word, and the place that this word says: `answer_b` is `("answer", 1)`."""
    *before, last = words(name) or ("",)
    return (" ".join(before), _PLACES[last]) if before and last in _PLACES else None


def _named(names: Iterable[str], inputs: Mapping[str, InputTag]) -> tuple[InputTag, ...]:
    return tuple(inputs[name] for name in names if name in inputs)


def _numbered(inputs: Iterable[InputTag]) -> tuple[InputTag, ...]:
    """Return the tags of answers whose names or keys differ in the last word only, in the order of these words."""
    groups: dict[str, dict[int, InputTag]] = {}
    for tag in inputs:
        for name in (tag.key, tag.name):
            split = split_place(name)
            if tag.type in PROMPT_TAGS and split and says_answers_or_chats(split[0]):
                groups.setdefault(split[0], {}).setdefault(split[1], tag)
    found = max(groups.values(), key=len, default={})
    return tuple(tag for _, tag in sorted(found.items())) if len(found) > 1 else ()


def _sides(control: ControlTag, tags: Sequence[InputTag], *, beside_pairwise: bool) -> dict[str, Side]:
    """Return the better answer by what an annotation holds. Empty if the values do not compare the answers.

    Beside a `Pairwise`, the values may all say that the answers are alike: a `Pairwise` itself cannot.
    """
    about = [tag for tag in tags if tag.name in control.to_names]
    if len(about) == 1:
        return {}
    sides: dict[str, Side] = {}
    for said, value in control.values.items():
        named = (side_of(value, names) for names in ([tag.key for tag in tags], [tag.name for tag in tags]))
        side = next((side for side in named if side is not None), None)
        if side is not None:
            sides[said] = side
        elif value.strip().casefold() in _PLACES:
            return {}  # a scale that goes on, such as 1, 2, 3, 4, 5
    better = {side for side in sides.values() if side != "tie"}
    only_ties = beside_pairwise and not better and len(sides) == len(control.values)
    return sides if len(better) > 1 or only_ties else {}


def _rated(ratings: Sequence[ControlTag], tags: Sequence[InputTag]) -> dict[str, int]:
    """Return the places of the answers that have a `Rating` of their own. Empty if not at least two have one."""
    places = {tag.name: place for place, tag in enumerate(tags)}
    rated = {
        control.name: places[control.to_names[0]]
        for control in ratings
        if len(control.to_names) == 1 and control.to_names[0] in places
    }
    if not rated:
        by_name = {control.name: split_place(control.name) for control in ratings}
        rated = {name: split[1] for name, split in by_name.items() if split and split[1] < len(tags)}
    # Two ratings of one answer rate two things, such as its style and its facts.
    return rated if len(rated) == len(set(rated.values())) > 1 else {}
