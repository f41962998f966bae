"""Which runs a handler records, what it says of those it leaves out, and which of these a user calls back."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.runnables import RunnableLambda

from langchain_label_studio import DeliveryStats, LabelStudioCallbackHandler, LLMRun, SettingError, masks
from langchain_label_studio.delivery.settings import resolve_delivery
from langchain_label_studio.label_studio.notebook_card import render_card
from langchain_label_studio.label_studio.progress import TaskCounts
from langchain_label_studio.label_studio.settings import resolve_settings
from langchain_label_studio.recording import open_runs, recallable_runs
from langchain_label_studio.recording.recallable_runs import RecallableRuns
from langchain_label_studio.recording.recorder import Recorder
from langchain_label_studio.recording.selection import RunSelection
from langchain_label_studio.selectors import (
    Selector,
    at_most_per_day,
    by_metadata,
    by_tag,
    errors,
    final_answer,
    low_rating,
    sampled,
    slow,
)
from langchain_label_studio.selectors.sampling import in_sample, resolve_sample_rate
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_record import decode_run
from tests.support.handlers import KEY
from tests.support.programs import run
from tests.support.recording import Recording, keep_runs

NEVER = by_tag("no run has this")
IN_A_TENTH, NOT_IN_A_TENTH = UUID(int=7), UUID(int=1)


@dataclass(frozen=True)
class Feedback:
    score: float | None = None


def record(recorded: Recording, run_id: UUID | None = None, *, says: str = "Hello", **event: Any) -> UUID:
    run_id = run_id or uuid4()
    recorded.handler.on_chat_model_start({}, [[HumanMessage("Hi")]], run_id=run_id, **event)
    message = AIMessage(says, id=f"message-{run_id}")
    recorded.handler.on_llm_end(
        LLMResult(generations=[[ChatGeneration(message=message)]]), run_id=run_id, **event
    )
    return run_id


def fail(recorded: Recording, run_id: UUID | None = None, error: BaseException | None = None) -> UUID:
    run_id = run_id or uuid4()
    recorded.handler.on_llm_start({}, ["Hi"], run_id=run_id)
    recorded.handler.on_llm_error(error or ValueError("no"), run_id=run_id)
    return run_id


def excluded(recorded: Recording) -> dict[str, int]:
    return dict(recorded.handler.stats().excluded)


def recall(recorded: Recording, run_id: UUID | str, score: float | None = 0) -> bool:
    """Give a user's feedback, and say whether a run is recorded because of it."""
    before = recorded.handler.stats().submitted
    recorded.handler.feedback(run_id, score=score, comment="It is wrong.")
    return recorded.handler.stats().submitted > before


# sample_rate=


def test_a_sample_takes_whole_traces() -> None:
    recorded = Recording(sample_rate=0.5)
    model = FakeListChatModel(responses=["a", "b", "c"])
    agent = RunnableLambda(lambda question: [model.invoke(question) for _ in range(3)])
    traces = [uuid4() for _ in range(40)]
    for trace in traces:
        agent.invoke("Hi", {"callbacks": [recorded.handler], "run_id": trace})

    taken = [trace for trace in traces if in_sample(trace, 0.5)]
    assert 0 < len(taken) < 40
    assert [run.trace_id for run in recorded.runs] == [str(trace) for trace in taken for _ in range(3)]
    assert excluded(recorded) == {"sample_rate=0.5": 3 * (40 - len(taken))}
    assert recorded.open_runs == 0
    recorded.check()


def test_of_a_trace_that_is_left_out_nothing_is_even_read() -> None:
    recorded = Recording(sample_rate=0.1)

    class Unreadable(list):
        def __iter__(self) -> Any:
            raise AssertionError

    recorded.handler.on_chat_model_start({}, [Unreadable()], run_id=NOT_IN_A_TENTH)
    assert recorded.open_runs == 1
    recorded.handler.on_llm_end(LLMResult(generations=[[Generation(text="")]]), run_id=NOT_IN_A_TENTH)
    recorded.handler.on_llm_end(LLMResult(generations=[[Generation(text="")]]), run_id=NOT_IN_A_TENTH)
    fail(recorded, UUID(int=2))

    assert (recorded.runs, recorded.open_runs, recorded.handler.stats().lost) == ([], 0, {})
    assert excluded(recorded) == {"sample_rate=0.1": 2}


def test_a_run_that_was_left_out_and_never_ends_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_runs, "MAX_OPEN_RUNS", 1)
    recorded = Recording(sample_rate=0)
    for _ in range(3):
        recorded.handler.on_llm_start({}, ["Hi"], run_id=uuid4())

    assert (excluded(recorded), recorded.handler.stats().lost) == ({"sample_rate=0": 2}, {})


