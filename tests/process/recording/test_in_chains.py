"""Runs inside chains, agents and graphs: which run they belong to, which conversation, which attempt."""

from __future__ import annotations

from typing import Any, TypedDict
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from tests.support.openai_stub import OpenAIStub, call_tool, fail, running_stub, say
from tests.support.recording import Recording, recording

stub = pytest.fixture(scope="module")(running_stub)
recorded = pytest.fixture(recording)

PROMPT = ChatPromptTemplate.from_messages([("human", "{text}")])
V3 = pytest.param("v3", marks=pytest.mark.needs("langgraph>=1.2"))


@pytest.fixture
def chat(stub: OpenAIStub) -> ChatOpenAI:
    return stub.chat()


@tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Sunny in {city}"


def test_the_runs_of_a_chain_share_its_trace(chat: ChatOpenAI, recorded: Recording) -> None:
    chain = PROMPT | RunnableParallel(short=chat, long=chat | StrOutputParser())
    root = uuid4()
    chain.invoke({"text": "Hi"}, {"callbacks": [recorded.handler], "run_id": root, "tags": ["mine"]})

    first, second = recorded.runs
    assert first.trace_id == second.trace_id == str(root)
    assert first.run_id != second.run_id
    assert first.parent_run_id not in {None, first.run_id}
    assert first.tags == second.tags == ("mine",), "LangChain's own tags are not shown"


