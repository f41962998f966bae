"""Runs that fail, break off, are cancelled or left alone: what had come is kept, secrets are not."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAI

from tests.support.openai_stub import OpenAIStub, Reply, call_tool, fail, running_stub, say
from tests.support.recording import Recording, recording

stub = pytest.fixture(scope="module")(running_stub)
recorded = pytest.fixture(recording)
SECRET = "sk-proj-abcdef0123456789"
LONG = "Once upon a time there was a very long answer."


@pytest.fixture
def with_errors() -> Iterator[Recording]:
    yield from recording(include_errors=True)


@pytest.fixture(params=["chat", "completion"])
def model(request: pytest.FixtureRequest, stub: OpenAIStub) -> ChatOpenAI | OpenAI:
    stub.reset()
    kind = ChatOpenAI if request.param == "chat" else OpenAI
    return kind(base_url=stub.base_url, api_key=SECRET, model="stub-1", max_retries=0)


@pytest.fixture
def chat(stub: OpenAIStub) -> ChatOpenAI:
    return stub.chat(api_key=SECRET)


def says(piece: Any, text: str) -> bool:
    return (piece if isinstance(piece, str) else piece.text) == text


def check_beginning(recorded: Recording) -> None:
    """See that the answer is what came up to "time"; a completion model keeps a piece once the next is asked for."""
    assert recorded.answer == ("Once upon a time" if recorded.run.kind == "chat" else "Once upon a ")


FAILURES: dict[str, tuple[Reply, str]] = {
    "a refused key": (
        fail(401, f"Incorrect API key provided: {SECRET}.", **{"set-cookie": "session=top-secret"}),
        "Error code: 401 - ",
    ),
    "too many requests": (fail(429, "Slow down.", **{"retry-after": "1"}), "Error code: 429 - "),
    "a broken server": (fail(500, "Traceback: Authorization: Bearer abcdefghijklmnop"), "Error code: 500 - "),
}


@pytest.mark.parametrize(("reply", "said"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream"])
async def test_a_failed_run_is_recorded_on_request_without_secrets(
    reply: Reply,
    said: str,
    way: str,
    model: Any,
    stub: OpenAIStub,
    recorded: Recording,
    with_errors: Recording,
) -> None:
    stub.reply(reply)
    config = {"callbacks": [recorded.handler, with_errors.handler]}
    with pytest.raises(openai.APIStatusError):
        if way == "ainvoke":
            await model.ainvoke("Hi", config)
        elif way == "stream":
            list(model.stream("Hi", config))
        else:
            model.invoke("Hi", config)

    assert recorded.runs == []
    run = with_errors.run
    assert (run.status, run.answers, run.model) == ("error", (), "stub-1")
    assert run.error
    assert said in run.error
    task = with_errors.task()
    assert task["data"]["prompt"] == "Hi"
    assert (task["data"]["status"], task["data"]["error"], task["predictions"]) == ("error", run.error, [])
    for secret in (SECRET, "top-secret", "abcdefghijklmnop"):
        assert secret not in str(task)


def test_one_failure_fails_every_run_of_a_batch_of_completions(
    stub: OpenAIStub, with_errors: Recording
) -> None:
    stub.reset()
    stub.reply(fail(500, "not now"))
    model = OpenAI(base_url=stub.base_url, api_key=SECRET, model="stub-1", max_retries=0)
    with pytest.raises(openai.InternalServerError):
        model.batch(["one", "two"], {"callbacks": [with_errors.handler]})

    assert [(run.prompt[0]["content"], run.status) for run in with_errors.runs] == [
        ("one", "error"),
        ("two", "error"),
    ]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("end", ["close", "reset"])
async def test_what_had_come_of_a_broken_stream_is_kept(
    end: str, asynchronous: bool, model: Any, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(say(LONG).but(end=end))
    config = {"callbacks": [recorded.handler]}
    with pytest.raises(Exception):  # noqa: B017 (each version of httpx and openai has its own)
        if asynchronous:
            [piece async for piece in model.astream("Hi", config)]
        else:
            list(model.stream("Hi", config))

    assert recorded.run.status == "partial"
    # A reset may overtake the last pieces.
    assert LONG.startswith(recorded.answer)
    assert recorded.run.error


def test_a_chat_stream_that_ends_without_a_reason_is_whole(
    chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    """Many servers that speak like OpenAI's give no reason."""
    stub.reply(say(LONG).but(end="no_reason"))
    list(chat.stream("Hi", {"callbacks": [recorded.handler]}))

    assert (recorded.run.status, recorded.answer, recorded.run.finish_reason) == ("success", LONG, None)


