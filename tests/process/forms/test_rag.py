"""Which documents an answer is recorded with, in graphs: agents with a tool for search, and nodes that search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import create_retriever_tool, tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode

from langchain_label_studio import LLMRun
from langchain_label_studio.forms.rag.form import fill
from tests.support.recording import Recording, recording

PARIS = Document("Paris is the capital of France.", id="a")
ROME = Document("Rome is the capital of Italy.", id="b")
QUESTION = "What is the capital of France?"
PROMPT = ChatPromptTemplate.from_template("Say it with {context} only: {question}")
ANSWER = FakeListChatModel(responses=["Paris."])


class Shelf(BaseRetriever):
    """Finds always the same."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [PARIS, ROME]


@pytest.fixture
def recorded() -> Iterator[Recording]:
    yield from recording(mode="rag")


def contents(run: LLMRun) -> list[str]:
    return [document["content"] for document in run.documents]


def make_agent(search: Any) -> CompiledStateGraph[Any, Any, Any, Any]:
    """A graph in which a model asks for a search, and answers when it has the result."""

    class State(TypedDict):
        messages: list[Any]

    call = {"name": search.name, "args": {"query": "capital France"}, "id": "call-1"}
    model = FakeMessagesListChatModel(responses=[AIMessage("", tool_calls=[call]), AIMessage("Paris.")])

    def ask(state: State) -> State:
        return {"messages": [*state["messages"], model.invoke(state["messages"])]}

    def use_tool(state: State) -> State:
        return {"messages": [*state["messages"], *ToolNode([search]).invoke(state)["messages"]]}

    graph = StateGraph(State)
    graph.add_node("model", ask)
    graph.add_node("tools", use_tool)
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", lambda state: "tools" if state["messages"][-1].tool_calls else END)
    graph.add_edge("tools", "model")
    return graph.compile()


@tool(response_format="content_and_artifact")
def search_with_artifact(query: str) -> tuple[str, list[Document]]:
    """Search."""
    return "two documents", [PARIS, ROME]


@tool
def search_as_text(query: str) -> str:
    """Search."""
    return PARIS.page_content


RETRIEVER_TOOL = create_retriever_tool(Shelf(), "search", "Search.")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (RETRIEVER_TOOL, [PARIS.page_content, ROME.page_content]),
        (search_with_artifact, [PARIS.page_content, ROME.page_content]),
        (search_as_text, [PARIS.page_content]),
    ],
    ids=["retriever", "artifact", "text"],
)
def test_an_agent_with_a_search_tool(search: Any, found: list[str], recorded: Recording):
    messages = [HumanMessage("Hello"), AIMessage("Hi"), HumanMessage(QUESTION)]

    make_agent(search).invoke({"messages": messages}, {"callbacks": [recorded.handler]})

    assert contents(recorded.run) == found, "the turn that calls the tool answers nothing"
    assert fill(recorded.run).data["question"] == QUESTION, "not what the model looked for"
    assert sum(recorded.handler.stats().excluded.values()) == 1


def test_a_node_that_searches_by_itself(recorded: Recording):
    class State(TypedDict, total=False):
        question: str
        context: list[Document]
        answer: str

    graph = StateGraph(State)
    graph.add_node("retrieve", lambda state: {"context": [PARIS, ROME]})
    graph.add_node("generate", lambda state: {"answer": (PROMPT | ANSWER).invoke({**state}).content})
    graph.add_edge(START, "retrieve")
    graph.add_edge("retrieve", "generate")

    graph.compile().invoke({"question": QUESTION}, {"callbacks": [recorded.handler]})

    assert contents(recorded.run) == [PARIS.page_content, ROME.page_content]
    assert recorded.run.question == QUESTION
