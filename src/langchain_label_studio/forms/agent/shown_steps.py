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


def _heading(number: int, step: Step) -> dict[str, str]:
    heading: dict[str, str] = {}
    if "tool" in step:
        what = call_text(step)
        if len(what) > _MAX_TITLE or "\\n" in what:
            what = f"{step['tool']}(…)"
            args = step.get("args")
            heading["input"] = (
                args if isinstance(args, str) else json.dumps(args, ensure_ascii=False, indent=1)
            )
        if step["kind"] == "error":
            what += " failed"
        elif step.get("cancelled"):
            what += " was cancelled"
        elif is_open(step):
            what += " gave nothing back"
        title = f"{step['agent']}: {what}" if step.get("agent") else what
    else:
        title = f"{step.get('agent') or 'Agent'} {_does(step)}"
    took = step.get("durationMs")
    time = "" if took is None else f"  ·  {took / 1000:.1f} s" if took >= 100 else f"  ·  {took:.0f} ms"
    return {**heading, "title": f"{number}.  {title}{time}"}


def _does(step: Step) -> str:
    if step["kind"] == "agent":
        return "says" if step.get("content") else "says nothing"
    return {
        "user": "is asked",
        "reasoning": "thinks",
        "interrupt": "asks a person, and stops until the answer comes",
    }.get(step["kind"], "fails")
