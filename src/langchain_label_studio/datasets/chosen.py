"""The values that a reviewer chose, by all their names: `chosen`.

An annotation holds the alias of a value, or else the value. A taxonomy holds paths: `["Harmful", "Violence"]` is also
called `Harmful`, `Harmful / Violence` and, if nothing else is called so, `Violence`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeGuard

from langchain_label_studio.types.control_tag import ControlTag
from langchain_label_studio.types.review import Review

_IN = " / "
_TAXONOMY = "Taxonomy"


def choosing_controls(review: Review) -> tuple[str, ...]:
    """Return the names of the controls in which a reviewer chose values."""
    return (*review.choices, *(name for name, value in review.controls.items() if _is_taxonomy(value)))


def chosen(review: Review, control: str) -> frozenset[str]:
    """Return all names of the values that a reviewer chose."""
    tag = review.asked.get(control)
    values = tag.values if tag else {}
    names = {name for held in review.choices.get(control, ()) for name in (held, values.get(held, held))}
    taxonomy = review.controls.get(control)
    for path in taxonomy if _is_taxonomy(taxonomy) else ():
        names.update(_names(path, values))
    return frozenset(names)


def names_in(tag: ControlTag) -> frozenset[str]:
    """Return all names of the values that a control has."""
    names = {*tag.values, *tag.values.values()}
    if tag.type == _TAXONOMY:
        names |= {leaf for name in names if _is_only(leaf := name.rpartition(_IN)[2], tag.values)}
    return frozenset(names)


def _names(path: list[str], values: Mapping[str, str]) -> Iterator[str]:
    parent = ""
    for depth in range(1, len(path) + 1):
        held = _IN.join(path[:depth])
        value = values.get(held, held)
        leaves = {path[depth - 1], value.removeprefix(f"{parent}{_IN}")}
        parent = value
        yield from (held, value)
    yield from (leaf for leaf in leaves if _is_only(leaf, values))


def _is_only(leaf: str, values: Mapping[str, str]) -> bool:
    """Return whether a taxonomy has at most one value whose own name is this."""
    end = _IN + leaf
    return sum(1 for names in values.items() if any((_IN + name).endswith(end) for name in names)) <= 1


def _is_taxonomy(value: object) -> TypeGuard[list[list[str]]]:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(path, list) and path and all(isinstance(part, str) for part in path) for path in value
        )
    )
