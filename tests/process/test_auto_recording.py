"""Programs that say nothing of recording but one import, before a Label Studio on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_label_studio import current_handler, record_runs
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.openai_stub import OpenAIStub, call_tool, running_stub, say
from tests.support.programs import COMMAND, changed, waiting_files
from tests.support.recording import Recording, recording

stub = pytest.fixture(scope="module")(running_stub)
recorded = pytest.fixture(recording)

SWITCH = "LANGCHAIN_LABEL_STUDIO"
PROMPT = ChatPromptTemplate.from_messages([("human", "{text}")])
CHAIN = """
from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate
chain = ChatPromptTemplate.from_messages([("human", "{text}")]) | FakeListChatModel(responses=["Hello"])
"""
ASK = 'print(chain.invoke("Hi").text)\n'
IMPORT = "import langchain_label_studio\n"
SWITCH_ON = f"import os; os.environ[{SWITCH!r}] = 'true'\n"


def run(
    program: str, loopback: LoopbackLabelStudio, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a user's own program."""
    settings = {"LABEL_STUDIO_URL": loopback.url, "LABEL_STUDIO_API_KEY": KEY}
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        env=os.environ | settings | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# Programs of a user


@pytest.mark.parametrize(
    ("program", "switch"),
    [
        (IMPORT + CHAIN + ASK, "true"),
        (CHAIN + IMPORT + ASK, "1"),
        ("import langchain_core.tracers.context\n" + IMPORT + CHAIN + ASK, "true"),
        (IMPORT + SWITCH_ON + CHAIN + ASK, ""),
        (SWITCH_ON + IMPORT + CHAIN + ASK, "0"),
        (IMPORT + CHAIN + changed(ASK, "Hi", "not this one") + SWITCH_ON + ASK, ""),
        ("import threading\n" + IMPORT + CHAIN + f"threading.Thread(target=lambda: {ASK[:-1]}).start()", "true"),
        ("import asyncio\n" + IMPORT + CHAIN + "print(asyncio.run(chain.ainvoke('Hi')).text)", "true"),
    ],
    ids=[
        *("set outside", "imported last", "with LangChain's hooks loaded", "set after the import"),
        *("set before the import", "set between two runs", "in a thread", "in an event loop"),
    ],
)  # fmt: skip
def test_a_program_records_with_an_import_and_a_variable(
    program: str, switch: str, loopback: LoopbackLabelStudio
) -> None:
    done = run(program, loopback, **{SWITCH: switch, "LABEL_STUDIO_PROJECT_NAME": "Switched on"})

    assert (done.returncode, done.stdout.splitlines()[-1:], done.stderr) == (0, ["Hello"], "")
    (task,) = loopback.tasks
    assert task["data"]["prompt"] == "Hi"
    assert task["predictions"][0]["result"][0]["value"]["text"] == ["Hello"]
    assert [project["title"] for project in loopback.projects.values()] == ["Switched on"]
    assert waiting_files() == []


@pytest.mark.parametrize("switch", ["", "0", "false", "False"])
def test_switched_off_nothing_happens(switch: str, loopback: LoopbackLabelStudio) -> None:
    done = run(IMPORT + CHAIN + ASK, loopback, **{SWITCH: switch})

    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello\n", "")
    assert loopback.requests == []
    assert not Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).exists()


@pytest.mark.parametrize("options", [(), ("-W", "error")], ids=["", "-W error"])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LABEL_STUDIO_API_KEY", "", "No Label Studio API key"),
        ("LABEL_STUDIO_URL", "ftp://me:hunter2@example.com", "has to start with http"),
        ("LABEL_STUDIO_PROJECT_ID", "seven", "has to be the project's number"),
    ],
)
def test_a_wrong_setting_is_one_line_and_no_harm(
    name: str, value: str, said: str, options: tuple[str, ...], loopback: LoopbackLabelStudio
) -> None:
    done = run(IMPORT + CHAIN + ASK * 3, loopback, *options, **{SWITCH: "true", name: value})

    assert (done.returncode, done.stdout) == (0, "Hello\n" * 3), done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{SWITCH} is set, but no run is recorded.")
    assert said in line
    assert "hunter2" not in line


@pytest.mark.parametrize("trouble", ["down", "refuses the key"])
def test_a_label_studio_in_trouble_costs_the_program_nothing(
    trouble: str, loopback: LoopbackLabelStudio
) -> None:
    if trouble == "down":
        loopback.stop()
    loopback.key_is_good = False
    done = run(IMPORT + CHAIN + ASK * 3, loopback, **{SWITCH: "true"})

    assert (done.returncode, done.stdout) == (0, "Hello\n" * 3), done.stderr
    assert "Runs that wait" in done.stderr
    assert waiting_files()


