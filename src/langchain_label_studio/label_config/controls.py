"""`read_controls`: read all controls of a label config, to read annotations back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from langchain_label_studio.errors import LabelConfigError
from langchain_label_studio.label_config.parse import (
    InputTag,
    named_tags,
    parse_xml,
    response_control,
    shown_key,
    shown_tag,
)
from langchain_label_studio.types.control_tag import ControlTag

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

_DEFAULT_STARS = 5  # of a <Rating> without maxRating
_WITHOUT_TO_NAME = frozenset({"Rating"})
"""The controls for which Label Studio does not demand `toName`."""


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
        if tag.get("toName") or tag.tag in _WITHOUT_TO_NAME:
            controls[name] = _control(name, tag)
        elif shown := shown_tag(tag):
            inputs[name] = shown
    try:
        response, _ = response_control(root)
    except LabelConfigError:
        response = None
    return Controls(response=response, inputs=MappingProxyType(inputs), controls=MappingProxyType(controls))


def _control(name: str, tag: ET.Element) -> ControlTag:
    return ControlTag(
        name=name,
        type=tag.tag,
        to_names=tuple(target.strip() for target in tag.get("toName", "").split(",") if target.strip()),
        scale=_scale(tag.get("maxRating")) if tag.tag == "Rating" else None,
        buckets=tuple(bucket.get("name", "") for bucket in tag.iter("Bucket")),
        values=dict(_values(tag)),
        key=shown_key(tag),
        is_for_regions="true" in {tag.get("perRegion"), tag.get("perItem")},
    )


def _values(
    tag: ET.Element, path: tuple[str, ...] = (), said: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Yield the values that can be chosen, as `(what an annotation holds, value)`."""
    for choice in tag.iterfind("Choice"):
        value = choice.get("value", "")
        to_value, to_said = (*path, value), (*said, choice.get("alias") or value)
        yield " / ".join(to_said), " / ".join(to_value)
        yield from _values(choice, to_value, to_said)


def _scale(max_rating: str | None) -> int:
    return int(max_rating) if max_rating and max_rating.isdigit() else _DEFAULT_STARS
