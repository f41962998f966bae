"""Which runs are chosen, whoever asks, and in whatever order."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import LLMRun, SettingError
from langchain_label_studio.selectors import (
    Selector,
    at_most_per_day,
    by_metadata,
    by_model,
    by_name,
    by_tag,
    errors,
    final_answer,
    first_per_thread,
    long,
    low_rating,
    sampled,
    slow,
)
from langchain_label_studio.selectors import quotas as quotas_module
from langchain_label_studio.selectors.sampling import in_sample
from langchain_label_studio.selectors.selector import as_selector

RUN = LLMRun(run_id=str(uuid4()), trace_id=str(uuid4()), status="success")
CALL = {"name": "search", "args": {}, "id": "call_1"}
RATES = st.floats(0, 1)


def run(**facts: object) -> LLMRun:
    return replace(RUN, **facts)


def said(content: str, **more: object) -> LLMRun:
    return run(answers=({"role": "assistant", "content": content, **more},))


def has_a_tag(given_run: LLMRun) -> bool:
    return bool(given_run.tags)


@pytest.mark.parametrize(
    ("selector", "chosen", "others"),
    [
        (
            errors(),
            [run(status="error"), run(status="partial", error="E: no")],
            [RUN, run(status="cancelled")],
        ),
        (slow(2), [run(latency_ms=2000.0)], [run(latency_ms=1999.9), RUN]),
        (long(tokens=10), [run(total_tokens=10)], [run(total_tokens=9), RUN]),
        (long(characters=5), [said("hello")], [said("hell"), RUN]),
        (long(tokens=10, characters=5), [said("hello"), run(total_tokens=11)], [said("hell")]),
        (by_model("gpt-4*", "o3"), [run(model="gpt-4o"), run(model="o3")], [run(model="o3-mini"), RUN]),
        (by_tag("vip", "beta-*"), [run(tags=("x", "vip")), run(tags=("beta-2",))], [run(tags=("VIP",)), RUN]),
        (by_name("answer"), [run(run_name="answer")], [run(run_name="Answer"), RUN]),
        (
            by_metadata(tier="gold", seats=3),
            [run(metadata={"tier": "gold", "seats": 3, "more": 1})],
            [run(metadata={"tier": "gold"}), run(metadata={"tier": "gold", "seats": 4}), RUN],
        ),
        (by_metadata(tier=None), [run(metadata={"tier": None})], [RUN]),
        (
            final_answer(),
            [said("42"), said("42", reasoning="hm")],
            [said(""), said("Let me see", tool_calls=[CALL]), said("x", invalid_tool_calls=[CALL]), RUN],
        ),
        (low_rating(), [], [RUN, run(status="error")]),
        (sampled(1), [RUN], []),
        (sampled(0), [], [RUN]),
        (as_selector(has_a_tag), [run(tags=("x",))], [RUN]),
    ],
    ids=str,
)
def test_each_selector_chooses_what_its_name_says(
    selector: Selector, chosen: list[LLMRun], others: list[LLMRun]
) -> None:
    assert [selector(each) for each in chosen] == [True] * len(chosen)
    assert [selector(each) for each in others] == [False] * len(others)
    again = pickle.loads(pickle.dumps(selector))
    assert repr(again) == repr(selector)
    assert [again(each) for each in chosen + others] == [True] * len(chosen) + [False] * len(others)


def test_a_selector_reads_as_it_was_written() -> None:
    written = [
        'errors() | slow(2.5) & by_tag("vip")',
        "(errors() | slow(2.5)) & ~by_model('gpt-*', 'o3')",
        "~(errors() & long(tokens=100, characters=2000)) | sampled(0.05)",
        "first_per_thread(3) & at_most_per_day(20) | low_rating(0.5)",
        "~~by_metadata(tier='gold') & by_name('a') & final_answer()",
    ]
    for text in written:
        assert repr(eval(text)) == text.replace('"', "'")
    assert repr(errors() | has_a_tag) == "errors() | has_a_tag"
    assert repr(has_a_tag & errors()) == "has_a_tag & errors()"


LEAVES = [errors(), slow(1), by_tag("vip"), by_model("gpt*"), has_a_tag, final_answer(), low_rating(0.5)]
RUNS = st.builds(
    run,
    status=st.sampled_from(["success", "error", "partial"]),
    latency_ms=st.none() | st.floats(0, 3000),
    tags=st.sampled_from([(), ("vip",), ("x",)]),
    model=st.none() | st.sampled_from(["gpt-4o", "o3"]),
    answers=st.sampled_from([(), ({"role": "assistant", "content": "x"},)]),
)
# An expression, as code, over the numbers of the leaves.
EXPRESSIONS = st.recursive(
    st.integers(0, len(LEAVES) - 1).map(lambda number: f"s[{number}]"),
    lambda inner: (
        st.builds("({} & {})".format, inner, inner)
        | st.builds("({} | {})".format, inner, inner)
        | st.builds("(~{})".format, inner)
    ),
    max_leaves=12,
)


@given(EXPRESSIONS, RUNS, st.none() | st.floats(-1, 1))
def test_combined_selectors_say_what_pythons_operators_say(
    expression: str, given_run: LLMRun, rating: float | None
) -> None:
    selectors = [as_selector(leaf) for leaf in LEAVES]
    said_alone = [selector(given_run, rating=rating) for selector in selectors]
    code = expression.replace("~", "not ").replace("&", "and").replace("|", "or")

    combined = eval(expression, {"s": selectors})

    assert combined(given_run, rating=rating) == eval(code, {"s": said_alone})
    written = eval(repr(combined), {**globals(), "has_a_tag": as_selector(has_a_tag)})
    assert written(given_run, rating=rating) == combined(given_run, rating=rating)


@given(st.uuids() | st.text(max_size=20), RATES, RATES)
def test_a_larger_sample_has_all_of_a_smaller_one(trace_id: UUID | str, one: float, other: float) -> None:
    smaller, larger = sorted([one, other])

    assert in_sample(trace_id, smaller) <= in_sample(trace_id, larger)


@given(st.uuids())
def test_a_trace_is_the_same_as_text(trace_id: UUID) -> None:
    assert in_sample(trace_id, 0.5) == in_sample(str(trace_id), 0.5)
    assert in_sample(trace_id, 1)
    assert not in_sample(trace_id, 0)


def test_a_sample_has_its_share_of_the_traces() -> None:
    traces = [UUID(int=number) for number in range(20_000)]
    for rate in (0.01, 0.1, 0.5):
        assert sum(in_sample(trace, rate) for trace in traces) / 20_000 == pytest.approx(rate, rel=0.15)


def test_all_processes_and_versions_agree_on_a_sample() -> None:
    """Written down: whoever changes it takes other traces in half of a fleet that is being updated."""
    traces = [UUID(int=number) for number in range(40)]
    assert [trace.int for trace in traces if in_sample(trace, 0.1)] == [7, 8, 10, 24]
    code = """
