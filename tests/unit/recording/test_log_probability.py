"""How sure a model was of its answer, in the shapes in which the packages of the providers say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import exp, inf, nan
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.callbacks.manager import CallbackManagerForLLMRun
from langchain_core.language_models import LLM
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, GenerationChunk, LLMResult

from langchain_label_studio.forms.preference.merge_runs import join_runs
from langchain_label_studio.recording.llm_results import read_result
from langchain_label_studio.recording.log_probability import LEAST, MAX_TOKENS, log_probability
from langchain_label_studio.types.run import RunFields
from tests.support.models import StubChatModel
from tests.support.recording import Recording, config, recording
from tests.unit.recording.test_messages_never_raise import ANYTHING, NOT_SLOW

recorded = pytest.fixture(recording)

SAID = [("Yes", -0.1), (", it", -0.5), (" is", -0.3), (".", -0.1)]
ANSWER, MEAN = "Yes, it is.", -0.25
THOUGHTS = [
    ("<think>", -0.9),
    ("Yes", -2.0),
    (" or", -3.0),
    (" no?", -1.0),
    ("</think>", -0.7),
    ("\n\n", -4.0),
]


def tokens(said: Sequence[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Return tokens as OpenAI writes them, each with another one that was nearly chosen."""
    others = [{"token": "No", "logprob": -7.5, "bytes": [78, 111]}]
    return [
        {"token": text, "logprob": number, "bytes": list(text.encode()), "top_logprobs": others}
        for text, number in said
    ]


