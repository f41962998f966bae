"""An existing task gets what a task of the same run has today, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import LLMRun, TaskDataError, get_default_label_configs
from langchain_label_studio.forms.modes import LabelStudioMode, RatingControl
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.inert_text import WORD_JOINER
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.refresh.task_data import refreshed_data
from tests.support.annotated_tasks import annotation, as_listed, texts
from tests.support.old_pages import MODES, OLD_PAGES, old_run, old_task, page_of
from tests.support.reviews import run

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=f"\0{WORD_JOINER}"), max_size=40
) | st.sampled_from(
    ["", "**a**\n\n- b", "<img src=x onerror=alert(1)>", '{"a": [1]}', "| a |\n|---|\n| b |", "שלום"]
)
TURNS = st.builds(
    lambda role, text: {"role": role, "content": text},
    st.sampled_from(["user", "system", "assistant"]),
    TEXTS,
)
ANSWERS = st.builds(
    lambda text, calls: {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})},
    TEXTS,
    st.lists(st.builds(lambda arg: {"name": "f", "args": {"a": arg}, "id": "1"}, TEXTS), max_size=1),
)
DOCUMENTS = st.builds(lambda text, source: {"content": text, "metadata": {"source": source}}, TEXTS, TEXTS)
STEPS = st.builds(
    lambda text, seconds: {
        "kind": "tool_call",
        "tool": "look",
        "args": {"what": text},
        "result": {"ok": True, "preview": text},
        "durationMs": seconds,
    },
    TEXTS,
    st.integers(0, 500),
) | st.builds(lambda text: {"kind": "agent", "content": text}, TEXTS)


def _says_something(turns: list[dict[str, str]]) -> bool:
    # A page cannot tell one empty turn from no turn: see `prompt_value`.
    return len(turns) > 1 or turns[0]["content"] != ""


@st.composite
def runs(draw: st.DrawFn, mode: str) -> LLMRun:
    run = replace(
        old_run(mode),
        prompt=tuple(draw(st.lists(TURNS, min_size=1, max_size=4).filter(_says_something))),
        answers=tuple(draw(st.lists(ANSWERS, min_size=1, max_size=3))),
        data={"customer": draw(TEXTS), "note": draw(TEXTS)},
    )
    if mode == "preference":
        return replace(run, candidates=tuple({"model": "m"} for _ in run.answers))
    if mode == "rag":
        return replace(
            run, question=draw(TEXTS) or None, documents=tuple(draw(st.lists(DOCUMENTS, max_size=3)))
        )
    return replace(run, steps=tuple(draw(st.lists(STEPS, max_size=3)))) if mode == "agent" else run


def today(mode: str, rating: RatingControl = "stars") -> str:
    return get_default_label_configs(mode, rating=rating)[0]


def refreshed(task: dict[str, Any], mode: str, *, before: str | None = None) -> dict[str, Any] | None:
    return refreshed_data(
        as_listed(task),
        controls=read_controls(before or OLD_PAGES[mode]),
        page=page_of(mode, today(mode)),
        mode=LabelStudioMode(mode),
    )


@pytest.mark.parametrize("mode", MODES)
@given(data=st.data())
def test_it_is_what_the_task_of_the_run_would_be_today(mode: str, data: st.DataObject) -> None:
    run = data.draw(runs(mode))
    task = old_task(mode, run)

    found = refreshed(task, mode) or task["data"]

    assert (
        found == task["data"] | build_task(run, page_of(mode, today(mode)), model_version="langchain")["data"]
    )
    again = task | {"data": found}
    assert refreshed(again, mode) is None
    assert refreshed(again, mode, before=today(mode)) is None


@pytest.mark.parametrize("answer", ["", "\r", "  "])
def test_the_panel_of_an_empty_answer_is_nobodys_own(answer: str) -> None:
    blank = run("Why?", answer, form="preference")
    task = build_task(blank, page_of("preference", today("preference")), model_version="langchain")

    assert refreshed(task, "preference", before=today("preference")) is None


@pytest.mark.parametrize("mode", MODES)
def test_a_task_of_today_is_up_to_date(mode: str) -> None:
    task = build_task(old_run(mode), page_of(mode, today(mode)), model_version="langchain")
    assert refreshed(task, mode, before=today(mode)) is None


@pytest.mark.parametrize("mode", MODES)
def test_what_reviewers_wrote_is_not_the_answer(mode: str) -> None:
    task = old_task(mode, old_run(mode))
    reviewed = as_listed(task, annotation(texts("response", "something else")))

    assert refreshed(reviewed, mode) == refreshed(task, mode)


@pytest.mark.parametrize("mode", MODES)
def test_what_does_not_belong_to_the_page_stays(mode: str) -> None:
    task = old_task(mode, old_run(mode))
    task["data"] |= {"user_feedback": 0.0, "customer": None, "run_name": "changed", "later": {"a": []}}

    found = refreshed(task, mode)

    assert found is not None
    assert {key: found[key] for key in task["data"] if key != "shown"} == {
        key: value for key, value in task["data"].items() if key != "shown"
    }


def test_stale_html_is_made_anew() -> None:
    task = old_task("chat", old_run("chat"))
    task["data"]["prompt_markdown"] = '<div class="lls-chat">stale</div>'

    found = refreshed(task, "chat")

    assert found is not None
    assert "stale" not in found["prompt_markdown"]


@pytest.mark.parametrize("own", ["text", ["text"], [{"html": "text"}], {"a": "text"}, 1])
def test_a_column_of_somebodys_own_is_not_replaced(own: Any) -> None:
    task = old_task("rag", old_run("rag"))
    task["data"]["documents_html"] = own

    with pytest.raises(TaskDataError, match="documents_html"):
        refreshed(task, "rag")


def test_a_form_that_is_not_registered_is_an_error() -> None:
    task = old_task("prompt", old_run("prompt"))
    task["meta"]["form"] = "mine"

    with pytest.raises(TaskDataError, match="'mine'"):
        refreshed(task, "prompt")


def test_a_task_of_another_program_is_read_by_the_page_of_the_project() -> None:
    task = {"data": {"question": "Why?", "answer": "So.", "similar_docs": [{"id": "1", "body": "*Because*"}]}}

    found = refreshed(task, "rag")

    assert found is not None
    assert "<em>Because</em>" in found["documents_html"]["tens"][0][0]["html"]
    assert "Why?" in found["question_html"]
    assert "run_id" not in found
    assert found.items() >= task["data"].items()


def test_a_run_of_a_plain_mode_on_the_page_of_another_mode_is_shown_as_it_is() -> None:
    run = replace(old_run("prompt"), form="")
    task = build_task(run, page_of("agent", OLD_PAGES["agent"]), model_version="langchain")

    found = refreshed(task, "agent")

    assert found is not None
    assert "Is &lt;b&gt;this&lt;/b&gt;" in found["prompt_markdown"]
    assert not any(found["steps_html"].values())
