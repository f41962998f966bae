"""`Script`: what a provider answers, and what an application sees of it. `Provider`: how to make the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from langchain_label_studio.types.turn import Turn
from tests.conformance.scripted_server import Reply
from tests.conformance.wire import Event, cut_inside_characters, whole

WHOLE = ("invoke", "ainvoke")
STREAMS = ("stream", "astream")
WAYS = ("invoke", "stream", "ainvoke", "astream")

VERSIONS = ("default", "v1")
"""The content as the provider's package has it, and as blocks of LangChain's standard."""

SECRET = "c2VjcmV0LW9mLXRoZS1wcm92aWRlcg=="
"""Stands for what only the provider can read: encrypted content, signatures. No task has it."""

IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A small image, as base64."""

QUESTION = "What is the weather in Rome?"

WRITINGS = "Zürich: 30 °C, 晴れ 🌞"
"""A text with characters of two, three and four bytes."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """One shape of an answer.

    Attributes:
        name: What the shape is.
        whole: The answer, when it comes at once. None if the provider only streams this shape.
        events: The events, when the answer comes as a stream. None if the provider cannot stream this shape.
        text: The text that the application sees: `message.text`.
        said_beside: What the model said outside of this text: a refusal, a transcript.
        calls: The calls of tools: name and arguments.
        invalid_calls: The calls that nobody can read: name and arguments, as they came.
        reasoning: The thoughts.
        server_tools: The tools that the provider ran: the name, and what is in the result. Where LangChain's standard
            blocks have another name, both are there: `python|code_interpreter`.
        citations: The addresses or the titles of the sources.
        notes: The notes about what is not text.
        images: How many images there are to look at.
        finish_reason: Why the model stopped.
        options: What the model is asked with.
        ways: How the application asks.
        lost_in: The contents in which the package itself loses a part of it.
        sent_back: Whether the package can send the answer back, in a history.
        unreadable: Whether the package cannot read the answer, and raises an error of validation.
        cut: Whether the pieces in which a stream arrives end in the middle of characters that have several bytes.
    """

    name: str
    whole: Event | None = None
    events: Sequence[Event] | None = None
    text: str = ""
    said_beside: str = ""
    calls: Sequence[tuple[str, dict[str, Any]]] = ()
    invalid_calls: Sequence[tuple[str, str]] = ()
    reasoning: str = ""
    server_tools: Sequence[tuple[str, str]] = ()
    citations: Sequence[str] = ()
    notes: Sequence[str] = ()
    images: int = 0
    finish_reason: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    ways: Sequence[str] = WAYS
    lost_in: Sequence[str] = ()
    sent_back: bool = True
    unreadable: bool = False
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt in a shape of its own.

    Attributes:
        name: What the shape is.
        messages: The messages, as an application writes them.
        turns: What a reader sees of them.
    """

    name: str
    messages: Sequence[BaseMessage]
    turns: Sequence[Turn]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider package.

    Attributes:
        name: Its name.
        model: Makes the model, with the address of the server.
        model_name: The name of the model, as the answers have it.
        stream: Puts the events of a stream into bytes.
        scripts: The shapes of its answers. The first one is just a text.
        prompts: The shapes of the prompts that the package takes.
        ways: How an application can ask the models of this package.
        streams_always: Whether the package asks for a stream also when the application wants the whole.
        tokens: How many tokens each script reads and writes.
        versions: The shapes of the content that the package has.
    """

    name: str
    model: Callable[[str], BaseChatModel]
    model_name: str
    stream: Callable[[Sequence[Event]], Reply]
    scripts: Sequence[Script]
    prompts: Sequence[Prompt]
    ways: Sequence[str] = WAYS
    streams_always: bool = False
    tokens: tuple[int, int] = (12, 7)
    versions: Sequence[str] = VERSIONS

    def reply(self, script: Script, way: str) -> Reply | None:
        """Return what the server answers to a way of asking. None if the script has no such answer."""
        if way not in self.ways or way not in script.ways:
            return None
        if self.streams_always or way.endswith("stream"):
            if script.events is None:
                return None
            reply = self.stream(script.events)
            return cut_inside_characters(reply) if script.cut else reply
        return None if script.whole is None else whole(script.whole)


def halves(text: str) -> list[str]:
    """Return a text in two pieces, as a stream has it."""
    middle = len(text) // 2
    return [text[:middle], text[middle:]]
