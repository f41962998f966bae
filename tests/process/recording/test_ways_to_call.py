"""However a model is called, a run becomes one task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAI

from tests.support.openai_stub import MODEL, OpenAIStub, running_stub
from tests.support.recording import Recording, recording

stub = pytest.fixture(scope="module")(running_stub)
recorded = pytest.fixture(recording)

Model = ChatOpenAI | OpenAI
Config = dict[str, Any]
Call = Callable[[Model, str, Config], Any]


@pytest.fixture(params=["chat", "completion"])
def model(request: pytest.FixtureRequest, stub: OpenAIStub) -> Model:
    if request.param == "chat":
        return stub.chat(stream_usage=True)
    stub.reset()
    return OpenAI(base_url=stub.base_url, api_key="sk-x", model="stub-1")


def read(stream: Iterator[Any]) -> None:
    for _ in stream:
        pass


async def aread(stream: Any) -> None:
    async for _ in stream:
        pass


def asked(llm: Model, text: str) -> list[Any]:
    return [[HumanMessage(text)] if isinstance(llm, ChatOpenAI) else text]


async def astream_v3(llm: Model, text: str, config: Config) -> None:
    async with await llm.astream_events(text, config, version="v3") as stream:
        async for _ in stream.text:
            pass


def stream_v3(llm: Model, text: str, config: Config) -> None:
    read(llm.stream_events(text, config, version="v3").text)


WHOLE: dict[str, Call] = {
    "invoke": lambda llm, text, config: llm.invoke(text, config),
    "ainvoke": lambda llm, text, config: llm.ainvoke(text, config),
    "batch": lambda llm, text, config: llm.batch([text], config),
    "abatch": lambda llm, text, config: llm.abatch([text], config),
    "generate": lambda llm, text, config: llm.generate(asked(llm, text), **config),
    "agenerate": lambda llm, text, config: llm.agenerate(asked(llm, text), **config),
}
STREAMED: dict[str, Call] = {
    "stream": lambda llm, text, config: read(llm.stream(text, config)),
    "astream": lambda llm, text, config: aread(llm.astream(text, config)),
    "astream_events v2": lambda llm, text, config: aread(llm.astream_events(text, config, version="v2")),
}
EVENTS: dict[str, Call] = {"stream_events v3": stream_v3, "astream_events v3": astream_v3}


async def call(how: Call, llm: Model, text: str, recorded: Recording) -> None:
    done = how(llm, text, {"callbacks": [recorded.handler]})
    if inspect.isawaitable(done):
        await done


def check_run(recorded: Recording, model: Model) -> None:
    run = recorded.run
    kind = "chat" if isinstance(model, ChatOpenAI) else "completion"
    assert (run.kind, run.status) == (kind, "success")
    assert [(turn["role"], turn["content"]) for turn in run.prompt] == [("user", "Hi there")]
    assert [(turn["role"], turn["content"]) for turn in run.answers] == [("assistant", "Echo: Hi there")]
    assert run.finish_reason == "stop"
    assert run.trace_id == run.run_id
    assert run.started_at
    assert run.latency_ms is not None
    assert run.latency_ms > 0
    assert recorded.task()["data"]["prompt"] == "Hi there"
    assert recorded.shown() == recorded.shown("chat") == ["Echo: Hi there"]


@pytest.mark.parametrize("how", WHOLE.values(), ids=WHOLE)
async def test_a_call_makes_one_run(
    how: Call, model: Model, recorded: Recording, request: pytest.FixtureRequest
) -> None:
    await call(how, model, "Hi there", recorded)

    check_run(recorded, model)
    run = recorded.run
    # What a completion model's result calls its name is that of its constructor.
    assert run.model == (MODEL if isinstance(model, ChatOpenAI) else "stub-1")
    # LangChain does not say it of a completion model's `generate`.
    assert run.provider == "openai" or (run.provider is None and "generate" in request.node.callspec.id)
    assert (run.input_tokens, run.output_tokens, run.total_tokens) == (11, 5, 16)


@pytest.mark.parametrize("how", STREAMED.values(), ids=STREAMED)
async def test_a_stream_makes_one_run(how: Call, model: Model, recorded: Recording) -> None:
    await call(how, model, "Hi there", recorded)

    check_run(recorded, model)
    run = recorded.run
    if isinstance(model, ChatOpenAI):
        assert (run.model, run.total_tokens) == (MODEL, 16)
    else:
        # Nothing in a completion's stream names the model that answered.
        assert (run.model, run.total_tokens) == ("stub-1", None)


@pytest.mark.needs("langchain-core>=1.4")
@pytest.mark.filterwarnings("ignore:.*is in beta")
@pytest.mark.parametrize("how", EVENTS.values(), ids=EVENTS)
async def test_the_event_stream_of_version_3_makes_one_run(
    how: Call, stub: OpenAIStub, recorded: Recording
) -> None:
    model = stub.chat(stream_usage=True)
    await call(how, model, "Hi there", recorded)

    check_run(recorded, model)
    assert (recorded.run.model, recorded.run.total_tokens) == (MODEL, 16)


async def test_a_model_that_streams_inside_invoke_makes_one_run(
    stub: OpenAIStub, recorded: Recording
) -> None:
    model = stub.chat(streaming=True, stream_usage=True)
    await model.ainvoke("Hi there", {"callbacks": [recorded.handler]})

    check_run(recorded, model)


async def test_listening_takes_no_event_from_others(model: Model, recorded: Recording) -> None:
    """LangChain's own stream of events is another handler of the same run (langchain#39633)."""
    config = {"callbacks": [recorded.handler]}
    events = [event["event"] async for event in model.astream_events("Hi there", config, version="v2")]

    kind = "chat_model" if isinstance(model, ChatOpenAI) else "llm"
    assert (events[0], events[-1]) == (f"on_{kind}_start", f"on_{kind}_end")


