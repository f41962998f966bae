"""Which runs of real LangChain objects are compared with each other in `mode="preference"`."""

from __future__ import annotations

import asyncio
import gc
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.callbacks.manager import CallbackManagerForLLMRun
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel, RunnablePassthrough

from langchain_label_studio import LabelStudioCallbackHandler, LLMRun
from langchain_label_studio.delivery.settings import resolve_delivery
from langchain_label_studio.forms.preference import gather as comparing
from langchain_label_studio.label_studio.settings import resolve_settings
from tests.support.handlers import KEY
from tests.support.models import StubChatModel
from tests.support.recording import Recording, config, keep_runs

Make = Callable[..., Recording]
PROMPT = ChatPromptTemplate.from_messages([("user", "What is {topic}?")])


class Model(StubChatModel):
    """A chat model with a name, that answers with its name."""

    name_of_model: str
    copies: int = 1
    fails: bool = False

    def answer(self, messages: list[BaseMessage]) -> ChatResult:
        if self.fails:
            raise TimeoutError(self.name_of_model)
        answers = [
            self.name_of_model if self.copies == 1 else f"{self.name_of_model} {copy}"
            for copy in range(self.copies)
        ]
        return ChatResult(
            generations=[ChatGeneration(message=AIMessage(f"It is {answer}.")) for answer in answers],
            llm_output={"model_name": self.name_of_model},
        )

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for piece in ("It ", "is ", f"{self.name_of_model}."):
            metadata = {"model_name": self.name_of_model} if piece == "It " else {}
            yield ChatGenerationChunk(message=AIMessageChunk(piece, response_metadata=metadata))


A, B, C = (Model(name_of_model=name) for name in "abc")


@pytest.fixture
def make() -> Iterator[Make]:
    made = []

    def recording(**options: Any) -> Recording:
        made.append(Recording(mode="preference", **options))
        return made[-1]

    yield recording
    for each in made:
        each.check()
        each.handler.close()


@pytest.fixture
def recorded(make: Make) -> Recording:
    return make()


def answers(run: LLMRun) -> list[str]:
    return sorted(answer["content"] for answer in run.answers)


def models(run: LLMRun) -> list[str | None]:
    """Return the models, in the order of the answers, which name them, too."""
    named = [candidate["model"] for candidate in run.candidates]
    assert [f"It is {name}." for name in named] == [answer["content"] for answer in run.answers]
    return sorted(named)


# --- one run -----------------------------------------------------------------------------


def test_several_answers_of_one_run(recorded: Recording) -> None:
    Model(name_of_model="a", copies=3).invoke("Hi", config(recorded))
    assert answers(recorded.run) == ["It is a 0.", "It is a 1.", "It is a 2."]
    assert recorded.run.model == "a"


def test_one_answer_is_shown_alone(recorded: Recording) -> None:
    (PROMPT | A | StrOutputParser()).invoke({"topic": "rain"}, config(recorded))
    assert answers(recorded.run) == ["It is a."]
    assert recorded.run.candidates == ()


# --- RunnableParallel --------------------------------------------------------------------


def test_models_side_by_side(recorded: Recording) -> None:
    RunnableParallel(one=A, two=B).invoke("Hi", config(recorded))
    assert recorded.handler.stats().submitted == 1, "complete without a flush"
    assert models(recorded.run) == ["a", "b"]
    assert recorded.run.model is None
    assert recorded.run.prompt == ({"role": "user", "content": "Hi"},)


def test_chains_side_by_side(recorded: Recording) -> None:
    chains = RunnableParallel(one=PROMPT | A | StrOutputParser(), two=PROMPT | B | StrOutputParser())
    chain = RunnablePassthrough() | chains | RunnableLambda(lambda said: said["one"])
    assert chain.invoke({"topic": "rain"}, config(recorded)) == "It is a."
    assert models(recorded.run) == ["a", "b"]
    assert recorded.run.prompt[-1]["content"] == "What is rain?"


def test_a_parallel_with_a_name_of_its_own(recorded: Recording) -> None:
    chains = RunnableParallel(one=PROMPT | A, two=PROMPT | B).with_config(run_name="compare")
    chains.invoke({"topic": "rain"}, config(recorded))
    assert models(recorded.run) == ["a", "b"]


async def test_a_batch_makes_a_record_of_each_input(recorded: Recording) -> None:
    chains = RunnableParallel(one=PROMPT | A, two=PROMPT | B, three=PROMPT | C)
    topics = [{"topic": f"thing {number}"} for number in range(20)]
    chains.batch(topics[:10], config(recorded))
    await chains.abatch(topics[10:], config(recorded))
    assert all(models(run) == ["a", "b", "c"] for run in recorded.runs)
    asked = sorted(run.prompt[-1]["content"] for run in recorded.runs)
    assert asked == sorted(f"What is thing {number}?" for number in range(20))


