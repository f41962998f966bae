"""`shown_steps` adds titles for the page to steps. `hidden_again` removes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from langchain_label_studio.types.run_parts import Step
from langchain_label_studio.types.text import call_text

_MAX_TITLE = 110


def is_open(step: Step) -> bool:
    """Return whether a step is a call without a result."""
    return step["kind"] == "tool_call" and "result" not in step


def shown_steps(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Return steps with an id and a title for the page, and with arguments that do not fit into the title."""
    return [{**step, "id": f"s{number}", **_heading(number, step)} for number, step in enumerate(steps)]


def hidden_again(steps: Any) -> tuple[Step, ...]:
    """Return the steps that were passed to `shown_steps`."""
    items = steps if isinstance(steps, list) else ()
    kept = [
        {key: value for key, value in item.items() if key not in {"id", "title", "input"}}
        for item in items
        if isinstance(item, Mapping) and "kind" in item
    ]
    return tuple(kept)  # type: ignore[arg-type]


def step_title(number: int, step: Step, *, call: str = "") -> str:
    """Return what a step did in a few words, with its number and how long it took.

    Args:
        number: The number of the step.
        step: The step.
        call: The call of its tool. Without it, the title has the name of the tool.
    """
    if "tool" in step:
        what = call or step["tool"]
        if step["kind"] == "error":
            what += " failed"
        elif step.get("cancelled"):
            what += " was cancelled"
        elif is_open(step):
            what += " gave nothing back"
        title = f"{step['agent']}: {what}" if step.get("agent") else what
    else:
        title = f"{step.get('agent') or 'Agent'} {_does(step)}"
    return f"{number}.  {title}{_duration(step.get('durationMs'))}"


def _heading(number: int, step: Step) -> dict[str, str]:
    if "tool" not in step:
        return {"title": step_title(number, step)}
    call = call_text(step)
    if len(call) <= _MAX_TITLE and "\\n" not in call:
        return {"title": step_title(number, step, call=call)}
    args = step.get("args")
    written = args if isinstance(args, str) else json.dumps(args, ensure_ascii=False, indent=1)
    return {"input": written, "title": step_title(number, step, call=f"{step['tool']}(…)")}


def _duration(milliseconds: float | None) -> str:
    """Return how long a step took. Less than a millisecond is nothing that a person should read."""
    if milliseconds is None or milliseconds < 1:
        return ""
    return f"  ·  {milliseconds / 1000:.1f} s" if milliseconds >= 100 else f"  ·  {milliseconds:.0f} ms"


def _does(step: Step) -> str:
    if step["kind"] == "agent":
        return "says" if step.get("content") else "says nothing"
    return {
        "user": "is asked",
        "reasoning": "thinks",
        "interrupt": "asks a person, and stops until the answer comes",
    }.get(step["kind"], "fails")