@pytest.mark.parametrize("way", ["batch", "abatch"])
async def test_a_batch_makes_a_run_of_each_prompt(way: str, model: Model, recorded: Recording) -> None:
    config = {"callbacks": [recorded.handler]}
    done = getattr(model, way)(["one", "two", "three"], config)
    if inspect.isawaitable(done):
        await done

    pairs = {(run.prompt[0]["content"], run.answers[0]["content"]) for run in recorded.runs}
    assert pairs == {(text, f"Echo: {text}") for text in ("one", "two", "three")}


def test_the_tokens_of_one_request_for_many_prompts_are_nobodys(
    stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reset()
    model = OpenAI(base_url=stub.base_url, api_key="sk-x", model="stub-1")
    model.batch(["one", "two"], {"callbacks": [recorded.handler]})

    assert len(stub.requests) == 1
    assert [run.total_tokens for run in recorded.runs] == [None, None]


def test_what_the_config_says_of_a_run_is_kept(model: Model, recorded: Recording) -> None:
    run_id = uuid4()
    model.invoke(
        "Hi there",
        {
            "callbacks": [recorded.handler],
            "run_id": run_id,
            "run_name": "greeting",
            "tags": ["a", "b"],
            "metadata": {"thread_id": "t-1", "user_id": 7, "password": "hunter2"},
        },
    )

    run = recorded.run
    assert (run.run_id, run.run_name, run.thread_id) == (str(run_id), "greeting", "t-1")
    data = recorded.task()["data"]
    assert (data["tags"], data["run_name"], data["thread_id"]) == ("a, b", "greeting", "t-1")
    assert recorded.task()["meta"]["metadata"]["user_id"] == 7
    assert "hunter2" not in str(recorded.task())


def test_a_completion_in_a_chat_project_and_a_chat_in_a_prompt_project_lose_nothing(
    model: Model, recorded: Recording
) -> None:
    model.invoke([("system", "Be kind."), ("human", "Hi")], {"callbacks": [recorded.handler]})

    transcript, dialogue = recorded.task("prompt")["data"]["prompt"], recorded.task("chat")["data"]["prompt"]
    if isinstance(model, ChatOpenAI):
        assert transcript == "system: Be kind.\n\nuser: Hi"
        assert dialogue == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    else:
        assert transcript == "System: Be kind.\nHuman: Hi"
        assert dialogue == [{"role": "user", "content": "System: Be kind.\nHuman: Hi"}]
