"""`read_active_keys`: the keys of a task's data that a label config does more with than show their text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

_VARIABLE = re.compile(r"\$(\w+)")
_HTML_TAGS = frozenset({"markdown", "hypertext", "chat"})
_LOADING_TAGS = frozenset({"image", "audio", "audioplus", "video", "timeseries", "pdf"})
_LOADING_ATTRIBUTES = ("audiourl", "apiurl", "resolver")


@dataclass(frozen=True, slots=True)
class ActiveKeys:
    """Keys of a task's data.

    Attributes:
        markdown: A `<Markdown>` shows them. It renders HTML as it is.
        html: A `<Markdown>`, `<HyperText>` or `<Chat>` shows them.
        items: Any tag takes them. If they are lists of items, it may show the `html` of an item.
        loaded: They are an address that the page loads, or text that is HTML only after it is decoded.
    """

    markdown: frozenset[str] = frozenset()
    html: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()
    loaded: frozenset[str] = frozenset()


def read_active_keys(root: ET.Element) -> ActiveKeys:
    """Return these keys of a label config, with or without a name on the tag.

    Label Studio's page reads the names of tags and attributes in any case.
    """
    markdown: set[str] = set()
    html: set[str] = set()
    items: set[str] = set()
    loaded: set[str] = set()
    for tag in root.iter():
        kind = tag.tag.lower()
        attributes = {name.lower(): value for name, value in tag.attrib.items()}
        items.update(_keys(" ".join(attributes.values())))
        if kind in _HTML_TAGS:
            html.update(_keys(" ".join(_texts(tag))))
        if kind == "markdown":
            markdown.update(_keys(" ".join(_texts(tag))))
        if _loads(kind, attributes):
            loaded.update(_keys(" ".join(attributes.values())))
    return ActiveKeys(*map(frozenset, (markdown, html, items, loaded)))


def _loads(kind: str, attributes: Mapping[str, str]) -> bool:
    return (
        kind in _LOADING_TAGS
        or "url" in attributes.get("valuetype", "").lower()
        or any(name in attributes for name in _LOADING_ATTRIBUTES)
        or (kind == "hypertext" and "encoding" in attributes)
    )


def _texts(tag: ET.Element) -> Iterator[str]:
    """Yield the texts of a tag that may name keys: `<Markdown>## $title</Markdown>` shows a key, too."""
    for inner in tag.iter():
        yield from (*inner.attrib.values(), inner.text or "", inner.tail or "")


def _keys(text: str) -> list[str]:
    return _VARIABLE.findall(text)
