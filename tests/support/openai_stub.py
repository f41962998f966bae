"""An OpenAI-compatible server on a real socket that answers as it is told."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal, Self

from langchain_openai import ChatOpenAI

from tests.support.servers import BusyServer

MODEL = "stub-1-2026-11-01"
"""The model's name as the responses give it: more exact than what was asked for."""

End = Literal["finish", "no_reason", "close", "reset"]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer, the same for a plain request and for a stream.

    Attributes:
        choices: The candidates, as `message` of a chat completion.
        finish_reason: Of every candidate.
        usage: Whether token counts come with it.
        end: How a stream ends; "no_reason" is a server that stops politely, but too early;
            "close" and "reset" break the connection.
        status: The HTTP status; from 400 on, `error` is the body.
        error: The body of a failure.
        headers: Further headers.
        gate: The answer waits until it is set.
    """

    choices: Sequence[Mapping[str, Any]] = ()
    finish_reason: str = "stop"
    usage: bool = True
    end: End = "finish"
    status: int = 200
    error: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    gate: threading.Event | None = None

    def but(self, **changes: Any) -> Reply:
        """Return the same answer with something changed."""
        return replace(self, **changes)


def say(*texts: str | None, **further: Any) -> Reply:
    """Answer with text; several texts are the candidates of n > 1. `further` goes into each message."""
    return Reply(choices=[{"role": "assistant", "content": text, **further} for text in texts])


def call_tool(name: str, arguments: str | Mapping[str, Any], *, content: str | None = None) -> Reply:
    """Answer with a tool call; arguments that are text are sent as they are."""
    sent = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": sent}}
    return say(content, tool_calls=[call]).but(finish_reason="tool_calls")


def fail(status: int, message: str, **headers: str) -> Reply:
    """Answer with an error."""
    error = {"message": message, "type": "stub", "param": None, "code": "stub"}
    return Reply(status=status, error={"error": error}, headers=headers)


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    path: str
    body: Mapping[str, Any]

    @property
    def last_text(self) -> str:
        """What was asked last."""
        if "messages" in self.body:
            content = self.body["messages"][-1]["content"]
            return content if isinstance(content, str) else json.dumps(content)
        asked = self.body.get("prompt") or self.body.get("input")
        return asked if isinstance(asked, str) else str(asked)


def echo(request: Request) -> Reply:
    """Answer with what was asked: for many requests at once, whose order nobody knows."""
    prompts = request.body.get("prompt")
    texts = prompts if isinstance(prompts, list) else [request.last_text]
    return say(*(f"Echo: {text}" for text in texts))


class OpenAIStub:
    """Answers `/v1/chat/completions`, `/v1/completions` and `/v1/responses`.

    Attributes:
        script: The answers, in order; once it is used up, `otherwise` answers.
        otherwise: Makes an answer of a request.
        requests: What was asked.
    """

    def __init__(self) -> None:
        self.script: list[Reply] = []
        self.otherwise: Callable[[Request], Reply] = echo
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._server = BusyServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = False
        self._server.stub = self  # type: ignore[attr-defined]
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def reply(self, *replies: Reply) -> None:
        """Answer the next requests with these."""
        self.script += replies

    def reset(self) -> None:
        """Forget the script and what was asked."""
        self.script.clear()
        self.requests.clear()
        self.otherwise = echo

    def chat(self, **options: Any) -> ChatOpenAI:
        """Forget what was asked, and return a chat model of langchain-openai that asks here, nothing twice."""
        self.reset()
        return ChatOpenAI(
            **{"base_url": self.base_url, "api_key": "sk-x", "model": "stub-1", "max_retries": 0} | options
        )

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            return self.script.pop(0) if self.script else self.otherwise(request)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()  # waits for the threads
        self._thread.join(10)


def running_stub() -> Iterator[OpenAIStub]:
    """Be a fixture: `stub = pytest.fixture(scope="module")(running_stub)`."""
    with OpenAIStub() as stub:
        yield stub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        reply = self.server.stub.answer(Request(self.path, body))  # type: ignore[attr-defined]
        if reply.gate:
            assert reply.gate.wait(10)
        try:
            if body.get("stream") and reply.status == 200:
                self._stream(_CHUNKS[self.path](reply, body), reply.end)
            else:
                self._whole(reply, _WHOLE[self.path](reply, body))
        except OSError:
            self.close_connection = True  # the client went away

    def log_message(self, *_: object) -> None:
        pass

    def _head(self, reply_status: int, content_type: str, **headers: str) -> None:
        # A connection for each request: no thread waits for the next one.
        self.close_connection = True
        self.send_response(reply_status)
        for name, value in {"Content-Type": content_type, "Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _whole(self, reply: Reply, answer: Mapping[str, Any]) -> None:
        data = json.dumps(answer if reply.status == 200 else reply.error).encode()
        self._head(
            reply.status,
            "application/json",
            **{"Content-Length": str(len(data)), "x-request-id": "req_1", **reply.headers},
        )
        self.wfile.write(data)

    def _stream(self, chunks: Iterator[Mapping[str, Any]], end: End) -> None:
        self._head(200, "text/event-stream", **{"Transfer-Encoding": "chunked"})
        for chunk in chunks:
            self._event(json.dumps(chunk))
        if end == "finish":
            self._event("[DONE]")
        if end in {"finish", "no_reason"}:
            self.wfile.write(b"0\r\n\r\n")
        elif end == "reset":
            # Closing at once, without lingering, is a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.wfile.flush()


def _usage(reply: Reply) -> dict[str, int] | None:
    """Return token counts that tell a reader where they came from."""
    written = 5 * len(reply.choices)
    return (
        {"prompt_tokens": 11, "completion_tokens": written, "total_tokens": 11 + written}
        if reply.usage
        else None
    )


def _envelope(kind: str, choices: list[dict[str, Any]], usage: dict[str, int] | None) -> dict[str, Any]:
    return {"id": "stub-1", "object": kind, "created": 1, "model": MODEL, "choices": choices, "usage": usage}


def _chat(reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
    choices = [
        {"index": index, "message": message, "finish_reason": reply.finish_reason, "logprobs": None}
        for index, message in enumerate(reply.choices)
    ]
    return _envelope("chat.completion", choices, _usage(reply))


def _completion(reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
    choices = [
        {"index": index, "text": message["content"], "finish_reason": reply.finish_reason, "logprobs": None}
        for index, message in enumerate(reply.choices)
    ]
    return _envelope("text_completion", choices, _usage(reply))


def _pieces(text: str | None) -> list[str]:
    """Return the text in pieces of four characters."""
    return [text[at : at + 4] for at in range(0, len(text or ""), 4)] if text else []


def _deltas(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    if thoughts := message.get("reasoning_content"):
        yield {"reasoning_content": thoughts}
    for piece in _pieces(message.get("content")):
        yield {"content": piece}
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        head = {"index": index, "id": call["id"], "type": "function"}
        yield {"tool_calls": [head | {"function": {"name": function["name"], "arguments": ""}}]}
        for piece in _pieces(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _chat_chunks(reply: Reply, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    def chunk(*choices: dict[str, Any], usage: dict[str, int] | None = None) -> dict[str, Any]:
        return _envelope("chat.completion.chunk", list(choices), usage)

    for index, message in enumerate(reply.choices):
        for delta in _deltas(message):
            yield chunk({"index": index, "delta": delta, "finish_reason": None})
        if reply.end == "finish":
            yield chunk({"index": index, "delta": {}, "finish_reason": reply.finish_reason})
    if reply.end == "finish" and (body.get("stream_options") or {}).get("include_usage"):
        yield chunk(usage=_usage(reply))


def _completion_chunks(reply: Reply, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for index, message in enumerate(reply.choices):
        for piece in _pieces(message["content"]):
            yield _envelope("text_completion", [{"index": index, "text": piece, "finish_reason": None}], None)
        if reply.end == "finish":
            last = {"index": index, "text": "", "finish_reason": reply.finish_reason}
            yield _envelope("text_completion", [last], None)


def _response(reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
    message = reply.choices[0]
    text = {"type": "output_text", "text": message["content"], "annotations": []}
    said = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}
    summary = [{"type": "summary_text", "text": message.get("reasoning_content", "")}]
    thought = {"type": "reasoning", "id": "rs_1", "summary": summary}
    counts = {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 3}}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": MODEL,
        "output": [thought, said],
        "usage": counts | details,
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
    }


_WHOLE = {"/v1/chat/completions": _chat, "/v1/completions": _completion, "/v1/responses": _response}
_CHUNKS = {"/v1/chat/completions": _chat_chunks, "/v1/completions": _completion_chunks}
