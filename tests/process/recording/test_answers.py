"""What models answer: candidates, tool calls, structure, thoughts, pictures, nothing at all."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI, OpenAI
from pydantic import BaseModel

from tests.support.openai_stub import MODEL, OpenAIStub, call_tool, running_stub, say
from tests.support.recording import Recording, recording

stub = pytest.fixture(scope="module")(running_stub)
recorded = pytest.fixture(recording)

TOOL = {"name": "get_weather", "description": "Weather.", "parameters": {"type": "object", "properties": {}}}
PIXELS = base64.b64encode(bytes(range(256)) * 40).decode()


@pytest.fixture
def chat(stub: OpenAIStub, recorded: Recording) -> ChatOpenAI:
    return stub.chat(callbacks=[recorded.handler])


@pytest.fixture
def completion(stub: OpenAIStub, recorded: Recording) -> OpenAI:
    stub.reset()
    return OpenAI(base_url=stub.base_url, api_key="sk-x", model="stub-1", callbacks=[recorded.handler])


class Joke(BaseModel):
    setup: str
    punchline: str


def ask(model: Any, streamed: bool, prompt: Any = "Hi") -> None:
    if streamed:
        for _ in model.stream(prompt):
            pass
    else:
        model.invoke(prompt)


def test_all_candidates_are_in_one_prediction_in_order(
    chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(say("first", "second", "third"))
    chat.bind(n=3).invoke("Hi")

    assert recorded.shown() == ["first", "second", "third"]
    run = recorded.run
    assert (run.model, run.output_tokens, run.total_tokens) == (MODEL, 15, 26)
    assert run.parameters["n"] == 3


def test_all_candidates_of_a_completion_are_in_one_prediction(stub: OpenAIStub, recorded: Recording) -> None:
    stub.reset()
    stub.reply(say("first", "second"))
    model = OpenAI(base_url=stub.base_url, api_key="sk-x", model="stub-1", n=2, best_of=2)
    model.generate(["Hi"], callbacks=[recorded.handler])

    assert recorded.shown() == ["first", "second"]
    assert recorded.run.total_tokens == 21


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("content", [None, "I will look."])
def test_a_tool_call_can_be_read(
    streamed: bool, content: str | None, chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(call_tool("get_weather", {"city": "Paris", "days": 3}, content=content))
    ask(chat.bind_tools([TOOL]), streamed)

    call = '→ get_weather(city="Paris", days=3)'
    assert recorded.shown() == [f"{content}\n{call}" if content else call]
    assert recorded.run.finish_reason == "tool_calls"
    (answer,) = recorded.task()["meta"]["answers"]
    assert answer["tool_calls"] == [
        {"name": "get_weather", "args": {"city": "Paris", "days": 3}, "id": "call_1"}
    ]
    assert recorded.task()["meta"]["parameters"]["tools"][0]["function"]["name"] == "get_weather"


@pytest.mark.parametrize("arguments", ['{"city": "Par', "not JSON at all"])
def test_a_tool_call_that_is_not_json_can_be_read(
    arguments: str, chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(call_tool("get_weather", arguments))
    chat.bind_tools([TOOL]).invoke("Hi")

    (text,) = recorded.shown()
    assert text.startswith(f"→ get_weather({arguments})  [invalid tool call: ")
    (answer,) = recorded.run.answers
    assert answer["invalid_tool_calls"][0]["args"] == arguments


def test_a_streamed_tool_call_that_is_not_json_can_be_read(
    chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(call_tool("get_weather", "not JSON at all"))
    ask(chat.bind_tools([TOOL]), streamed=True)

    (text,) = recorded.shown()
    assert text.startswith("→ get_weather(not JSON at all)")


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output_can_be_read(
    method: str, streamed: bool, chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    joke = Joke(setup="Why?", punchline="Why not?")
    as_json = joke.model_dump_json()
    stub.reply(call_tool("Joke", as_json) if method == "function_calling" else say(as_json))
    ask(chat.with_structured_output(Joke, method=method), streamed)

    called = '→ Joke(setup="Why?", punchline="Why not?")'
    assert recorded.shown() == [called if method == "function_calling" else as_json]
    assert recorded.run.parent_run_id is None or recorded.run.trace_id != recorded.run.run_id


class Reasoner(ChatOpenAI):
    """Keeps `reasoning_content`, as the classes for DeepSeek, Groq or Ollama do."""

    def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> Any:
        result = super()._create_chat_result(response, generation_info)
        thoughts = response.choices[0].message.model_extra["reasoning_content"]
        result.generations[0].message.additional_kwargs["reasoning_content"] = thoughts
        return result

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], *rest: Any
    ) -> ChatGenerationChunk | None:
        generation = super()._convert_chunk_to_generation_chunk(chunk, *rest)
        delta = chunk["choices"][0]["delta"] if chunk.get("choices") else {}
        if generation and "reasoning_content" in delta:
            generation.message.additional_kwargs["reasoning_content"] = delta["reasoning_content"]
        return generation


@pytest.mark.parametrize("streamed", [False, True])
def test_thoughts_are_kept_apart_from_the_answer(
    streamed: bool, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reset()
    stub.reply(say("4", reasoning_content="Two and two."))
    model = Reasoner(base_url=stub.base_url, api_key="sk-x", model="stub-1", callbacks=[recorded.handler])
    ask(model, streamed, "2 + 2?")

    assert recorded.shown() == ["4"]
    assert recorded.task()["meta"]["reasoning"] == ["Two and two."]


def test_the_responses_api_keeps_thoughts_apart_too(stub: OpenAIStub, recorded: Recording) -> None:
    model = stub.chat(use_responses_api=True)
    stub.reply(say("4", reasoning_content="Two and two."))
    model.invoke("2 + 2?", {"callbacks": [recorded.handler]})

    run = recorded.run
    assert recorded.shown() == ["4"]
    assert recorded.task()["meta"]["reasoning"] == ["Two and two."]
    assert (run.model, run.finish_reason, run.total_tokens) == (MODEL, "completed", 16)
    assert run.usage["output_token_details"] == {"reasoning": 3}


def test_every_role_is_shown_and_a_tool_answers_under_its_name(chat: ChatOpenAI, recorded: Recording) -> None:
    call = {"name": "get_weather", "args": {"city": "Rome"}, "id": "call_9"}
    chat.invoke(
        [
            SystemMessage("Be brief."),
            ChatMessage(role="developer", content="Obey."),
            HumanMessage("Weather?", name="ann"),
            AIMessage("", tool_calls=[call]),
            ToolMessage("21 degrees", tool_call_id="call_9", name="get_weather"),
            ToolMessage("no such city", tool_call_id="call_10", name="get_weather", status="error"),
            HumanMessage("Thanks"),
        ]
    )

    assert [(turn["role"], turn["content"]) for turn in recorded.task("chat")["data"]["prompt"]] == [
        ("system", "Be brief."),
        ("developer", "Obey."),
        ("user", "Weather?"),
        ("assistant", '→ get_weather(city="Rome")'),
        ("tool", "get_weather: 21 degrees"),
        ("tool", "get_weather (failed): no such city"),
        ("user", "Thanks"),
    ]
    assert recorded.task("chat")["meta"]["messages"][3]["tool_calls"] == [call]


BLOCKS: dict[str, tuple[dict[str, Any], str]] = {
    "image url": (
        {"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},
        "[image: https://x.org/a.png]",
    ),
    "image data": (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXELS}"}},
        "[image: image/png, 10.2 kB]",
    ),
    "standard image": (
        {"type": "image", "base64": PIXELS, "mime_type": "image/png"},
        "[image: image/png, 10.2 kB]",
    ),
    "sound": (
        {"type": "input_audio", "input_audio": {"data": PIXELS, "format": "wav"}},
        "[audio: audio/wav, 10.2 kB]",
    ),
    "file": (
        {"type": "file", "base64": PIXELS, "mime_type": "application/pdf", "filename": "a.pdf"},
        "[file a.pdf: application/pdf, 10.2 kB]",
    ),
    "uploaded file": ({"type": "file", "file": {"file_id": "file-7"}}, "[file: id file-7]"),
}


@pytest.mark.parametrize(("block", "note"), BLOCKS.values(), ids=BLOCKS)
def test_what_is_not_text_is_a_note_or_a_link(
    block: dict[str, Any], note: str, chat: ChatOpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    stub.reply(say("A cat."))
    chat.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, block])])

    assert recorded.task()["data"]["prompt"] == f"What is this?\n{note}"
    assert recorded.shown() == ["A cat."]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", ["chat", "completion"])
def test_an_empty_answer_is_a_task_without_a_prediction(
    kind: str, streamed: bool, request: pytest.FixtureRequest, stub: OpenAIStub, recorded: Recording
) -> None:
    model = request.getfixturevalue(kind)
    stub.reply(say(""))
    ask(model, streamed)

    assert recorded.task()["predictions"] == []
    assert recorded.run.status == "success"


def test_the_model_that_answered_is_named_not_the_one_that_was_configured(
    chat: ChatOpenAI, recorded: Recording
) -> None:
    chat.bind(model="another").invoke("Hi")

    assert recorded.run.model == MODEL


@pytest.mark.parametrize("streamed", [False, True])
def test_a_completion_model_that_is_bound_to_another_is_named_so(
    streamed: bool, completion: OpenAI, stub: OpenAIStub, recorded: Recording
) -> None:
    ask(completion.bind(model="another"), streamed)

    assert stub.requests[0].body["model"] == "another"
    assert recorded.run.model == "another"


def test_an_answer_from_the_cache_is_a_run_of_its_own(stub: OpenAIStub, recorded: Recording) -> None:
    model = stub.chat(cache=InMemoryCache())
    for _ in range(2):
        model.invoke("Hi", {"callbacks": [recorded.handler]})

    fresh, cached = recorded.runs
    assert len(stub.requests) == 1
    assert fresh.run_id != cached.run_id
    assert fresh.answers == cached.answers
    assert (fresh.cached, cached.cached) == (False, True)
    assert fresh.total_tokens
    assert (cached.input_tokens, cached.output_tokens, cached.total_tokens, cached.usage) == (
        None,
        None,
        None,
        {},
    )


def test_a_cached_completion_is_no_run(stub: OpenAIStub, recorded: Recording) -> None:
    stub.reset()
    model = OpenAI(base_url=stub.base_url, api_key="sk-x", model="stub-1", cache=InMemoryCache())
    for _ in range(2):
        model.invoke("Hi", {"callbacks": [recorded.handler]})

    assert recorded.answer == "Echo: Hi", "LangChain announces no run"
