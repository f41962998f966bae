"""Tags that the pages of a Label Studio do not know: `unknown_tags`, `without_tags`. Pure.

A page that meets a tag it does not know shows an error in place of the whole task.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from langchain_label_studio.label_config.parse import parse_xml
from langchain_label_studio.support.forks import no_fork

# Seen in the pages of these versions. The names are in small letters, because a page reads them in any case.
_SINCE = {"markdown": (1, 22)}
_NOT_IN_COMMUNITY = frozenset({"chat", "reactcode"})
_ADVICE = {
    "markdown": "Label Studio 1.22 and later know it: update Label Studio, or show the text in a <Text> or <Paragraphs>",
    "chat": 'It belongs to the paid editions. Show the conversation in a <Paragraphs layout="dialogue">',
    "reactcode": "It belongs to the paid editions. Use other tags",
}
_RELEASE = re.compile(r"^(\d+)\.(\d+)")


def read_release(release: str) -> tuple[int, int] | None:
    """Return the first two numbers of a version of Label Studio. None if it has none."""
    found = _RELEASE.match(release)
    return (int(found[1]), int(found[2])) if found else None


def unknown_tags(release: tuple[int, int] | None, *, community: bool) -> frozenset[str]:
    """Return the tags that pages do not know, in small letters.

    Args:
        release: The version of Label Studio. None counts as the newest one.
        community: Whether it is the free edition. Nothing is known about the pages of the others.
    """
    if not community:
        return frozenset()
    later = {tag for tag, since in _SINCE.items() if release is not None and release < since}
    return _NOT_IN_COMMUNITY | later


def advice_on_tag(tag: str) -> str:
    """Return what to do about a tag that the pages do not know, as a sentence without its full stop."""
    return _ADVICE[tag]


def without_tags(xml: str, tags: AbstractSet[str]) -> str:
    """Return a label config without some tags, and without what is in them. Without such tags, it stays as it is.

    What is folded is in sight then: it shows as text what the tags would have shown. Label Studio 1.16 draws a closed
    `<Panel>` only when somebody opens it.

    Args:
        xml: The label config.
        tags: The names of the tags, in small letters.
    """
    root = parse_xml(xml)
    if not any(tag.tag.lower() in tags for tag in root.iter()):
        return xml
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.lower() in tags:
                parent.remove(child)
    with no_fork():
        from xml.etree import ElementTree as ET  # noqa: PLC0415 (takes 3 ms to load: not for an import)

    for tag in list(root.iter()):
        if tag.tag == "Panel":
            tag.insert(0, ET.Element("Header", {"value": tag.attrib.pop("value", ""), "size": "5"}))
        if tag.tag in {"Collapse", "Panel"}:
            tag.tag = "View"
            tag.attrib.pop("accordion", None)
    return ET.tostring(root, encoding="unicode")