def test_a_tool_call_that_breaks_off_is_kept(chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording) -> None:
    stub.reply(call_tool("get_weather", '{"city": "Par').but(end="no_reason"))
    list(chat.stream("Hi", {"callbacks": [recorded.handler]}))

    assert recorded.run.status == "partial"
    (text,) = recorded.shown()
    assert text.startswith("→ get_weather(")


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_what_a_reader_saw_before_it_stopped_is_kept(
    asynchronous: bool, model: Any, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(say(LONG))
    config = {"callbacks": [recorded.handler]}
    if asynchronous:
        apieces = model.astream("Hi", config)
        async for piece in apieces:
            if says(piece, "time"):
                break
        await apieces.aclose()
    else:
        for piece in model.stream("Hi", config):
            if says(piece, "time"):
                break
        gc.collect()

    assert (recorded.run.status, recorded.run.error) == ("partial", None)
    check_beginning(recorded)


def test_a_stream_left_before_its_first_word_is_recorded_on_request(
    chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording, with_errors: Recording
) -> None:
    stub.reply(say(LONG))
    pieces = chat.stream("Hi", {"callbacks": [recorded.handler, with_errors.handler]})
    assert not next(pieces).text
    pieces.close()

    assert recorded.runs == []
    assert (with_errors.run.status, with_errors.run.error) == ("abandoned", None)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


async def eventually(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", ["cancel", "timeout"])
async def test_a_cancelled_call_does_no_harm(
    way: str, model: Any, stub: OpenAIStub, with_errors: Recording, gate: threading.Event
) -> None:
    stub.reply(say("too late").but(gate=gate))
    config = {"callbacks": [with_errors.handler]}
    if way == "timeout":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.ainvoke("Hi", config), 0.3)
    else:
        task = asyncio.create_task(model.ainvoke("Hi", config))
        await eventually(lambda: bool(stub.requests))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    gate.set()
    await model.ainvoke("and again", config)

    # LangChain may announce no end at all; if it does, it is told apart from a failure.
    *cancelled, last = with_errors.runs
    assert last.status == "success"
    assert [run.status for run in cancelled] in ([], ["cancelled"])
    assert len(cancelled) + with_errors.open_runs == 1, "one of the two knows of it"


async def test_what_had_come_of_a_cancelled_stream_is_kept(
    model: Any, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(say(LONG))
    came = asyncio.Event()

    async def read() -> None:
        async for piece in model.astream("Hi", {"callbacks": [recorded.handler]}):
            if says(piece, "time"):
                came.set()
                await asyncio.sleep(10)

    task = asyncio.create_task(read())
    await came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: recorded.open_runs == 0)

    assert recorded.run.status == "partial"
    check_beginning(recorded)


@pytest.mark.needs("langchain-core>=1.4")
@pytest.mark.filterwarnings("ignore:.*is in beta")
async def test_a_version_3_stream_nobody_closes_is_recorded_once(
    chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    """LangChain announces its end, and then an error."""

    async def read() -> str:
        stream = await chat.astream_events("Hi", {"callbacks": [recorded.handler]}, version="v3")
        return await stream.text

    assert await asyncio.to_thread(asyncio.run, read()) == "Echo: Hi"
    assert recorded.answer == "Echo: Hi"
    assert recorded.run.status == "success"


def test_a_generate_that_fails_for_one_leaves_the_others_open(
    chat: ChatOpenAI, stub: OpenAIStub, with_errors: Recording
) -> None:
    """LangChain announces no end of the good ones: they are bounded, and given up after an hour."""
    stub.reply(say("good"), fail(500, "not now"), say("good"))
    with pytest.raises(openai.InternalServerError):
        chat.generate(
            [[HumanMessage(text)] for text in ("a", "b", "c")],
            callbacks=[with_errors.handler],
        )

    assert [run.status for run in with_errors.runs] == ["error"]
    assert with_errors.open_runs == 3 - len(with_errors.runs)