def columns(said: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return tokens as completion models write them."""
    texts, numbers = zip(*said, strict=True)
    top = [{"No": -7.5} for _ in said]
    return {
        "tokens": list(texts),
        "token_logprobs": list(numbers),
        "top_logprobs": top,
        "text_offset": [0] * len(top),
    }


@dataclass(frozen=True)
class Token:
    """A token as an object, as Ollama's client makes it."""

    token: str
    logprob: float


def objects(said: Sequence[tuple[str, Any]]) -> list[Token]:
    return [Token(text, number) for text, number in said]


def of_chats(said: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {"content": tokens(said), "refusal": None}


SHAPES = {
    "chat": lambda said: {"logprobs": of_chats(said)},
    "chat of an early vLLM": lambda said: {"logprobs": {"content": None, **columns(said)}},
    "completion": lambda said: {"logprobs": columns(said)},
    "Ollama": lambda said: {"logprobs": objects(said)},
    "list": lambda said: {"logprobs": tokens(said)},
    "Vertex AI": lambda said: {"logprobs_result": tokens(said), "avg_logprobs": -9.0},
}
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def read(info: dict[str, Any] | None, message: AIMessage | None = None, cached: bool = False) -> float | None:
    message = message or AIMessage(ANSWER)
    if cached:
        message.usage_metadata = cast("Any", {"total_cost": 0})
    generation = ChatGeneration(message=message, generation_info=info)
    return read_result(LLMResult(generations=[[generation]]), {}).get("log_probability")


# Where it is


@each_shape
def test_it_is_the_mean_of_the_tokens_in_the_shape_of_each_provider(shape: Any) -> None:
    assert read(shape(SAID)) == pytest.approx(MEAN)
    assert read(None, AIMessage(ANSWER, response_metadata=shape(SAID))) == pytest.approx(MEAN)
    assert read(shape(SAID), cached=True) == pytest.approx(MEAN), "LangChain's cache keeps it"


def test_an_average_counts_if_there_are_no_tokens() -> None:
    assert read({"avg_logprobs": -0.4, "logprobs_result": []}) == -0.4
    assert read(None, AIMessage("Yes.", response_metadata={"avg_logprobs": -0.4})) == -0.4


def test_a_refusal_is_an_answer() -> None:
    refusal = AIMessage("", additional_kwargs={"refusal": ANSWER})
    assert read({"logprobs": {"content": None, "refusal": tokens(SAID)}}, refusal) == pytest.approx(MEAN)


def test_the_tokens_of_a_call_count_if_there_is_no_text() -> None:
    call = AIMessage("", tool_calls=[{"name": "look", "args": {"city": "Rome"}, "id": "1"}])
    said = [("<tool_call>", -0.25), ('{"name": "look"', -0.75)]
    assert read({"logprobs": of_chats(said)}, call) == -0.5


@pytest.mark.parametrize("logprobs", [None, [], {}, {"content": None, "refusal": None}, {"content": []}])
def test_without_tokens_it_is_unknown(logprobs: Any) -> None:
    assert read({"finish_reason": "stop", "logprobs": logprobs}) is None


def test_it_is_that_of_the_first_answer() -> None:
    said = [("Yes", -0.1), ("No", -0.9)]
    candidates = [
        ChatGeneration(message=AIMessage(text), generation_info=SHAPES["chat"]([(text, number)]))
        for text, number in said
    ]
    assert read_result(LLMResult(generations=[candidates]), {})["log_probability"] == -0.1


# Streams


class ChatOfTokens(StubChatModel):
    """Says tokens. The package of each provider puts what belongs to a chunk in one of two places."""

    in_message: bool = False

    def answer(self, messages: list[BaseMessage]) -> ChatResult:
        info = SHAPES["chat"](SAID)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(ANSWER), generation_info=info)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for text, number in SAID:
            facts = SHAPES["chat"]([(text, number)])
            chunk = AIMessageChunk(text, response_metadata=facts if self.in_message else {})
            yield ChatGenerationChunk(message=chunk, generation_info=None if self.in_message else facts)


class CompletionOfTokens(LLM):
    """Says tokens, as completion models do."""

    @property
    def _llm_type(self) -> str:
        return "stub"

    def _call(self, *args: Any, **kwargs: Any) -> str:
        return ANSWER

    def _stream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[GenerationChunk]:
        for said in SAID:
            yield GenerationChunk(text=said[0], generation_info=SHAPES["completion"]([said]))


@pytest.mark.parametrize(
    "model",
    [ChatOfTokens(), ChatOfTokens(in_message=True), CompletionOfTokens()],
    ids=["chat", "in the message", "completion"],
)
def test_the_sum_of_a_stream_has_all_tokens(model: Any, recorded: Recording) -> None:
    assert len(list(model.stream("Is it?", config(recorded)))) >= len(SAID)

    assert recorded.run.log_probability == pytest.approx(MEAN)


@pytest.mark.parametrize(
    "last_chunk_only",
    [AIMessage(ANSWER, response_metadata={"output_version": "v1"}), AIMessageChunk(ANSWER)],
    ids=["stream of events", "stream"],
)
def test_the_tokens_of_the_last_chunk_alone_say_nothing(last_chunk_only: AIMessage) -> None:
    last_chunk_only.response_metadata |= SHAPES["chat"](SAID[-1:])
    assert read(None, last_chunk_only) is None


# Which tokens


@each_shape
def test_the_tokens_of_thoughts_do_not_count(shape: Any) -> None:
    said = [*THOUGHTS, *SAID]
    assert read(shape(said)) == pytest.approx(MEAN)
    assert read(shape(said), AIMessage(f"\n\n{ANSWER}")) == pytest.approx((5 * -0.2 - 4) / 5)


def test_thoughts_may_hold_the_answer_already() -> None:
    thoughts = [*((text, -2.0) for text, _ in SAID), ("</think>", -2.0)]
    assert read(SHAPES["chat"]([*thoughts, *SAID])) == pytest.approx(MEAN)


def test_the_thoughts_of_deepseek_stand_in_a_list_of_their_own() -> None:
    assert read(
        {"logprobs": {"reasoning_content": tokens(THOUGHTS), "content": tokens(SAID)}}
    ) == pytest.approx(MEAN)


def test_thoughts_that_the_application_sees_are_a_part_of_the_answer() -> None:
    said = [*THOUGHTS, *SAID]
    mean = sum(number for _, number in said) / len(said)
    assert read(SHAPES["chat"](said), AIMessage("".join(text for text, _ in said))) == pytest.approx(mean)


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ("Yes 😀", ["Yes", " �", "�", "�", "😀"]),
        ("Yes 😀", ["Yes", "bytes: \\xf0\\x9f", "bytes:\\x98\\x80"]),
        ("Yes it is", ["▁Yes", "▁it", "▁is"]),
        ("Yes", ["token_id:9454", "token_id:13"]),
        ("Yes", ["Yes", "<|im_end|>"]),
        ("Yes", [" Yes"]),
        ("Yes", [None, None]),
        ("Yes", [17, {}]),
    ],
)
def test_all_tokens_count_whatever_their_texts_look_like(answer: str, texts: list[Any]) -> None:
    said = [{"token": text, "logprob": -float(place)} for place, text in enumerate(texts)]
    for message in (AIMessage(answer), AIMessageChunk(answer)):
        assert read({"logprobs": {"content": said}}, message) == -(len(texts) - 1) / 2


def test_tokens_need_no_texts() -> None:
    assert read({"logprobs": {"content": [{"logprob": -0.5}, {"logprob": -1.5}]}}) == -1.0
    assert read({"logprobs": {"token_logprobs": [-0.5, -1.5]}}) == -1.0


def test_of_a_long_answer_the_last_tokens_count() -> None:
    said = [("word ", -5.0)] * 3 * MAX_TOKENS + [("word ", -1.0)] * MAX_TOKENS
    answer = AIMessage("word " * len(said))
    for shape in SHAPES.values():
        assert read(shape(said), answer) == -1.0


