"""Label configs of new projects as earlier versions made them, with a run for each: `OLD_PAGES`, `old_task`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from langchain_label_studio import LLMRun
from langchain_label_studio.forms.modes import carried_name
from langchain_label_studio.forms.registry import get_form
from langchain_label_studio.label_config.parse import LabelConfig, parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.types.task_columns import QUERY, REPLY
from tests.support.reviews import assistant, call, turn, user

OLD_PAGES = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.xml"))
}
"""The label configs by the name of the mode. `preference_pairwise` is an even earlier one of `preference`."""

MODES = ("prompt", "chat", "preference", "rag", "agent")

_RUN = LLMRun(
    run_id="",
    trace_id="",
    prompt=(turn("system", "Be *brief*."), user("Is <b>this</b> `fast`?")),
    answers=(assistant("| size | time |\n|---|---|\n| 1 | 2 |"),),
    model="model-1",
    data={"customer": "Ann", "note": '{"a": [1, 2]}'},
)
_RUNS = {
    "prompt": _RUN,
    "chat": replace(_RUN, answers=(assistant("Let me look.", tool_calls=[call(city="Rome")]),)),
    "preference": replace(
        _RUN,
        answers=tuple(assistant(f"**Answer** of model {number}") for number in range(3)),
        candidates=tuple({"model": f"model-{number}"} for number in range(3)),
    ),
    "rag": replace(
        _RUN,
        question="Is it fast?",
        documents=(
            {"content": "It *is*.", "metadata": {"source": "speed.md"}, "score": 0.5},
            {"content": " "},
        ),
    ),
    "agent": replace(
        _RUN,
        run_name="helper",
        steps=(
            {"kind": "user", "content": "Is it fast?"},
            {
                "kind": "tool_call",
                "tool": "measure",
                "args": {"what": "a\nb"},
                "result": {"ok": True, "preview": '{"ms": 3}'},
                "durationMs": 0.4,
            },
            {"kind": "error", "error": {"message": "too <slow>"}},
        ),
    ),
}


def old_run(mode: str) -> LLMRun:
    """Return a new run for the page of a mode."""
    run_id = str(uuid4())
    return replace(_RUNS[mode], run_id=run_id, trace_id=run_id, form=carried_name(mode))


def page_of(mode: str, xml: str) -> LabelConfig:
    return parse_label_config(xml, takes_answer=get_form(mode).takes_answer)


def old_task(mode: str, run: LLMRun) -> dict[str, Any]:
    """Return the task that an earlier version made of a run."""
    task = build_task(run, page_of(mode, OLD_PAGES[mode]), model_version="langchain")
    del task["data"][QUERY], task["data"][REPLY]
    if mode == "preference":
        del task["data"]["shown"]["best"]
    return task
