"""`read_controls`: read all controls of a label config, to read annotations back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from langchain_label_studio.errors import LabelConfigError
from langchain_label_studio.label_config.active_keys import read_active_keys
from langchain_label_studio.label_config.comparison import Comparison, find_comparison
from langchain_label_studio.label_config.names import choose_answer_field
from langchain_label_studio.label_config.parse import (
    InputTag,
    is_for_regions,
    named_tags,
    parse_xml,
    shown_key,
    shown_tag,
    text_fields,
)
from langchain_label_studio.types.control_tag import RATING_CLASS, ControlTag

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

_DEFAULT_STARS = 5  # of a <Rating> without maxRating
_WITHOUT_TO_NAME = frozenset({"Rating"})
"""The controls for which Label Studio does not demand `toName`."""


@dataclass(frozen=True, slots=True)
class Controls:
    """All tags of a label config that show data or are filled by reviewers, in document order.

    Attributes:
        text_fields: The names of each `TextArea` for the whole task.
        inputs: The tags that show data, by their names.
        controls: The tags that reviewers fill, by their names.
        comparison: The answers that are compared, and the controls for it. None if the config compares none.
        keys: The keys of the task's data that any tag uses. None if the config cannot be read.
    """

    text_fields: tuple[str, ...] = ()
    inputs: Mapping[str, InputTag] = field(default_factory=lambda: MappingProxyType({}))
    controls: Mapping[str, ControlTag] = field(default_factory=lambda: MappingProxyType({}))
    comparison: Comparison | None = None
    keys: frozenset[str] | None = None

    @property
    def answer_field(self) -> str | None:
        """The text field for an answer, by its name. None if there is none, or if the names leave it open."""
        return choose_answer_field(self.text_fields)

    @property
    def compared(self) -> tuple[InputTag, ...]:
        """The tags that show answers to compare, left before right."""
        return self.comparison.tags if self.comparison else ()


def read_controls(xml: str) -> Controls:
    """Read the tags of a label config. A config that is not XML has none."""
    try:
        root = parse_xml(xml)
    except LabelConfigError:
        return Controls()
    used = read_active_keys(root)
    inputs: dict[str, InputTag] = {}
    controls: dict[str, ControlTag] = {}
    for name, tag in named_tags(root).items():
        if tag.get("toName") or tag.tag in _WITHOUT_TO_NAME:
            controls[name] = _control(name, tag)
        elif shown := shown_tag(tag):
            inputs[name] = shown
    return Controls(
        text_fields=tuple(text_fields(root)),
        inputs=MappingProxyType(inputs),
        controls=MappingProxyType(controls),
        comparison=find_comparison(inputs, controls.values()),
        keys=used.items | used.html,
    )


def _control(name: str, tag: ET.Element) -> ControlTag:
    values = dict(_values(tag))
    scale = _scale(tag, values)
    return ControlTag(
        name=name,
        type="Rating" if scale else tag.tag,
        to_names=tuple(target.strip() for target in tag.get("toName", "").split(",") if target.strip()),
        scale=scale,
        buckets=dict(map(_bucket, tag.iter("Bucket"))),
        values={} if scale else values,
        key=shown_key(tag),
        text=tag.get("value", "") if tag.tag == "TextArea" and shown_key(tag) is None else "",
        is_for_regions=is_for_regions(tag),
    )


def _bucket(tag: ET.Element) -> tuple[str, str]:
    name = tag.get("name", "")
    return name, tag.get("title") or name


def _values(
    tag: ET.Element, path: tuple[str, ...] = (), said: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Yield the values that can be chosen, as `(what an annotation holds, value)`. A `<View>` may stand around them."""
    for inner in tag:
        if inner.tag != "Choice":
            yield from _values(inner, path, said)
            continue
        value = inner.get("value", "")
        to_value, to_said = (*path, value), (*said, inner.get("alias") or value)
        yield " / ".join(to_said), " / ".join(to_value)
        yield from _values(inner, to_value, to_said)


def _scale(tag: ET.Element, values: Mapping[str, str]) -> int | None:
    """Return the number of stars of a rating, and None for other tags."""
    if tag.tag == "Choices" and RATING_CLASS in tag.get("className", "").split():
        return len(values)
    if tag.tag != "Rating":
        return None
    stars = tag.get("maxRating", "")
    return int(stars) if stars.isdigit() else _DEFAULT_STARS
