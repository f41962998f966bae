"""Images of messages: small ones and links are kept, all have a note."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_label_studio.recording.media import MAX_IMAGE, MAX_IMAGES, image_of
from langchain_label_studio.recording.messages import to_turn, to_turns
from langchain_label_studio.types.images import note_of_image

DATA = "QUJD" * 25
URL = f"data:image/png;base64,{DATA}"
LINK = "https://x.org/a.png"

IMAGES: dict[str, tuple[dict[str, Any], str]] = {
    "openai link": ({"type": "image_url", "image_url": {"url": LINK}}, LINK),
    "openai link, short": ({"type": "image_url", "image_url": LINK}, LINK),
    "openai responses": ({"type": "input_image", "image_url": LINK}, LINK),
    "openai data": ({"type": "image_url", "image_url": {"url": URL}}, URL),
    "standard link": ({"type": "image", "url": LINK}, LINK),
    "standard data": ({"type": "image", "base64": DATA, "mime_type": "image/png"}, URL),
    "standard of version 0": (
        {"type": "image", "source_type": "base64", "data": DATA, "mime_type": "image/png"},
        URL,
    ),
    "anthropic data": (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
        URL,
    ),
    "google": ({"type": "media", "mime_type": "image/png", "data": DATA}, URL),
    "bedrock": ({"image": {"format": "png", "source": {"bytes": b64decode(DATA)}}}, URL),
    "anthropic link": ({"type": "image", "source": {"type": "url", "url": LINK}}, LINK),
}


@pytest.mark.parametrize(("block", "image"), IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize(
    "message", [HumanMessage, AIMessage, lambda blocks: ToolMessage(blocks, tool_call_id="1")]
)
def test_an_image_is_kept_and_its_note_stands_in_the_text(message: Any, block: dict, image: str) -> None:
    turn = to_turn(message([{"type": "text", "text": "Look"}, block]))

    assert turn["images"] == [image]
    if turn["role"] == "assistant":
        assert (turn["content"], turn["notes"]) == ("Look", [note_of_image(image)])
    else:
        assert turn["content"] == f"Look\n{note_of_image(image)}"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "url": "http://x.org/a.png"},
        {"type": "image", "url": "file:///etc/passwd"},
        {"type": "image", "url": f"https://x.org/{'a' * 5_000}"},
        {"type": "image", "base64": "A" * (MAX_IMAGE + 1), "mime_type": "image/png"},
        {"type": "image", "url": f"data:image/png;base64,{'A' * MAX_IMAGE}"},
        {"type": "image", "base64": DATA, "mime_type": "image/svg+xml"},
        {"type": "image", "base64": DATA, "mime_type": ["image/png"]},
        {"type": "image", "base64": DATA},
        {"type": "image", "file_id": "f-1"},
        {"type": "image", "url": None},
        {"type": "audio", "base64": DATA, "mime_type": "audio/wav"},
        {"type": "file", "url": LINK},
        {"type": "odd", "url": LINK},
    ],
)
def test_what_is_no_small_image_is_only_a_note(block: dict[str, Any]) -> None:
    assert image_of(str(block["type"]), block) is None
    assert to_turn(HumanMessage([block])).keys() == {"role", "content"}


def test_of_many_images_the_latest_are_kept() -> None:
    each = {"type": "image", "base64": "A" * (MAX_IMAGES // 4), "mime_type": "image/png"}

    turns = to_turns([HumanMessage([each, each]), AIMessage("?"), HumanMessage([each, each])])

    assert [len(turn.get("images", ())) for turn in turns] == [1, 0, 2]
    assert [turn["content"].count("[image:") for turn in turns] == [2, 0, 2]
    assert "images" not in to_turns([HumanMessage([each]), HumanMessage([each] * 4)])[0]
