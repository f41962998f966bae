"""Reviews as a test needs them: everything has a sensible value, and a test says what is special."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from langchain_label_studio import LLMRun
from langchain_label_studio.types import ControlTag
from langchain_label_studio.types.review import Candidate, Preference, Rating, Review
from langchain_label_studio.types.turn import Turn

URL = "http://label-studio.test"
PROJECT = 7
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
"""A tool as OpenAI writes it, and as `run.parameters["tools"]` holds it."""

_FIRST_NUMBER = 1_000_000  # above all numbers that tests choose
_numbers = itertools.count(_FIRST_NUMBER)
_RUN_FIELDS = frozenset(item.name for item in fields(LLMRun)) - {"prompt", "answers"}


def turn(role: str, content: str = "", **more: Any) -> Turn:
    """Return a turn of a conversation."""
    made: Turn = {"role": role, "content": content, **more}  # type: ignore[typeddict-item]
    return made


def user(content: str) -> Turn:
    return turn("user", content)


def assistant(content: str = "", **more: Any) -> Turn:
    return turn("assistant", content, **more)


def call(name: str = "get_weather", *, id: str | None = "call_1", **args: Any) -> dict[str, Any]:  # noqa: A002
    """Return a tool call as a turn holds it; without an id where `id` is None."""
    made = {"name": name, "args": args}
    return made if id is None else made | {"id": id}


def tool(content: str, *, id: str | None = "call_1", name: str | None = "get_weather") -> Turn:  # noqa: A002
    """Return the result of a tool call."""
    more = {"tool_call_id": id, "name": name}
    return turn("tool", content, **{key: value for key, value in more.items() if value is not None})


def turns(said: str | Turn | Sequence[str | Turn] | None, role: str) -> tuple[Turn, ...]:
    """Return one or more turns; text becomes a turn of the role."""
    if said is None:
        return ()
    many = [said] if isinstance(said, str | dict) else said
    return tuple(turn(role, each) if isinstance(each, str) else each for each in many)


def run(
    prompt: str | Turn | Sequence[str | Turn] = "Hi", answers: Any = "Hello", **fields_of_run: Any
) -> LLMRun:
    """Return a run; text in `prompt` is the user's, text in `answers` the model's."""
    run_id = f"00000000-0000-4000-8000-{next(_numbers):012}"
    known: dict[str, Any] = {
        "run_id": run_id,
        "trace_id": run_id,
        "model": "gpt-test",
        "provider": "openai",
        "started_at": "2026-11-01T11:00:00.000Z",
        "latency_ms": 800.0,
    }
    return LLMRun(
        **known | {"prompt": turns(prompt, "user"), "answers": turns(answers, "assistant")} | fields_of_run
    )


def rating(stars: int | Rating, scale: int | None = 5) -> Rating:
    return stars if isinstance(stars, Rating) else Rating(value=stars, scale=scale)


def preference(
    *answers: str | Turn, ranking: Iterable[Iterable[int]] = ((0,), (1,)), models: Sequence[str | None] = ()
) -> Preference:
    """Return answers that were compared; by default the first of two is better."""
    shown = turns(answers, "assistant")
    named = [*models, *[None] * (len(shown) - len(models))]
    return Preference(
        candidates=tuple(
            Candidate(id=f"answer{number}", answer=answer, model=model)
            for number, (answer, model) in enumerate(zip(shown, named, strict=True), start=1)
        ),
        ranking=tuple(tuple(group) for group in ranking),
    )


def stars(name: str = "rating", scale: int = 5) -> ControlTag:
    """Return a control with stars."""
    return ControlTag(name=name, type="Rating", scale=scale)


def choices(name: str, *values: str) -> ControlTag:
    """Return a control with these choices."""
    return ControlTag(name=name, type="Choices", values={value: value for value in values})


def asked(*controls: ControlTag) -> dict[str, Any]:
    """Return the controls of a project, as an argument for `review`."""
    return {"asked": {control.name: control for control in controls}}


def review(**changes: Any) -> Review:
    """Return a review of a run of its own.

    What is passed is a field of the `Review`, or of its `LLMRun` (`model=`, `thread_id=`, ...), in short form:

    Args:
        run: The run; else one is made of `prompt=`, `answers=` and further fields of a run.
        corrected: Text, a turn or several of them.
        rating: Stars, of five; a `Rating`, or several by the control's name (`ratings=`, too).
        choices: Values by the control's name; a single one need not be in a list.
        changes: The other fields. `annotation_id=None` is a task that nobody reviewed.
    """
    number = next(_numbers)
    of_run = {name: changes.pop(name) for name in (*_RUN_FIELDS, "prompt", "answers") if name in changes}
    the_run = changes.pop("run", None) or run(**of_run)
    task_id = changes.pop("task_id", number)
    when = changes.pop("when", START + timedelta(minutes=number - _FIRST_NUMBER + 1))
    known: dict[str, Any] = {
        "project_id": PROJECT,
        "task_id": task_id,
        "task_url": f"{URL}/projects/{PROJECT}/data?task={task_id}",
        "annotation_id": number,
        "reviewer": "ann@example.org",
        "created_at": when,
        "updated_at": when,
        "seconds_spent": 12.0,
    }
    if changes.get("annotation_id", number) is None:
        known |= dict.fromkeys(("reviewer", "created_at", "updated_at", "seconds_spent"))
    if "corrected" in changes and changes["corrected"] is not None:
        changes["corrected"] = turns(changes["corrected"], "assistant")
    stars = changes.pop("rating", changes.pop("ratings", {}))
    if not isinstance(stars, Mapping):
        stars = {"rating": stars} if stars is not None else {}
    ratings = {name: rating(each) for name, each in stars.items()}
    choices = {
        name: (each,) if isinstance(each, str) else tuple(each)
        for name, each in changes.pop("choices", {}).items()
    }
    return Review(**known | {"run": the_run, "ratings": ratings, "choices": choices} | changes)
