"""Each call of an agent is one step with its own result, whoever ran the tool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_classic.agents import AgentExecutor, create_react_agent, create_tool_calling_agent
from langchain_core.caches import InMemoryCache
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnableParallel
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command
from pydantic import BaseModel
from typing_extensions import TypedDict

from langchain_label_studio.types.run_parts import Step
from tests.support.agents import ASK, agent, calls, says, weather
from tests.support.recording import Recording, config, recording

PARIS = ("weather", {"city": "Paris"})
ROME = ("weather", {"city": "Rome"})
Runner = Callable[[list[BaseTool]], Any]


@pytest.fixture
def recorded() -> Iterator[Recording]:
    yield from recording(mode="agent", include_errors=True)


def results(steps: tuple[Step, ...]) -> list[tuple[Any, str]]:
    """Return the arguments of each call, and what came back."""
    calls = [step for step in steps if "tool" in step]
    return [
        (
            step["args"],
            step["error"]["message"] if "error" in step else step.get("result", {}).get("preview", ""),
        )
        for step in calls
    ]


# Who runs the tool


def by_tool_node(tools: list[BaseTool]) -> Any:
    return ToolNode(tools)


def by_hand(tools: list[BaseTool]) -> Any:
    named = {each.name: each for each in tools}

    def run(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        asked = state["messages"][-1].tool_calls
        return {
            "messages": [
                ToolMessage(named[call["name"]].invoke(call["args"], config), tool_call_id=call["id"] or "")
                for call in asked
            ]
        }

    return run


def with_the_whole_call(tools: list[BaseTool]) -> Any:
    named = {each.name: each for each in tools}
    return lambda state, config: {
        "messages": [named[call["name"]].invoke(call, config) for call in state["messages"][-1].tool_calls]
    }


def without_callbacks(tools: list[BaseTool]) -> Any:
    """Nobody tells of the calls: the next conversation has their results."""
    return lambda state: {
        "messages": [
            ToolMessage(weather(**call["args"]), tool_call_id=call["id"] or "", name=call["name"])
            for call in state["messages"][-1].tool_calls
        ]
    }


RUNNERS = [by_tool_node, by_hand, with_the_whole_call, without_callbacks]


def graph_of(model: Any, runner: Runner) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", runner([tool(weather)]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "tools" if state["messages"][-1].tool_calls else END, ["tools", END]
    )
    graph.add_edge("tools", "model")
    return graph.compile()


def numbered(message: AIMessage, call_id: str | None) -> AIMessage:
    for call in message.tool_calls:
        call["id"] = call_id
    return message


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_call_is_one_step_whoever_runs_the_tool(recorded: Recording, runner: Runner) -> None:
    graph = graph_of(says(calls(PARIS, ROME), calls(ROME), "Warm."), runner)

    graph.invoke({"messages": [("system", "Be brief."), ("user", "Is it warm?")]}, config(recorded))

    run = recorded.run
    assert results(run.steps) == [
        ({"city": "Paris"}, "21 degrees in Paris"),
        ({"city": "Rome"}, "21 degrees in Rome"),
        ({"city": "Rome"}, "21 degrees in Rome"),
    ]
    assert [step["kind"] for step in run.steps] == ["user", *["tool_call"] * 3, "agent"]
    assert [turn["content"] for turn in run.prompt] == ["Be brief.", "Is it warm?"]


@pytest.mark.parametrize("call_id", ["same", "", None])
@pytest.mark.parametrize("runner", [by_hand, without_callbacks])
def test_calls_with_one_id_or_none_keep_their_own_results(
    recorded: Recording, runner: Runner, call_id: str | None
) -> None:
    both = numbered(calls(PARIS, ROME), call_id)

    graph_of(says(both, "Warm."), runner).invoke(ASK, config(recorded))

    assert results(recorded.run.steps) == [
        ({"city": "Paris"}, "21 degrees in Paris"),
        ({"city": "Rome"}, "21 degrees in Rome"),
    ]


@pytest.mark.parametrize("call_id", ["", None])
@pytest.mark.parametrize("runner", RUNNERS)
def test_calls_that_the_application_numbers_itself(
    recorded: Recording, runner: Runner, call_id: str | None
) -> None:
    both = numbered(calls(PARIS, ROME), call_id)
    model = says(both, "Warm.")

    def number(asked: Any) -> AIMessage:
        message = model.invoke(asked)
        for place, call in enumerate(message.tool_calls):
            call["id"] = f"our number {place}"
        return message

    graph_of(RunnableLambda(number), runner).invoke(ASK, config(recorded))

    assert results(recorded.run.steps) == [
        ({"city": "Paris"}, "21 degrees in Paris"),
        ({"city": "Rome"}, "21 degrees in Rome"),
    ]


@pytest.mark.parametrize("city", ["Oslo", "Paris"])
@pytest.mark.parametrize("call_id", ["call_0", "", None])
def test_a_result_of_an_earlier_turn_is_not_that_of_a_new_call(
    recorded: Recording, call_id: str | None, city: str
) -> None:
    earlier = [
        HumanMessage("Is it cold?"),
        numbered(calls(("weather", {"city": city})), call_id),
        ToolMessage("the old result", tool_call_id=call_id or "", name="weather"),
        AIMessage("Cold."),
    ]
    guard = says("No harm.")
    run_tools = without_callbacks([])

    def guarded(state: MessagesState) -> Any:
        guard.invoke([*earlier, HumanMessage("Is this harmful?")])
        return run_tools(state)

    graph_of(says(numbered(calls(PARIS), call_id), "Warm."), lambda tools: guarded).invoke(
        {"messages": [*earlier, HumanMessage("And now?")]}, config(recorded)
    )

    assert results(recorded.run.steps) == [({"city": "Paris"}, "21 degrees in Paris")]


def test_sub_agents_that_number_their_calls_alike(recorded: Recording) -> None:
    def asks_both(name: str, *topics: str) -> AIMessage:
        both = calls(*((name, {"topic": topic}) for topic in topics))
        for place, call in enumerate(both.tool_calls):
            call["id"] = f"call_{place}"
        return both

    @tool
    def search(topic: str) -> str:
        """Search."""
        return f"found {topic}"

    @tool
    def ask(topic: str) -> str:
        """Ask a sub-agent."""
        script = asks_both("search", f"{topic} 1", f"{topic} 2"), f"all of {topic}"
        return str(create_agent(says(*script), [search]).invoke(ASK)["messages"][-1].text)

    create_agent(says(asks_both("ask", "A", "B"), "Done."), [ask]).invoke(
        ASK, config(recorded, max_concurrency=1)
    )

    assert sorted((args["topic"], result) for args, result in results(recorded.run.steps)) == [
        ("A", "all of A"),
        ("A 1", "found A 1"),
        ("A 2", "found A 2"),
        ("B", "all of B"),
        ("B 1", "found B 1"),
        ("B 2", "found B 2"),
    ]


@pytest.mark.parametrize("runner", RUNNERS)
def test_an_id_that_comes_again_in_each_turn(recorded: Recording, runner: Runner) -> None:
    first, second = (numbered(calls(city), "call_0") for city in (PARIS, ROME))

    graph_of(says(first, second, "Warm."), runner).invoke(ASK, config(recorded))

    assert results(recorded.run.steps) == [
        ({"city": "Paris"}, "21 degrees in Paris"),
        ({"city": "Rome"}, "21 degrees in Rome"),
    ]


def test_two_calls_with_one_id_that_a_tool_node_runs(recorded: Recording) -> None:
    both = numbered(calls(PARIS, ROME), "same")

    graph_of(says(both, "Warm."), by_tool_node).invoke(ASK, config(recorded))

    assert sorted(results(recorded.run.steps), key=str) == [
        ({"city": "Paris"}, "21 degrees in Paris"),
        ({"city": "Rome"}, "21 degrees in Rome"),
    ]


def test_the_result_of_an_invalid_call_is_its_own_error(recorded: Recording) -> None:
    broken = AIMessage(
        "",
        invalid_tool_calls=[
            {
                "name": "weather",
                "args": '{"city": ',
                "id": None,
                "error": "not JSON",
                "type": "invalid_tool_call",
            }
        ],
    )

    def correct(state: MessagesState) -> dict[str, Any]:
        return {"messages": [HumanMessage("Your call was no JSON.")]}

    model = says(broken, "Sorry.")
    graph = StateGraph(MessagesState)
    graph.add_node(
        "model", lambda state: {"messages": [model.invoke([SystemMessage("Be brief."), *state["messages"]])]}
    )
    graph.add_node("correct", correct)
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model",
        lambda state: "correct" if state["messages"][-1].invalid_tool_calls else END,
        ["correct", END],
    )
    graph.add_edge("correct", "model")
    graph.compile().invoke(ASK, config(recorded))

    assert results(recorded.run.steps) == [('{"city": ', "invalid tool call: not JSON")]


def test_the_classic_executor(recorded: Recording) -> None:
    prompt = ChatPromptTemplate(
        [
            ("system", "Be brief."),
            ("placeholder", "{chat_history}"),
            ("user", "{input}"),
            ("placeholder", "{agent_scratchpad}"),
        ]
    )
    tools = [tool(weather)]
    executor = AgentExecutor(
        agent=create_tool_calling_agent(says(calls(PARIS), calls(ROME), "Warm."), tools, prompt), tools=tools
    )

    executor.invoke(
        {"input": "Is it warm?", "chat_history": [("user", "Hello"), ("ai", "Hi")]}, config(recorded)
    )

    run = recorded.run
    assert results(run.steps) == [
        ({"city": "Paris"}, "21 degrees in Paris"),
        ({"city": "Rome"}, "21 degrees in Rome"),
    ]
    assert [turn["content"] for turn in run.prompt] == ["Be brief.", "Hello", "Hi", "Is it warm?"]
    assert [turn["content"] for turn in run.answers] == ["Warm."]
    assert run.steps[0]["content"] == "Is it warm?"
    assert run.status == "success"


def test_the_classic_executor_and_a_tool_that_does_not_exist(recorded: Recording) -> None:
    prompt = ChatPromptTemplate([("user", "{input}"), ("placeholder", "{agent_scratchpad}")])
    tools = [tool(weather)]
    script = calls(("nope", {"x": 1}), ("nope", {"x": 2}), PARIS), "Warm."
    executor = AgentExecutor(agent=create_tool_calling_agent(says(*script), tools, prompt), tools=tools)

    executor.invoke({"input": "Is it warm?"}, config(recorded))

    assert results(recorded.run.steps) == [
        ({"x": 1}, "nope is not a valid tool, try one of [weather]."),
        ({"x": 2}, "nope is not a valid tool, try one of [weather]."),
        ({"city": "Paris"}, "21 degrees in Paris"),
    ]
    assert [step["kind"] for step in recorded.run.steps[1:]] == ["error", "error", "tool_call", "agent"]


def test_the_classic_executor_and_an_answer_that_it_cannot_parse(recorded: Recording) -> None:
    prompt = ChatPromptTemplate([("user", "{input} {tools} {tool_names} {agent_scratchpad}")])
    model = says("Hm.", "Thought: I know.\nFinal Answer: Warm.")
    executor = AgentExecutor(
        agent=create_react_agent(model, [tool(weather)], prompt),
        tools=[tool(weather)],
        handle_parsing_errors="Follow the format.",
    )

    executor.invoke({"input": "Is it warm?"}, config(recorded))

    [_, _, note, _] = recorded.run.steps
    assert (note["kind"], note["error"]["message"]) == ("error", "Follow the format.")
    assert "tool" not in note
    assert [turn["content"] for turn in recorded.run.answers] == ["Warm."]


def test_an_application_that_changes_the_arguments(recorded: Recording) -> None:
    def run(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        [call] = state["messages"][-1].tool_calls
        said = tool(weather).invoke({"city": call["args"]["city"].upper()}, config)
        return {"messages": [ToolMessage(said, tool_call_id=call["id"])]}

    graph_of(says(calls(PARIS), "Warm."), lambda tools: run).invoke(ASK, config(recorded))

    assert results(recorded.run.steps) == [({"city": "Paris"}, "21 degrees in PARIS")]


# What a tool gives back


LIST = pytest.mark.needs("langchain-core>=1.4")  # before that, LangChain makes a text of a list


@pytest.mark.parametrize(
    "shape",
    ["command", "message", pytest.param("messages", marks=LIST), pytest.param("with_a_command", marks=LIST)],
)
def test_a_tool_that_gives_messages_back_shows_their_text(recorded: Recording, shape: str) -> None:
    @tool
    def hand_over(to: str, call_id: Annotated[str, InjectedToolCallId]) -> Any:
        """Hand over."""
        message = ToolMessage(f"Handed over to {to}", tool_call_id=call_id)
        update: Any = {"messages": [message]}
        return {
            "command": Command(update=update),
            "message": message,
            "messages": [message],
            "with_a_command": [Command(update=update)],
        }[shape]

    graph = create_agent(says(calls(("hand_over", {"to": "Ann"})), "Done."), [hand_over])
    graph.invoke(ASK, config(recorded))

    [(args, result)] = results(recorded.run.steps)
    assert args["to"] == "Ann"
    assert result == "Handed over to Ann"
    assert [turn["content"] for turn in recorded.run.answers] == ["Done."]


# What goes in and comes out


def test_a_chain_with_several_inputs_shows_the_conversation_that_the_model_saw(recorded: Recording) -> None:
    prompt = ChatPromptTemplate([("system", "You speak {language}."), ("user", "Translate: {text}")])

    (prompt | says("Bonjour")).invoke({"language": "French", "text": "Hello"}, config(recorded))

    assert [(turn["role"], turn["content"]) for turn in recorded.run.prompt] == [
        ("system", "You speak French."),
        ("user", "Translate: Hello"),
    ]
    assert recorded.run.steps[0]["content"] == "Translate: Hello"


def test_a_chain_with_one_input_shows_the_conversation_that_the_model_saw(recorded: Recording) -> None:
    prompt = ChatPromptTemplate([("user", "Tell me a joke about {topic}.")])

    (prompt | says("No.")).invoke({"topic": "bears"}, config(recorded))

    assert [turn["content"] for turn in recorded.run.prompt] == ["Tell me a joke about bears."]


@pytest.mark.parametrize(
    "after",
    [
        [("system", "Answer in French.")],
        [("ai", "Bon")],
        [("system", "Answer in French."), ("ai", "Bon")],
        [("system", "Paris is warm."), ("user", "Say only one word.")],
    ],
)
@pytest.mark.parametrize("with_a_step_before", [False, True])
def test_what_the_application_says_after_the_user_is_in_the_prompt(
    recorded: Recording, after: list[tuple[str, str]], with_a_step_before: bool
) -> None:
    def look_up(question: str) -> str:
        if with_a_step_before:
            tool(weather).invoke({"city": "Paris"})
        return question

    chain = RunnableLambda(look_up) | (lambda question: [("user", question), *after]) | says("Oui")
    chain.invoke("Is it warm?", config(recorded))

    roles = {"ai": "assistant"}
    assert [(turn["role"], turn["content"]) for turn in recorded.run.prompt] == [
        ("user", "Is it warm?"),
        *((roles.get(role, role), text) for role, text in after),
    ]


def test_a_model_inside_a_retriever_is_not_the_agents_own(recorded: Recording) -> None:
    class Words(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            said = says("Paris weather").invoke(f"Words for: {query}", {"callbacks": run_manager.get_child()})
            return [Document(said.text)]

    prompt = ChatPromptTemplate([("user", "{found}: is it warm?")])
    chain = {"found": Words()} | prompt | says("Yes.")
    chain.invoke("Warm?", config(recorded))

    [turn] = recorded.run.prompt
    assert turn["content"].endswith(": is it warm?")


@pytest.mark.parametrize(("models", "cached"), [(("Yes.",), True), (("Yes.", "Perhaps."), False)])
def test_a_run_is_cached_if_all_its_answers_are(
    recorded: Recording, models: tuple[str, ...], cached: bool
) -> None:
    first, *others = map(says, models)
    first.cache = InMemoryCache()
    first.invoke("Warm?")

    RunnableLambda(lambda asked: [each.invoke(asked).text for each in (first, *others, first)][-1]).invoke(
        "Warm?", config(recorded)
    )

    assert recorded.run.cached is cached


def test_a_chain_that_ends_with_a_call_is_a_success(recorded: Recording) -> None:
    chain = ChatPromptTemplate([("user", "{text}")]) | says(calls(PARIS)).bind_tools([weather])

    chain.invoke({"text": "Is it warm?"}, config(recorded))

    run = recorded.run
    assert (run.status, run.finish_reason) == ("success", None)
    [answer] = run.answers
    assert [call["args"] for call in answer["tool_calls"]] == [{"city": "Paris"}]


class Weather(BaseModel):
    city: str
    warm: bool


class WeatherDict(TypedDict):
    city: str
    warm: bool


@pytest.mark.parametrize("schema", [Weather, WeatherDict])
def test_a_structured_response_is_the_answer_as_json(recorded: Recording, schema: Any) -> None:
    value = {"city": "Paris", "warm": True}
    graph = create_agent(says(calls((schema.__name__, value))), [], response_format=ToolStrategy(schema))

    graph.invoke(ASK, config(recorded))

    [answer] = recorded.run.answers
    assert answer == {"role": "assistant", "content": '{\n "city": "Paris",\n "warm": true\n}'}
    assert recorded.run.status == "success"


def test_a_parser_makes_values_of_a_call(recorded: Recording) -> None:
    parse = RunnableLambda(lambda message: Weather(**message.tool_calls[0]["args"]))
    chain = (
        ChatPromptTemplate([("user", "{text}")])
        | says(calls(("Weather", {"city": "Paris", "warm": True})))
        | parse
    )

    chain.invoke({"text": "Is it warm?"}, config(recorded))

    assert recorded.run.answers[0]["content"] == '{\n "city": "Paris",\n "warm": true\n}'


@pytest.mark.parametrize("round_number", range(3))
def test_branches_side_by_side_are_one_answer_in_their_order(recorded: Recording, round_number: int) -> None:
    RunnableParallel(one=says("First."), other=says("Second.")).invoke("Hi", config(recorded))

    assert recorded.run.answers[0]["content"] == '{\n "one": "First.",\n "other": "Second."\n}'


class Counting(dict):
    """A row that counts how often it is looked at."""

    looked_at = 0

    def items(self) -> Any:
        type(self).looked_at += 1
        return super().items()


class TableState(MessagesState):
    rows: list[Any]


def test_a_large_state_costs_no_more_than_what_is_kept_of_it(
    recorded: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counting, "looked_at", 0)
    rows = [Counting(number=number, text="x" * 10) for number in range(200_000)]
    graph = StateGraph(TableState)
    model = says(calls(("read", {"rows": 1})), "Done.")

    @tool
    def read(rows: int) -> list[Any]:
        """Read the table."""
        return table

    table = rows
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([read]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "tools" if state["messages"][-1].tool_calls else END, ["tools", END]
    )
    graph.add_edge("tools", "model")
    compiled = graph.compile()
    untouched = compiled.invoke({**ASK, "rows": rows})
    assert untouched["rows"] is not None
    by_langgraph = Counting.looked_at
    Counting.looked_at = 0
    model.script = iter([calls(("read", {"rows": 1})), AIMessage("Done.")])

    compiled.invoke({**ASK, "rows": rows}, config(recorded))

    assert Counting.looked_at - by_langgraph < 5_000
    assert "cut" in results(recorded.run.steps)[0][1]
    assert [turn["content"] for turn in recorded.run.prompt] == ["Is it warm in Paris?"]


def test_tools_of_the_provider_are_steps_with_their_results(recorded: Recording) -> None:
    searched = AIMessage(
        [
            {
                "type": "server_tool_use",
                "id": "s1",
                "name": "web_search",
                "input": {"query": "Paris weather"},
            },
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s1",
                "content": [
                    {
                        "type": "web_search_result",
                        "title": "Paris",
                        "url": "https://example.com/paris",
                        "encrypted_content": "Eo8CCioIAhgC",
                    }
                ],
            },
            {"type": "text", "text": "It is warm."},
        ],
        response_metadata={"model_provider": "anthropic"},
    )

    agent(searched).invoke(ASK, config(recorded))

    [(args, result)] = results(recorded.run.steps)
    assert args == {"query": "Paris weather"}
    assert result == "Paris\nhttps://example.com/paris"
    assert [step["kind"] for step in recorded.run.steps] == ["user", "tool_call", "agent"]
    assert [turn["content"] for turn in recorded.run.answers] == ["It is warm."]
