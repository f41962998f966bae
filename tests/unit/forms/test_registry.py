"""A form of one's own: one value, one `mode=`, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.outputs import Generation, LLMResult

from langchain_label_studio import (
    LabelStudioCallbackHandler,
    LabelStudioMode,
    LLMRun,
    Review,
    SettingError,
    TaskDataError,
    get_default_label_configs,
)
from langchain_label_studio.forms import (
    Filled,
    Form,
    GroupBy,
    TraceEvent,
    TraceGatherer,
    get_form,
    register_form,
)
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.reviews.from_task import read_reviews
from langchain_label_studio.types.run import RunFields
from langchain_label_studio.types.run_record import decode_run, encode_run, make_run
from tests.support.recording import Recording

LENGTHS = """
<View>
<Text name="question" value="$question"/>
<Number name="length" toName="question"/>
<TextArea name="reason" toName="question"/>
</View>
"""


def fill(run: LLMRun) -> Filled:
    return Filled(
        data={"question": run.prompt[-1]["content"], "characters": 5}, meta={"secret": "of the form"}
    )


def read(data: Mapping[str, Any], meta: Mapping[str, Any], review: Review) -> Review:
    return replace(review, choices={"form": (str(data["characters"]), meta["secret"])})


class Counting(TraceGatherer[list[RunFields]]):
    """Records the last run of a trace, which says how many there were."""

    def opened(self, top: object) -> list[RunFields]:
        return []

    def began(self, state: list[RunFields], event: TraceEvent) -> None: ...

    def ended(self, state: list[RunFields], event: TraceEvent) -> list[RunFields]:
        return []

    def answered(self, state: list[RunFields], run: RunFields) -> list[RunFields]:
        state.append(run)
        return []

    def closed(self, state: list[RunFields], *, given_up: bool) -> list[RunFields]:
        if not state:
            return []
        status = "abandoned" if given_up else "success"
        covers = [run["run_id"] for run in state[:-1]]
        return [state[-1] | {"status": status, "run_name": f"{len(state)} runs", "covers": covers}]


def make_form(**fields: Any) -> Form:
    return register_form(
        Form(
            name="lengths",
            label_config=LENGTHS,
            keys=frozenset({"question", "characters"}),
            fill=fill,
            read=read,
            takes_answer=False,
            **fields,
        )
    )


def count(group_by: GroupBy | None) -> Counting:
    return Counting()


def test_a_run_becomes_a_task_of_the_form_and_its_annotation_a_review() -> None:
    form = make_form()
    facts: RunFields = {
        "run_id": uuid4(),
        "trace_id": uuid4(),
        "form": form.name,
        "prompt": ({"role": "user", "content": "Why?"},),
        "answers": ({"role": "assistant", "content": "Because"},),
    }
    run = decode_run(encode_run(facts))

    task = build_task(run, parse_label_config(LENGTHS, takes_answer=False), model_version="v")

    assert task["data"]["question"] == "Why?"
    assert task["predictions"] == [], "the only TextArea is for the reason"
    assert task["meta"]["form"] == "lengths"
    said = {"id": 1, "result": [text_region("reason", "too short")]}
    [review] = read_reviews(
        task | {"id": 7, "annotations": [said]},
        read_controls(LENGTHS),
        project_id=1,
        project_url="http://studio",
        reviewers={},
    )
    assert review.choices == {"form": ("5", "of the form")}
    assert review.corrected is None
    assert review.comments == {"reason": ("too short",)}
    assert (review.run.prompt, review.run.answers, review.run.form) == (run.prompt, run.answers, "lengths")


def test_a_form_that_is_not_known_here_says_what_to_do() -> None:
    run = make_run({"run_id": uuid4(), "trace_id": uuid4(), "form": "never-registered"})

    with pytest.raises(SettingError, match="register_form"):
        build_task(run, parse_label_config(LENGTHS, takes_answer=False), model_version="v")
    with pytest.raises(SettingError, match="register_form"):
        LabelStudioCallbackHandler("key", mode="never-registered", connect="lazy")


def test_a_form_cannot_take_the_name_of_a_mode() -> None:
    with pytest.raises(SettingError, match="'chat'"):
        register_form(Form(name="chat", label_config=LENGTHS, keys=frozenset(), fill=fill))


@pytest.mark.parametrize("mode", list(LabelStudioMode))
def test_each_mode_is_a_form_of_its_name(mode: LabelStudioMode) -> None:
    form = get_form(mode.value)

    assert form.name == mode.value
    assert (form.label_config, mode) == get_default_label_configs(mode)


@pytest.mark.parametrize("mode", ["prompt", "chat"])
def test_the_plain_forms_leave_no_trace_in_runs_and_tasks(mode: str) -> None:
    recorded = Recording(mode=mode)
    run_a_model(recorded.handler, uuid4())

    [run] = recorded.runs
    task = build_task(run, parse_label_config(get_form(mode).label_config), model_version="v")

    assert run.form == ""
    assert "form" not in task["meta"]
    assert get_form(run.form).name == "prompt", "any label config shows it"


@pytest.mark.parametrize("mode", [mode.value for mode in LabelStudioMode if mode.value != "preference"])
def test_group_by_is_refused_by_forms_that_compare_nothing(mode: str) -> None:
    with pytest.raises(SettingError, match=f"mode='{mode}' compares none. Use it with mode='preference'"):
        LabelStudioCallbackHandler("key", connect="lazy", mode=mode, group_by="question")


@pytest.mark.parametrize("gather", [None, count])
def test_group_by_is_refused_by_a_form_of_ones_own_that_compares_nothing(gather: Any) -> None:
    make_form(gather=gather)

    with pytest.raises(SettingError, match="compares=True"):
        LabelStudioCallbackHandler("key", connect="lazy", mode="lengths", group_by="question")


def test_a_form_of_ones_own_that_compares_is_given_group_by() -> None:
    given: list[GroupBy | None] = []

    def gather(group_by: GroupBy | None) -> Counting:
        given.append(group_by)
        return Counting()

    make_form(gather=gather, compares=True)
    LabelStudioCallbackHandler("key", connect="lazy", mode="lengths", group_by="question").close()

    assert given == ["question"]


def test_a_form_that_compares_needs_a_gatherer() -> None:
    with pytest.raises(SettingError, match="gather="):
        make_form(compares=True)


def test_the_keys_of_a_form_are_its_own() -> None:
    make_form()

    with pytest.raises(TaskDataError, match="'characters'"):
        LabelStudioCallbackHandler("key", mode="lengths", connect="lazy", data={"characters": 7})


def test_one_record_for_all_runs_of_a_trace() -> None:
    make_form(gather=count)
    recorded = Recording(mode="lengths")
    handler = recorded.handler
    chain, one, other, alone = (uuid4() for _ in range(4))

    handler.on_chain_start({}, {"question": "Why?"}, run_id=chain)
    for run_id in (one, other):
        run_a_model(handler, run_id, parent_run_id=chain)
    assert recorded.runs == []
    handler.on_chain_end({}, run_id=chain)
    run_a_model(handler, alone)

    assert [(run.run_id, run.run_name, run.form) for run in recorded.runs] == [
        (str(other), "2 runs", "lengths"),
        (str(alone), "1 runs", "lengths"),
    ]
    assert recorded.record_of(one) == str(other), "its task is that of the record"


def test_traces_in_flight_are_bounded() -> None:
    gatherer = Counting(max_open=2)
    tops = [uuid4() for _ in range(4)]
    records = []
    for top in tops:
        records += gatherer.begin(TraceEvent("chain", top, None, 0.0, {}))
        gatherer.ran({"run_id": uuid4(), "parent_run_id": top})

    assert [record["status"] for record in records] == ["abandoned", "abandoned"]
    assert gatherer.end(TraceEvent("chain", tops[0], None, 1.0, {})) == []
    assert len(gatherer.end(TraceEvent("chain", tops[3], None, 1.0, {}))) == 1


def run_a_model(handler: LabelStudioCallbackHandler, run_id: Any, **event: Any) -> None:
    handler.on_llm_start({}, ["Why?"], run_id=run_id, **event)
    handler.on_llm_end(LLMResult(generations=[[Generation(text="Because")]]), run_id=run_id, **event)


def text_region(control: str, text: str) -> dict[str, Any]:
    return {"from_name": control, "to_name": "question", "type": "textarea", "value": {"text": [text]}}