def test_a_disk_that_takes_nothing_costs_nothing(loopback: LoopbackLabelStudio, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    unusable = {"LABEL_STUDIO_OUTBOX_DIR": str(tmp_path / "file" / "outbox")}
    done = run(IMPORT + CHAIN + ASK, loopback, **{SWITCH: "true"}, **unusable)

    assert (done.returncode, done.stdout) == (0, "Hello\n"), done.stderr
    assert "cannot be kept on the disk" in done.stderr
    assert len(loopback.tasks) == 1, "in memory, it is sent all the same"


def test_forked_children_record_as_well_before_and_after_the_first_run(loopback: LoopbackLabelStudio) -> None:
    program = """
        import os, threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from langchain_label_studio import current_handler
        def children(count):
            pids = []
            for _ in range(count):
                pid = os.fork()
                if pid == 0:
                    chain.batch(["Hi"] * 5)
                    os._exit(0 if current_handler().flush(30) else 1)
                pids.append(pid)
            assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * count
        # Forked in the middle of LangChain's first imports, a child would hang without us.
        chain.invoke("not recorded")
        os.environ["LANGCHAIN_LABEL_STUDIO"] = "true"
        children(2)
        threads = [threading.Thread(target=chain.batch, args=(["Hi"] * 20,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        children(4)
        for thread in threads:
            thread.join()
        children(2)
        assert current_handler().flush(30)
    """
    done = run(CHAIN + textwrap.dedent(program), loopback)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(set(loopback.run_ids())) == len(loopback.tasks) == 8 * 5 + 4 * 20


def test_a_pool_of_spawned_processes_records_where_its_module_imports_us(
    loopback: LoopbackLabelStudio, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(IMPORT + CHAIN + "def ask(text):\n    return chain.invoke(text).text\n")
    program = """
        import multiprocessing, sys
        if __name__ == "__main__":
            import mine
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print(pool.map(mine.ask, ["one", "two", "three"]))
                pool.close()
                pool.join()
    """
    (tmp_path / "main.py").write_text(textwrap.dedent(program))
    started = f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); runpy.run_path('{tmp_path}/main.py', run_name='__main__')"
    done = run(started, loopback, **{SWITCH: "true"})

    assert (done.returncode, done.stdout) == (0, "['Hello', 'Hello', 'Hello']\n"), done.stderr
    assert sorted(task["data"]["prompt"] for task in loopback.tasks) == ["one", "three", "two"]


def test_many_programs_of_one_switch_share_their_project(loopback: LoopbackLabelStudio) -> None:
    for _ in range(2):
        assert run(IMPORT + CHAIN + ASK, loopback, **{SWITCH: "true"}).returncode == 0

    assert (len(loopback.projects), len(loopback.tasks)) == (1, 2)


def test_our_own_command_is_not_bothered(loopback: LoopbackLabelStudio) -> None:
    done = subprocess.run(
        [COMMAND, "outbox", "status"],
        env=os.environ | {SWITCH: "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


# Real models, agents and graphs


@pytest.fixture
def chat(stub: OpenAIStub) -> ChatOpenAI:
    return stub.chat()


@pytest.fixture(params=["switch", "with"])
def attached(
    request: pytest.FixtureRequest, loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LoopbackLabelStudio]:
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    if request.param == "switch":
        monkeypatch.setenv(SWITCH, "true")
        yield loopback
        monkeypatch.delenv(SWITCH)
        assert current_handler() is None
    else:
        with record_runs():
            yield loopback


def tasks(loopback: LoopbackLabelStudio) -> list[dict[str, Any]]:
    handler = current_handler()
    assert handler
    assert handler.flush(20)
    assert handler.stats().lost == {}
    assert len(set(loopback.run_ids())) == len(loopback.tasks)
    return [task["data"] for task in loopback.tasks]


@tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Sunny in {city}"


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream", "astream_events"])
async def test_each_turn_of_an_agent_is_recorded_once(
    way: str, chat: ChatOpenAI, stub: OpenAIStub, attached: LoopbackLabelStudio
) -> None:
    stub.reply(call_tool("get_weather", {"city": "Paris"}), say("It is sunny in Paris."))
    agent = create_agent(chat, [get_weather], checkpointer=InMemorySaver())
    asked: Any = {"messages": [("user", "What is the weather in Paris?")]}
    config: Any = {"configurable": {"thread_id": "t-1"}, "run_id": (root := uuid4())}
    if way == "ainvoke":
        await agent.ainvoke(asked, config)
    elif way == "astream":
        assert [chunk async for chunk in agent.astream(asked, config)]
    elif way == "astream_events":
        assert [event async for event in agent.astream_events(asked, config, version="v2")]
    elif way == "stream":
        assert list(agent.stream(asked, config))
    else:
        agent.invoke(asked, config)

    first, second = tasks(attached)
    assert {first["trace_id"], second["trace_id"]} == {str(root)}
    assert {first["thread_id"], second["thread_id"]} == {"t-1"}


@pytest.mark.parametrize("way", ["model", "config"])
def test_an_agent_with_an_explicit_handler_is_recorded_there_alone(
    way: str, chat: ChatOpenAI, stub: OpenAIStub, attached: LoopbackLabelStudio, recorded: Recording
) -> None:
    stub.reply(call_tool("get_weather", {"city": "Paris"}), say("It is sunny in Paris."))
    callbacks = [recorded.handler]
    model = chat.model_copy(update={"callbacks": callbacks}) if way == "model" else chat
    agent = create_agent(model, [get_weather])
    agent.invoke({"messages": [("user", "Hi")]}, {"callbacks": callbacks} if way == "config" else None)  # type: ignore[call-overload]

    assert (len(recorded.runs), tasks(attached)) == (2, [])


def test_nodes_of_a_graph_that_run_side_by_side(chat: ChatOpenAI, attached: LoopbackLabelStudio) -> None:
    def node(state: MessagesState) -> Any:
        return {"messages": [(PROMPT | chat).invoke(str(state["messages"][0].content))]}

    def branch(state: MessagesState) -> Any:
        return {"messages": node(state)["messages"]}

    graph = StateGraph(MessagesState)
    for name in ("left", "right"):
        graph.add_node(name, branch)
        graph.add_edge(START, name)
    outer = StateGraph(MessagesState)
    outer.add_node("inner", graph.compile())
    outer.add_edge(START, "inner")
    outer.compile().invoke({"messages": [HumanMessage("Hi")]})

    assert [task["prompt"] for task in tasks(attached)] == ["Hi", "Hi"]
