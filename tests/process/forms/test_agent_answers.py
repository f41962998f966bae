"""The answer of an agent's run, whatever the run gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, TypedDict

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel, RunnablePassthrough
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

from tests.support.agents import ASK, agent, ask_a_person, calls, says, weather
from tests.support.recording import Recording, recording

ASKED = {"question": "Capital?"}
PROMPT = ChatPromptTemplate([("user", "{question}")])


@pytest.fixture
def recorded() -> Iterator[Recording]:
    yield from recording(mode="agent", include_errors=True)


class Grade(BaseModel):
    ok: bool


GRADED = calls(("Grade", {"ok": True}))
BROKEN = AIMessage(
    "",
    invalid_tool_calls=[
        {"name": "Grade", "args": "{", "id": "1", "error": "not JSON", "type": "invalid_tool_call"}
    ],
)


def grader(**options: Any) -> Runnable[Any, Any]:
    return BaseChatModel.with_structured_output(says(GRADED), Grade, **options)


def documents(_: Any) -> list[Document]:
    return [Document("Paris is large.")]


class State(TypedDict, total=False):
    question: str
    context: list[Any]
    answer: Any
    grade: Any


def graph(*nodes: Any) -> Any:
    builder = StateGraph(State)
    places = [START, *(f"node_{number}" for number in range(len(nodes))), END]
    for place, node in zip(places[1:-1], nodes, strict=True):
        builder.add_node(place, node)
    for before, after in pairwise(places):
        builder.add_edge(before, after)
    return builder.compile()


def generate(state: State) -> State:
    return {"answer": says("Paris.").invoke(state["question"]).text, "context": ["x" * 50]}


def generate_message(state: State) -> State:
    return {"answer": says("Paris.").invoke(state["question"])}


def grade(state: State) -> State:
    return {"grade": grader().invoke(state["answer"])}


def rate(state: State) -> State:
    says(GRADED).invoke(str(state["answer"]))
    return {}


def functional(*script: AIMessage | str) -> Any:
    model = says(*script)

    @task
    def ask(messages: list[Any]) -> Any:
        return model.invoke(messages)

    @entrypoint()
    def answer(inputs: Any) -> Any:
        question = HumanMessage(inputs["question"])
        return [question, ask([question]).result()]

    return answer


# Each gives the text of one model back, among other values.
CHAINS: dict[str, Callable[[], Any]] = {
    "a chain that adds to its input": lambda: RunnablePassthrough.assign(answer=PROMPT | says("Paris.")),
    "with documents": lambda: (
        RunnablePassthrough.assign(context=documents)
        | RunnablePassthrough.assign(answer=PROMPT | says("Paris."))
    ),
    "a text": lambda: RunnablePassthrough.assign(answer=PROMPT | says("Paris.") | StrOutputParser()),
    "beside the message of the user": lambda: RunnableParallel(
        answer=PROMPT | says("Paris."), asked=lambda _: HumanMessage("Capital?")
    ),
    "a chain that grades": lambda: (
        RunnablePassthrough.assign(answer=PROMPT | says("Paris.") | StrOutputParser())
        | RunnablePassthrough.assign(grade=PROMPT | grader())
    ),
    "a graph": lambda: graph(generate),
    "a graph that keeps messages": lambda: graph(generate_message),
    "a graph that grades": lambda: graph(generate, grade),
    "a graph that asks for a call at last": lambda: graph(generate, rate),
    "a graph in a graph": lambda: graph(graph(generate)),
    "a graph in a graph that grades": lambda: graph(graph(generate), rate),
    "a graph in a chain": lambda: graph(generate, grade) | RunnableLambda(lambda state: state),
    "the functional interface": lambda: functional("Paris."),
    "no messages, but a text of that name": lambda: RunnablePassthrough.assign(
        messages=lambda _: "hello", answer=PROMPT | says("Paris.") | StrOutputParser()
    ),
    "messages as plain dicts": lambda: (
        PROMPT
        | says("Paris")
        | (lambda said: {"messages": [{"role": "assistant", "content": f"{said.text}."}]})
    ),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_the_answer_is_the_text_alone(recorded: Recording, chain: str) -> None:
    CHAINS[chain]().invoke(ASKED, {"callbacks": [recorded.handler]})

    assert [turn["content"] for turn in recorded.run.answers] == ["Paris."]
    assert recorded.run.status == "success"


VALUES: dict[str, Callable[[], Any]] = {
    "the values alone": lambda: PROMPT | grader(),
    "with the message": lambda: PROMPT | grader(include_raw=True),
    "among others": lambda: RunnablePassthrough.assign(context=documents, grade=PROMPT | grader()),
    "a dict": lambda: PROMPT | says(GRADED) | (lambda said: said.tool_calls[0]["args"]),
    "after another model": lambda: PROMPT | says("Paris.") | StrOutputParser() | grader(),
}


@pytest.mark.parametrize("chain", VALUES)
def test_the_answer_is_what_a_parser_made_of_a_call(recorded: Recording, chain: str) -> None:
    VALUES[chain]().invoke(ASKED, {"callbacks": [recorded.handler]})

    assert [turn["content"] for turn in recorded.run.answers] == ['{\n "ok": true\n}']


def test_the_values_of_several_calls_are_a_list(recorded: Recording) -> None:
    chain = PROMPT | says(GRADED) | (lambda said: [Grade(**call["args"]) for call in said.tool_calls])

    chain.invoke(ASKED, {"callbacks": [recorded.handler]})

    assert recorded.run.answers[0]["content"] == '[\n {\n  "ok": true\n }\n]'


@pytest.mark.parametrize(
    "chain",
    [
        RunnableParallel(said=says(GRADED)),
        says(BROKEN)
        | RunnableLambda(lambda said: {"raw": said, "parsed": None, "parsing_error": ValueError()}),
    ],
)
def test_a_call_without_values_is_the_answer(recorded: Recording, chain: Runnable[Any, Any]) -> None:
    chain.invoke("Hi", {"callbacks": [recorded.handler]})

    [answer] = recorded.run.answers
    calls = answer.get("tool_calls") or answer.get("invalid_tool_calls") or []
    assert [call["name"] for call in calls] == ["Grade"]
    assert recorded.run.status == "success"


def test_branches_have_their_calls_and_not_what_was_given(recorded: Recording) -> None:
    RunnableParallel(one=says("Paris."), other=says(GRADED), asked=RunnablePassthrough()).invoke(
        "Hi", {"callbacks": [recorded.handler]}
    )

    assert recorded.run.answers[0]["content"] == '{\n "one": "Paris.",\n "other": "→ Grade(ok=true)"\n}'


def test_the_state_of_a_graph_is_no_answer(recorded: Recording) -> None:
    graph(lambda state: {"answer": "none", **rate({**state, "answer": ""})}).invoke(
        ASKED, {"callbacks": [recorded.handler]}
    )

    assert recorded.run.answers == ()


def test_the_result_of_a_tool_beside_a_question_to_a_person_is_no_answer(recorded: Recording) -> None:
    both = calls(("ask_a_person", {"question": "ok?"}), ("weather", {"city": "Paris"}))
    graph = agent(both, "Done.", tools=[ask_a_person, weather], checkpointer=InMemorySaver())

    graph.invoke(ASK, {"callbacks": [recorded.handler], "configurable": {"thread_id": "1"}})

    assert recorded.run.status == "partial"
    assert recorded.run.answers == ()


def test_words_before_a_call_that_fails_are_no_answer(recorded: Recording) -> None:
    def work(question: Any) -> str:
        says("First I look it up.").invoke("Hi")
        says(GRADED).invoke("Hi")
        raise LookupError

    with pytest.raises(LookupError):
        RunnableLambda(work).invoke("Hi", {"callbacks": [recorded.handler]})

    assert recorded.run.answers == ()


def test_a_tool_alone_answers_with_the_words_of_its_model(recorded: Recording) -> None:
    from langchain_core.tools import tool

    @tool
    def look_up(question: str) -> dict[str, str]:
        """Look up."""
        return {"text": says("Paris.").invoke(question).text}

    look_up.invoke(ASKED, {"callbacks": [recorded.handler]})

    assert [turn["content"] for turn in recorded.run.answers] == ["Paris."]
