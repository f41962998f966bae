"""`ControlTag`: a tag of a label config that reviewers fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RATING_CLASS = "lls-rating"
"""The class of a `<Choices>` that stands for a `<Rating>`: its values are 1, 2, 3 and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlTag:
    """A tag that reviewers fill.

    Attributes:
        name: The name of the tag. An annotation has it as `from_name`.
        type: The kind of tag, such as `Rating`. It is `Rating` also for choices that stand for stars.
        to_names: The names of the tags that it is about. A `Rating` may leave them out.
        scale: The number of stars, for `Rating` only.
        buckets: The titles of the buckets by their names, for `Ranker` only.
        values: The values that can be chosen, for `Choices` and `Taxonomy`. The key is what an annotation holds: the
            alias, or else the value. A nested value is its path, joined with a slash: "Harmful / Hate". Empty if the task's data decide.
        key: The key of the task's data whose text the tag starts from, as in `<TextArea value="$answer">`.
        text: The text that a text field starts from, if it is the same in all tasks.
        is_for_regions: Whether it is filled for single regions or items, not for the whole task.
    """

    name: str
    type: str
    to_names: tuple[str, ...] = ()
    scale: int | None = None
    buckets: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    text: str = ""
    is_for_regions: bool = False
