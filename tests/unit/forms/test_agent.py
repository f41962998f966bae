"""Agents: steps as a page shows them and as they come back, whatever happened; verdicts as rows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from langchain_core.prompt_values import ChatPromptValue

from langchain_label_studio import LLMRun, Review, StepVerdict, to_kto, to_prm, to_sft
from langchain_label_studio.forms.agent.agent_run import AgentRun
from langchain_label_studio.forms.agent.form import FORM
from langchain_label_studio.forms.agent.gather import AgentGatherer
from langchain_label_studio.forms.agent.steps import depth_of, note_result, turns_of, who
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.recording.trace_events import EventKind, TraceEvent
from langchain_label_studio.reviews.from_task import read_reviews
from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.run_record import decode_run, encode_run
from tests.support.reviews import review, run, user

TEXTS = st.text(max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
STEPS: list[Step] = [
    {"kind": "user", "content": "Is it warm?"},
    {"kind": "reasoning", "summary": "I look it up."},
    {
        "kind": "tool_call",
        "tool": "weather",
        "args": {"city": "Paris"},
        "result": {"ok": True, "preview": "21 degrees"},
    },
    {"kind": "error", "tool": "weather", "args": {"city": "Rome"}, "error": {"message": "no net"}},
    {"kind": "agent", "content": "Yes.", "agent": "researcher", "durationMs": 1234.5},
]
CONFIG = parse_label_config(FORM.label_config)


def an_agent(**fields: Any) -> LLMRun:
    known = {"prompt": "Is it warm?", "answers": "Yes.", "form": "agent", "steps": tuple(STEPS)}
    return run(**known | fields)


def reviewed(*regions: dict[str, Any], of: LLMRun | None = None) -> Review:
    task = build_task(of or an_agent(), CONFIG, model_version="v")
    task |= {"id": 7, "annotations": [{"id": 1, "parent_prediction": 3, "result": list(regions)}]}
    [read] = read_reviews(
        task, read_controls(FORM.label_config), project_id=1, project_url="http://studio", reviewers={}
    )
    return read


def chose(name: str, *choices: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "dialogue", "type": "choices", "value": {"choices": list(choices)}}


def wrote(name: str, text: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "dialogue", "type": "textarea", "value": {"text": [text]}}


# What a page shows


def test_the_run_is_that_of_label_studios_agent_evaluation():
    data = build_task(an_agent(run_name="helper", total_tokens=30), CONFIG, model_version="v")["data"]

    shown = data["run"]
    assert shown["steps"][3] == {
        "id": "s3",
        "kind": "error",
        "tool": "weather",
        "args": {"city": "Rome"},
        "error": {"message": "no net"},
        "title": '3.  weather(city="Rome") failed',
    }
    assert shown["steps"][4]["title"] == "4.  researcher says  ·  1.2 s"
    del shown["steps"]
    assert shown == {
        "id": data["run_id"],
        "name": "helper",
        "agent": "helper",
        "model": "gpt-test",
        "status": "completed-with-warnings",
        "startedAt": "2026-11-01T11:00:00.000Z",
        "duration": 0.8,
        "totalTokens": 30,
        "turns": 1,
        "toolCalls": 2,
        "errors": 1,
    }


def test_the_answer_goes_into_the_one_field_for_it_and_not_into_that_of_a_step():
    [prediction] = build_task(an_agent(), CONFIG, model_version="v")["predictions"]

    assert prediction["result"][0]["from_name"] == "response"
    assert prediction["result"][0]["value"] == {"text": ["Yes."]}


def test_arguments_that_do_not_fit_into_the_title_stand_below_it():
    long: Step = {"kind": "tool_call", "tool": "write", "args": {"text": "line\nline"}}

    [shown] = FORM.fill(an_agent(steps=(long,))).data["run"]["steps"]

    assert shown["title"] == "0.  write(…) gave nothing back"
    assert shown["input"] == '{\n "text": "line\\nline"\n}'


STEP = st.fixed_dictionaries(
    {"kind": st.sampled_from(["user", "reasoning", "agent", "tool_call", "error", "interrupt"])},
    optional={
        "agent": TEXTS,
        "content": TEXTS,
        "summary": TEXTS,
        "tool": TEXTS,
        "args": JSON,
        "result": st.fixed_dictionaries({"ok": st.booleans(), "preview": TEXTS}),
        "error": st.fixed_dictionaries({"message": TEXTS}),
        "cancelled": st.just(True),
        "tokens": st.integers(0, 10**6),
        "durationMs": st.floats(0, 10**7),
    },
)


@given(st.lists(STEP, max_size=5))
def test_every_step_can_be_shown_and_comes_back(steps: list[Any]):
    facts = {"run_id": UUID(int=1), "trace_id": UUID(int=1), "form": "agent", "steps": steps}
    recorded = decode_run(encode_run(facts))

    data = build_task(recorded, CONFIG, model_version="v")["data"]

    for step in data["run"]["steps"]:
        shown = [step["title"], *(step.get(key, "") for key in ("summary", "content", "input"))]
        shown += [step.get("result", {}).get("preview", ""), step.get("error", {}).get("message", "")]
        assert all(isinstance(text, str) for text in shown), "anything else blanks the page"
    back = reviewed(of=recorded).run
    assert len(back.steps) == len(steps)
    assert [step["kind"] for step in back.steps] == [step["kind"] for step in steps]
    assert [step.get("content") for step in back.steps] == [
        step.get("content") for step in data["run"]["steps"]
    ]


# What LangChain tells

IDS = st.integers(1, 6).map(lambda number: UUID(int=number))
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "end", "ran"]),
        st.sampled_from(["chain", "tool", "retriever"]),
        IDS,
        st.none() | IDS,
        JSON,
        st.none() | st.sampled_from([LookupError("no such city"), asyncio.CancelledError(), GeneratorExit()]),
    ),
    max_size=30,
)


@given(EVENTS)
def test_no_order_of_events_breaks_it_and_each_record_can_be_sent(events: list[Any]):
    gatherer = AgentGatherer(max_open=2)
    records = []
    for what, kind, run_id, parent, value, error in events:
        if what == "ran":
            turn = {
                "role": "assistant",
                "content": "x",
                "tool_calls": [{"name": "f", "args": value, "id": "1"}],
            }
            records += gatherer.ran(
                {
                    "run_id": run_id,
                    "trace_id": run_id,
                    "parent_run_id": parent,
                    "status": "success",
                    "prompt": (user("Hi"),),
                    "answers": (turn,) if error else (),
                    "metadata": {"langgraph_checkpoint_ns": value},
                }
            )
            continue
        event = TraceEvent(kind, run_id, parent, 1.0, {"metadata": {}, "tool_call_id": "1"}, name="f")
        if what == "begin":
            event.inputs = value
            records += gatherer.begin(event)
        else:
            event.outputs, event.error = value, error
            records += gatherer.end(event)
    for record in records:
        recorded = decode_run(encode_run(record | {"form": "agent"}))
        assert recorded.steps[0]["kind"] == "user"
        assert build_task(recorded, CONFIG, model_version="v")["data"]["run"]["steps"]


def test_the_last_words_before_many_calls_are_kept_and_counted():
    top = UUID(int=1)
    run = AgentRun(top)

    def say(number: int, content: str, *calls: str) -> None:
        turn: Any = {
            "role": "assistant",
            "content": content,
            "tool_calls": [{"name": name} for name in calls],
        }
        run.add_model({"run_id": UUID(int=number), "kind": "chat", "answers": (turn,)})

    say(2, "x" * 1000)
    sizes = [run.size]
    for number in range(3, 10):
        say(number, "", *["look"] * (number % 2))
        sizes.append(run.size)
    say(10, "Done.")
    sizes.append(run.size)

    assert all(1000 < size < 1200 for size in sizes[:-1])
    assert sizes[-1] < 100
    assert run.words and run.words["content"] == "Done."


def test_ids_that_lead_in_a_circle_hold_nothing_up():
    top, outer, inner = (UUID(int=number) for number in (1, 2, 3))
    gatherer = AgentGatherer()

    def event(
        kind: EventKind, run_id: UUID, parent: UUID | None, error: BaseException | None = None
    ) -> TraceEvent:
        return TraceEvent(kind, run_id, parent, 1.0, {}, name="f", error=error)

    gatherer.begin(event("chain", top, None))
    gatherer.begin(event("chain", outer, top))
    gatherer.begin(event("tool", inner, outer))
    gatherer.end(event("chain", outer, top))
    gatherer.begin(event("tool", outer, inner))  # the same id again, now below
    gatherer.end(event("tool", inner, outer, asyncio.CancelledError()))
    [record] = gatherer.end(event("chain", top, None))

    assert [step.get("cancelled", False) for step in record["steps"][1:]] == [True, True]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("Hi", "Hi"),
        ({"input": "Hi"}, "Hi"),
        ({"messages": [("user", "Hi")]}, "Hi"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "Hi"),
        ({"messages": "Hi"}, "Hi"),
        ([user("Hi")], "Hi"),
        (ChatPromptValue(messages=[HumanMessage("Hi")]), "Hi"),
    ],
)
def test_what_an_agent_is_asked_comes_in_any_shape(inputs: Any, said: str):
    assert [turn["content"] for turn in turns_of(inputs)] == [said]


@pytest.mark.parametrize(
    "inputs", [{"a": 1, "b": "c"}, {"input": "Hi", "chat_history": []}, {"n": 1}, 7, None, ""]
)
def test_any_other_input_is_no_conversation(inputs: Any):
    assert turns_of(inputs) == []


def test_of_a_huge_conversation_the_last_messages_are_read():
    read: list[int] = []

    class Message(HumanMessage):
        def __getattribute__(self, name: str) -> Any:
            if name == "content":
                read.append(1)
            return super().__getattribute__(name)

    turns = turns_of({"messages": [Message(str(number)) for number in range(20_000)]})

    assert [turn["content"] for turn in turns] == [str(number) for number in range(19_900, 20_000)]
    assert len(read) < 2000


@pytest.mark.parametrize("nothing", [None, "", [], {"messages": []}])
def test_an_agent_may_be_asked_nothing(nothing: Any):
    assert [turn["content"] for turn in turns_of(nothing)] in ([], ["[]"], ['{\n "messages": []\n}'])


def test_a_huge_result_is_cut_visibly():
    step: Step = {"kind": "tool_call", "tool": "read"}

    note_result(step, "x" * 100_000)

    assert len(step["result"]["preview"]) < 21_000
    assert step["result"]["preview"].endswith("[cut: 80,000 more characters]")


def shared(depth: int) -> Any:
    """Return a small value whose text would be huge."""
    value: Any = {"leaf": 1}
    for _ in range(depth):
        value = {"left": value, "right": value}
    return value


class Wordless:
    def __str__(self) -> str:
        raise RuntimeError

    __eq__ = __bool__ = __str__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("value", [shared(60), Wordless(), ["a"], 7, b"a|b"])
def test_names_in_the_metadata_are_texts_or_nothing(value: Any):
    odd = {"lc_agent_name": value, "langgraph_checkpoint_ns": value}

    assert (who(odd, odd), depth_of(odd)) == ("", 0)
    assert who({"lc_agent_name": "Ann"}, odd) == "Ann"


# What people say


def test_verdicts_on_steps_and_on_the_whole():
    said = reviewed(
        chose("step_1", "correct"),
        chose("step_3", "incorrect"),
        wrote("note_3", "why Rome?"),
        wrote("note_4", "fine"),
        chose("verdict", "mixed"),
        chose("failure_modes", "wrong tool", "incomplete"),
        wrote("critique", "So so."),
        wrote("response", "Yes, 21 degrees."),
    )

    assert said.steps == (
        StepVerdict(index=1, verdict="correct"),
        StepVerdict(index=3, verdict="incorrect", comment="why Rome?"),
        StepVerdict(index=4, comment="fine"),
    )
    assert said.choices == {"verdict": ("mixed",), "failure_modes": ("wrong tool", "incomplete")}
    assert said.comments == {"critique": ("So so.",)}
    assert said.rating
    assert (said.rating.value, said.rating.scale) == (2, 3)
    assert [turn["content"] for turn in said.final_answers] == ["Yes, 21 degrees."]
    assert said.run.steps == tuple(STEPS)
    assert said.run.data == {}


@pytest.mark.parametrize(("verdict", "label"), [("good", [True]), ("bad", [False]), ("mixed", [])])
def test_the_overall_verdict_is_a_label(verdict: str, label: list[bool]):
    said = reviewed(chose("verdict", verdict), wrote("response", "Yes."))

    assert [row["label"] for row in to_kto([said])] == label
    assert len(to_sft([said])) == (verdict != "bad")


# Rows


def judged(*verdicts: str | None, **fields: Any) -> Review:
    steps = tuple(
        StepVerdict(index=index, verdict=verdict) for index, verdict in enumerate(verdicts, 1) if verdict
    )
    return replace(review(run=fields.pop("run", None) or an_agent(), **fields), steps=steps)


def test_steps_are_rows_up_to_the_first_that_nobody_judged():
    rows = to_prm([judged("correct", "partial", None, "correct")])

    assert list(rows) == [
        {
            "prompt": "Is it warm?",
            "completions": ["I look it up.", '→ weather(city="Paris")\n21 degrees'],
            "labels": [True, False],
        }
    ]
    assert rows.sources[0].basis == "steps"


def test_steps_that_failed_are_rows_too():
    [row] = to_prm([judged("correct", "correct", "incorrect", "correct")])

    assert row["completions"][2:] == ['→ weather(city="Rome")\nerror: no net', "Yes."]
    assert row["labels"] == [True, True, False, True]


def test_a_conversation_is_written_as_text():
    said = an_agent(prompt=({"role": "system", "content": "Be brief"}, user("Hi")))

    [row] = to_prm([judged("correct", run=said)])

    assert row["prompt"] == "system: Be brief\n\nuser: Hi"


@pytest.mark.parametrize(
    ("reviews", "reason"),
    [
        ([judged()], "not the first of its steps was judged"),
        ([judged(None, "correct")], "not the first of its steps was judged"),
        ([review()], "not the first of its steps was judged"),
        ([judged("correct", run=an_agent(prompt=()))], "no prompt"),
    ],
)
def test_what_gives_no_row(reviews: list[Review], reason: str):
    rows = to_prm(reviews)

    assert list(rows) == []
    assert list(rows.skipped) == [reason]


def test_several_reviewers_vote_on_each_step():
    the_run = an_agent()
    people = [
        judged(*verdicts, run=the_run, task_id=1, reviewer=name)
        for name, verdicts in (
            ("ann", ("correct", "incorrect")),
            ("bob", ("correct", "correct")),
            ("eve", ("incorrect", "incorrect", "correct")),
        )
    ]

    [row] = to_prm(people, policy="majority")
    tied = to_prm(people[:2], policy="majority")

    assert row["labels"] == [True, False, True]
    assert list(tied.skipped) == ["as many reviewers say one thing as another"]
    assert len(to_prm(people)) == 3