# Which numbers


@pytest.mark.parametrize(
    ("numbers", "mean"),
    [
        ([None, -0.5, -1.5], -1.0),  # `echo=True`: nothing comes before the first token
        ([-1, 0], -0.5),
        ([0.0, 0], 0.0),
        ([Fraction(-1, 2)], -0.5),  # as the numbers of numpy, which llama.cpp gives
        ([-9999.0, 0.0], LEAST / 2),
        ([-inf, -1.0, -1.0], (LEAST - 2) / 3),
        ([-(10**400)], LEAST),
        ([-0.5, nan, inf, 0.1, 10**400, "-3", b"-3", True, False, None, [], {}, Decimal(-3), object()], -0.5),
        ([nan, 1.0, "x"], None),
    ],
)  # fmt: skip
def test_only_log_probabilities_count(numbers: list[Any], mean: float | None) -> None:
    texts = [f"token{place} " for place in range(len(numbers))]
    for shape in SHAPES.values():
        facts = shape(list(zip(texts, numbers, strict=True)))
        facts.pop("avg_logprobs", None)
        assert read(facts, AIMessage("".join(texts))) == mean
        if len(numbers) == 1:
            assert read({"avg_logprobs": numbers[0]}) == mean


class Hostile:
    """Raises whatever one asks."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __bool__(self) -> bool:
        raise RuntimeError


ODD = ANYTHING | st.builds(Hostile) | st.floats()
A_TOKEN = st.fixed_dictionaries({}, optional={"token": ODD, "logprob": ODD}) | ODD
LISTS = st.lists(A_TOKEN, max_size=4) | ODD
FOUND = LISTS | st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("content", "refusal", "tokens", "token_logprobs"), LISTS)
)
FACTS = st.dictionaries(st.sampled_from(["logprobs", "logprobs_result", "avg_logprobs"]), FOUND)


@given(FACTS, FACTS, st.text(max_size=3), st.booleans())
@NOT_SLOW
def test_nothing_makes_it_raise(info: Any, response: Any, answer: str, is_chunk: bool) -> None:
    mean = log_probability(info, response, answer, is_chunk=is_chunk)

    assert mean is None or (type(mean) is float and LEAST <= mean <= 0)


# Where it goes


def test_it_goes_with_its_task(recorded: Recording) -> None:
    ChatOfTokens().invoke("Is it?", config(recorded))

    assert recorded.task()["meta"]["log_probability"] == recorded.run.log_probability == pytest.approx(MEAN)


def test_the_order_of_work_reads_it() -> None:
    recorded = Recording(priority="uncertain")
    ChatOfTokens().invoke("Is it?", config(recorded))

    assert recorded.run.priority == {"value": pytest.approx(1 - exp(MEAN))}
    recorded.handler.close()


def test_a_task_says_that_a_model_was_certain(recorded: Recording) -> None:
    run_id = uuid4()
    recorded.handler.on_chat_model_start({}, [[]], run_id=run_id)
    certain = ChatGeneration(message=AIMessage("Yes"), generation_info=SHAPES["chat"]([("Yes", 0.0)]))
    recorded.handler.on_llm_end(LLMResult(generations=[[certain]]), run_id=run_id)

    assert recorded.task()["meta"]["log_probability"] == 0.0


def test_an_agent_is_as_sure_as_its_last_answer() -> None:
    recorded = Recording(mode="agent")
    top = uuid4()
    recorded.handler.on_chain_start({}, {"input": "Is it?"}, run_id=top, name="agent")
    for said in ([("Let me look.", -3.0)], SAID):
        run_id, message = uuid4(), AIMessage("".join(text for text, _ in said))
        recorded.handler.on_chat_model_start({}, [[]], run_id=run_id, parent_run_id=top)
        generation = ChatGeneration(message=message, generation_info=SHAPES["chat"](said))
        recorded.handler.on_llm_end(LLMResult(generations=[[generation]]), run_id=run_id, parent_run_id=top)
    recorded.handler.on_chain_end({"output": ANSWER}, run_id=top)

    assert (recorded.answer, recorded.run.log_probability) == (ANSWER, pytest.approx(MEAN))
    recorded.handler.close()


def test_a_comparison_has_that_of_each_answer() -> None:
    def run(number: int, log_probability: float) -> RunFields:
        return {
            "run_id": UUID(int=number),
            "trace_id": UUID(int=9),
            "status": "success",
            "answers": ({"role": "assistant", "content": str(number)},),
            "started_at": float(number),
            "log_probability": log_probability,
        }

    joined = join_runs([run(2, -0.2), run(1, -0.1)])
    assert joined["log_probability"] == -0.1, "that of the first answer"
    assert [each["log_probability"] for each in joined["candidates"]] == [-0.1, -0.2]