async def test_streams(recorded: Recording) -> None:
    chains = RunnableParallel(one=PROMPT | A, two=PROMPT | B)
    assert list(chains.stream({"topic": "rain"}, config(recorded)))
    assert [piece async for piece in chains.astream({"topic": "snow"}, config(recorded))]
    assert [models(run) for run in recorded.runs] == [["a", "b"]] * 2


def test_a_stream_that_nobody_reads_to_its_end(recorded: Recording) -> None:
    stream = RunnableParallel(one=PROMPT | A, two=PROMPT | B).stream({"topic": "rain"}, config(recorded))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    gc.collect()
    assert len(recorded.runs) <= 2


def test_the_last_answer_of_each_branch_counts(recorded: Recording) -> None:
    again = RunnableLambda(lambda said: f"Are you sure of: {said.content}")
    both = RunnableParallel(one=A | again | B, two=A | again | C)
    both.invoke("Hi", config(recorded))
    run = recorded.run
    assert models(run) == ["b", "c"]
    # Ids of all that was run lead to the one task.
    ids = {candidate["run_id"] for candidate in run.candidates}
    assert {recorded.record_of(run_id) for run_id in ids} == {run.run_id}


def test_a_branch_that_fails_is_no_candidate(make: Make) -> None:
    recorded = make(include_errors=True)
    broken = Model(name_of_model="broken", fails=True).with_fallbacks([C])
    RunnableParallel(one=A, two=B, three=broken).invoke("Hi", config(recorded))
    failed, compared = recorded.runs
    assert (failed.status, failed.answers) == ("error", ())
    assert models(compared) == ["a", "b", "c"]


def test_a_parallel_that_fails_keeps_what_was_answered(recorded: Recording) -> None:
    slow = RunnableLambda(lambda said: time.sleep(0.3) or said) | Model(name_of_model="broken", fails=True)
    with pytest.raises(TimeoutError):
        RunnableParallel(one=A, two=B, three=slow).invoke("Hi", config(recorded))
    assert models(recorded.run) == ["a", "b"]


def test_different_questions_are_not_compared(recorded: Recording) -> None:
    joke, poem = (
        ChatPromptTemplate.from_messages([("user", f"A {kind} on {{topic}}")]) for kind in ("joke", "poem")
    )
    RunnableParallel(joke=joke | A, poem=poem | B).invoke({"topic": "rain"}, config(recorded))
    assert sorted(map(answers, recorded.runs)) == [["It is a."], ["It is b."]]


def test_system_prompts_are_compared(recorded: Recording) -> None:
    def chain(style: str, model: Model) -> Runnable[Any, Any]:
        return ChatPromptTemplate.from_messages([("system", f"Be {style}."), ("user", "{topic}?")]) | model

    RunnableParallel(one=chain("brief", A), two=chain("kind", B)).invoke({"topic": "Rain"}, config(recorded))
    assert models(recorded.run) == ["a", "b"]
    assert recorded.run.prompt == ({"role": "user", "content": "Rain?"},)


def test_a_parallel_without_a_comparison_changes_nothing(recorded: Recording) -> None:
    look_up = RunnableParallel(context=A | StrOutputParser(), topic=RunnableLambda(str))
    (look_up | RunnableLambda(str) | B).invoke("Hi", config(recorded))
    assert [answers(run) for run in recorded.runs] == [["It is a."], ["It is b."]]


def test_parallels_in_parallels(recorded: Recording) -> None:
    def look_up_and_answer(model: Model) -> Runnable[Any, Any]:
        return RunnableParallel(context=C | StrOutputParser(), topic=RunnableLambda(str)) | PROMPT | model

    RunnableParallel(one=look_up_and_answer(A), two=look_up_and_answer(B)).invoke("Hi", config(recorded))
    assert models(recorded.run) == ["a", "b"], "the answer, not the look-up"


def test_an_inner_comparison_is_one_of_its_own(recorded: Recording) -> None:
    inner = RunnableParallel(one=A, two=B)
    RunnableParallel(compared=inner, besides=RunnableLambda(str)).invoke("Hi", config(recorded))
    assert models(recorded.run) == ["a", "b"]


# --- group_by ----------------------------------------------------------------------------


def test_runs_of_one_key_are_compared(make: Make) -> None:
    recorded = make(group_by="question")
    for key in ("first", "second"):
        for model in (A, B, C):
            model.invoke(f"The {key}", config(recorded, metadata={"question": key}))
    A.invoke("Another", config(recorded))
    assert recorded.handler.stats().submitted == 1, "only the one without a key waits for nothing"
    runs = recorded.runs
    assert [answers(run) for run in runs[:1]] == [["It is a."]]
    assert [models(run) for run in runs[1:]] == [["a", "b", "c"]] * 2
    assert [run.prompt[-1]["content"] for run in runs[1:]] == ["The first", "The second"]


def test_a_function_says_what_belongs_together(make: Make) -> None:
    recorded = make(group_by=lambda run: run.prompt[-1]["content"])
    for model in (A, B):
        (PROMPT | model).invoke({"topic": "rain"}, config(recorded))
        (PROMPT | model).invoke({"topic": "snow"}, config(recorded))
    assert [models(run) for run in recorded.runs] == [["a", "b"]] * 2


