"""`read_controls`: read all controls of a label config, to read annotations back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from langchain_label_studio.errors import LabelConfigError
from langchain_label_studio.label_config.parse import (
    InputTag,
    named_tags,
    parse_xml,
    response_control,
    shown_tag,
)

_DEFAULT_STARS = 5  # of a <Rating> without maxRating


@dataclass(frozen=True, slots=True)
class ControlTag:
    """A tag that reviewers fill.

    Attributes:
        name: The name of the tag. An annotation has it as `from_name`.
        type: The kind of tag, such as `Rating`.
        to_names: The names of the tags that it is about.
        scale: The number of stars, for `Rating` only.
        buckets: The names of the buckets, for `Ranker` only.
    """

    name: str
    type: str
    to_names: tuple[str, ...]
    scale: int | None = None
    buckets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Controls:
    """All tags of a label config that show data or are filled by reviewers, in document order.

    Attributes:
        response: The name of the `TextArea` for the model's answer. None if there is none.
        inputs: The tags that show data, by their names.
        controls: The tags that reviewers fill, by their names.
    """

    response: str | None = None
    inputs: Mapping[str, InputTag] = field(default_factory=lambda: MappingProxyType({}))
    controls: Mapping[str, ControlTag] = field(default_factory=lambda: MappingProxyType({}))

    def compared(self) -> tuple[InputTag, ...]:
        """Return the tags that a `Pairwise` compares, left before right."""
        for control in self.controls.values():
            if control.type == "Pairwise":
                return tuple(self.inputs[name] for name in control.to_names if name in self.inputs)
        return ()


def read_controls(xml: str) -> Controls:
    """Read the tags of a label config. A config that is not XML has none."""
    try:
        root = parse_xml(xml)
    except LabelConfigError:
        return Controls()
    inputs: dict[str, InputTag] = {}
    controls: dict[str, ControlTag] = {}
    for name, tag in named_tags(root).items():
        if targets := tag.get("toName"):
            to_names = tuple(target.strip() for target in targets.split(","))
            scale = _scale(tag.get("maxRating")) if tag.tag == "Rating" else None
            buckets = tuple(bucket.get("name", "") for bucket in tag.iter("Bucket"))
            controls[name] = ControlTag(
                name=name, type=tag.tag, to_names=to_names, scale=scale, buckets=buckets
            )
        elif shown := shown_tag(tag):
            inputs[name] = shown
    try:
        response, _ = response_control(root)
    except LabelConfigError:
        response = None
    return Controls(response=response, inputs=MappingProxyType(inputs), controls=MappingProxyType(controls))


def _scale(max_rating: str | None) -> int:
    return int(max_rating) if max_rating and max_rating.isdigit() else _DEFAULT_STARS
