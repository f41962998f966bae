"""`read_turns`: the conversation that a tag shows, as turns."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from langchain_label_studio.label_config.parse import InputTag
from langchain_label_studio.recording.messages import message_of_api
from langchain_label_studio.types.images import media_note, note_of_image
from langchain_label_studio.types.turn import Turn, is_plain

_SPEAKER_KEYS = ("role", "author", "from", "speaker", "name")
_SPEECH_KEYS = ("content", "text", "value")
_ROLES = {
    **{role: role for role in ("user", "assistant", "system", "tool")},
    **dict.fromkeys(("human", "customer"), "user"),
    **dict.fromkeys(("ai", "bot", "chatbot", "robot", "gpt", "llm", "agent", "model"), "assistant"),
    "developer": "system",
    "function": "tool",
}
MEDIA_TAGS = {
    "Audio": "audio",
    "AudioPlus": "audio",
    "Image": "image",
    "Pdf": "file",
    "TimeSeries": "file",
    "Video": "video",
}
"""The tags that show no text, with the word for what they show."""


def read_turns(value: Any, tag: InputTag | None = None) -> tuple[Turn, ...]:
    """Return the value of a tag as turns: a list of turns, or the text of a user.

    A list of texts is one text in paragraphs.
    """
    if isinstance(value, list):
        speaker = (tag.name_key if tag else "", *_SPEAKER_KEYS)
        speech = (tag.text_key if tag else "", *_SPEECH_KEYS)
        turns = [_turn(item, speaker, speech) for item in value if isinstance(item, Mapping)]
        if paragraphs := [item for item in value if isinstance(item, str) and item]:
            turns.append({"role": "user", "content": "\n\n".join(paragraphs)})
        # One empty turn means no turn: see `prompt_value`.
        return () if len(turns) == 1 and is_plain(turns[0]) and not turns[0]["content"] else tuple(turns)
    if value is None or value == "":
        return ()
    text = visible_text(value) if tag and tag.type == "HyperText" and isinstance(value, str) else str(value)
    return ({"role": "user", "content": text},)


def _turn(item: Mapping[str, Any], speaker: tuple[str, ...], speech: tuple[str, ...]) -> Turn:
    # Loops, because each turn of each task comes here.
    speaker_key = speech_key = ""
    for key in speaker:
        if item.get(key):
            speaker_key = key
            break
    for key in speech:
        if item.get(key) is not None:
            speech_key = key
            break
    said, content = str(item.get(speaker_key, "user")), item.get(speech_key, "")
    role = _ROLES.get(said.casefold(), said)
    if isinstance(content, str) and item.keys() <= {speaker_key, speech_key}:
        return {"role": role, "content": content}
    return message_of_api(role, content, item)


def note_of_tag(tag: InputTag, value: Any) -> str:
    """Return a note of what a tag such as `<Image>` shows. No row holds it, only the note."""
    return media_note(MEDIA_TAGS.get(tag.type, "file"), {"url": str(value)})


class _VisibleText(HTMLParser):
    """Collects the visible text of a page, a line for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.images: list[str] = []
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag in {"script", "style"}
        if tag == "img":
            self.images.append(dict(attrs).get("src") or "")
        if tag == "br":
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        if tag in {"p", "div", "li", "tr"}:
            self.pieces.append("\n")


def visible_text(html: str) -> str:
    """Return the text of a page as a person sees it. A page that shows only images is a note of each."""
    parser = _VisibleText()
    parser.feed(html)
    parser.close()
    return "".join(parser.pieces).strip() or "\n".join(map(note_of_image, parser.images))
