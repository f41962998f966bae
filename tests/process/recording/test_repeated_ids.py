"""Applications that give several runs the same id: each run is a task, and the id means the latest one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from langchain_label_studio import LabelStudioCallbackHandler, send_feedback
from tests.support.agents import agent, calls, says, weather
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.models import StubChatModel
from tests.support.programs import run
from tests.support.recording import Recording, recording

recorded = pytest.fixture(recording)


class Echo(StubChatModel):
    """Answers with the question. It waits until as many have asked as are expected."""

    together: Any = None

    def answer(self, messages: list[BaseMessage]) -> ChatResult:
        if self.together:
            self.together.wait(20)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(f"You said: {messages[-1].text}"))])


def said(recorded: Recording) -> list[tuple[str, str]]:
    return [(run.prompt[-1]["content"], run.answers[0]["content"]) for run in recorded.runs]


def pairs(count: int) -> list[tuple[str, str]]:
    return [(f"turn {number}", f"You said: turn {number}") for number in range(count)]


def asked_and_answered(recorded: Recording) -> list[tuple[str, str]]:
    return sorted((run.prompt[-1]["content"], run.answers[-1]["content"]) for run in recorded.runs)


def in_threads(count: int, call: Callable[[int], object]) -> None:
    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_turns_with_one_config_are_a_task_each(recorded: Recording) -> None:
    config = {"run_id": uuid4(), "callbacks": [recorded.handler]}
    for number in range(3):
        Echo().invoke(f"turn {number}", config)

    assert said(recorded) == pairs(3)
    assert {run.run_id for run in recorded.runs} == {str(config["run_id"])}
    assert len({run.record_id for run in recorded.runs}) == 3
    stats = recorded.handler.stats()
    assert (stats.submitted, stats.delivered) == (3, 3)


def test_a_retry_with_one_config_keeps_the_failure_and_the_success() -> None:
    with_errors = Recording(include_errors=True)
    attempts = iter((TimeoutError("slow"), None))

    class Flaky(Echo):
        def _generate(self, *args: Any, **options: Any) -> ChatResult:
            if error := next(attempts):
                raise error
            return super()._generate(*args, **options)

    config = {"run_id": uuid4(), "callbacks": [with_errors.handler]}
    with pytest.raises(TimeoutError):
        Flaky().invoke("Hi", config)
    Flaky().invoke("Hi", config)

    assert [run.status for run in with_errors.runs] == ["error", "success"]
    with_errors.check()


def test_threads_with_one_config_at_the_same_time(recorded: Recording) -> None:
    model = Echo(together=threading.Barrier(4))
    config = {"run_id": uuid4(), "callbacks": [recorded.handler]}
    in_threads(4, lambda number: model.invoke(f"turn {number}", config))

    assert sorted(said(recorded)) == pairs(4)
    assert recorded.open_runs == 0


async def test_tasks_of_asyncio_with_one_config_at_the_same_time(recorded: Recording) -> None:
    class Slow(Echo):
        async def _agenerate(self, *args: Any, **options: Any) -> ChatResult:
            await asyncio.sleep(0.05)
            return self._generate(*args, **options)

    config = {"run_id": uuid4(), "callbacks": [recorded.handler]}
    await asyncio.gather(*(Slow().ainvoke(text, config) for text, _ in pairs(4)))

    assert sorted(said(recorded)) == pairs(4)
    assert recorded.open_runs == 0


def test_an_interrupted_graph_that_goes_on_with_the_same_config(recorded: Recording) -> None:
    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [Echo().invoke(state["messages"], {"run_id": fixed})]}

    def wait(state: MessagesState) -> dict[str, Any]:
        return {"messages": [("user", interrupt("go on?"))]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_node("wait", wait)
    graph.add_node("again", ask)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "wait")
    graph.add_edge("wait", "again")
    graph.add_edge("again", END)
    compiled = graph.compile(checkpointer=InMemorySaver())
    fixed = uuid4()
    config: Any = {
        "configurable": {"thread_id": "one"},
        "run_id": uuid4(),
        "callbacks": [recorded.handler],
    }

    compiled.invoke({"messages": [("user", "turn 0")]}, config)
    compiled.invoke(Command(resume="turn 1"), config)

    assert said(recorded) == pairs(2)


def test_a_run_with_the_same_id_begins_after_one_whose_end_never_came(recorded: Recording) -> None:
    run_id = uuid4()
    recorded.handler.on_llm_start({}, ["lost"], run_id=run_id)
    Echo().invoke("turn 0", {"run_id": run_id, "callbacks": [recorded.handler]})

    assert said(recorded) == pairs(1)
    assert recorded.open_runs == 1


@pytest.mark.parametrize("mode", ["prompt", "agent", "rag"])
async def test_a_retry_of_the_same_prompt_after_a_timeout_is_a_run_of_its_own(mode: Any) -> None:
    recorded = Recording(mode=mode)
    waits = iter((0.3, 0.0))

    class Slow(Echo):
        async def _agenerate(self, *args: Any, **options: Any) -> ChatResult:
            await asyncio.sleep(next(waits))
            return self._generate(*args, **options)

    config: Any = {"run_id": uuid4(), "callbacks": [recorded.handler]}
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await Slow().ainvoke("turn 0", config)
    began = time.perf_counter()
    await Slow().ainvoke("turn 0", config)
    took_ms = (time.perf_counter() - began) * 1000

    run = recorded.runs[-1]
    assert run.answers[0]["content"] == "You said: turn 0"
    # From the first attempt, it would be 200 ms more than the second one took, on a busy machine, too.
    assert run.latency_ms < took_ms + 100  # type: ignore[operator]


def test_streams_with_one_id_and_the_same_prompt_at_the_same_time(recorded: Recording) -> None:
    model = FakeListChatModel(responses=["one", "two", "three"])
    config: Any = {"run_id": uuid4(), "callbacks": [recorded.handler]}
    streams = [model.stream("turn 0", config) for _ in range(3)]
    for stream in streams:
        next(stream)
    for stream in streams:
        list(stream)

    assert sorted(said(recorded)) == [("turn 0", "one"), ("turn 0", "three"), ("turn 0", "two")]
    assert recorded.open_runs == 0


def test_streams_with_one_id_and_tags_are_told_apart_also_in_one_thread(recorded: Recording) -> None:
    config: Any = {"run_id": uuid4(), "callbacks": [recorded.handler], "tags": ["chat"]}
    asked = ["turn 0", "turn 1", "turn 2"]
    streams = [FakeListChatModel(responses=[f"You said: {text}"]).stream(text, config) for text in asked]
    for stream in (*streams, *streams[1:], streams[0]):
        next(stream)
    for stream in streams:
        list(stream)

    assert sorted(said(recorded)) == pairs(3)


@pytest.mark.parametrize("handlers", [1, 2])
def test_threads_with_one_id_in_which_everything_is_told_twice(handlers: int) -> None:
    all_recorded = [Recording() for _ in range(handlers)]
    model = Echo(together=threading.Barrier(4))
    config: Any = {"run_id": uuid4(), "callbacks": [each.handler for each in all_recorded] * 2}
    in_threads(4, lambda number: model.invoke(f"turn {number}", config))

    for recorded in all_recorded:
        assert sorted(said(recorded)) == pairs(4)
        assert recorded.open_runs == 0


def test_runs_with_one_id_whose_starts_nobody_tells(recorded: Recording) -> None:
    run_id = uuid4()
    for text, tags in (("one", ["a"]), ("two", ["a"]), ("three", None), ("four", None)):
        result = LLMResult(generations=[[Generation(text=text)]])
        for _ in range(1 if tags is None else 2):  # LangChain tells an end twice with the same list
            recorded.handler.on_llm_end(result, run_id=run_id, tags=tags)

    assert [run.answers[0]["content"] for run in recorded.runs] == ["one", "two", "three", "four"]


# Traces


def agent_of(number: int) -> Any:
    return agent(calls(("weather", {"city": f"City {number}"})), f"You said: turn {number}")


def turn_of(number: int) -> dict[str, Any]:
    return {"messages": [("user", f"turn {number}")]}


def tools_of(recorded: Recording) -> list[str]:
    return [
        step["args"]["city"] for run in recorded.runs for step in run.steps if step["kind"] == "tool_call"
    ]


def test_agents_with_one_id_in_threads() -> None:
    recorded = Recording(mode="agent")
    config: Any = {"run_id": uuid4(), "callbacks": [recorded.handler]}

    in_threads(3, lambda number: agent_of(number).invoke(turn_of(number), config))

    see_three_agents(recorded)


async def test_agents_with_one_id_in_tasks() -> None:
    recorded = Recording(mode="agent")
    config: Any = {"run_id": uuid4(), "callbacks": [recorded.handler]}

    await asyncio.gather(*(agent_of(number).ainvoke(turn_of(number), config) for number in range(3)))

    see_three_agents(recorded)


def see_three_agents(recorded: Recording) -> None:
    assert asked_and_answered(recorded) == pairs(3)
    assert sorted(tools_of(recorded)) == ["City 0", "City 1", "City 2"]
    recorded.check()


def test_an_agent_begins_with_the_id_of_one_whose_stream_nobody_reads_to_its_end() -> None:
    recorded = Recording(mode="agent", include_errors=True)
    config: Any = {"run_id": uuid4(), "callbacks": [recorded.handler]}
    left = agent_of(0).stream(turn_of(0), config)
    next(left)
    agent_of(1).invoke(turn_of(1), config)
    assert asked_and_answered(recorded) == pairs(2)[1:]

    left.close()
    assert [run.status for run in recorded.runs] == ["success", "abandoned"]
    assert tools_of(recorded) == ["City 1", "City 0"]


@pytest.mark.needs("langgraph>=1.2")  # before that, a graph with a config of its own is outside of all others
def test_a_chain_goes_on_after_an_inner_run_with_its_config() -> None:
    recorded = Recording(mode="agent")
    config: Any = {"run_id": uuid4(), "callbacks": [recorded.handler]}
    graph = RunnableLambda(lambda asked: agent_of(0).invoke(turn_of(0), config) and asked)  # knows its caller
    chain = RunnableLambda(
        lambda asked: (Echo() | StrOutputParser()).invoke("turn 1", config) and asked
    )  # knows no caller
    (graph | chain | Echo() | RunnableLambda(lambda said: said)).invoke("turn 2", config)

    inner, outer = recorded.runs
    assert (inner.prompt[-1]["content"], inner.answers[0]["content"]) == pairs(2)[1]
    assert outer.answers[0]["content"] == "You said: turn 2"
    assert [step["kind"] for step in outer.steps] == ["user", "tool_call", "agent", "agent"]
    assert {run.run_id for run in recorded.runs} == {str(config["run_id"])}


def test_each_answer_has_the_documents_of_its_own_trace() -> None:
    recorded = Recording(mode="rag")
    together = threading.Barrier(4)

    class Search(BaseRetriever):
        def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
            together.wait(20)
            return [Document(f"about {query}")]

    config: Any = {"run_id": uuid4(), "callbacks": [recorded.handler]}
    chain = RunnablePassthrough.assign(found=lambda given: Search().invoke(given["q"])) | (
        lambda given: Echo(together=together).invoke(given["q"])
    )
    in_threads(4, lambda number: chain.invoke({"q": f"turn {number}"}, config))

    assert asked_and_answered(recorded) == pairs(4)
    assert all(
        [each["content"] for each in run.documents] == [f"about {run.prompt[-1]['content']}"]
        for run in recorded.runs
    )


def test_a_group_over_traces_with_one_id_waits_for_all_of_them() -> None:
    recorded = Recording(mode="preference", group_by="question")
    config: Any = {
        "run_id": uuid4(),
        "callbacks": [recorded.handler],
        "metadata": {"question": "one"},
    }
    inner = RunnableLambda(lambda asked: Echo().invoke(asked))

    def outer(asked: str) -> None:
        Echo().invoke(asked)
        inner.invoke(asked, config)
        Echo().invoke(asked)

    RunnableLambda(outer).invoke("turn 0", config)
    assert [len(run.answers) for run in recorded.runs] == [3]


@pytest.mark.parametrize("call", ["model", "chain"])
@pytest.mark.parametrize("mode", ["prompt", "agent", "rag"])
def test_handlers_that_are_told_everything_twice_do_not_hide_it_from_each_other(call: str, mode: Any) -> None:
    both = [Recording(mode=mode) for _ in range(2)]
    config: Any = {"callbacks": [each.handler for each in both], "run_id": uuid4()}
    called: Any = Echo() if call == "model" else RunnableLambda(lambda asked: asked) | Echo()
    for text, _ in pairs(2):
        called.with_config(callbacks=config["callbacks"]).invoke(text, config)

    for recorded in both:
        assert asked_and_answered(recorded) == pairs(2)
        assert recorded.open_runs == 0


# Two handlers


def handlers(
    loopback: LoopbackLabelStudio, *names: str, mode: Any = "prompt"
) -> list[LabelStudioCallbackHandler]:
    return [
        LabelStudioCallbackHandler(KEY, loopback.url, project_name=name, connect="lazy", mode=mode)
        for name in names
    ]


@pytest.mark.parametrize("call", ["invoke", "stream", "in_a_chain"])
def test_two_handlers_of_a_project_on_the_model_and_on_the_call_are_one_task(
    loopback: LoopbackLabelStudio, call: str
) -> None:
    of_model, of_call = handlers(loopback, "One", "One")
    model = Echo(callbacks=[of_model])
    config: Any = {"callbacks": [of_call]}
    for text, _ in pairs(3):
        if call == "invoke":
            model.invoke(text, config)
        elif call == "stream":
            list(model.stream(text, config))
        else:
            (RunnableLambda(lambda said: said) | model).invoke(text, config)

    for handler in (of_model, of_call):
        assert handler.flush(20)
    assert sorted(task["data"]["prompt"] for task in loopback.tasks) == [text for text, _ in pairs(3)]
    assert of_model.stats().submitted == 3
    assert of_call.task_url() == of_model.task_url()


class Ears(BaseCallbackHandler):
    """Hears the ids of the runs of a model."""

    def __init__(self, heard: list[UUID]) -> None:
        self.heard = heard

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        self.heard.append(run_id)


def ask_an_agent(model: Any, config: Any) -> None:
    create_agent(model, [weather]).invoke({"messages": [("user", "Is it warm?")]}, config)


def ask_two_models(model: Any, config: Any) -> None:
    RunnableParallel(one=model, other=model).invoke("Is it warm?", config)


def ask_with_documents(model: Any, config: Any) -> None:
    class Search(BaseRetriever):
        def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
            return [Document(f"about {query}")]

    worded = model | StrOutputParser() | Search()
    (RunnablePassthrough.assign(found=lambda given: worded.invoke(given["q"])) | str | model).invoke(
        {"q": "Is it warm?"}, config
    )


@pytest.mark.parametrize(
    ("mode", "ask"), [("agent", ask_an_agent), ("preference", ask_two_models), ("rag", ask_with_documents)]
)
@pytest.mark.parametrize("swapped", [False, True])
def test_the_handler_of_the_call_gathers_what_the_handler_of_the_model_hears(
    loopback: LoopbackLabelStudio, mode: Any, ask: Any, swapped: bool
) -> None:
    of_model, of_call = handlers(loopback, "One", "One", mode=mode)[:: -1 if swapped else 1]
    model = says(calls(("weather", {"city": "Oslo"})), "Yes.") if mode == "agent" else says("Yes.", "No.")
    heard: list[UUID] = []
    model.callbacks = [of_model, Ears(heard)]
    ask(model, {"callbacks": [of_call]})
    heard = heard[-1:]
    message_id = model.invoke("Alone?").id

    for handler in (of_model, of_call):
        assert handler.flush(20)
    assert of_call.stats().submitted == 2, "of both handlers together"
    assert len([task for task in loopback.tasks if "Alone?" in str(task["data"])]) == 1
    for known in (message_id, heard.pop()):
        assert of_model.task_url(known) is not None


def test_a_handler_that_hears_the_chain_but_not_the_model_leaves_it_to_the_models_own(
    loopback: LoopbackLabelStudio,
) -> None:
    of_model, of_chain = handlers(loopback, "One", "One", mode="agent")
    chain, asked = uuid4(), uuid4()
    of_chain.on_chain_start({}, {}, run_id=chain)
    of_model.on_llm_start({}, ["Hi"], run_id=asked, parent_run_id=chain)
    of_model.on_llm_end(
        LLMResult(generations=[[Generation(text="Hello")]]), run_id=asked, parent_run_id=chain
    )

    assert of_model.flush(20)
    assert len(loopback.tasks) == 1


def test_runs_of_two_handlers_at_the_same_time_with_one_id_are_two_tasks(
    loopback: LoopbackLabelStudio,
) -> None:
    first, second = handlers(loopback, "One", "One")
    run_id = uuid4()
    for handler, text in ((first, "turn 0"), (second, "turn 1")):
        handler.on_llm_start({}, [text], run_id=run_id)
    for handler, text in ((first, "turn 0"), (second, "turn 1")):
        result = LLMResult(generations=[[Generation(text=f"You said: {text}")]])
        handler.on_llm_end(result, run_id=run_id)

    for handler in (first, second):
        assert handler.flush(20)
    assert sorted(task["data"]["prompt"] for task in loopback.tasks) == ["turn 0", "turn 1"]


@pytest.mark.parametrize("connect", ["eager", "lazy"])
def test_a_project_may_be_known_by_its_name_and_by_its_number(
    loopback: LoopbackLabelStudio, connect: Any
) -> None:
    loopback.add_project("One")
    of_model = LabelStudioCallbackHandler(KEY, loopback.url, project_name="One", connect=connect)
    of_call = LabelStudioCallbackHandler(KEY, loopback.url, project_id=1, connect=connect)
    model = Echo(callbacks=[of_model])
    if connect == "lazy":
        for number, handler in enumerate((of_model, of_call)):
            Echo().invoke(f"first of {number}", {"callbacks": [handler]})
            assert handler.flush(20)
        loopback.tasks.clear()
    model.invoke("turn 0", {"callbacks": [of_call]})

    assert of_model.flush(20)
    assert of_call.flush(20)
    assert [task["data"]["prompt"] for task in loopback.tasks] == ["turn 0"]


def test_two_handlers_of_two_projects_are_two_tasks(loopback: LoopbackLabelStudio) -> None:
    of_model, of_call = handlers(loopback, "One", "Other")
    Echo(callbacks=[of_model]).invoke("Hi", {"callbacks": [of_call]})

    assert of_model.flush(20)
    assert of_call.flush(20)
    assert len(loopback.tasks) == len(loopback.projects) == 2


def test_two_handlers_do_not_take_a_later_run_with_the_same_id_for_the_same_run(
    loopback: LoopbackLabelStudio,
) -> None:
    first, second = handlers(loopback, "One", "One")
    run_id = uuid4()
    for number, handler in enumerate((first, second, first)):
        Echo().invoke(f"turn {number}", {"run_id": run_id, "callbacks": [handler]})

    assert first.flush(20)
    assert [task["data"]["prompt"] for task in loopback.tasks] == ["turn 0", "turn 1", "turn 2"]
    for handler in (first, second):
        assert handler.task_url(run_id).endswith("?task=3")  # type: ignore[union-attr]


# The id means the latest run


def marked(loopback: LoopbackLabelStudio) -> list[Any]:
    """Return the feedback of each task, in the order in which they were stored."""
    return [task["data"].get("user_feedback") for task in loopback.tasks]


def give(loopback: LoopbackLabelStudio, run_id: UUID | str, **said: Any) -> None:
    send_feedback(run_id, api_key=KEY, url=loopback.url, project_name="One", **said)


def test_feedback_and_the_address_are_those_of_the_latest_run(loopback: LoopbackLabelStudio) -> None:
    [handler] = handlers(loopback, "One")
    run_id = uuid4()
    config: Any = {"run_id": run_id, "callbacks": [handler]}
    Echo().invoke("turn 0", config)
    handler.feedback(run_id, score=0)
    Echo().invoke("turn 1", config)
    handler.feedback(run_id, score=1)
    assert handler.flush(20)
    assert marked(loopback) == [0, 1], "each is about the run that was the latest one then"

    give(loopback, run_id, comment="from elsewhere")
    assert handler.flush(20)

    assert [task["data"].get("user_feedback_comment") for task in loopback.tasks] == [None, "from elsewhere"]
    assert handler.task_url(run_id) == f"{handler.project_url}?task=2"


def test_feedback_that_waits_is_not_given_to_a_run_that_came_later(loopback: LoopbackLabelStudio) -> None:
    [handler] = handlers(loopback, "One")
    run_id = uuid4()
    config: Any = {"run_id": run_id, "callbacks": [handler]}
    Echo().invoke("turn 0", config)
    assert handler.flush(20)
    port = loopback.stop()
    give(loopback, run_id, score=1)
    Echo().invoke("turn 1", config)
    loopback.start(port)
    assert handler.flush(30)

    assert marked(loopback) == [1, None]


def test_two_processes_with_one_id_are_two_tasks_and_the_later_one_has_the_feedback(
    loopback: LoopbackLabelStudio,
) -> None:
    run_id = uuid4()
    for number in range(2):
        done = run(
            f"""
            handler = make(project_name="One")
            run_id = uuid.UUID("{run_id}")
            handler.on_llm_start({{}}, ["turn {number}"], run_id=run_id)
            handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)
            assert handler.flush(20)
            print(handler.task_url(run_id).rpartition("=")[2], handler.stats().delivered)
            """,
            loopback.url,
        )
        assert (done.returncode, done.stdout) == (0, f"{number + 1} 1\n"), done.stderr

    give(loopback, run_id, score=1)
    [handler] = handlers(loopback, "One")
    assert handler.feedback(run_id, comment="No.")
    assert handler.flush(20)

    assert marked(loopback) == [None, 1]
    assert handler.task_url(run_id) == f"{handler.project_url}?task=2"


def test_tasks_of_an_earlier_version_are_known_by_the_id_of_their_run(loopback: LoopbackLabelStudio) -> None:
    [handler] = handlers(loopback, "One")
    run_id = uuid4()
    Echo().invoke("turn 0", {"run_id": run_id, "callbacks": [handler]})
    assert handler.flush(20)
    del loopback.tasks[0]["data"]["record_id"]
    [later] = handlers(loopback, "One")

    give(loopback, run_id, score=1)
    assert later.flush(20)

    assert marked(loopback) == [1]
