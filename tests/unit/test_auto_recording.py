"""The switch and `record_runs`: every run is recorded once, whoever makes it, and nothing when they are off."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.callbacks.manager import trace_as_chain_group
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel
from langchain_core.tools import tool

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    SettingError,
    auto_recording,
    current_handler,
    get_default_label_configs,
    record_runs,
)
from langchain_label_studio.delivery.settings import resolve_delivery
from langchain_label_studio.label_studio.settings import resolve_settings
from tests.support.handlers import KEY, drained
from tests.support.listeners import AsyncListener, InlineListener, Listener
from tests.support.recording import Recording, keep_runs, recording

recorded = pytest.fixture(recording)
_nothing_waits = pytest.fixture(drained)
SWITCH = "LANGCHAIN_LABEL_STUDIO"
PROMPT = ChatPromptTemplate.from_messages([("human", "{text}")])

Model = Callable[..., FakeListChatModel]
Way = Callable[[Model, LabelStudioCallbackHandler], Any]


def chat(**options: Any) -> FakeListChatModel:
    return FakeListChatModel(responses=["Hello"], **options)


class Failing(FakeListChatModel):
    def _call(self, *_: Any, **__: Any) -> str:
        raise ConnectionError

    async def _acall(self, *_: Any, **__: Any) -> str:
        raise ConnectionError


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document("About it")]


class Seen:
    """What the switch, or a `with record_runs()`, has recorded."""

    def __init__(self, handler: LabelStudioCallbackHandler, **delivery: Any) -> None:
        self.handler = handler
        self._destination = keep_runs(resolve_settings(), resolve_delivery(**delivery))

    @property
    def runs(self) -> list[Any]:
        assert self.handler.flush(10)
        assert self.handler.stats().lost == {}
        return self._destination.runs


@pytest.fixture(autouse=True)
def _off_in_the_end(monkeypatch: pytest.MonkeyPatch, _nothing_waits: None) -> Iterator[None]:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    monkeypatch.delenv(SWITCH, raising=False)
    yield
    monkeypatch.delenv(SWITCH, raising=False)
    assert current_handler() is None


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> Seen:
    monkeypatch.setenv(SWITCH, "true")
    handler = current_handler()
    assert handler
    return Seen(handler)


@pytest.fixture(params=["switch", "with"])
def seen(request: pytest.FixtureRequest) -> Iterator[Seen]:
    with ExitStack() as stack:
        if request.param == "with":
            handler = stack.enter_context(record_runs(connect="lazy", flush_interval=3600))
            yield Seen(handler, flush_interval=3600)
        else:
            yield request.getfixturevalue("switched")


# Calls, and how many runs they make


async def take(stream: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in stream]


async def nested(text: str) -> str:
    async def inner(text: str) -> str:
        return (await chat().ainvoke(text)).text

    return await (RunnableLambda(inner) | RunnableLambda(inner)).ainvoke(text)


def generator(text: str) -> Iterator[Any]:
    yield from chat().stream(text)


@tool
def ask(text: str) -> str:
    """Ask a model inside a tool."""
    return chat().invoke(text).text


def grouped(text: str) -> None:
    with trace_as_chain_group("group") as manager:
        chat().invoke(text, {"callbacks": manager})


async def together() -> None:
    await asyncio.gather(*(chat().ainvoke(f"{number}") for number in range(5)))


async def from_a_thread() -> None:
    await asyncio.gather(asyncio.to_thread(chat().invoke, "1"), asyncio.create_task(chat().ainvoke("2")))


CALLS: dict[str, tuple[int, Callable[[], Any]]] = {
    "invoke": (1, lambda: chat().invoke("Hi")),
    "ainvoke": (1, lambda: chat().ainvoke("Hi")),
    "completion": (1, lambda: FakeListLLM(responses=["Hello"]).invoke("Hi")),
    "async completion": (1, lambda: FakeListLLM(responses=["Hello"]).ainvoke("Hi")),
    "batch": (3, lambda: chat().batch(["1", "2", "3"])),
    "abatch": (3, lambda: chat().abatch(["1", "2", "3"])),
    "batch of a chain": (3, lambda: (PROMPT | chat()).batch(["1", "2", "3"])),
    "abatch of a chain": (3, lambda: (PROMPT | chat()).abatch(["1", "2", "3"])),
    "stream": (1, lambda: list(chat().stream("Hi"))),
    "astream": (1, lambda: take(chat().astream("Hi"))),
    "astream_events": (1, lambda: take((PROMPT | chat()).astream_events("Hi", version="v2"))),
    "astream_log": (1, lambda: take((PROMPT | chat()).astream_log("Hi"))),
    "chain": (1, lambda: (PROMPT | chat()).invoke("Hi")),
    "stream of a chain": (1, lambda: list((PROMPT | chat()).stream("Hi"))),
    "parallel": (2, lambda: RunnableParallel(a=chat(), b=PROMPT | chat()).invoke("Hi")),
    "nested": (2, lambda: nested("Hi")),
    "nested stream": (1, lambda: list(RunnableLambda(generator).stream("Hi"))),
    "tool": (1, lambda: ask.invoke("Hi")),
    "tool in a chain": (1, lambda: (RunnableLambda(lambda text: {"text": text}) | ask).invoke("Hi")),
    "with_config": (1, lambda: chat().with_config(tags=["a"]).invoke("Hi")),
    "bind": (1, lambda: chat().bind(stop=["x"]).invoke("Hi")),
    "group": (1, lambda: grouped("Hi")),
    "fallback": (1, lambda: Failing(responses=[""]).with_fallbacks([chat()]).invoke("Hi")),
    "async fallback": (1, lambda: Failing(responses=[""]).with_fallbacks([chat()]).ainvoke("Hi")),
    "gather": (5, together),
    "to_thread and create_task": (2, from_a_thread),
}


@pytest.mark.filterwarnings("ignore:.*astream_log")
@pytest.mark.parametrize(("count", "call"), CALLS.values(), ids=CALLS)
async def test_each_run_is_recorded_once(count: int, call: Callable[[], Any], seen: Seen) -> None:
    if asyncio.iscoroutine(done := call()):
        await done

    assert [run.answers[0]["content"] for run in seen.runs] == ["Hello"] * count
    assert len({run.run_id for run in seen.runs}) == count


def test_runs_know_their_trace(seen: Seen) -> None:
    chain: Runnable[Any, Any] = RunnableLambda(lambda text: (PROMPT | chat()).invoke(text).text) | chat()
    chain.invoke("Hi", {"run_id": (root := uuid4())})

    assert [run.trace_id for run in seen.runs] == [str(root)] * 2


def test_they_know_it_inside_of_what_does_not_ask_the_hook(seen: Seen) -> None:
    """As the nodes of LangGraph, which take the callbacks they were handed."""

    def node(text: str, config: Any) -> str:
        run = config["callbacks"].on_chain_start({}, text, name="node")
        answer = chat().invoke(text, {"callbacks": run.get_child()}).text
        run.on_chain_end(answer)
        return answer

    RunnableLambda(node).invoke("Hi", {"run_id": (root := uuid4())})

    assert [run.trace_id for run in seen.runs] == [str(root)]


async def test_each_event_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: Counter[tuple[str, object]] = Counter()

    class Counting(LabelStudioCallbackHandler):
        """Counts what it is told."""

    def counting(event: str) -> Callable[..., None]:
        return lambda self, *_, run_id, **__: told.update([(event, run_id)])

    for event in (name for name in dir(Counting) if name.startswith("on_")):
        monkeypatch.setattr(Counting, event, counting(event), raising=False)
    with record_runs(Counting(connect="lazy")):
        chain = PROMPT | RunnableParallel(chat=chat(), text=FakeListLLM(responses=["Hello"]))
        await (chain | RunnableLambda(lambda found: {"text": found["text"]}) | ask | Shelf()).ainvoke("Hi")

    assert set(told.values()) == {1}
    kinds = Counter(event for event, _ in told)
    assert kinds.pop("on_llm_new_token", 0) == 0
    assert kinds == {
        **dict.fromkeys(("on_chain_start", "on_chain_end"), 4),
        **dict.fromkeys(("on_tool_start", "on_tool_end", "on_retriever_start", "on_retriever_end"), 1),
        "on_chat_model_start": 2,
        "on_llm_start": 1,
        "on_llm_end": 3,
    }


@pytest.mark.parametrize("other", [Listener, InlineListener, AsyncListener])
async def test_other_handlers_hear_what_they_heard_without_ours(other: type[Listener], seen: Seen) -> None:
    """See inline.py: LangChain forgets one kind of handler over the other."""
    listener = other()
    await FakeListLLM(responses=["Hello"]).ainvoke("Hi", {"callbacks": [listener]})

    assert listener.heard == ["start", "end"]
    assert [run.prompt[0]["content"] for run in seen.runs] == ["Hi"]


# Beside an explicit handler


BESIDE: dict[str, Way] = {
    "constructor": lambda model, handler: model(callbacks=[handler]).invoke("Hi"),
    "async constructor": lambda model, handler: model(callbacks=[handler]).ainvoke("Hi"),
    "config": lambda model, handler: model().invoke("Hi", {"callbacks": [handler]}),
    "with_config": lambda model, handler: model().with_config(callbacks=[handler]).invoke("Hi"),
    "bind": lambda model, handler: model(callbacks=[handler]).bind(stop=["x"]).invoke("Hi"),
    "manager": lambda model, handler: model().invoke("Hi", {"callbacks": CallbackManager([handler])}),
    "manager that hands on": lambda model, handler: (PROMPT | model()).invoke(
        "Hi", {"callbacks": CallbackManager([handler], [handler])}
    ),
    "async manager": lambda model, handler: model().ainvoke(
        "Hi", {"callbacks": AsyncCallbackManager([handler])}
    ),
    "configured manager": lambda model, handler: model().invoke(
        "Hi", {"callbacks": CallbackManager.configure(local_callbacks=[handler])}
    ),
    "constructor with a manager": lambda model, handler: model(callbacks=CallbackManager([handler])).invoke("Hi"),
    "chain": lambda model, handler: (PROMPT | model()).invoke("Hi", {"callbacks": [handler]}),
    "constructor in a chain": lambda model, handler: (PROMPT | model(callbacks=[handler])).invoke("Hi"),
    "constructor in an async chain": lambda model, handler: (PROMPT | model(callbacks=[handler])).ainvoke("Hi"),
    "constructor in a batch of chains": lambda model, handler: (PROMPT | model(callbacks=[handler])).batch(["Hi"]),
    "constructor in an abatch of chains": lambda model, handler: (PROMPT | model(callbacks=[handler])).abatch(
        ["Hi"]
    ),
    "constructor in a stream of events": lambda model, handler: take(
        (PROMPT | model(callbacks=[handler])).astream_events("Hi", version="v2")
    ),
    "with_config in a chain": lambda model, handler: (PROMPT | model().with_config(callbacks=[handler])).invoke("Hi"),
    "config of an inner call": lambda model, handler: RunnableLambda(
        lambda text: (PROMPT | model()).invoke(text, {"callbacks": [handler]})
    ).invoke("Hi"),
    "config of an inner call that hands on": lambda model, handler: RunnableLambda(
        lambda text, config: RunnableLambda(model().invoke).invoke(text, config)
    ).invoke("Hi", {"callbacks": [handler]}),
    "tool": lambda model, handler: (
        tool(lambda text: model(callbacks=[handler]).invoke(text).text, description="Ask.").invoke("Hi")
    ),
}  # fmt: skip


@pytest.mark.parametrize("attached", BESIDE.values(), ids=BESIDE)
async def test_a_run_with_an_explicit_handler_is_recorded_there_alone(
    attached: Way, seen: Seen, recorded: Recording
) -> None:
    if asyncio.iscoroutine(done := attached(chat, recorded.handler)):
        await done

    assert (len(recorded.runs), seen.runs) == (1, [])


def test_the_runs_beside_it_are_recorded_all_the_same(seen: Seen, recorded: Recording) -> None:
    both = RunnableParallel(theirs=chat(callbacks=[recorded.handler]), ours=chat())
    (PROMPT | both).invoke("Hi")

    (ours,) = seen.runs
    assert recorded.run.run_id != ours.run_id
    assert recorded.run.parent_run_id == ours.parent_run_id


def test_a_subclass_of_ours_counts_as_one(switched: Seen) -> None:
    class Mine(LabelStudioCallbackHandler):
        pass

    mine = Mine(connect="lazy", project_name="Mine")
    chat(callbacks=[mine]).invoke("Hi")

    assert (mine.stats().submitted, switched.runs) == (1, [])
    mine.close()


def test_its_own_handler_given_again_records_once(seen: Seen) -> None:
    (PROMPT | chat(callbacks=[seen.handler])).invoke("Hi", {"callbacks": [seen.handler]})

    assert len(seen.runs) == 1


# The switch


@pytest.mark.parametrize("value", ["true", "True", "1", "yes", "on"])
def test_values_that_switch_it_on(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, value)
    assert current_handler()


@pytest.mark.parametrize("value", ["", "0", "false", "False"])
def test_values_that_leave_it_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, value)
    chat().invoke("Hi")
    assert current_handler() is None


def test_all_threads_have_one_handler_together(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[LabelStudioCallbackHandler] = []
    make = LabelStudioCallbackHandler.__init__

    def make_slowly(handler: LabelStudioCallbackHandler, **options: Any) -> None:
        made.append(handler)
        time.sleep(0.1)
        make(handler, **options)

    monkeypatch.setattr(LabelStudioCallbackHandler, "__init__", make_slowly)
    monkeypatch.setenv(SWITCH, "true")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(chat().invoke, "12345678"))

    assert made == [current_handler()]
    assert made[0].stats().submitted == 8


def test_it_is_switched_off_and_on_again(switched: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = PROMPT | chat()
    chain.invoke("one")
    monkeypatch.delenv(SWITCH)
    chain.invoke("two")
    assert current_handler() is None
    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.setenv("LABEL_STUDIO_PROJECT_NAME", "Another project")
    chain.invoke("three")

    assert [run.prompt[0]["content"] for run in switched.runs] == ["one"]
    again = current_handler()
    assert again
    assert "Another project" in repr(again)
    assert again.stats().submitted == 1


def test_a_run_that_began_before_it_was_switched_off_is_recorded(
    switched: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = chat().stream("Hi")
    next(stream)
    monkeypatch.delenv(SWITCH)
    list(stream)

    assert [run.status for run in switched.runs] == ["success"]


def test_its_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "true")
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://label-studio.example:1")
    monkeypatch.setenv("LABEL_STUDIO_PROJECT_NAME", " Switched ")
    monkeypatch.setenv("LABEL_STUDIO_MODE", "chat")
    handler = current_handler()

    assert repr(handler) == "LabelStudioCallbackHandler(http://label-studio.example:1/, 'Switched')"
    assert handler
    assert (handler.project_config, handler.mode) == get_default_label_configs("chat")


@pytest.mark.parametrize("word", ["true", "1", "TRUE", "True", "yes", "on", " y ", "T"])
def test_a_clear_yes_turns_it_on(
    word: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(SWITCH, word)

    assert current_handler()
    assert caplog.records == []


@pytest.mark.parametrize(
    "word", ["", " ", "0", " 0", "no", "No", "off", "OFF", "n", "f", "false", "FALSE", " False "]
)
def test_the_usual_words_for_no_turn_it_off(
    word: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(SWITCH, word)

    assert current_handler() is None
    assert caplog.records == []


@pytest.mark.parametrize("word", ["none", "disabled", "2", "tru", "-", "yes please", "\x1b[31m" * 100])
def test_what_is_no_clear_yes_is_off_with_one_line(
    word: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(SWITCH, word)

    assert [message.text for message in (PROMPT | chat()).batch(["Hi", "Hi"])] == ["Hello"] * 2
    assert current_handler() is None
    (line,) = caplog.records
    assert "is no clear yes" in line.getMessage()
    assert "\x1b" not in line.getMessage()
    assert len(line.getMessage()) < 200


def test_a_project_of_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "true")
    monkeypatch.setenv("LABEL_STUDIO_PROJECT_ID", "7")
    handler = current_handler()

    assert handler
    assert handler.project_id == 7


@pytest.mark.parametrize(
    ("name", "wrong", "right", "said"),
    [
        ("LABEL_STUDIO_API_KEY", "", KEY, "No Label Studio API key"),
        ("LABEL_STUDIO_API_KEY", "a key with spaces", KEY, "characters no key can have"),
        ("LABEL_STUDIO_URL", "localhost:8080", "http://localhost:8080", "has to start with http"),
        ("LABEL_STUDIO_PROJECT_ID", "seven", "7", "has to be the project's number"),
        ("LABEL_STUDIO_PROJECT_NAME", "x", "Three or more", "takes 3 to 50"),
        ("LABEL_STUDIO_MODE", "telepathy", "chat", "telepathy"),
    ],
)
def test_a_wrong_setting_is_one_warning_until_it_is_put_right(
    name: str,
    wrong: str,
    right: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(SWITCH, "true")
    monkeypatch.setenv(name, wrong)
    chain = PROMPT | chat()

    assert [message.text for message in chain.batch(["Hi", "Hi", "Hi"])] == ["Hello"] * 3
    (line,) = [record for record in caplog.records if SWITCH in record.getMessage()]
    assert (line.levelno, line.name) == (logging.WARNING, "langchain_label_studio")
    assert line.getMessage().startswith(f"{SWITCH} is set, but no run is recorded.")
    assert said in line.getMessage()

    monkeypatch.setenv(name, right)
    chain.invoke("Hi")
    handler = current_handler()
    assert handler
    assert handler.stats().submitted == 1


def test_whatever_goes_wrong_stays_away_from_the_chain(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(auto_recording.LabelStudioCallbackHandler, "__init__", fail)
    monkeypatch.setenv(SWITCH, "true")

    assert chat().invoke("Hi").text == "Hello"
    assert "No space left on device" in caplog.text


def test_switched_off_between_two_looks_of_langchain_it_makes_no_handler(
    switched: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []

    def is_on_at_first(*_: object) -> bool:
        looks.append(not looks)
        return looks[-1]

    monkeypatch.setattr("langchain_label_studio.auto_recording._Switch._is_on", is_on_at_first)

    assert chat().invoke("Hi").text == "Hello"
    assert looks[:2] == [True, False]
    assert switched.runs == []


# record_runs


def test_leaving_restores_the_outer_one(switched: Seen) -> None:
    with record_runs(connect="lazy", project_name="Outer") as outer:
        chat().invoke("outer")
        with record_runs(connect="lazy", project_name="Inner") as inner:
            assert current_handler() is inner
            chat().invoke("inner")
        chat().invoke("outer")
        assert current_handler() is outer
    chat().invoke("switch")

    assert (outer.stats().submitted, inner.stats().submitted) == (2, 1)
    assert [run.prompt[0]["content"] for run in switched.runs] == ["switch"]


def test_the_inner_one_counts_inside_a_chain_that_began_outside(recorded: Recording) -> None:
    def inner(text: str) -> str:
        with record_runs(recorded.handler):
            return (PROMPT | chat()).invoke(text).text

    with record_runs(connect="lazy") as outer:
        (RunnableLambda(inner).with_config(run_id=(above := uuid4())) | chat()).invoke("Hi")

    assert (len(recorded.runs), outer.stats().submitted) == (1, 1)
    assert recorded.run.trace_id == str(above), "the chain inside is known to the inner one"


def test_an_error_inside_switches_off_and_comes_through() -> None:
    with pytest.raises(ZeroDivisionError), record_runs(connect="lazy") as handler:
        chat().invoke(str(1 / 0))

    assert current_handler() is None
    chat().invoke("Hi")
    assert handler.stats().submitted == 0


def test_a_handler_of_ones_own_is_left_open(recorded: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[object] = []

    def close(handler: LabelStudioCallbackHandler) -> None:
        closed.append(handler)

    monkeypatch.setattr(LabelStudioCallbackHandler, "close", close)
    with record_runs(recorded.handler) as handler, record_runs(recorded.handler):
        chat().invoke("Hi")
    assert (handler is recorded.handler, closed) == (True, [])

    with record_runs(connect="lazy") as made:
        pass
    assert closed == [made]
    monkeypatch.undo()
    assert len(recorded.runs) == 1


def test_the_same_handler_twice_is_left_twice(recorded: Recording) -> None:
    with record_runs(recorded.handler):
        with record_runs(connect="lazy") as between:
            with record_runs(recorded.handler):
                pass
            assert current_handler() is between
        assert current_handler() is recorded.handler
    assert current_handler() is None


def test_a_handler_has_its_settings_already(recorded: Recording) -> None:
    with pytest.raises(SettingError, match="a handler or project_name, mode, not both"):
        record_runs(recorded.handler, project_name="Mine", mode="chat").__enter__()


def test_a_wrong_setting_raises_where_it_is_written() -> None:
    with pytest.raises(SettingError, match="telepathy"), record_runs(connect="lazy", mode="telepathy"):
        pass
    assert current_handler() is None


def test_generators_that_take_turns_leave_nothing_behind() -> None:
    """They share one context, and what began first ends first."""

    def turns(name: str) -> Iterator[LabelStudioCallbackHandler]:
        with record_runs(connect="lazy", project_name=name) as handler:
            yield handler
            yield handler

    first, second = turns("First"), turns("Second")
    one, two = next(first), next(second)
    assert current_handler() is two
    assert list(first) == [one]
    assert current_handler() is two
    assert list(second) == [two]
    assert current_handler() is None


def test_a_block_may_end_in_another_context(recorded: Recording) -> None:
    """As a dependency of FastAPI does, which is a generator run in threads."""
    block = record_runs(recorded.handler)
    contextvars.copy_context().run(block.__enter__)
    contextvars.copy_context().run(block.__exit__, None, None, None)

    assert current_handler() is None


async def test_tasks_do_not_see_each_others(recorded: Recording) -> None:
    other = Recording()

    async def work(mine: Recording, name: str) -> None:
        with record_runs(mine.handler):
            for _ in range(5):
                await asyncio.sleep(0)
                await (PROMPT | chat()).ainvoke(name)

    await asyncio.gather(work(recorded, "one"), work(other, "two"))
    await chat().ainvoke("nobody's")

    for mine, name in ((recorded, "one"), (other, "two")):
        assert [run.prompt[0]["content"] for run in mine.runs] == [name] * 5
    other.check()
    other.handler.close()


async def test_a_task_that_began_inside_records_to_its_end(recorded: Recording) -> None:
    go = asyncio.Event()

    async def later() -> None:
        await go.wait()
        await chat().ainvoke("later")

    with record_runs(recorded.handler):
        task = asyncio.create_task(later())
        await asyncio.sleep(0)
    go.set()
    await task

    assert len(recorded.runs) == 1


def test_a_plain_thread_sees_the_switch_but_a_with_only_with_its_context(
    switched: Seen, recorded: Recording
) -> None:
    with record_runs(recorded.handler), ThreadPoolExecutor(1) as pool:
        pool.submit(chat().invoke, "plain").result()
        pool.submit(contextvars.copy_context().run, chat().invoke, "copied").result()

    assert [run.prompt[0]["content"] for run in switched.runs] == ["plain"]
    assert [run.prompt[0]["content"] for run in recorded.runs] == ["copied"]


# The import


@pytest.mark.parametrize("value", ["", "true"])
def test_the_import_loads_nothing_for_it(value: str) -> None:
    code = """
