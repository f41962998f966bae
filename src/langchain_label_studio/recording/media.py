"""`media_of` makes a note of an image, a sound or a file in a message. `image_of` keeps a small image, to look at.

Nothing is decoded. A note has the type and the size. An image stays text, or becomes text if it is bytes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.images import media_note

MAX_IMAGE = 200_000
"""The maximum number of characters of an image: 150 kB. Of a larger image, only the note is kept."""

MAX_IMAGES = 400_000
"""The maximum number of characters of all images of a conversation. Agents send the same images with every turn."""

_MAX_LINK = 4_000
_SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
# The kinds of blocks, and the word for each in a note.
_MEDIA = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "image_generation_call": "image",
    "audio": "audio",
    "input_audio": "audio",
    "audio_url": "audio",
    "video": "video",
    "video_url": "video",
    "input_video": "video",
    "file": "file",
    "input_file": "file",
    "document": "file",
    "document_url": "file",
    "container_upload": "file",
    "media": "file",
    "text-plain": "text file",
}


def media_of(kind: str, block: Mapping[str, Any]) -> str | None:
    """Return a link for a block of media, or a short note with its kind, type and size. None for another block.

    Args:
        kind: The type of the block.
        block: The block, as LangChain or the provider writes it.
    """
    if kind not in _MEDIA and "mime_type" not in block:
        return None
    facts = _facts(kind, block)
    word = _word(kind, facts)
    return media_note("text file" if word == "file" and isinstance(facts.get("text"), str) else word, facts)


def image_of(kind: str, block: Mapping[str, Any]) -> str | None:
    """Return the image of a block: a link, or a `data:` URL of a small image. None for anything else."""
    facts = _facts(kind, block)
    if _word(kind, facts) != "image":
        return None
    url, data, mime_type = facts.get("url"), facts.get("base64"), facts.get("mime_type")
    if isinstance(data, bytes) and len(data) <= MAX_IMAGE // 4 * 3:
        data = b64encode(data).decode()
    if isinstance(url, str):
        if url.startswith("https://"):
            return url if len(url) <= _MAX_LINK else None
        mime_type = url[:30].removeprefix("data:").partition(";")[0]
        return url if len(url) <= MAX_IMAGE and mime_type in _SHOWN_TYPES else None
    if isinstance(data, str) and len(data) <= MAX_IMAGE and str(mime_type) in _SHOWN_TYPES:
        return f"data:{mime_type};base64,{data}"
    return None


def _word(kind: str, facts: Mapping[str, Any]) -> str:
    """Return the word for a block in its note. Google's blocks say with their MIME type only what they are."""
    of_type = str(facts.get("mime_type")).partition("/")[0]
    return of_type if kind == "media" and of_type in _MEDIA else _MEDIA.get(kind, "file")


def _facts(kind: str, block: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `url`, the `base64`, the `mime_type` and more of a block, by the names of LangChain's standard."""
    # Each provider puts them one level down, under a name of its own.
    inner = block.get(kind, block.get("source"))
    if inner is None and kind in {"input_image", "image_generation_call"}:
        inner = block.get("image_url", block.get("result"))
    source = as_mapping(as_mapping(inner).get("source"))  # Bedrock: two levels
    facts = {**block, **as_mapping(block.get("extras")), **as_mapping(inner), **source}
    if isinstance(inner, str):
        facts["base64" if kind == "image_generation_call" else "url"] = inner
    known: dict[str, Any] = {
        "url": _first(facts, "url", "file_url", "file_uri"),
        "base64": _first(facts, "base64", "data", "file_data", "bytes"),
        "mime_type": _first(facts, "mime_type", "media_type"),
        "file_id": _first(facts, "file_id"),
        "text": _first(facts, "text"),
        "filename": _first(facts, "filename", "title", "name"),
    }
    if facts.get("source_type") == "id" and facts.get("id"):
        known["file_id"] = facts["id"]
    if facts.get("type") == "text" or facts.get("source_type") == "text":
        known["text"], known["base64"] = _first(facts, "text", "data"), None
    elif isinstance(data := known["base64"], str) and data.startswith("data:"):
        known["url"] = data
    if not known["mime_type"] and isinstance(form := _first(facts, "format", "output_format"), str):
        word = _MEDIA.get(kind, "")
        known["mime_type"] = f"{word if word in {'image', 'audio', 'video'} else 'application'}/{form}"
    return {name: value for name, value in known.items() if value is not None}


def _first(facts: Mapping[str, Any], *names: str) -> Any:
    return next((facts[name] for name in names if facts.get(name)), None)
