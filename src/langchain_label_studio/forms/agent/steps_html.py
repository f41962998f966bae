"""`steps_html`: the steps of an agent as inert HTML, for the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_label_studio.forms.agent.shown_steps import step_title
from langchain_label_studio.forms.keyed_choices import has_key, keyed_choices, number_key
from langchain_label_studio.forms.ten_by_ten import GROUP_SIZE, MAX_GROUPED, ten_by_ten
from langchain_label_studio.page_html.markdown_html import markdown_html
from langchain_label_studio.page_html.text_html import code_html, escape, plain_html, pretty_json
from langchain_label_studio.page_html.turn_html import arguments_html
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.run_parts import Step

_HELD = {"correct": "alt+shift+", "partial": "shift+", "incorrect": ""}


def steps_html(run: LLMRun) -> dict[str, list[Any]]:
    """Return the steps of a run for the page.

    Returns:
        `tens` is for `<Repeater>` tags: each step has its own controls. `keys` has the choices of the first ten steps.
        `list` is for a `<Choices>` that lists all steps. It is empty, or else the others are. In all of them, the user's
        question is no step to judge.
    """
    blocks = ["".join(_parts(number, step)) for number, step in enumerate(run.steps)]
    if len(blocks) <= MAX_GROUPED:
        keys = [keyed_choices(number, _HELD) for number in range(len(blocks))][:GROUP_SIZE]
        return {
            "tens": ten_by_ten([{"html": block} for block in blocks]),
            "keys": keys,
            "list": [],
        }
    judged = [
        {"value": str(number), "html": block, "hotkey": number_key(number)}
        for number, block in enumerate(blocks)
        if run.steps[number]["kind"] != "user"
    ]
    return {"tens": [], "keys": [], "list": judged}


def _parts(number: int, step: Step) -> Iterator[str]:
    keys = "" if has_key(number) else " lls-no-key"
    yield f'<div class="lls-step-title lls-{step["kind"]}{keys}">{escape(step_title(number, step))}</div>'
    if summary := step.get("summary"):
        yield f'<div class="lls-note">{plain_html(summary)}</div>'
    if content := step.get("content"):
        yield markdown_html(content)
    if args := step.get("args"):
        yield f'<div class="lls-call">{arguments_html(args)}</div>'
    if "result" in step:
        preview = step["result"]["preview"]
        yield code_html(pretty_json(preview) or preview)
    if "error" in step:
        yield f'<div class="lls-reason">{plain_html(step["error"]["message"])}</div>'