def test_an_end_without_a_start_belongs_to_its_trace_too() -> None:
    recorded = Recording(sample_rate=0.1)
    for run_id in (IN_A_TENTH, NOT_IN_A_TENTH):
        recorded.handler.on_llm_end(LLMResult(generations=[[Generation(text="")]]), run_id=run_id)

    assert recorded.run.run_id == str(IN_A_TENTH)
    assert excluded(recorded) == {"sample_rate=0.1": 1}


def test_the_rate_comes_from_the_environment_where_no_argument_says_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_SAMPLE_RATE", " 0 ")
    recorded, other = Recording(), Recording(sample_rate=1)
    record(recorded)
    record(other)

    assert (len(recorded.runs), len(other.runs)) == (0, 1)
    monkeypatch.setenv("LABEL_STUDIO_SAMPLE_RATE", "")
    assert resolve_sample_rate() == 1
    unset = Recording()
    record(unset)
    assert len(unset.runs) == 1


@pytest.mark.parametrize("rate", [1.5, -0.1, float("nan"), "ten percent", True, [0.1]])
def test_a_rate_that_cannot_be_one_is_an_error(rate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="sample_rate is .* share from 0 to 1"):
        Recording(sample_rate=rate)
    monkeypatch.setenv("LABEL_STUDIO_SAMPLE_RATE", "10%")
    with pytest.raises(SettingError, match="LABEL_STUDIO_SAMPLE_RATE is '10%'"):
        Recording()


# select=


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["fine", "fails", "cancelled", "cut"]), max_size=12),
    st.booleans(),
    st.sampled_from([1.0, 0.5, 0.0]),
    st.sampled_from([None, errors(), ~errors(), NEVER, low_rating() | sampled(0.3), slow(0) & by_tag("x")]),
)
def test_each_run_is_recorded_or_counted_as_excluded(
    ends: list[str], include_errors: bool, rate: float, select: Selector | None
) -> None:
    recorded = Recording(include_errors=include_errors, sample_rate=rate, select=select)
    for end in ends:
        if end == "fine":
            record(recorded)
        elif end == "cut":
            run_id = uuid4()
            recorded.handler.on_llm_start({}, ["Hi"], run_id=run_id)
            answer = LLMResult(generations=[[ChatGeneration(message=AIMessage("Hel"))]])
            recorded.handler.on_llm_error(ValueError("cut"), run_id=run_id, response=answer)
        else:
            fail(recorded, error=GeneratorExit() if end == "cancelled" else None)

    stats = recorded.handler.stats()
    assert stats.submitted + sum(stats.excluded.values()) == len(ends)
    assert stats.submitted == len(recorded.runs)
    recorded.check()


def test_what_is_left_out_is_counted_by_the_setting_that_says_so() -> None:
    def is_long(run: LLMRun) -> bool:
        return len(run.answers[0]["content"]) > 3

    recorded = Recording(select=is_long, sample_rate=0.1)
    record(recorded, IN_A_TENTH)
    record(recorded, UUID(int=8), says="No")
    record(recorded, NOT_IN_A_TENTH)
    fail(recorded, UUID(int=10))

    assert excluded(recorded) == {"select=is_long": 1, "sample_rate=0.1": 1, "include_errors=False": 1}
    assert "excluded={'select=is_long': 1" in repr(recorded.handler.stats())


def test_the_card_says_nothing_of_what_did_not_happen_and_shows_no_html_of_others() -> None:
    def card(excluded: dict[str, int]) -> str:
        return render_card(title="T", url=None, stats=DeliveryStats(excluded=excluded), open_runs=0)

    assert "excluded" not in card({})
    assert "excluded: 90 by sample_rate=0.1 · 2 by select=errors()<" in card(
        {"sample_rate=0.1": 90, "select=errors()": 2}
    )
    assert "<script>" not in card({repr(by_tag("<script>alert(1)</script>")): 1})


def test_the_card_says_how_far_the_reviewers_are_if_somebody_knows() -> None:
    def card(tasks: TaskCounts | None) -> str:
        return render_card(title="T", url=None, stats=DeliveryStats(), open_runs=0, tasks=tasks)

    assert "to review" not in card(None)
    assert "<br><b>0</b> done · <b>3</b> to review · <b>1</b> skipped<" in card(
        TaskCounts(to_review=3, in_review=0, done=0, skipped=1)
    )


