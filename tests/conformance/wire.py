"""How the providers put an answer, or the events of a stream, into bytes."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from tests.conformance.scripted_server import Reply

Event = Mapping[str, Any]


def whole(body: Event) -> Reply:
    """Return an answer that is one JSON object."""
    return Reply(content_type="application/json", chunks=[_json(body)])


def server_sent_events(events: Sequence[Event]) -> Reply:
    """Return a stream of data, which ends with `[DONE]`: the chat completions of OpenAI and those that copy them."""
    return Reply(content_type="text/event-stream", chunks=[*map(_data, events), b"data: [DONE]\n\n"])


def named_events(events: Sequence[Event]) -> Reply:
    """Return a stream of events with names: Anthropic, and the responses of OpenAI."""
    lines = [b"event: %b\n%b" % (event["type"].encode(), _data(event)) for event in events]
    return Reply(content_type="text/event-stream", chunks=lines)


def json_lines(events: Sequence[Event]) -> Reply:
    """Return a stream of lines: Ollama."""
    return Reply(content_type="application/x-ndjson", chunks=[_json(event) + b"\n" for event in events])


def google_events(events: Sequence[Event]) -> Reply:
    """Return a stream of data, which just ends: Google."""
    return Reply(content_type="text/event-stream", chunks=[_data(event) for event in events])


def aws_event_stream(events: Sequence[Event]) -> Reply:
    """Return a stream of binary messages: Bedrock. Each event has one key, its name."""
    messages = [_aws_message(name, body) for event in events for name, body in event.items()]
    return Reply(content_type="application/vnd.amazon.eventstream", chunks=messages)


def cut_inside_characters(reply: Reply) -> Reply:
    """Return the same bytes, cut in the middle of each character that has several."""
    sent = b"".join(reply.chunks)
    going_on = (place for place, byte in enumerate(sent) if 0x80 <= byte < 0xC0)
    chunks = [sent[begin:end] for begin, end in pairwise([0, *going_on, len(sent)])]
    return replace(reply, chunks=chunks)


def _aws_message(name: str, body: Event) -> bytes:
    """Return lengths, headers and body, each part with its checksum."""
    headers = b"".join(
        _aws_header(key, value)
        for key, value in (
            (":event-type", name),
            (":content-type", "application/json"),
            (":message-type", "event"),
        )
    )
    payload = _json(body)
    # Two lengths, the checksum of these, the checksum of all: 4 bytes each.
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = lengths + _checksum(lengths) + headers + payload
    return message + _checksum(message)


def _aws_header(key: str, value: str) -> bytes:
    a_string = 7
    return (
        struct.pack(">B", len(key)) + key.encode() + struct.pack(">BH", a_string, len(value)) + value.encode()
    )


def _checksum(part: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(part))


def _data(event: Event) -> bytes:
    return b"data: %b\n\n" % _json(event)


def _json(value: Event) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
