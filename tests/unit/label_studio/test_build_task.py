"""A run and a label config make a task."""

from __future__ import annotations

import importlib.metadata
from dataclasses import asdict
from datetime import date
from math import nan
from unittest.mock import ANY
from uuid import uuid4

import orjson
import pytest

from langchain_label_studio import LLMRun, TaskDataError, get_default_label_configs
from langchain_label_studio.forms.form import Filled, Form
from langchain_label_studio.forms.modes import BUILT_IN_MODES, carried_name
from langchain_label_studio.forms.registry import get_form, register_form
from langchain_label_studio.label_config.inert_text import WORD_JOINER
from langchain_label_studio.label_config.parse import LabelConfig, parse_label_config
from langchain_label_studio.label_studio.tabs import tabs_for
from langchain_label_studio.label_studio.tasks.build import build_task, check_task_data, installed_version
from langchain_label_studio.types.run_record import decode_run, encode_run
from langchain_label_studio.types.task_columns import PANELS, usable_data

PROMPT = parse_label_config(get_default_label_configs("prompt")[0])
CHAT = parse_label_config(get_default_label_configs("chat")[0])
CALL = {"name": "get_weather", "args": {"city": "Paris"}, "id": "1"}


def run(**known: object) -> LLMRun:
    run_id = str(uuid4())
    fields: dict = {
        "run_id": run_id,
        "trace_id": run_id,
        "prompt": ({"role": "user", "content": "Hi"},),
        "answers": ({"role": "assistant", "content": "Hello"},),
    }
    return LLMRun(**fields | known)


def build(a_run: LLMRun, config: LabelConfig = PROMPT) -> dict:
    return build_task(a_run, config, model_version="langchain")


def test_a_form_keeps_its_own_value_in_meta_whatever_it_calls_it() -> None:
    meta = {"prediction": "it will rain"}
    register_form(
        Form(
            name="weather",
            label_config="<View/>",
            keys=frozenset(),
            fill=lambda _: Filled(meta=meta),
        )
    )

    task = build(run(form="weather"))

    assert task["meta"] | meta == task["meta"]
    assert len(task["predictions"]) == 1


def test_the_values_of_a_form_may_be_anything() -> None:
    picture = "data:image/png;base64," + "A" * 400
    odd = {
        "when": date(2026, 1, 2),
        "picture": picture,
        "score": nan,
        "text": "a\x00b",
        1: {"data": "A" * 400},
    }
    register_form(
        Form(
            name="anything",
            label_config='<View><Markdown name="m" value="$shown"/></View>',
            keys=frozenset({"shown", "odd"}),
            fill=lambda _: Filled(data={"shown": ("<b>one</b>",), "odd": odd}, meta={"odd": odd}),
        )
    )
    config = parse_label_config('<View><Markdown name="m" value="$shown"/></View>', takes_answer=False)

    task = build(run(form="anything"), config)

    clean = {
        "when": "2026-01-02",
        "picture": "[image/png, 300 B]",
        "score": None,
        "text": "a\ufffdb",
        "1": {"data": "[300 B of base64]"},
    }
    assert (task["data"]["odd"], task["meta"]["odd"]) == (clean, clean)
    assert task["data"]["shown"] == [f"<{WORD_JOINER}b>one<{WORD_JOINER}/b>"]


def test_a_task_holds_the_prompt_the_columns_and_one_prediction() -> None:
    a_run = run(model="m", provider="p", tags=("a", "b"), latency_ms=1.5, input_tokens=0)

    task = build(a_run)

    assert task["data"] == {
        "Query": "Hi",
        "Reply": "Hello",
        "prompt": "Hi",
        "run_id": a_run.run_id,
        "trace_id": a_run.trace_id,
        "status": "success",
        "model": "m",
        "provider": "p",
        "tags": "a, b",
        "latency_ms": 1.5,
        "input_tokens": 0,
        "prompt_markdown": ANY,
        "answer_markdown": ANY,
    }
    (prediction,) = task["predictions"]
    assert prediction["model_version"] == "langchain"
    (region,) = prediction["result"]
    assert isinstance(region.pop("id"), str)
    assert region == {
        "from_name": "response",
        "to_name": "prompt",
        "type": "textarea",
        "value": {"text": ["Hello"]},
    }


def columns(task: dict) -> list[str]:
    """Return the columns of a task in the order in which Label Studio on SQLite lists them."""
    return list(task["data"])