def test_a_function_that_fails_costs_nothing(make: Make) -> None:
    recorded = make(group_by=lambda run: run.no_such_thing)
    A.invoke("Hi", config(recorded))
    assert answers(recorded.run) == ["It is a."]


def test_a_group_within_one_run_ends_with_it(make: Make) -> None:
    recorded = make(group_by="question")

    @RunnableLambda
    def ask_both(text: str, config: Any) -> str:
        for model in (A, B):
            model.invoke(text, {**config, "metadata": {"question": text}})
        assert recorded.handler.flush()
        assert recorded.handler.stats().submitted == 0, "not even a flush completes it"
        return text

    ask_both.invoke("Hi", config(recorded))
    assert recorded.handler.stats().submitted == 1
    assert models(recorded.run) == ["a", "b"]


def test_who_waits_long_enough_is_recorded_without_a_flush(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langchain_label_studio.handler.QUIET_SECONDS", 0.2)
    recorded = make(group_by="question")
    for model in (A, B):
        model.invoke("Hi", config(recorded, metadata={"question": "1"}))
    assert recorded.handler.stats().submitted == 0
    deadline = time.monotonic() + 10
    while not recorded.handler.stats().submitted and time.monotonic() < deadline:
        time.sleep(0.02)
    assert recorded.handler.stats().submitted == 1
    A.invoke("Later", config(recorded, metadata={"question": "2"}))
    while recorded.handler.stats().submitted < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert recorded.handler.stats().submitted == 2


def test_a_busy_process_records_what_is_quiet(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "QUIET_SECONDS", 0.05)
    recorded = make(group_by="question")
    A.invoke("Hi", config(recorded, metadata={"question": "1"}))
    time.sleep(0.1)
    A.invoke("Hi", config(recorded))
    assert recorded.handler.stats().submitted == 2


def test_threads_add_to_one_group(make: Make) -> None:
    recorded = make(group_by="question")

    def ask(model: Model) -> None:
        for number in range(20):
            model.invoke(str(number), config(recorded, metadata={"question": str(number)}))

    threads = [threading.Thread(target=ask, args=[model]) for model in (A, B, C)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [models(run) for run in recorded.runs] == [["a", "b", "c"]] * 20


async def test_tasks_of_a_loop_add_to_one_group(make: Make) -> None:
    recorded = make(group_by="question")
    settings = config(recorded, metadata={"question": str(uuid4())})
    await asyncio.gather(*(model.ainvoke("Hi", settings) for model in (A, B, C)))
    assert models(recorded.run) == ["a", "b", "c"]


def test_what_waits_is_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MAX_OPEN_CHARACTERS", 5_000)
    recorded = make(group_by="question")
    for number in range(10):
        A.invoke("Hi", config(recorded, metadata={"question": str(number)}))
    assert recorded.handler.stats().submitted == 6, "four wait, the others are shown alone"
    assert len(recorded.runs) == 10
    A.invoke("Hi", config(recorded, metadata={"question": "1"}))
    assert recorded.handler.stats().submitted == 10, "there is room again"


ENDS = """
import sys
from langchain_core.language_models import FakeListChatModel
from langchain_label_studio import LabelStudioCallbackHandler

def ask():
    handler = LabelStudioCallbackHandler(
        {key!r}, url="http://127.0.0.1:9", connect="lazy", mode="preference", group_by="q"
    )
    settings = {{"callbacks": [handler], "metadata": {{"q": "1"}}}}
    FakeListChatModel(responses=["One"]).invoke("Hi", settings)
    FakeListChatModel(responses=["Two"]).invoke("Hi", settings)
    return handler

{ending}
"""


@pytest.mark.parametrize(
    "ending", ["kept = ask()", "ask(); import gc; gc.collect()", "kept = ask(); raise SystemExit(0)"]
)
def test_what_waits_outlives_a_program_that_does_not_close(ending: str, tmp_path: Any) -> None:
    command = [sys.executable, "-c", ENDS.format(key=KEY, ending=ending)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    [journal] = [
        path for path in (tmp_path / "outbox").rglob("*") if path.is_file() and b"One" in path.read_bytes()
    ]
    lines = journal.read_bytes().splitlines()
    assert [(b'"One"' in line, b'"Two"' in line) for line in lines if b"run_id" in line] == [(True, True)]


def test_a_handler_that_is_pickled_groups_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    handler = LabelStudioCallbackHandler(
        url="http://127.0.0.1:9", connect="lazy", mode="preference", group_by="question"
    )
    kept = keep_runs(resolve_settings(url="http://127.0.0.1:9"), resolve_delivery())
    copy = pickle.loads(pickle.dumps(handler))
    for model in (A, B):
        model.invoke("Hi", {"callbacks": [copy], "metadata": {"question": "1"}})
    assert copy.stats().submitted == 0
    assert copy.flush()
    assert copy.stats().submitted == 1
    assert [models(run) for run in kept.runs] == [["a", "b"]]
    for each in (handler, copy):
        each.close()
