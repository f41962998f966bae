"""A run and a label config make a task with its prediction. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from langchain_label_studio.errors import TaskDataError
from langchain_label_studio.jsonsafe import jsonable
from langchain_label_studio.labeling import LabelConfig, inert, prompt_value
from langchain_label_studio.messages import Turn, is_plain, show_turn
from langchain_label_studio.runs import METADATA_SENT, LLMRun

COLUMNS = (
    *(
        "run_id",
        "model",
        "provider",
        "status",
        "error",
        "run_name",
        "trace_id",
        "thread_id",
        "tags",
        "started_at",
    ),
    *("latency_ms", "input_tokens", "output_tokens", "total_tokens", "finish_reason"),
)
"""Keys of a task's data that this package fills, as columns people filter by."""

_UNFILTERABLE = frozenset("\"'.$\\")


def build_task(run: LLMRun, config: LabelConfig, *, model_version: str) -> dict[str, Any]:
    """Return the task that shows a run.

    Args:
        run: The run.
        config: The project's label config: it decides the shape, not the kind of model.
        model_version: What the prediction is filed under, the same for a whole project.

    Returns:
        A task as Label Studio's import takes it: `data`, `meta` and at most one prediction,
        with all candidates in order.
    """
    turns = [(turn["role"], show_turn(turn)) for turn in run.prompt]
    data: dict[str, Any] = {
        **_columns(run),
        **run.data,
        config.input.key: prompt_value(config.input, turns),
        "run_id": run.run_id,
    }
    for key, nothing in config.required.items():
        if data.get(key) is None:
            data[key] = nothing
    for key in config.markdown.intersection(data):
        data[key] = inert(data[key])
    task: dict[str, Any] = {"data": data, "meta": _meta(run, config), "predictions": []}
    if answer := [text for text in map(show_turn, run.answers) if text]:
        task["predictions"].append(_prediction(run, config, answer, model_version))
    cleaned: dict[str, Any] = jsonable(task)
    return cleaned


def check_task_data(data: Mapping[str, Any], config: LabelConfig, *, complete: bool) -> None:
    """Check the user's own data for a task.

    Args:
        data: What goes into each task's data.
        config: The label config that names the keys.
        complete: Whether `data` is all there will be.

    Raises:
        TaskDataError: A key is reserved, cannot be filtered by, or is missing.
    """
    for key in map(str, data):
        if key in COLUMNS or key == config.input.key:
            msg = f"data= has the key {key!r}, which is filled from the run. Choose another name."
            raise TaskDataError(msg)
        if not key or _UNFILTERABLE & set(key):
            msg = (
                f"data= has the key {key!r}, which Label Studio cannot filter by. Use letters, digits and _."
            )
            raise TaskDataError(msg)
    missing = missing_keys(data, config)
    if complete and missing:
        names = ", ".join(f'value="${key}"' for key in missing)
        msg = (
            f"The label config shows {names}, but nothing fills it. "
            f"Pass data={{{missing[0]!r}: ...}}, or a function of the run that returns such a dict."
        )
        raise TaskDataError(msg)


def usable_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the user's own data a task can hold, as a copy: reserved keys are the run's."""
    return {
        str(key): jsonable(value)
        for key, value in data.items()
        if str(key) and str(key) not in COLUMNS and not _UNFILTERABLE & set(str(key))
    }


def missing_keys(data: Mapping[str, Any], config: LabelConfig) -> list[str]:
    """Return the keys which the label config demands and nothing fills."""
    return sorted(set(config.required) - set(COLUMNS) - {config.input.key} - set(data))


def _columns(run: LLMRun) -> dict[str, Any]:
    """Return the run's facts as flat columns, those left out that are not known."""
    facts = {name: getattr(run, name) for name in COLUMNS if name != "tags"}
    facts["tags"] = ", ".join(run.tags)
    return {name: value for name, value in facts.items() if value is not None and value != ""}


def _meta(run: LLMRun, config: LabelConfig) -> dict[str, Any]:
    """Return the rest that helps, which Label Studio keeps but does not show as columns."""
    facts: dict[str, Any] = {
        "kind": run.kind,
        "parent_run_id": run.parent_run_id,
        "parameters": run.parameters,
        "metadata": {key: value for key, value in run.metadata.items() if key in METADATA_SENT},
        "usage": run.usage,
        "reasoning": [turn.get("reasoning") for turn in run.answers]
        if _any_has("reasoning", run.answers)
        else None,
        "answers": None if all(map(_only_text, run.answers)) else list(run.answers),
        # What is shown flattens tool calls and names; here the conversation is as it was.
        "messages": None if _shown_whole(run, config) else list(run.prompt),
    }
    known = {name: value for name, value in facts.items() if value}
    return known | {"langchain_label_studio": _version()}


@cache
def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 (takes 15 ms to load: not for an import)

    return version("langchain-label-studio")


def _shown_whole(run: LLMRun, config: LabelConfig) -> bool:
    if run.kind == "completion":
        return config.input.type != "HyperText"
    return config.input.type == "Paragraphs" and all(map(is_plain, run.prompt))


def _only_text(turn: Turn) -> bool:
    return not (turn.get("tool_calls") or turn.get("invalid_tool_calls"))


def _any_has(key: str, turns: tuple[Turn, ...]) -> bool:
    return any(turn.get(key) for turn in turns)


def _prediction(run: LLMRun, config: LabelConfig, answer: list[str], model_version: str) -> dict[str, Any]:
    region = {
        "id": run.run_id.replace("-", "")[-10:],
        "from_name": config.response,
        "to_name": config.input.name,
        "type": "textarea",
        "value": {"text": answer},
    }
    return {"model_version": model_version, "result": [region]}