from uuid import UUID
from langchain_label_studio.selectors.sampling import in_sample
print([number for number in range(40) if in_sample(UUID(int=number), 0.1)])
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[7, 8, 10, 24]"


def test_a_day_takes_so_many_and_the_next_as_many_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 21, 23, 59)

    class Clock(datetime):
        @classmethod
        def now(cls) -> datetime:
            return now

    monkeypatch.setattr(quotas_module, "datetime", Clock)
    selector = at_most_per_day(2)
    assert [selector(RUN) for _ in range(4)] == [True, True, False, False]
    now = datetime(2026, 11, 22, 0, 1)
    assert [selector(RUN) for _ in range(4)] == [True, True, False, False]


def test_a_thread_takes_its_first_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas_module, "MAX_THREADS", 2)
    selector = first_per_thread(2)
    a, b, c = (run(thread_id=name) for name in "abc")

    assert [selector(each) for each in (a, a, a, b, a, b, b)] == [True, True, False, True, False, True, False]
    assert [selector(RUN) for _ in range(4)] == [True] * 4
    assert selector(c)
    assert selector(a), "the longest unseen of more than it remembers"


@pytest.mark.parametrize("quota_first", [True, False])
def test_a_quota_counts_only_what_the_rest_chooses(quota_first: bool) -> None:
    quota = at_most_per_day(2)
    chosen = quota & errors() if quota_first else errors() & quota
    failed = run(status="error")
    assert [chosen(each) for each in (RUN, RUN, RUN, failed, failed, failed)] == [False] * 3 + [
        True,
        True,
        False,
    ]

    quota = at_most_per_day(1)
    chosen = quota | errors() if quota_first else errors() | quota
    assert [chosen(each) for each in (failed, failed, RUN, RUN, failed)] == [True, True, True, False, True]


def test_many_threads_share_a_quota() -> None:
    selector = at_most_per_day(500)
    taken: list[bool] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(selector(RUN) for _ in range(200))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(taken), sum(taken)) == (1600, 500)


def test_a_quota_in_another_process_begins_anew() -> None:
    selector = at_most_per_day(1)
    assert selector(RUN)
    assert not selector(RUN)
    assert pickle.loads(pickle.dumps(selector))(RUN)


def test_a_rating_is_low_at_the_threshold_and_below() -> None:
    assert [low_rating()(RUN, rating=score) for score in (-1, 0, 0.5, 0.51, 1)] == [True] * 3 + [False] * 2
    assert [low_rating(2)(RUN, rating=stars) for stars in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (long, "long(tokens=2000)"),
        (by_tag, "at least one name"),
        (lambda: at_most_per_day(-1), "whole number"),
        (lambda: first_per_thread(1.5), "whole number"),
        (lambda: sampled(10), "share from 0 to 1"),
        (lambda: sampled(float("nan")), "share from 0 to 1"),
    ],
)
def test_what_cannot_be_meant_is_said_at_once(make: object, what: str) -> None:
    with pytest.raises(SettingError) as raised:
        make()
    assert what in str(raised.value)


def test_what_is_no_function_does_not_combine() -> None:
    with pytest.raises(TypeError):
        errors() | "slow"
