"""Applications that give several runs the same id: each run is a task, and the id means the latest one."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from langchain_label_studio import LabelStudioCallbackHandler, send_feedback
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import run
from tests.support.recording import Recording, recording

recorded = pytest.fixture(recording)


class Echo(BaseChatModel):
    """Answers with the question. It waits until as many have asked as are expected."""

    together: Any = None

    @property
    def _llm_type(self) -> str:
        return "echo"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        if self.together:
            self.together.wait(20)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(f"You said: {messages[-1].text}"))])


def said(recorded: Recording) -> list[tuple[str, str]]:
    return [(run.prompt[-1]["content"], run.answers[0]["content"]) for run in recorded.runs]


def pairs(count: int) -> list[tuple[str, str]]:
    return [(f"turn {number}", f"You said: turn {number}") for number in range(count)]


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
    threads = [threading.Thread(target=model.invoke, args=(text, config)) for text, _ in pairs(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

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


# Two handlers


def handlers(loopback: LoopbackLabelStudio, *names: str) -> list[LabelStudioCallbackHandler]:
    return [
        LabelStudioCallbackHandler(KEY, loopback.url, project_name=name, connect="lazy") for name in names
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