def test_a_retriever_and_the_answer_share_a_trace(chat: ChatOpenAI, recorded: Recording) -> None:
    class Shelf(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            return [Document(f"About {query}")]

    both = {"text": Shelf() | (lambda found: found[0].page_content), "q": RunnablePassthrough()}
    (both | PROMPT | chat).invoke("cats", {"callbacks": [recorded.handler], "run_id": (root := uuid4())})

    assert recorded.run.trace_id == str(root)
    assert recorded.answer == "Echo: About cats"


async def test_a_lambda_hands_the_handler_on(chat: ChatOpenAI, recorded: Recording) -> None:
    async def ask(text: str) -> str:
        return (await chat.ainvoke(text)).text

    await RunnableLambda(ask).ainvoke("Hi", {"callbacks": [recorded.handler], "run_id": (root := uuid4())})

    assert (recorded.run.trace_id, recorded.answer) == (str(root), "Echo: Hi")


def test_the_conversation_of_a_plain_chain_is_known(chat: ChatOpenAI, recorded: Recording) -> None:
    (PROMPT | chat).invoke("Hi", {"callbacks": [recorded.handler], "configurable": {"thread_id": "t-7"}})

    assert recorded.run.thread_id == "t-7"


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream", "messages", V3])
@pytest.mark.filterwarnings("ignore:.*is in beta", "ignore:.*experimental")
async def test_each_turn_of_an_agent_is_a_run(
    way: str, chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(call_tool("get_weather", {"city": "Paris"}), say("It is sunny in Paris."))
    agent = create_agent(chat, [get_weather], checkpointer=InMemorySaver(), name="forecaster")
    asked = {"messages": [("user", "What is the weather in Paris?")]}
    root = uuid4()
    config: Any = {
        "callbacks": [recorded.handler],
        "configurable": {"thread_id": "t-1"},
        "run_id": root,
    }
    if way == "ainvoke":
        await agent.ainvoke(asked, config)
    elif way == "astream":
        assert [chunk async for chunk in agent.astream(asked, config)]
    elif way == "messages":
        assert list(agent.stream(asked, config, stream_mode="messages"))
    elif way == "v3":
        assert list(agent.stream_events(asked, config, version="v3"))
    elif way == "stream":
        assert list(agent.stream(asked, config))
    else:
        agent.invoke(asked, config)

    first, second = recorded.runs
    assert {first.thread_id, second.thread_id} == {"t-1"}
    assert {first.trace_id, second.trace_id} == {str(root)}
    assert [call["args"] for call in first.answers[0]["tool_calls"]] == [{"city": "Paris"}]
    assert [turn["role"] for turn in second.prompt] == ["user", "assistant", "tool"]
    assert second.prompt[2]["name"] == "get_weather"
    assert second.prompt[2]["content"] == "Sunny in Paris"
    assert second.answers[0]["content"] == "It is sunny in Paris."
    assert second.metadata["langgraph_node"] == "model"


@pytest.mark.needs("langchain>=1.2.7")
def test_a_run_of_an_agent_carries_its_name(chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording) -> None:
    stub.reply(say("It is sunny in Paris."))
    agent = create_agent(chat, [get_weather], name="forecaster")

    agent.invoke({"messages": [("user", "Hi")]}, {"callbacks": [recorded.handler]})

    assert recorded.run.metadata["lc_agent_name"] == "forecaster"


class State(TypedDict):
    text: str


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_graph_that_waits_for_a_person_goes_on(
    asynchronous: bool, chat: ChatOpenAI, recorded: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    def ask(state: State) -> State:
        return {"text": chat.invoke(state["text"]).text}

    def confirm(state: State) -> State:
        return {"text": f"{state['text']} {interrupt('Is it so?')}"}

    graph = StateGraph(State).add_node("ask", ask).add_node("confirm", confirm)
    graph.add_edge(START, "ask").add_edge("ask", "confirm").add_edge("confirm", END)
    app = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"callbacks": [recorded.handler], "configurable": {"thread_id": "t-2"}}
    for step in ({"text": "Hi"}, Command(resume="Yes.")):
        state = await app.ainvoke(step, config) if asynchronous else app.invoke(step, config)

    assert state["text"] == "Echo: Hi Yes."
    assert (recorded.answer, recorded.run.thread_id) == ("Echo: Hi", "t-2")
    assert "Error in" not in caplog.text


def test_only_the_attempt_that_succeeds_is_recorded(
    chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(fail(500, "not now"), fail(429, "too many"), say("At last."))
    chat.with_retry(stop_after_attempt=3, wait_exponential_jitter=False).invoke(
        "Hi", {"callbacks": [recorded.handler]}
    )

    assert recorded.answer == "At last."
    assert recorded.run.tags == ()


@pytest.fixture
def with_errors() -> Any:
    yield from recording(include_errors=True)


def test_with_errors_each_attempt_and_fallback_is_a_run(
    chat: ChatOpenAI, stub: OpenAIStub, with_errors: Recording
) -> None:
    stub.reply(fail(500, "not now"), fail(500, "still not"), say("From the second model."))
    second = ChatOpenAI(base_url=stub.base_url, api_key="sk-x", model="second", max_retries=0)
    first = chat.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    first.with_fallbacks([second]).invoke("Hi", {"callbacks": [with_errors.handler]})

    runs = with_errors.runs
    assert [run.status for run in runs] == ["error", "error", "success"]
    assert [run.model for run in runs][:2] == ["stub-1", "stub-1"]
    # LangChain calls a fallback as a root of its own, so only the attempts share a trace.
    assert runs[0].trace_id == runs[1].trace_id != runs[2].trace_id


def test_a_completion_model_fits_into_a_chain(stub: OpenAIStub, recorded: Recording) -> None:
    stub.reset()
    model = OpenAI(base_url=stub.base_url, api_key="sk-x", model="stub-1")
    (PROMPT | model | StrOutputParser()).invoke("Hi", {"callbacks": [recorded.handler]})

    assert recorded.run.kind == "completion"
    assert recorded.answer == "Echo: Human: Hi"


def test_what_the_application_does_to_a_message_later_is_not_recorded(
    chat: ChatOpenAI, recorded: Recording
) -> None:
    said: AIMessage = chat.invoke("Hi", {"callbacks": [recorded.handler]})
    said.content = "rewritten"
    said.name = "someone"

    assert recorded.run.answers == ({"role": "assistant", "content": "Echo: Hi"},)
