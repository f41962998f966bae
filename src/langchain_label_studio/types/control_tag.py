"""`ControlTag`: a tag of a label config that reviewers fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlTag:
    """A tag that reviewers fill.

    Attributes:
        name: The name of the tag. An annotation has it as `from_name`.
        type: The kind of tag, such as `Rating`.
        to_names: The names of the tags that it is about. A `Rating` may leave them out.
        scale: The number of stars, for `Rating` only.
        buckets: The names of the buckets, for `Ranker` only.
        values: The values that can be chosen, for `Choices` and `Taxonomy`. The key is what an annotation holds: the
            alias, or else the value. A nested value is its path, joined with ` / `. Empty if the task's data decide.
        key: The key of the task's data whose text the tag starts from, as in `<TextArea value="$answer">`.
        is_for_regions: Whether it is filled for single regions or items, not for the whole task.
    """

    name: str
    type: str
    to_names: tuple[str, ...] = ()
    scale: int | None = None
    buckets: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    is_for_regions: bool = False
