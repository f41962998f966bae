"""`read_regions`: the values in the regions of an annotation, by control.

The `type` of a region decides how it is read. The label config does not, because a control may have been deleted or
changed. label_studio_sdk has the shapes of the values (`label_interface/control_tags.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

_VALUE_KEYS = {
    "textarea": "text",
    "rating": "rating",
    "choices": "choices",
    "pairwise": "selected",
    "ranker": "ranker",
    "number": "number",
    "datetime": "datetime",
    "taxonomy": "taxonomy",
}
"""The key of each control's value for a whole task."""


@dataclass(slots=True)
class Answers:
    """The values of an annotation, by the kind of control and by its name.

    Attributes:
        texts: The lines of text fields.
        ratings: Stars.
        choices: Chosen values.
        selected: The side of a `Pairwise` that is better: `left` or `right`.
        ranked: The ids in each bucket of a `Ranker`.
        others: The values of all other controls. A value for a part of the task is as Label Studio has it.
    """

    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ratings: dict[str, int] = field(default_factory=dict)
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    selected: dict[str, str] = field(default_factory=dict)
    ranked: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)


def read_regions(result: Iterable[Any], *, ratings: AbstractSet[str] = frozenset()) -> Answers:
    """Return the values of an annotation's regions. Regions without a control are left out.

    So are stars, choices and orders that a prediction made, and that the reviewer did not touch.

    Args:
        result: The regions.
        ratings: The names of the controls for ratings. Choices there stand for stars.
    """
    answers = Answers()
    for region in result:
        if (
            isinstance(region, Mapping)
            and isinstance(region.get("value"), Mapping)
            and region.get("from_name")
            and not _is_of_a_machine(region)
        ):
            _read_region(answers, str(region["from_name"]), str(region.get("type", "")), region["value"])
    for name in ratings & answers.choices.keys():
        number = "".join(answers.choices[name])
        if number.isdecimal():
            answers.ratings[name] = int(number)
            del answers.choices[name]
    return answers


_JUDGEMENTS = frozenset({"rating", "choices", "pairwise", "ranker"})


def _is_of_a_machine(region: Mapping[str, Any]) -> bool:
    """Return whether a prediction made a judgement, and the reviewer did not touch it."""
    return region.get("origin") == "prediction" and region.get("type") in _JUDGEMENTS


def _read_region(answers: Answers, name: str, kind: str, value: Mapping[str, Any]) -> None:
    key = _VALUE_KEYS.get(kind)
    if key is None or set(value) != {key}:
        # A value for a part of the task also names the part.
        answers.others.setdefault(name, []).append(dict(value))
        return
    said = value[key]
    if kind == "textarea":
        lines = [said] if isinstance(said, str) else said
        answers.texts[name] = (*answers.texts.get(name, ()), *map(str, lines))
    elif kind == "rating" and isinstance(said, int | float):
        answers.ratings[name] = round(said)
    elif kind == "choices":
        answers.choices[name] = tuple(map(_choice, said if isinstance(said, list) else [said]))
    elif kind == "pairwise":
        answers.selected[name] = str(said)
    elif kind == "ranker" and isinstance(said, Mapping):
        answers.ranked[name] = {str(bucket): list(map(str, ids or ())) for bucket, ids in said.items()}
        answers.others[name] = answers.ranked[name]
    else:
        answers.others[name] = said


def _choice(choice: Any) -> str:
    """Return the name of a choice, or the whole path of a nested choice."""
    return " / ".join(map(str, choice)) if isinstance(choice, list) else str(choice)
