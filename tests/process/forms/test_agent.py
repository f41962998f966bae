"""Real LangGraph agents: the whole run is one record, with every step in the order it happened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command

from langchain_label_studio.forms.agent import agent_run
from langchain_label_studio.forms.agent.form import FORM
from langchain_label_studio.forms.agent.gather import AgentGatherer
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.text import step_text
from tests.support.agents import ASK, agent, ask_a_person, calls, says, weather
from tests.support.recording import Recording, config, recording

PARIS = ("weather", {"city": "Paris"})
ROME = ("weather", {"city": "Rome"})
ATLANTIS = ("weather", {"city": "Atlantis"})


@pytest.fixture
def recorded() -> Iterator[Recording]:
    yield from recording(mode="agent", include_errors=True)


def told(steps: tuple[Step, ...]) -> list[str]:
    """Return the steps as their titles, without times."""
    return [step["title"].partition("  ·")[0].partition(". ")[2].strip() for step in shown(steps)]


def shown(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    return FORM.fill(LLMRun(run_id="1", trace_id="1", steps=steps)).data["run"]["steps"]


def test_a_run_is_one_record_with_all_its_steps(recorded: Recording):
    graph = agent(
        calls(PARIS, ROME, text="I look at both."),
        "Yes, 21 degrees.",
        name="helper",
        system_prompt="Be brief",
    )

    graph.invoke(ASK, config(recorded, tags=["mine"], configurable={"thread_id": "t1"}))

    run = recorded.run
    assert told(run.steps) == [
        "Agent is asked",
        "Agent says",
        'weather(city="Paris")',
        'weather(city="Rome")',
        "Agent says",
    ]
    assert [step.get("content") for step in run.steps] == [
        "Is it warm in Paris?",
        "I look at both.",
        None,
        None,
        "Yes, 21 degrees.",
    ]
    assert run.steps[2]["args"] == {"city": "Paris"}
    assert run.steps[3]["result"] == {"ok": True, "preview": "21 degrees in Rome"}
    assert all(step["durationMs"] >= 0 for step in run.steps[1:])
    assert run.steps[-1]["tokens"] == 15
    assert run.steps[-1]["model"] == "scripted-1"
    assert [turn["content"] for turn in run.answers] == ["Yes, 21 degrees."]
    assert [turn["role"] for turn in run.prompt] == ["system", "user"]
    assert (run.status, run.form, run.run_name, run.thread_id) == ("success", "agent", "helper", "t1")
    assert (run.model, run.total_tokens, run.tags) == ("scripted-1", 30, ("mine",))
    assert run.run_id == run.trace_id
    assert run.latency_ms is not None


def test_the_id_of_each_answer_leads_to_the_one_task(recorded: Recording):
    graph = agent(calls(PARIS), "Yes.")

    state = graph.invoke(ASK, config(recorded))

    ids = [message.id for message in state["messages"] if isinstance(message, AIMessage)]
    assert len(ids) == 2
    assert {recorded.record_of(each) for each in ids} == {recorded.run.run_id}


def test_a_tool_that_fails_ends_the_run(recorded: Recording):
    with pytest.raises(LookupError):
        agent(calls(PARIS, ATLANTIS)).invoke(ASK, config(recorded))

    run = recorded.run
    assert sorted(told(run.steps)) == sorted(
        ["Agent is asked", 'weather(city="Paris")', 'weather(city="Atlantis") failed']
    )
    failed = next(step for step in run.steps if step["kind"] == "error")
    assert failed["error"] == {"message": "LookupError: no such city"}
    assert (run.status, run.error, run.answers) == ("error", "LookupError: no such city", ())


def test_calls_that_no_tool_takes_are_steps_too(recorded: Recording):
    agent(calls(("nope", {"x": 1}), ("weather", {"town": 1})), "Sorry.").invoke(ASK, config(recorded))

    nope, bad = recorded.run.steps[1:3]
    assert (nope["kind"], nope["tool"], nope["args"]) == ("error", "nope", {"x": 1})
    assert "not a valid tool" in nope["error"]["message"]
    assert (bad["kind"], bad["tool"], bad["args"]) == ("error", "weather", {"town": 1})
    assert recorded.run.status == "success"


@pytest.mark.needs("langchain>=1.2.7")  # which tells the name of an agent
def test_a_sub_agent_that_is_a_node_is_named(recorded: Recording):
    graph = StateGraph(MessagesState)
    graph.add_node("research", agent(calls(PARIS), "I found it.", name="researcher"))
    graph.add_node("sum_up", lambda state: {"messages": [says("It is warm.").invoke(state["messages"])]})
    graph.add_edge(START, "research").add_edge("research", "sum_up").add_edge("sum_up", END)

    graph.compile(name="boss").invoke(ASK, config(recorded))

    run = recorded.run
    assert told(run.steps) == [
        "Agent is asked",
        'researcher: weather(city="Paris")',
        "researcher says",
        "sum_up says",
    ]
    assert [turn["content"] for turn in run.answers] == ["It is warm."]
    assert run.run_name == "boss"
    assert run.prompt == ({"role": "user", "content": "Is it warm in Paris?"},)


@pytest.mark.needs("langchain>=1.2.7")
def test_an_agent_that_is_a_tool_answers_its_caller_and_not_the_user(recorded: Recording):
    researcher = agent(calls(PARIS), "I found it.", name="researcher")

    def research(topic: str) -> str:
        """Look something up."""
        return researcher.invoke({"messages": [("user", topic)]})["messages"][-1].text

    graph = agent(calls(("research", {"topic": "Paris"})), "Yes.", tools=[research], name="boss")
    graph.invoke(ASK, config(recorded))

    run = recorded.run
    assert told(run.steps) == [
        "Agent is asked",
        'research(topic="Paris")',
        'researcher: weather(city="Paris")',
        "researcher says",
        "Agent says",
    ]
    assert run.steps[1]["result"]["preview"] == "I found it."
    assert [turn["content"] for turn in run.answers] == ["Yes."]


def test_an_interrupt_is_seen_and_the_run_that_goes_on_is_of_the_same_thread(recorded: Recording):
    graph = agent(
        calls(("ask_a_person", {"question": "ok?"})),
        "Done.",
        tools=[ask_a_person],
        checkpointer=InMemorySaver(),
    )
    settings = config(recorded, configurable={"thread_id": "t1"})

    graph.invoke(ASK, settings)
    graph.invoke(Command(resume="go ahead"), settings)

    first, second = recorded.runs
    assert (first.status, first.finish_reason, first.answers) == ("partial", "interrupt", ())
    assert told(first.steps) == [
        "Agent is asked",
        'ask_a_person(question="ok?") gave nothing back',
        "Agent asks a person, and stops until the answer comes",
    ]
    assert '"ok?"' in first.steps[-1]["content"]
    assert first.thread_id == second.thread_id == "t1"
    assert [step.get("content") for step in second.steps] == ["go ahead", None, "Done."]
    assert second.steps[1]["result"]["preview"] == "The person says go ahead"
    assert second.status == "success"
    assert second.prompt[0]["content"] == "Is it warm in Paris?", "the conversation that goes on"


def test_a_run_that_stops_before_its_tools_has_no_answer(recorded: Recording):
    graph = agent(calls(PARIS), "Done.", checkpointer=InMemorySaver(), interrupt_before=["tools"])
    settings = config(recorded, configurable={"thread_id": "t1"})

    graph.invoke(ASK, settings)
    graph.invoke(None, settings)

    first, second = recorded.runs
    assert told(first.steps)[1:] == ['weather(city="Paris") gave nothing back']
    assert first.answers == ()
    assert (first.status, first.finish_reason) == ("partial", "interrupt")
    assert told(second.steps)[1:] == ['weather(city="Paris")', "Agent says"]
    assert [turn["content"] for turn in second.answers] == ["Done."]


def test_a_run_beyond_the_limit_is_an_error_with_its_steps(recorded: Recording):
    from langgraph.errors import GraphRecursionError

    with pytest.raises((GraphRecursionError, KeyError)):  # langgraph 1.2 stumbles at an odd limit
        agent(calls(PARIS)).invoke(ASK, config(recorded, recursion_limit=4))

    run = recorded.run
    assert run.status == "error"
    assert run.error and "Recursion" in run.error
    assert run.steps[-1] == {"kind": "error", "error": {"message": run.error}}
    assert 'weather(city="Paris")' in told(run.steps)


def test_a_stream_is_recorded_as_a_call_is(recorded: Recording):
    for _ in agent(calls(PARIS), "Yes.").stream(ASK, config(recorded), stream_mode="messages"):
        pass

    assert told(recorded.run.steps) == ["Agent is asked", 'weather(city="Paris")', "Agent says"]
    assert [turn["content"] for turn in recorded.run.answers] == ["Yes."]


def test_a_stream_that_nobody_reads_to_its_end_is_abandoned(recorded: Recording):
    stream = agent(calls(PARIS), "Yes.").stream(ASK, config(recorded), stream_mode="updates")
    next(stream)
    stream.close()

    assert recorded.run.status == "abandoned"
    assert told(recorded.run.steps)[1:] == ['weather(city="Paris") gave nothing back']


async def slow(city: str) -> str:
    """Take long."""
    await asyncio.sleep(60)
    return city


SLOW = ("slow", {"city": "Paris"})


async def test_a_step_that_its_caller_cuts_off_is_cancelled(recorded: Recording):
    graph = agent(calls(SLOW), "Yes.", tools=[slow])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(graph.ainvoke(ASK, config(recorded)), 0.3)

    assert recorded.run.status == "cancelled"
    assert told(recorded.run.steps)[1:] == ['slow(city="Paris") was cancelled']
    assert "error" not in recorded.run.steps[1]
    assert step_text(recorded.run.steps[1]) == '→ slow(city="Paris")\ncancelled'


async def test_steps_that_ended_before_the_cut_keep_their_results(recorded: Recording):
    graph = agent(calls(PARIS, SLOW), "Yes.", tools=[weather, slow])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(graph.ainvoke(ASK, config(recorded)), 0.3)

    assert told(recorded.run.steps)[1:] == ['weather(city="Paris")', 'slow(city="Paris") was cancelled']
    assert recorded.run.steps[1]["result"]["ok"]


async def test_a_retriever_that_its_caller_cuts_off_is_cancelled(recorded: Recording):
    class SlowSearch(BaseRetriever):
        def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
            raise NotImplementedError

        async def _aget_relevant_documents(self, query: str, **_: Any) -> list[Document]:
            await asyncio.sleep(60)
            return []

    chain = RunnableLambda(lambda asked: asked) | SlowSearch()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(chain.ainvoke("warm?", config(recorded)), 0.3)

    assert recorded.run.status == "cancelled"
    assert told(recorded.run.steps)[1:] == ['SlowSearch(query="warm?") was cancelled']


@pytest.mark.needs("langchain>=1.2.7")
async def test_a_tool_that_cuts_off_an_agent_fails_and_the_step_inside_is_cancelled(
    recorded: Recording,
):
    inner = agent(calls(SLOW), "Yes.", tools=[slow], name="inner")

    async def ask_inner(question: str) -> str:
        """Ask the other agent."""
        answer = await asyncio.wait_for(inner.ainvoke({"messages": [("user", question)]}), 0.3)
        return str(answer)

    outer = agent(calls(("ask_inner", {"question": "warm?"})), "Sorry.", tools=[ask_inner], name="outer")
    with pytest.raises(TimeoutError):
        await outer.ainvoke(ASK, config(recorded))

    assert recorded.run.status == "error"
    assert told(recorded.run.steps)[1:3] == [
        'ask_inner(question="warm?") failed',
        'inner: slow(city="Paris") was cancelled',
    ]


async def test_agents_at_the_same_time_do_not_mix(recorded: Recording):
    graphs = [agent(calls(("weather", {"city": str(n)})), f"It is {n}.") for n in range(20)]

    await asyncio.gather(*(graph.ainvoke(ASK, config(recorded)) for graph in graphs))

    for run in recorded.runs:
        [call] = [step for step in run.steps if step["kind"] == "tool_call"]
        assert run.answers[0]["content"] == f"It is {call['args']['city']}."
    assert len(recorded.runs) == 20


@pytest.fixture
def _one_trace_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded = replace(FORM, gather=lambda group_by: AgentGatherer(max_open=1))
    monkeypatch.setattr("langchain_label_studio.forms.agent.form.FORM", bounded)


@pytest.mark.usefixtures("_one_trace_at_a_time")
def test_a_run_that_never_ends_is_given_up_with_the_steps_so_far(recorded: Recording):
    stream = agent(calls(PARIS), "Never.").stream(ASK, config(recorded), stream_mode="updates")
    next(stream)

    agent("Other.").invoke(ASK, config(recorded))

    abandoned, other = recorded.runs
    assert abandoned.status == "abandoned"
    assert told(abandoned.steps)[1:] == ['weather(city="Paris") gave nothing back']
    assert [turn["content"] for turn in other.answers] == ["Other."]
    list(stream)  # what comes too late is no second record of the same run, but the last answer is not lost
    assert len({run.run_id for run in recorded.runs}) == len(recorded.runs) == 3
    assert told(recorded.runs[-1].steps) == ["Agent is asked", "Agent says"]
    recorded.lost = {"never_ended": 1}


def test_failed_runs_are_excluded_unless_they_are_wanted():
    recorded = Recording(mode="agent")

    with pytest.raises(LookupError):
        agent(calls(ATLANTIS)).invoke(ASK, config(recorded))

    assert recorded.runs == []
    recorded.handler.close()


def test_a_model_alone_is_an_agent_of_one_step(recorded: Recording):
    model = says("Yes.")
    model.callbacks = [recorded.handler]

    RunnableLambda(model.invoke).invoke("Is it warm?")

    run = recorded.run
    assert told(run.steps) == ["Agent is asked", "Agent says"]
    assert run.prompt == ({"role": "user", "content": "Is it warm?"},)
    assert [turn["content"] for turn in run.answers] == ["Yes."]
    assert run.trace_id == run.parent_run_id != run.run_id


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document("Paris is warm."), Document("Rome is hot.")]


def test_retrievers_and_plain_chains(recorded: Recording):
    def answer(question: str) -> str:
        Shelf().invoke(question)
        return says("Yes.").invoke(question).text

    RunnableLambda(answer).invoke("Is it warm?", config(recorded))
    RunnableLambda(len).invoke("nothing to see", config(recorded))

    run = recorded.run
    assert told(run.steps) == ["Agent is asked", 'Shelf(query="Is it warm?")', "Agent says"]
    assert run.steps[1]["result"]["preview"] == "[1] Paris is warm.\n\n[2] Rome is hot."
    assert [turn["content"] for turn in run.answers] == ["Yes."]


def test_a_very_long_run_keeps_its_beginning_and_its_end(
    recorded: Recording, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(agent_run, "MAX_STEPS", 20)
    turns = [calls(("weather", {"city": str(number)})) for number in range(70)]

    agent(*turns, "Done.").invoke(ASK, config(recorded, recursion_limit=1000))

    steps = recorded.run.steps
    assert len(steps) == 1 + 20 + 1
    assert steps[1]["args"] == {"city": "0"}
    assert steps[-2]["args"] == {"city": "69"}
    assert steps[-1]["content"] == "Done."
    assert [step["content"] for step in steps if "omitted" in step.get("content", "")] == [
        "[51 steps are omitted here]"
    ]


def test_an_answer_with_thoughts_and_a_tool_that_returns_directly(recorded: Recording):
    thinking = calls(PARIS)
    thinking.additional_kwargs["reasoning_content"] = "They want the weather."
    from langchain_core.tools import tool

    graph = agent(thinking, tools=[tool(return_direct=True)(weather)])
    graph.invoke(ASK, config(recorded))

    assert told(recorded.run.steps) == ["Agent is asked", "Agent thinks", 'weather(city="Paris")']
    assert recorded.run.steps[1]["summary"] == "They want the weather."
    assert recorded.run.answers == ({"role": "assistant", "content": "21 degrees in Paris"},)
