"""`is_link` and `is_picture`: images that are safe in a page; `note_of_image`: the note for all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from langchain_label_studio.support.safe_text import base64_size, size_of

_LINK = re.compile(r"https://[^\s\"'<>\\]+", re.IGNORECASE)
_DATA = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}")


def note_of_image(url: str) -> str:
    """Return the note for an image, as the text of its message has it."""
    return media_note("image", {"url": url})


def is_link(url: str) -> bool:
    """Return whether an image is a link that is safe in a page: an `https` link, with no text after it."""
    return _LINK.fullmatch(url) is not None


def is_picture(url: str) -> bool:
    """Return whether an image is a `data:` URL that is safe in a page: of a passive kind, with no text after it."""
    return _DATA.fullmatch(url) is not None


def media_note(kind: str, block: Mapping[str, Any]) -> str:
    """Return the note for a block of media: its kind, with its link, or with its type and size."""
    url = block.get("url")
    if isinstance(url, str) and url.startswith("data:"):
        head, _, data = url.partition(",")
        mime_type = head.removeprefix("data:").partition(";")[0]
        return media_note(kind, {"base64": data, "mime_type": mime_type})
    if isinstance(url, str):
        return f"[{kind}: {url}]"
    data = block.get("base64", block.get("data"))
    facts = [str(block["mime_type"])] if block.get("mime_type") else []
    if isinstance(data, str):
        facts.append(size_of(base64_size(data)))
    elif isinstance(data, bytes | bytearray):
        facts.append(size_of(len(data)))
    elif isinstance(block.get("text"), str):
        return f"[{kind}]\n{block['text']}"
    elif file_id := block.get("file_id"):
        facts.append(f"id {file_id}")
    # A translated block has the keys that the standard does not name under `extras`.
    extras = block.get("extras")
    names = {**block, **extras} if isinstance(extras, Mapping) else block
    name = names.get("filename") or names.get("title")
    return f"[{kind}: {', '.join(facts)}]" if not name else f"[{kind} {name}: {', '.join(facts)}]"