@pytest.mark.parametrize(
    ("select", "recorded_ends"),
    [
        (errors(), ["error"]),
        (errors() | final_answer(), ["success", "error"]),
        (errors() & by_tag("x"), []),
        (~errors(), ["success"]),
        (lambda run: run.status == "error", []),
        (None, ["success"]),
    ],
)
def test_who_asks_for_errors_gets_them_and_nothing_else_that_failed(
    select: Callable[[LLMRun], bool] | None, recorded_ends: list[str]
) -> None:
    recorded = Recording(select=select)
    record(recorded)
    fail(recorded)
    fail(recorded, error=GeneratorExit())

    assert [run.status for run in recorded.runs] == recorded_ends
    assert sum(excluded(recorded).values()) == 3 - len(recorded_ends)


def test_a_select_that_fails_loses_no_run_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    def broken(run: LLMRun) -> bool:
        raise ValueError(run.answers[0]["content"])

    recorded = Recording(select=broken)
    for _ in range(3):
        record(recorded, says="the answer")

    assert len(recorded.runs) == 3
    assert recorded.handler.stats().lost == {"select": 3}
    assert excluded(recorded) == {}
    (line,) = [line for line in caplog.messages if "select= function" in line]
    assert "in broken" in line
    assert "the answer" not in line


async def later(run: LLMRun) -> bool:
    return True


@pytest.mark.parametrize("select", ["errors", 0.5, later])
def test_a_select_that_cannot_be_one_is_refused_at_once(select: Any) -> None:
    with pytest.raises(SettingError, match="langchain_label_studio.selectors"):
        Recording(select=select)