@pytest.mark.parametrize("mode", BUILT_IN_MODES)
@pytest.mark.parametrize("status", ["success", "error"])
def test_what_people_read_comes_first_and_what_the_page_reads_comes_last(mode: str, status: str) -> None:
    answers = ({"role": "assistant", "content": "Hello"},) if status == "success" else ()
    form = get_form(mode)
    config = parse_label_config(form.label_config, takes_answer=form.takes_answer)
    of_mode = run(model="m", status=status, answers=answers, data={"mine": 1}, form=carried_name(mode))

    names = columns(build(of_mode, config))

    assert names[:4] == ["Query", "Reply", "model", "status"]
    of_the_page = (form.keys | {*PANELS, "prompt"}) - {"Reply"}
    assert of_the_page.isdisjoint(names[: names.index("mine")])


@pytest.mark.parametrize("mode", BUILT_IN_MODES)
def test_on_postgresql_what_people_read_comes_first_too(mode: str) -> None:
    form = get_form(mode)
    config = parse_label_config(form.label_config, takes_answer=form.takes_answer)
    of_mode = run(model="m", error="e", tags=("t",), latency_ms=1.5, form=carried_name(mode))
    of_jsonb = sorted(columns(build(of_mode, config)), key=lambda name: (len(name), name.encode()))
    [tab, *_] = tabs_for(form.label_config, form)

    shown = [name for name in of_jsonb if f"tasks:data.{name}" not in tab["hiddenColumns"]["explore"]]

    assert shown == ["Query", "Reply", "model", "status"]


@pytest.mark.parametrize(
    ("prompt", "answers", "question", "answer"),
    [
        (["system: Be kind.", "user: What  is\n2 + 2?", "assistant: 4", "tool: 5"], ["It is\n\n4.", "5"],
         "What is 2 + 2?", "It is 4."),
        (["system: Be kind."], ["", "5"], "Be kind.", "5"),
        ([], [], "", ""),
        (["user: " + "x" * 300], ["word " * 100], "x" * 200 + "…", ("word " * 40).strip() + "…"),
    ],
)  # fmt: skip
def test_the_question_and_the_answer_are_short_and_on_one_line(
    prompt: list[str], answers: list[str], question: str, answer: str
) -> None:
    turns = tuple(dict(zip(("role", "content"), turn.split(": ", 1), strict=True)) for turn in prompt)
    given = tuple({"role": "assistant", "content": text} for text in answers)

    data = build(run(prompt=turns, answers=given))["data"]

    assert (data["Query"], data["Reply"]) == (question, answer)


def test_a_key_of_the_user_may_be_called_question() -> None:
    config = parse_label_config(
        '<View><Text name="q" value="$question"/><TextArea name="answer" toName="q"/></View>'
    )

    data = build(run(data={"answer": "mine"}), config)["data"]

    assert (data["question"], data["answer"], data["Query"]) == ("Hi", "mine", "Hi")


def test_the_list_does_not_say_which_of_several_answers_came_first() -> None:
    answers = tuple({"role": "assistant", "content": text} for text in ("one", "two"))
    config = parse_label_config(get_default_label_configs("preference")[0], takes_answer=False)

    tasks = [build(run(run_id=f"{n}", answers=answers, form="preference"), config)["data"] for n in range(9)]

    assert [task["Reply"] for task in tasks] == [task["answer1"] for task in tasks]
    assert {task["Reply"] for task in tasks} == {"one", "two"}


def test_all_candidates_are_in_one_prediction_in_order() -> None:
    answers = tuple({"role": "assistant", "content": text} for text in ("one", "two", "three"))

    (prediction,) = build(run(answers=answers))["predictions"]

    assert prediction["result"][0]["value"]["text"] == ["one", "two", "three"]


@pytest.mark.parametrize("answers", [(), ({"role": "assistant", "content": ""},)])
def test_without_an_answer_there_is_no_prediction(answers: tuple) -> None:
    assert build(run(answers=answers))["predictions"] == []


def test_a_tool_call_is_readable_and_kept_as_it_was() -> None:
    task = build(run(answers=({"role": "assistant", "content": "", "tool_calls": [CALL]},)), CHAT)

    assert task["predictions"][0]["result"][0]["value"]["text"] == ['→ get_weather(city="Paris")']
    assert task["meta"]["answers"][0]["tool_calls"] == [CALL]


def test_a_chat_in_a_text_project_is_a_transcript_and_kept_as_it_was() -> None:
    turns = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"})

    task = build(run(prompt=turns))

    assert task["data"]["prompt"] == "system: Be brief.\n\nuser: Hi"
    assert task["meta"]["messages"] == list(turns)


