"""`note_of` makes a note of an image, a sound or a file in a message. `image_of` keeps a small image, to look at.

Nothing is decoded. A note has the type and the size. An image stays text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langchain_label_studio.support.json_safe import jsonable
from langchain_label_studio.types.images import media_note

MAX_IMAGE = 200_000
"""The maximum number of characters of an image: 150 kB. Of a larger image, only the note is kept."""

MAX_IMAGES = 400_000
"""The maximum number of characters of all images of a conversation. Agents send the same images with every turn."""

_MAX_LINK = 4_000
_SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
_MEDIA = frozenset({"image", "audio", "video", "file", "text-plain"})


def note_of(block: Mapping[str, Any]) -> str:
    """Return a link for a block that is not text, or a short note with its kind, type and size."""
    block = _standard(block)
    kind = str(block.get("type") or "")
    if kind in _MEDIA or "mime_type" in block:
        return media_note("text file" if kind == "text-plain" else kind or "file", block)
    return json.dumps(jsonable(block), ensure_ascii=False)


def image_of(block: Mapping[str, Any]) -> str | None:
    """Return the image of a block: a link, or a `data:` URL of a small image. None for anything else."""
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


def _standard(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a block of media in LangChain's standard shape, if LangChain itself did not translate it."""
    value = block.get("value")
    if block.get("type") == "non_standard" and isinstance(value, Mapping):
        return _standard(value)
    if block.get("type") in {"image_url", "input_image"}:
        url = block.get("image_url")
        return {"type": "image", "url": url.get("url") if isinstance(url, Mapping) else url}
    return block
