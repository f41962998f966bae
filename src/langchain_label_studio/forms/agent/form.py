"""`mode="agent"`: a whole run of an agent in one task. A person judges each step and the result. See `FORM`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_label_studio.forms.agent.gather import follow_agents
from langchain_label_studio.forms.agent.shown_steps import hidden_again, shown_steps
from langchain_label_studio.forms.agent.steps_html import steps_html
from langchain_label_studio.forms.form import Filled, Form
from langchain_label_studio.forms.instructions import INSTRUCTIONS
from langchain_label_studio.forms.modes import get_default_label_configs
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.review import Rating, Review, StepVerdict
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.run_parts import Step

# Names in agent.xml.
_KEYS = frozenset({"run", "steps_html"})
_OF_A_STEP = re.compile(r"(?:step|note)_(\d+)")
_ALL_STEPS, _WRONG_STEPS = "all_steps", "wrong_steps"
_CORRECT, _INCORRECT = "correct", "incorrect"
_VERDICT = "verdict"
_STARS = {"bad": 1, "mixed": 2, "good": 3}


def fill(run: LLMRun) -> Filled:
    """Return the `run` of Label Studio's agent evaluation, with all steps."""
    steps = shown_steps(run.steps)
    errors = sum("error" in step for step in steps)
    facts = {
        "id": run.run_id,
        "name": run.run_name,
        "agent": run.metadata.get("lc_agent_name") or run.run_name,
        "model": run.model,
        "status": _status(run, errors),
        "startedAt": run.started_at,
        "duration": None if run.latency_ms is None else run.latency_ms / 1000,
        "totalTokens": run.total_tokens,
        "turns": sum(step["kind"] == "agent" for step in steps),
        "toolCalls": sum("tool" in step for step in steps),
        "errors": errors,
        "steps": steps,
    }
    return Filled(data={"run": {name: value for name, value in facts.items() if value is not None}})


def read(data: Mapping[str, Any], meta: Mapping[str, Any], review: Review) -> Review:  # noqa: ARG001
    """Return the review with the run's steps, the verdicts on them, and the overall verdict as stars."""
    run = replace(
        review.run,
        steps=hidden_again(as_mapping(data.get("run")).get("steps")),
        data={key: value for key, value in review.run.data.items() if key not in _KEYS},
    )
    verdict = next(iter(review.choices.get(_VERDICT, ())), "")
    stars = {_VERDICT: Rating(value=_STARS[verdict], scale=len(_STARS))} if verdict in _STARS else {}
    return replace(
        review,
        run=run,
        steps=_step_verdicts(review, run.steps),
        ratings={**stars, **review.ratings},
        choices=_of_the_whole(review.choices),
        comments=_of_the_whole(review.comments),
    )


def _step_verdicts(review: Review, steps: Sequence[Step]) -> tuple[StepVerdict, ...]:
    """Return the verdicts on steps. What a reviewer says of all steps is about those without a verdict of their own."""
    said = [name for name in (*review.choices, *review.comments) if _OF_A_STEP.fullmatch(name)]
    verdicts = dict.fromkeys(int(name.rpartition("_")[2]) for name in said)
    if _ALL_STEPS in review.choices:
        verdicts |= {index: _CORRECT for index, step in enumerate(steps) if step["kind"] != "user"}
    numbers = {str(index): index for index in range(len(steps))}
    wrong = (numbers.get(number) for number in review.choices.get(_WRONG_STEPS, ()))
    verdicts |= {index: _INCORRECT for index in wrong if index is not None}
    return tuple(
        StepVerdict(
            index=index,
            verdict=next(iter(review.choices.get(f"step_{index}", ())), verdict),
            comment="\n".join(review.comments.get(f"note_{index}", ())) or None,
        )
        for index, verdict in sorted(verdicts.items())
    )


def _of_the_whole(said: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    about_steps = {_ALL_STEPS, _WRONG_STEPS}
    return {
        name: value for name, value in said.items() if not (_OF_A_STEP.fullmatch(name) or name in about_steps)
    }


def _status(run: LLMRun, errors: int) -> str:
    if run.status not in {"success", "partial"}:
        return "failed"
    return "completed-with-warnings" if errors or run.status == "partial" else "completed"


FORM = Form(
    name="agent",
    label_config=get_default_label_configs("agent")[0],
    instructions=INSTRUCTIONS["agent"],
    keys=_KEYS,
    fill=fill,
    panels={"steps_html": steps_html},
    read=read,
    gather=follow_agents,
)
