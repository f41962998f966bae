"""Images, sound and files of a message: a note of each in its text, and small images to look at. Pure.

Nothing is decoded: a note says type and size, and an image stays the text that it came as.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from langchain_label_studio.jsonsafe import base64_size, jsonable, size_of

MAX_IMAGE = 200_000
"""Characters of an image that is kept: 150 kB of it. Of a larger one its note remains."""

MAX_IMAGES = 400_000
"""Characters of all images of a conversation that are kept: agents send theirs again with every turn."""

_MAX_LINK = 4_000
_SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
_MEDIA = frozenset({"image", "audio", "video", "file", "text-plain"})
_LINK = re.compile(r"https://[^\s\"'<>\\]+", re.IGNORECASE)
_DATA = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}")


def note_of(block: Mapping[str, Any]) -> str:
    """Return a block that is not text as a link or a short note: its kind, type and size."""
    block = _standard(block)
    kind = str(block.get("type") or "")
    if kind in _MEDIA or "mime_type" in block:
        return _media_note("text file" if kind == "text-plain" else kind or "file", block)
    return json.dumps(jsonable(block), ensure_ascii=False)


def image_of(block: Mapping[str, Any]) -> str | None:
    """Return the image of a block as a link or, where it is small, as a `data:` URL; else None."""
    block = _standard(block)
    if block.get("type") != "image":
        return None
    url, data, mime_type = block.get("url"), block.get("base64", block.get("data")), block.get("mime_type")
    if isinstance(url, str):
        if url.startswith("https://"):
            return url if len(url) <= _MAX_LINK else None
        mime_type = url[:30].removeprefix("data:").partition(";")[0]
        return url if len(url) <= MAX_IMAGE and mime_type in _SHOWN_TYPES else None
    if isinstance(data, str) and len(data) <= MAX_IMAGE and str(mime_type) in _SHOWN_TYPES:
        return f"data:{mime_type};base64,{data}"
    return None


def note_of_image(url: str) -> str:
    """Return the note that stands in the text for an image of `image_of`."""
    return _media_note("image", {"url": url})


def is_link(url: str) -> bool:
    """Say whether an image is a link that is safe to put into a page: `https`, and nothing else in it."""
    return _LINK.fullmatch(url) is not None


def is_picture(url: str) -> bool:
    """Say whether an image is a `data:` URL of a kind that cannot do anything, well-formed to the end."""
    return _DATA.fullmatch(url) is not None


def _standard(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a block that LangChain does not translate as its standard would have it, where it is media."""
    value = block.get("value")
    if block.get("type") == "non_standard" and isinstance(value, Mapping):
        return _standard(value)
    if block.get("type") in {"image_url", "input_image"}:
        url = block.get("image_url")
        return {"type": "image", "url": url.get("url") if isinstance(url, Mapping) else url}
    return block


def _media_note(kind: str, block: Mapping[str, Any]) -> str:
    url = block.get("url")
    if isinstance(url, str) and url.startswith("data:"):
        head, _, data = url.partition(",")
        mime_type = head.removeprefix("data:").partition(";")[0]
        return _media_note(kind, {"base64": data, "mime_type": mime_type})
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
    # Translated blocks keep what the standard does not name under `extras`.
    extras = block.get("extras")
    names = {**block, **extras} if isinstance(extras, Mapping) else block
    name = names.get("filename") or names.get("title")
    return f"[{kind}: {', '.join(facts)}]" if not name else f"[{kind} {name}: {', '.join(facts)}]"
