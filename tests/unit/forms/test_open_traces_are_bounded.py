"""What open runs and traces keep in memory is bounded by its size. The largest is given up, and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage

from langchain_label_studio.forms.agent.gather import AgentGatherer
from langchain_label_studio.forms.rag.gather import RetrievalGatherer
from langchain_label_studio.forms.trace_gatherer import TraceGatherer
from langchain_label_studio.recording import open_runs
from langchain_label_studio.recording.open_runs import RunTable
from langchain_label_studio.recording.run_events import read_start
from langchain_label_studio.recording.trace_events import TraceEvent
from langchain_label_studio.types.run import RunFields, run_size

Gatherer = TraceGatherer[Any]
BOUND = 100_000


def event(kind: Any, run_id: UUID, parent: UUID | None, metadata: Any = None, **values: Any) -> TraceEvent:
    return TraceEvent(kind, run_id, parent, 1.0, {"metadata": metadata}, name="f", **values)


def answer(parent: UUID, text: str = "Yes.") -> RunFields:
    return {
        "run_id": uuid4(),
        "parent_run_id": parent,
        "kind": "chat",
        "prompt": ({"role": "user", "content": text},),
        "answers": ({"role": "assistant", "content": text},),
    }


def retrieve(gatherer: Gatherer, top: UUID, size: int) -> list[RunFields]:
    search = uuid4()
    records = gatherer.begin(event("retriever", search, top, inputs="Is it warm?"))
    return records + gatherer.end(event("retriever", search, top, outputs=[Document("x" * size)]))


def call_a_tool(gatherer: Gatherer, top: UUID, size: int) -> list[RunFields]:
    records: list[RunFields] = []
    for _ in range(max(1, size // 10_000)):  # a text of a step is cut
        call = uuid4()
        records += gatherer.begin(event("tool", call, top, inputs="x"))
        records += gatherer.end(event("tool", call, top, outputs="x" * min(size, 10_000)))
    return records


def ask_a_model(gatherer: Gatherer, top: UUID, size: int) -> list[RunFields]:
    return gatherer.ran(answer(top, "x" * (size // 2)))


WAYS = [
    (RetrievalGatherer, retrieve),
    (RetrievalGatherer, ask_a_model),
    (AgentGatherer, call_a_tool),
    (AgentGatherer, ask_a_model),
]


@pytest.mark.parametrize(("kind", "grow"), WAYS)
def test_the_largest_trace_is_given_up_and_all_others_go_on(kind: Any, grow: Any) -> None:
    gatherer: Gatherer = kind(max_characters=BOUND)
    tops = [uuid4() for _ in range(5)]
    for top in tops:
        assert gatherer.begin(event("chain", top, None, inputs={"input": "Is it warm?"})) == []
        assert grow(gatherer, top, 10_000) == []

    given_up = grow(gatherer, tops[2], 90_000)

    assert all(
        record.get("status", "abandoned") == "abandoned" or "excluded" in record for record in given_up
    )
    ended = {
        top: gatherer.ran(answer(top)) + gatherer.end(event("chain", top, None, outputs="Yes."))
        for top in tops
    }
    assert all(ended[top] for top in tops if top != tops[2])
    assert [record["run_id"] for record in ended[tops[2]] if record["run_id"] == tops[2]] == []


@pytest.mark.parametrize(("kind", "grow"), WAYS)
def test_what_ended_takes_no_room(kind: Any, grow: Any) -> None:
    gatherer: Gatherer = kind(max_characters=BOUND)
    for _ in range(50):
        top = uuid4()
        assert gatherer.begin(event("chain", top, None, inputs={"input": "Is it warm?"})) == []
        assert grow(gatherer, top, 40_000) == []
        gatherer.ran(answer(top))
        gatherer.end(event("chain", top, None, outputs="Yes."))


def test_a_thousand_unfinished_retrievals_keep_no_more_than_the_bound() -> None:
    gatherer = RetrievalGatherer(max_characters=10 * BOUND)
    tops = [uuid4() for _ in range(1000)]
    for top in tops:
        gatherer.begin(event("chain", top, None, inputs={"input": "Is it warm?"}))
        retrieve(gatherer, top, BOUND)

    kept = [record for top in tops for record in gatherer.ran(answer(top)) if "documents" in record]
    assert len(kept) == 9, "and the rest of the bound is for what is beside the documents"


# Runs of models


def started(prompt: str, **event: Any) -> Any:
    run_id = uuid4()
    return run_id, read_start("chat", [[HumanMessage(prompt)]], event, run_id=run_id, trace_id=run_id)


def test_of_open_runs_the_largest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_runs, "MAX_OPEN_CHARACTERS", BOUND)
    table = RunTable()
    runs = [started("x" * 10_000) for _ in range(5)]
    for run_id, run in runs:
        assert table.start(run_id, run) == []
    huge_id, huge = started("x" * 60_000)

    assert table.start(huge_id, huge) == [huge]

    assert [table.end(run_id)[0] for run_id, _ in runs] == [run for _, run in runs]
    assert table.end(huge_id) == (None, False)


HUGE = "x" * 10_000
KEPT: dict[str, dict[str, Any]] = {
    "tools": {"invocation_params": {"tools": [{"name": "f", "description": HUGE}]}},
    "keys": {"invocation_params": {"tools": [{"properties": {HUGE: {"type": "string"}}}]}},
    "metadata": {"metadata": {"page": HUGE}},
    "parts of metadata": {"metadata": {"pages": [{"text": HUGE}]}},
    "keys of metadata": {"metadata": {HUGE: 1}},
    "tags": {"tags": [HUGE]},
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_all_that_a_run_keeps_counts(kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_runs, "MAX_OPEN_CHARACTERS", BOUND)
    table = RunTable()
    given_up = []
    for _ in range(100):
        given_up += table.start(*started("Hi", **kept))

    assert len(given_up) == 91
    assert len(table) == 9
    assert all(run_size(run.fields) == run.size for run in given_up), "also where it waits for others"


QUESTIONS: dict[str, tuple[Any, Callable[[UUID], list[TraceEvent]]]] = {
    "question": (RetrievalGatherer, lambda top: [event("chain", top, None, inputs={"question": HUGE})]),
    "query": (
        RetrievalGatherer,
        lambda top: [event("chain", top, None), event("retriever", uuid4(), top, inputs=HUGE)],
    ),
    "metadata": (
        AgentGatherer,
        lambda top: [event("chain", top, None, metadata={"pages": [HUGE]})],
    ),
}


@pytest.mark.parametrize(("kind", "begun"), QUESTIONS.values(), ids=QUESTIONS)
def test_what_open_traces_were_asked_counts(kind: Any, begun: Callable[[UUID], list[TraceEvent]]) -> None:
    gatherer = kind(max_characters=BOUND - len(HUGE) // 2)
    tops = [uuid4() for _ in range(100)]
    for top in tops:
        for each in begun(top):
            gatherer.begin(each)

    assert len([top for top in tops if gatherer.ran(answer(top)) == []]) == 9, "the others are given up"


def test_a_question_takes_no_room_after_its_trace() -> None:
    gatherer = RetrievalGatherer(max_characters=BOUND)
    top = uuid4()
    gatherer.begin(event("chain", top, None))
    for error in (None, ValueError("no")) * 10:
        search = uuid4()
        gatherer.begin(event("retriever", search, top, inputs=HUGE))
        gatherer.end(event("retriever", search, top, outputs=[], error=error))
    assert gatherer.end(event("chain", top, None, outputs="Yes.")) == []