def test_threads_lose_no_count() -> None:
    recorded = Recording(select=at_most_per_day(100))
    threads = [threading.Thread(target=lambda: [record(recorded) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(recorded.runs) == 100
    assert excluded(recorded) == {"select=at_most_per_day(100)": 300}


def test_a_handler_travels_with_its_selection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    select = errors() | at_most_per_day(2)
    there = LabelStudioCallbackHandler(
        connect="lazy", sample_rate=0.5, select=select, mask=masks.defaults, project_name="Travels"
    )
    kept = keep_runs(resolve_settings(project_name="Travels"), resolve_delivery())
    handler = pickle.loads(pickle.dumps(there))
    traces = [UUID(int=number) for number in range(1, 21)]
    taken = [trace for trace in traces if in_sample(trace, 0.5)]
    for trace in traces:
        handler.on_llm_start({}, ["I am a@b.co"], run_id=trace)
        if trace == taken[-1]:
            handler.on_llm_error(ValueError(), run_id=trace)
        else:
            handler.on_llm_end(LLMResult(generations=[[Generation(text="")]]), run_id=trace)
    for each in (there, handler):
        each.close()

    assert [run.run_id for run in kept.runs] == [str(trace) for trace in (*taken[:2], taken[-1])]
    assert {run.prompt[0]["content"] for run in kept.runs} == {"I am [email]"}
    assert handler.stats().excluded == {
        "sample_rate=0.5": 20 - len(taken),
        "select=errors() | at_most_per_day(2)": len(taken) - 3,
    }


# low_rating(): what users call back


@pytest.mark.parametrize("options", [{"sample_rate": 0}, {}])
def test_a_low_rating_calls_a_run_back_once(options: dict[str, Any]) -> None:
    recorded = Recording(
        select=low_rating(), mask=masks.emails, data=lambda run: dict(run.metadata), **options
    )
    run_id = record(recorded, says="Ask bob@example.com", metadata={"customer": "ACME", "thread_id": "t"})
    assert (recorded.runs, sum(excluded(recorded).values())) == ([], 1)

    assert not recall(recorded, run_id, 1)
    assert not recall(recorded, run_id, None)
    assert not recall(recorded, uuid4())
    assert recall(recorded, run_id)
    assert not recall(recorded, run_id)

    run = recorded.run
    assert (run.run_id, run.trace_id, run.latency_ms is not None) == (str(run_id), str(run_id), True)
    assert run.started_at.endswith("Z")
    assert run.answers == ({"role": "assistant", "content": "Ask [email]"},)
    assert run.data == {"customer": "ACME"}
    assert (run.metadata, run.thread_id) == ({"thread_id": "t"}, "t")
    assert excluded(recorded) == {}
    recorded.check()


def test_a_run_is_called_back_by_the_id_of_its_message_too() -> None:
    recorded = Recording(select=low_rating())
    run_id = record(recorded)
    assert recall(recorded, f"message-{run_id}")
    assert recorded.run.run_id == str(run_id)


def test_a_trace_is_called_back_with_those_of_its_runs_that_are_wanted() -> None:
    recorded = Recording(sample_rate=0, select=low_rating() & final_answer() | errors())
    root = uuid4()
    recorded.handler.on_chain_start({}, {}, run_id=root)
    turns = [record(recorded, parent_run_id=root, says=says) for says in ("", "The answer", "One more")]
    recorded.handler.on_chain_end({}, run_id=root)

    assert recall(recorded, root, 0.2)
    assert [run.run_id for run in recorded.runs] == [str(turn) for turn in turns[1:]]
    assert excluded(recorded) == {"sample_rate=0": 1}


def test_a_rating_calls_back_only_what_select_says_with_it() -> None:
    recorded = Recording(sample_rate=0, select=low_rating(0.3) & by_metadata(tier="gold") | errors())
    gold, other = (record(recorded, metadata={"tier": tier}) for tier in ("gold", "iron"))
    failed = fail(recorded)

    assert not recall(recorded, gold, 0.4)
    assert not recall(recorded, failed, 0.4), "it is wanted anyway, but the sample left it out"
    assert [recall(recorded, run_id, 0.3) for run_id in (gold, other, failed)] == [True, False, True]


def test_without_low_rating_nothing_is_kept_or_called_back(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[RunFields] = []
    keep = RecallableRuns.put

    def put(self: RecallableRuns, run: RunFields, reason: str) -> None:
        kept.append(run)
        keep(self, run, reason)

    monkeypatch.setattr(RecallableRuns, "put", put)
    recorded = Recording(sample_rate=0.5, select=NEVER)
    runs = [record(recorded) for _ in range(10)]
    assert not any(recall(recorded, run_id, -1) for run_id in runs)
    assert kept == []


def test_a_select_that_fails_with_the_rating_keeps_the_feedback_from_failing() -> None:
    def broken(run: LLMRun) -> bool:
        if run.latency_ms is not None:
            raise ValueError
        return False

    recorded = Recording(sample_rate=0, select=broken | low_rating())
    run_id = record(recorded)
    assert recall(recorded, run_id) is False
    assert recorded.handler.stats().lost == {"select": 1}


def test_what_is_at_hand_is_bounded_in_number_age_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(recallable_runs.time, "monotonic", lambda: now[0])
    recallable = RecallableRuns()

    def put(name: str, size: int = 10) -> None:
        recallable.put({"run_id": name, "trace_id": "t", "x": "x" * size}, "why")

    for number in range(1001):
        put(str(number))
    assert (len(recallable), recallable.find("0"), recallable.find("1") != []) == (1000, [], True)
    assert len(recallable.find("t")) == 1000

    put("big", 20 * 2**20)
    put("bigger", 20 * 2**20)
    assert [left.run_id for left in recallable.find("t")] == ["bigger"]
    put("too big", 40 * 2**20)
    assert len(recallable) == 0
    # All of its bytes are free again: no more, no less.
    put("one")
    [one] = recallable.find("t")
    with monkeypatch.context() as bounded:
        bounded.setattr(recallable_runs, "MAX_RECALLABLE_BYTES", 2 * len(one.line))
        put("two")
        assert [left.run_id for left in recallable.find("t")] == ["one", "two"]
        bounded.setattr(recallable_runs, "MAX_RECALLABLE_BYTES", 2 * len(one.line) - 1)
        assert [left.run_id for left in recallable.find("t")] == ["two"]
    now[0] += 3601
    assert recallable.find("t") == []

    put("old")
    now[0] += 3599
    put("young")
    assert len(recallable.find("t")) == 2
    now[0] += 2
    assert [left.run_id for left in recallable.find("t")] == ["young"]


MEMORY = """
import tracemalloc
from langchain_label_studio.recording.recallable_runs import RecallableRuns

recallable = RecallableRuns()
message = {"role": "user", "content": "x" * 100_000}
tracemalloc.start()
for _ in range(2000):
    recallable.put({"run_id": uuid.uuid4(), "trace_id": uuid.uuid4(), "prompt": (message,)}, "why")
print(len(recallable), *tracemalloc.get_traced_memory())
"""


def test_what_is_at_hand_takes_no_more_memory_than_is_said() -> None:
    done = run(MEMORY)  # a process of its own: other threads of the tests allocate memory, too

    assert done.returncode == 0, done.stderr
    kept, used, peak = map(int, done.stdout.split())
    assert 300 < kept < 340
    assert used < 33 * 2**20
    assert peak < 34 * 2**20


def slowly(run: LLMRun) -> bool:
    """Let other threads in, between the moment when a run is found and that when it is called back."""
    time.sleep(0.001)
    return True


def excluding_recorder() -> tuple[Recorder, list[UUID], list[LLMRun]]:
    """Return a recorder, a hundred runs that it excluded, and the list of those that it records."""
    recorded: list[LLMRun] = []

    def submit(line: bytes) -> bool:
        recorded.append(decode_run(line))
        return True

    recorder = Recorder(submit, data=None, selection=RunSelection(select=low_rating() & slowly))
    runs = [uuid4() for _ in range(100)]
    for run_id in runs:
        recorder.start("completion", ["Hi"], run_id, {})
        recorder.end(LLMResult(generations=[[Generation(text="")]]), run_id, {})
    return recorder, runs, recorded


def test_the_same_run_is_called_back_by_one_thread_only() -> None:
    recorder, runs, recorded = excluding_recorder()
    assert (recorded, recorder.selection.excluded) == ([], {"select=low_rating(0.5) & slowly": 100})
    answers: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda: answers.extend(recorder.recall(run_id, feedback=Feedback(0)) for run_id in runs)
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sum(answers), len(recorded), recorder.selection.excluded, recorder.lost) == (100, 100, {}, {})
    assert {run.run_id for run in recorded} == set(map(str, runs))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_calls_back_nothing_of_its_parent() -> None:
    """Both would, and the run would be there twice."""
    recorder, runs, _ = excluding_recorder()
    child = os.fork()
    if not child:
        try:
            called_back = sum(recorder.recall(run_id, feedback=Feedback(0)) for run_id in runs)
        except BaseException:  # noqa: BLE001 (a child goes on with no test)
            called_back = 255
        os._exit(called_back)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert all(recorder.recall(run_id, feedback=Feedback(0)) for run_id in runs)


@pytest.mark.parametrize(("rate", "lost"), [(0, {}), (1, {"callback_error": 1})])
def test_of_a_run_that_is_left_out_not_even_the_prompt_is_read(rate: float, lost: dict[str, int]) -> None:
    class Unreadable:
        def __str__(self) -> str:
            raise ValueError

    recorded = Recording(sample_rate=rate)

    recorded.handler.on_llm_start({}, [Unreadable()], run_id=uuid4())

    assert recorded.handler.stats().lost == lost


# Forms that make one record of several runs


def ask(recorded: Recording, trace: UUID) -> list[UUID]:
    """Ask two models the same question inside of one chain; return the ids of their runs."""
    root = {"run_id": trace}
    recorded.handler.on_chain_start({"name": "RunnableParallel"}, {"question": "Hi"}, **root)
    inside = [record(recorded, parent_run_id=trace, says=says) for says in ("One", "Two")]
    recorded.handler.on_chain_end({"a": "One", "b": "Two"}, **root)
    return inside


@pytest.mark.parametrize("mode", ["agent", "rag", "preference"])
def test_a_record_of_several_runs_is_left_out_and_called_back_as_one(mode: str) -> None:
    alone = Recording(mode=mode)
    ask(alone, IN_A_TENTH)
    records = len(alone.runs)
    recorded = Recording(
        mode=mode, sample_rate=0.1, select=~errors() & final_answer() | low_rating(), mask=masks.defaults
    )

    taken = ask(recorded, IN_A_TENTH)
    missed = ask(recorded, NOT_IN_A_TENTH)
    assert (len(recorded.runs), excluded(recorded)) == (records, {"sample_rate=0.1": records})
    assert not recall(recorded, taken[0])
    assert recall(recorded, missed[0]) or recall(recorded, NOT_IN_A_TENTH)

    assert {run.trace_id for run in recorded.runs} == {str(IN_A_TENTH), str(NOT_IN_A_TENTH)}
    assert {run.form for run in recorded.runs} == {mode}
    recorded.check()


class UnreadError(Exception):
    """An error whose text may not be asked for."""

    def __str__(self) -> str:
        raise AssertionError


@pytest.mark.parametrize("options", [{}, {"select": slow(1)}, {"include_errors": True, "sample_rate": 1e-9}])
def test_of_an_excluded_run_the_error_is_not_read(options: dict[str, Any]) -> None:
    recorded = Recording(**options)
    run_id = uuid4()
    recorded.handler.on_llm_start({}, ["Hi"], run_id=run_id)

    recorded.handler.on_llm_error(UnreadError(), run_id=run_id)

    assert recorded.runs == []
    assert sum(recorded.handler.stats().excluded.values()) == 1
    recorded.check()
    recorded.handler.close()
