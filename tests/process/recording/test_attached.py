"""However the handler is attached, and from however many threads and loops: each run is recorded once."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

from langchain_label_studio import LabelStudioCallbackHandler
from tests.support.listeners import AsyncListener, InlineListener, Listener
from tests.support.openai_stub import OpenAIStub, running_stub
from tests.support.recording import Recording, recording

stub = pytest.fixture(scope="module")(running_stub)
recorded = pytest.fixture(recording)

Handler = LabelStudioCallbackHandler


@pytest.fixture
def chat(stub: OpenAIStub) -> Callable[..., ChatOpenAI]:
    return stub.chat


PROMPT = ChatPromptTemplate.from_messages([("human", "{text}")])
ATTACHED: dict[str, Callable[[Callable[..., ChatOpenAI], Handler], Any]] = {
    "constructor": lambda chat, handler: chat(callbacks=[handler]).invoke("Hi"),
    "config": lambda chat, handler: chat().invoke("Hi", {"callbacks": [handler]}),
    "with_config": lambda chat, handler: chat().with_config(callbacks=[handler]).invoke("Hi"),
    "constructor and config": lambda chat, handler: chat(callbacks=[handler]).invoke(
        "Hi", {"callbacks": [handler]}
    ),
    "with_config and config": lambda chat, handler: (
        chat().with_config(callbacks=[handler]).invoke("Hi", {"callbacks": [handler]})
    ),
    "twice in a list": lambda chat, handler: chat().invoke("Hi", {"callbacks": [handler, handler]}),
    "model and chain": lambda chat, handler: (PROMPT | chat(callbacks=[handler])).invoke(
        "Hi", {"callbacks": [handler]}
    ),
    "everywhere": lambda chat, handler: (
        (PROMPT | chat(callbacks=[handler, handler]))
        .with_config(callbacks=[handler])
        .invoke("Hi", {"callbacks": [handler, handler]})
    ),
    "a copy of the model": lambda chat, handler: chat(callbacks=[handler]).model_copy().invoke("Hi"),
    "a deep copy of the config": lambda chat, handler: chat().invoke(
        "Hi", copy.deepcopy({"callbacks": [handler]})
    ),
    "bind": lambda chat, handler: chat(callbacks=[handler]).bind(temperature=0.1).invoke("Hi"),
}


@pytest.mark.parametrize("attached", ATTACHED.values(), ids=ATTACHED)
def test_a_run_is_recorded_once(
    attached: Callable[[Callable[..., ChatOpenAI], Handler], Any],
    chat: Callable[..., ChatOpenAI],
    recorded: Recording,
) -> None:
    attached(chat, recorded.handler)

    assert recorded.answer == "Echo: Hi"
    assert recorded.handler.stats().submitted == 1


@pytest.mark.parametrize("other", [Listener, InlineListener, AsyncListener])
async def test_other_handlers_hear_what_they_heard_without_ours(
    other: type[Listener], chat: Callable[..., ChatOpenAI], recorded: Recording
) -> None:
    listener = other()
    await chat().ainvoke("Hi", {"callbacks": [recorded.handler, listener]})

    assert listener.heard == ["start", "end"]
    assert recorded.answer == "Echo: Hi"


def test_two_handlers_record_the_same_run_each(chat: Callable[..., ChatOpenAI], recorded: Recording) -> None:
    other = Recording()
    chat(callbacks=[other.handler]).invoke("Hi", {"callbacks": [recorded.handler]})

    assert recorded.run.run_id == other.run.run_id
    other.check()
    other.handler.close()


def test_many_threads_at_once_lose_nothing_and_mix_nothing_up(
    chat: Callable[..., ChatOpenAI], recorded: Recording
) -> None:
    model = chat(callbacks=[recorded.handler])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: model.invoke(f"Question {number}"), range(40)))

    pairs = {(run.prompt[0]["content"], run.answers[0]["content"]) for run in recorded.runs}
    assert pairs == {(f"Question {number}", f"Echo: Question {number}") for number in range(40)}


async def test_many_tasks_of_a_loop_lose_nothing_and_mix_nothing_up(
    chat: Callable[..., ChatOpenAI], recorded: Recording
) -> None:
    model = chat(callbacks=[recorded.handler])
    await asyncio.gather(*(model.ainvoke(f"Question {number}") for number in range(40)))

    pairs = {(run.prompt[0]["content"], run.answers[0]["content"]) for run in recorded.runs}
    assert pairs == {(f"Question {number}", f"Echo: Question {number}") for number in range(40)}


def test_several_event_loops_share_a_handler(chat: Callable[..., ChatOpenAI], recorded: Recording) -> None:
    def run(name: int) -> None:
        async def ask() -> None:
            model = chat(callbacks=[recorded.handler])
            await asyncio.gather(*(model.ainvoke(f"Loop {name}, question {number}") for number in range(5)))

        asyncio.run(ask())

    threads = [threading.Thread(target=run, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(recorded.runs) == 20
    assert all(f"Echo: {run.prompt[0]['content']}" == run.answers[0]["content"] for run in recorded.runs)


async def test_sync_and_async_calls_share_a_handler(
    chat: Callable[..., ChatOpenAI], recorded: Recording
) -> None:
    model = chat(callbacks=[recorded.handler])
    model.invoke("from a running loop")
    await asyncio.gather(asyncio.to_thread(model.invoke, "from a thread"), model.ainvoke("from a task"))

    asked = {run.prompt[0]["content"] for run in recorded.runs}
    assert asked == {"from a running loop", "from a thread", "from a task"}