def test_a_completion_in_a_chat_project_is_a_dialogue_of_one_turn() -> None:
    task = build(run(kind="completion"), CHAT)

    assert task["data"]["prompt"] == [{"role": "user", "content": "Hi"}]
    assert "messages" not in task["meta"]


def test_turns_show_the_name_of_the_tool_and_only_role_and_content() -> None:
    turns = (
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "content": "21 °C", "name": "get_weather", "tool_call_id": "1"},
    )

    task = build(run(prompt=turns), CHAT)

    assert task["data"]["prompt"] == [
        {"role": "assistant", "content": '→ get_weather(city="Paris")'},
        {"role": "tool", "content": "get_weather: 21 °C"},
    ]
    assert task["meta"]["messages"] == list(turns)


def test_reasoning_is_kept_apart_from_the_answer() -> None:
    task = build(run(answers=({"role": "assistant", "content": "4", "reasoning": "2+2"},)))

    assert task["predictions"][0]["result"][0]["value"]["text"] == ["4"]
    assert task["meta"]["reasoning"] == ["2+2"]


def test_values_that_would_poison_a_project_are_replaced() -> None:
    a_run = run(
        prompt=({"role": "user", "content": "a\x00b\ud800c"},), data={"score": float("nan"), "big": 2**80}
    )

    task = build(a_run)

    assert task["data"]["prompt"] == "a\ufffdb\ufffdc"
    assert task["data"]["score"] is None
    assert orjson.loads(orjson.dumps(task)) == task


def test_columns_that_a_config_demands_are_filled_even_where_they_are_not_known() -> None:
    config = parse_label_config(
        '<View><Header name="h" value="$model"/><Paragraphs name="ctx" value="$context"/>'
        '<Text name="p" value="$p"/><TextArea name="a" toName="p"/></View>'
    )

    task = build(run(), config)

    assert task["data"]["model"] == ""
    assert task["data"]["context"], "an empty list blanks the page"


def test_whatever_key_markdown_shows_is_made_inert() -> None:
    config = parse_label_config(
        '<View><Text name="p" value="$p"/><Markdown value="$p"/><Markdown value="$note"/><TextArea name="a" toName="p"/></View>'
    )

    task = build(
        run(prompt=({"role": "user", "content": "<b>"},), data={"note": "<i>", "raw": "<u>"}), config
    )

    assert (task["data"]["p"], task["data"]["note"], task["data"]["raw"]) == ("<\u2060b>", "<\u2060i>", "<u>")


def test_metadata_leaves_the_process_by_allow_list_only() -> None:
    a_run = run(metadata={"ls_provider": "openai", "password": "hunter2"})

    assert build(a_run)["meta"]["metadata"] == {"ls_provider": "openai"}
    assert b"hunter2" not in encode_run(asdict(a_run))


def test_a_run_in_a_newer_format_is_refused() -> None:
    with pytest.raises(Exception, match="Update the package"):
        decode_run(b'{"v":99,"run_id":"1","trace_id":"1"}')


CUSTOM = parse_label_config(
    '<View><Text name="p" value="$p"/><Text name="c" value="$customer"/><TextArea name="a" toName="p"/></View>'
)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, r'shows value="\$customer"'),
        ({"customer": "x", "p": "mine"}, "'p'"),
        ({"customer": "x", "run_id": "mine"}, "'run_id'"),
        ({"customer": "x", "a.b": 1}, "cannot filter"),
    ],
)
def test_data_that_does_not_fit_the_config_is_an_error_at_once(data: dict, says: str) -> None:
    with pytest.raises(TaskDataError, match=says):
        check_task_data(data, CUSTOM, complete=True)


def test_data_that_fits_is_taken() -> None:
    check_task_data({"customer": "x", "more": 1}, CUSTOM, complete=True)
    check_task_data({}, CUSTOM, complete=False)


def test_of_made_data_only_what_a_task_can_hold_is_taken() -> None:
    assert usable_data({"run_id": "mine", "a.b": 1, "ok": {1, 2}, 3: "x"}) == {"ok": [1, 2], "3": "x"}


def test_a_copy_that_was_not_installed_makes_tasks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", not_installed)
    installed_version.cache_clear()
    try:
        assert build(run())["meta"]["langchain_label_studio"] == "unknown"
    finally:
        installed_version.cache_clear()