import langchain_label_studio, sys
print(sorted({"langsmith", "langchain_core.tracers.context", "importlib.util"} & set(sys.modules)))
"""
    environment = os.environ | {SWITCH: value}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)  # fmt: skip

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("first", ["langchain_label_studio", "langchain_core.tracers.context", "langchain_core.callbacks.manager"])  # fmt: skip
def test_the_hook_is_registered_once_whoever_is_loaded_first(first: str) -> None:
    code = f"""
import importlib, sys
importlib.import_module({first!r})
import langchain_label_studio
from langchain_core.language_models import FakeListChatModel
FakeListChatModel(responses=["x"]).invoke("Hi")
from langchain_core.tracers import context
from langchain_label_studio import auto_recording
ours = [finder for finder in sys.meta_path if type(finder).__module__.startswith("langchain_label_studio")]
print(sum(isinstance(hook[0], auto_recording.ConfigureHook) for hook in context._configure_hooks), len(ours))
print(context.__spec__.loader.get_source(context.__name__) is not None, context.__loader__.name)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == ["2 0", "True langchain_core.tracers.context"], done.stderr


def test_a_langchain_without_the_hook_goes_without_it() -> None:
    code = """
from langchain_core.tracers import context
del context.register_configure_hook
import langchain_label_studio
from langchain_core.language_models import FakeListChatModel
print(FakeListChatModel(responses=["Hello"]).invoke("Hi").text)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "Hello"
    assert done.stderr.startswith(f"{SWITCH} and record_runs() do not work here: AttributeError")
