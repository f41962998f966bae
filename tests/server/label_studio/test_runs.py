"""Real models, a real Label Studio: what people find there is what was said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import openai
import pytest
from label_studio_sdk import LabelStudio
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI
from langgraph.checkpoint.memory import InMemorySaver

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.local_server import LocalLabelStudio, LocalModel
from tests.support.openai_stub import MODEL, OpenAIStub, call_tool, fail, running_stub, say

stub = pytest.fixture(scope="module")(running_stub)


class Project:
    """A project of its own for a test, and what is in it."""

    def __init__(self, server: LocalLabelStudio, **options: Any) -> None:
        self.handler = LabelStudioCallbackHandler(
            server.api_key, server.url, project_name=f"Runs {uuid4().hex[:8]}", **options
        )
        self._http = httpx.Client(timeout=60)
        self._sdk = LabelStudio(base_url=server.url, api_key=server.api_key, httpx_client=self._http)

    @property
    def tasks(self) -> list[Any]:
        """All tasks, oldest first."""
        assert self.handler.flush(30)
        listed = self._sdk.tasks.list(project=self.handler.project_id, fields="all")
        return sorted(listed, key=lambda task: task.id)

    def close(self) -> None:
        self.handler.close()
        self._http.close()
        assert self.handler.stats().lost == {}

    @property
    def shown(self) -> list[tuple[Any, list[str]]]:
        """What a reviewer sees of each task: the prompt and the texts of the prediction."""
        return [(task.data["prompt"], texts(task)) for task in self.tasks]


def texts(task: Any) -> list[str]:
    found: list[str] = []
    for prediction in task.predictions:
        assert prediction.model_version == "langchain"
        found += prediction.result[0]["value"]["text"]
    return found


@pytest.fixture
def project(label_studio: LocalLabelStudio, stub: OpenAIStub) -> Iterator[Project]:
    stub.reset()
    project = Project(label_studio)
    yield project
    project.close()


@pytest.fixture
def dialogues(label_studio: LocalLabelStudio, stub: OpenAIStub) -> Iterator[Project]:
    stub.reset()
    project = Project(label_studio, mode="chat", include_errors=True)
    yield project
    project.close()


@pytest.fixture
def chat(stub: OpenAIStub) -> ChatOpenAI:
    return stub.chat()


def small(kind: type[ChatOpenAI | OpenAI], model: LocalModel, **options: Any) -> Any:
    return kind(
        base_url=model.base_url,
        api_key="none",
        model=model.model_name,
        temperature=0,
        max_tokens=24,
        **options,
    )


@tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It is sunny and 21 degrees in {city}."


def test_a_completion_of_a_real_model_is_a_task(project: Project, local_model: LocalModel) -> None:
    model = small(OpenAI, local_model, callbacks=[project.handler])
    said = model.invoke("The capital of France is")

    (task,) = project.tasks
    assert (task.data["prompt"], texts(task)) == ("The capital of France is", [said])
    assert task.data["model"] == "SmolLM2-135M-Instruct"
    assert task.data["status"] == "success"
    assert task.data["total_tokens"] == task.data["input_tokens"] + task.data["output_tokens"]
    assert task.data["latency_ms"] > 0


@pytest.mark.filterwarnings("ignore:.*is in beta")
async def test_every_way_to_call_a_real_chat_model_makes_the_same_task(
    project: Project, local_model: LocalModel
) -> None:
    model = small(ChatOpenAI, local_model, callbacks=[project.handler])
    prompt = "What is the capital of France?"
    said = model.invoke(prompt).text
    await model.ainvoke(prompt)
    model.batch([prompt])
    list(model.stream(prompt))
    [chunk async for chunk in model.astream(prompt)]
    [event async for event in model.astream_events(prompt, version="v2")]
    list(model.stream_events(prompt, version="v3").text)

    assert "Paris" in said
    assert project.shown == [(prompt, [said])] * 7
    assert {task.data["model"] for task in project.tasks} == {"SmolLM2-135M-Instruct"}


def test_a_chain_with_a_thread_can_be_filtered_by_its_columns(
    project: Project, local_model: LocalModel
) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{text}")])
    chain = prompt | small(ChatOpenAI, local_model) | StrOutputParser()
    root = uuid4()
    said = chain.invoke(
        {"text": "Say hello."},
        {
            "callbacks": [project.handler],
            "run_id": root,
            "tags": ["greeting", "test"],
            "metadata": {"thread_id": "thread-1"},
        },
    )

    (task,) = project.tasks
    assert (task.data["prompt"], texts(task)) == ("system: Be brief.\n\nuser: Say hello.", [said])
    facts = {"trace_id": str(root), "tags": "greeting, test", "thread_id": "thread-1", "provider": "openai"}
    assert facts.items() <= task.data.items()
    assert task.data["finish_reason"] in {"stop", "length"}


def test_the_turns_of_a_real_agent_are_dialogues(dialogues: Project, local_model: LocalModel) -> None:
    agent = create_agent(small(ChatOpenAI, local_model), [get_weather], checkpointer=InMemorySaver())
    config: Any = {"callbacks": [dialogues.handler], "configurable": {"thread_id": "t-1"}}
    agent.invoke({"messages": [HumanMessage("What is the weather in Paris?")]}, config)

    call, answer = dialogues.tasks
    assert texts(call) == ['→ get_weather(city="Paris")']
    assert [(turn["role"], turn["content"]) for turn in answer.data["prompt"]] == [
        ("user", "What is the weather in Paris?"),
        ("assistant", '→ get_weather(city="Paris")'),
        ("tool", "get_weather: It is sunny and 21 degrees in Paris."),
    ]
    assert "sunny" in texts(answer)[0]
    assert call.data["trace_id"] == answer.data["trace_id"]
    assert call.data["thread_id"] == answer.data["thread_id"] == "t-1"


async def test_what_only_a_scripted_server_says_arrives_too(
    dialogues: Project, stub: OpenAIStub, chat: ChatOpenAI
) -> None:
    config: Any = {"callbacks": [dialogues.handler]}
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'QUJD' * 1000}"}}
    stub.reply(
        say("one", "two"),
        call_tool("get_weather", '{"city": "Par'),
        say("A cat \ud83d \x00 <b>!</b>"),
        say("Once upon a time").but(end="close"),
        say(""),
        fail(401, "Incorrect API key provided: sk-abcdefghijklmnop."),
    )
    chat.bind(n=2).invoke("several", config)
    chat.invoke("broken call", config)
    chat.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, picture])], config)
    with pytest.raises(Exception):  # noqa: B017 (each version of httpx and openai has its own)
        list(chat.stream("cut", config))
    chat.invoke("silence", config)
    with pytest.raises(openai.AuthenticationError):
        await chat.ainvoke("no key", config)

    tasks = dialogues.tasks
    several, broken, seen, cut, silence, refused = tasks
    assert texts(several) == ["one", "two"]
    assert texts(broken)[0].startswith('→ get_weather({"city": "Par)  [invalid tool call: ')
    assert seen.data["prompt"][0]["content"] == "What is this?\n[image: image/png, 3.0 kB]"
    assert texts(seen) == ["A cat \ufffd \ufffd <b>!</b>"]
    assert (texts(cut), cut.data["status"]) == (["Once upon a time"], "partial")
    assert (texts(silence), silence.data["status"]) == ([], "success")
    assert (texts(refused), refused.data["status"]) == ([], "error")
    assert "sk-abc" not in refused.data["error"]
    assert {task.data["model"] for task in tasks} == {MODEL, "stub-1"}


async def test_runs_of_many_tasks_and_threads_arrive_once_each(project: Project, chat: ChatOpenAI) -> None:
    model = chat.with_config(callbacks=[project.handler])
    config: Any = {"callbacks": [project.handler]}
    await asyncio.gather(*(model.ainvoke(f"task {number}", config) for number in range(20)))
    await asyncio.to_thread(model.batch, [f"thread {number}" for number in range(20)], config)

    asked = [f"{kind} {number}" for kind in ("task", "thread") for number in range(20)]
    assert sorted(project.shown) == sorted((text, [f"Echo: {text}"]) for text in asked)


def test_the_task_of_an_answer_can_be_opened(project: Project, chat: ChatOpenAI) -> None:
    said = chat.invoke("Hi", {"callbacks": [project.handler]})

    (task,) = project.tasks
    assert project.handler.task_url(said.id) == f"{project.handler.project_url}?task={task.id}"
