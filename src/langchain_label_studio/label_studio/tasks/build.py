"""`encode_task`: make a task from a run and a label config, as JSON. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache, partial
from math import inf
from typing import Any

import orjson

from langchain_label_studio.errors import TaskDataError
from langchain_label_studio.forms.form import Filled, Form
from langchain_label_studio.forms.registry import find_panel, get_form, has_panel
from langchain_label_studio.label_config.inert_text import inert, inert_items, unloadable
from langchain_label_studio.label_config.parse import LabelConfig
from langchain_label_studio.label_config.prompt_value import prompt_value
from langchain_label_studio.priority.place import column_of, score_of, task_place
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.json_safe import encode_clean, jsonable
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.run_parts import RunPriority
from langchain_label_studio.types.run_record import METADATA_SENT
from langchain_label_studio.types.task_columns import COLUMNS, ORDER, PANELS, QUERY, REPLY, UNFILTERABLE
from langchain_label_studio.types.text import short_line, show_turn
from langchain_label_studio.types.turn import Turn, is_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedTask:
    """A task for Label Studio's import.

    Attributes:
        key: The id of its record: see `record_key`.
        body: The task as JSON: `data`, `meta` and `predictions`.
        predictions: The number of its predictions. There is at most one.
    """

    key: str
    body: bytes
    predictions: int

    def read_predictions(self) -> list[dict[str, Any]]:
        """Return its predictions."""
        predictions: list[dict[str, Any]] = orjson.loads(self.body)["predictions"]
        return predictions


NoveltyOf = Callable[[str, Mapping[str, Any]], float]
"""A function of a record's id and its task's data: how far the task is unlike those before it, from 0 to 1."""


def encode_task(
    run: LLMRun, config: LabelConfig, *, model_version: str, novelty_of: NoveltyOf | None = None
) -> EncodedTask:
    """Return the task that shows a run.

    Args:
        run: The run.
        config: The project's label config. It decides the shape of the task, whatever the kind of model is.
        model_version: The version of the prediction. It is the same for all tasks of a project.
        novelty_of: Says how new a task is, for runs whose priority depends on it. None counts them as new.

    Returns:
        A task with `data`, `meta` and at most one prediction. The prediction has all candidates in order. With a priority,
        it has the task's place in the order of work as its score, and a run without an answer has a prediction, too: Label
        Studio gives tasks without one last.

    Raises:
        SettingError: The run has a form of review that is not registered here.
    """
    form = get_form(run.form)
    filled = _clean(form.fill(run))
    predictions = _predictions(run, config, model_version)
    key = run.record_id or run.run_id
    data, meta = _data(run, config, form, filled), {**_meta(run, config, form), **filled.meta}
    if predictions:
        # Label Studio lists predictions slowly. So reviews are read without them: see `knows_predictions`.
        meta.setdefault("prediction", *predictions)  # a form may have a value of its own there
    if run.priority:
        priority = meta["priority"] = _priority(
            run.priority, partial(novelty_of, key, data) if novelty_of else None
        )
        place = task_place(priority, record_id=key, feedback={})
        data[ORDER] = column_of(place)
        predictions = [prediction | {"score": score_of(place)} for prediction in predictions]
    return EncodedTask(
        key=key,
        body=encode_clean({"data": data, "meta": meta, "predictions": predictions}),
        predictions=len(predictions),
    )


def _priority(priority: RunPriority, novelty: Callable[[], float] | None) -> RunPriority:
    """Return a priority with the novelty of its task in it."""
    known = priority.copy()
    if weight := known.pop("new", 0.0):
        known["value"] += weight * (novelty() if novelty else 1.0)
    return known


def _clean(filled: Filled) -> Filled:
    """Return the form's part as JSON can hold it. The rest of a task comes from the outbox, which holds JSON."""
    if not (filled.data or filled.meta):
        return filled
    data, meta = (jsonable(part, items=inf, characters=inf) for part in (filled.data, filled.meta))
    return Filled(data=data, meta=meta)


def build_task(run: LLMRun, config: LabelConfig, *, model_version: str) -> dict[str, Any]:
    """Return the task that `encode_task` makes, as Label Studio reads it."""
    task: dict[str, Any] = orjson.loads(encode_task(run, config, model_version=model_version).body)
    return task


def _data(run: LLMRun, config: LabelConfig, form: Form, filled: Filled) -> dict[str, Any]:
    """Return the columns of a task, and what its page shows."""
    data: dict[str, Any] = {**_columns(run), **run.data, "run_id": run.run_id}
    if config.input:
        turns = [(turn["role"], show_turn(turn, beside=True)) for turn in run.prompt]
        data[config.input.key] = prompt_value(config.input, turns)
    data |= filled.data
    for key, nothing in config.required.items():
        if data.get(key) is None:
            data[key] = nothing
    active = config.active
    for key in data.keys() & (active.html | active.items | active.loaded):
        data[key] = _harmless(key, data[key], config, own=key in run.data)
    # Last, so that they are the last columns of the list of tasks.
    return data | _panels(run, config, form)


def _harmless(key: str, value: Any, config: LabelConfig, *, own: bool) -> Any:
    """Return a value so that the page neither renders HTML of it, nor loads what a model or a user wrote.

    Args:
        key: The key of the task's data.
        value: The value.
        config: The label config, which may be the user's own.
        own: Whether the value comes from `data=`. It may be the address of an image. Its texts may come from others.
    """
    active = config.active
    if key in active.loaded and not own:
        return unloadable(value)
    if (key in active.html or key in active.loaded) and not _is_escaped(key, config):
        return inert(value)
    return inert_items(value) if key in active.items else value


def _is_escaped(key: str, config: LabelConfig) -> bool:
    """Return whether a value is HTML that `prompt_value` made."""
    tag = config.input
    return tag is not None and (tag.key, tag.type) == (key, "HyperText") and key not in config.active.markdown


def _panels(run: LLMRun, config: LabelConfig, form: Form) -> dict[str, Any]:
    """Return the values of the `<Markdown>` tags beside the prompt."""
    # Label Studio demands the panels of a page from each task, also from a run of another form.
    panels = {key: panel for key in config.active.items if (panel := form.panels.get(key) or find_panel(key))}
    shown = {key: panel(run) for key, panel in panels.items() if key not in run.data}
    keys = [key for key in PANELS if key in config.active.markdown]
    if not keys:
        return shown
    render = _render_panel()
    return shown | {key: html for key in keys if (html := render(key, run))}


@cache
def _render_panel() -> Callable[[str, LLMRun], str]:
    with no_fork():
        from langchain_label_studio.page_html.conversation_html import render_panel  # noqa: PLC0415 (takes 3 ms to load: not for an import)

    return render_panel


def check_task_data(
    data: Mapping[str, Any], config: LabelConfig, *, complete: bool, filled: AbstractSet[str] = frozenset()
) -> None:
    """Check the user's own data for a task.

    Args:
        data: The user's own data for each task.
        config: The label config that names the keys.
        complete: Whether no other data will follow. Then a missing key is an error.
        filled: The keys that the form of review fills.

    Raises:
        TaskDataError: A key is reserved or missing, or Label Studio cannot filter by it.
    """
    for key in map(str, data):
        if key in COLUMNS or key in PANELS or key in filled or (config.input and key == config.input.key):
            msg = f"data= has the key {key!r}, which is filled from the run. Choose another name."
            raise TaskDataError(msg)
        if not key or UNFILTERABLE & set(key):
            msg = (
                f"data= has the key {key!r}, which Label Studio cannot filter by. Use letters, digits and _."
            )
            raise TaskDataError(msg)
    missing = _missing_keys(data, config, filled)
    if complete and missing:
        names = ", ".join(f'value="${key}"' for key in missing)
        msg = (
            f"The label config shows {names}, but nothing fills it. "
            f"Pass data={{{missing[0]!r}: ...}}, or a function of the run that returns such a dict."
        )
        raise TaskDataError(msg)


def missing_keys(run: LLMRun, config: LabelConfig) -> list[str]:
    """Return the keys that the label config shows, and that nothing fills in the run's task."""
    return _missing_keys(run.data, config, get_form(run.form).keys)


def _missing_keys(data: Mapping[str, Any], config: LabelConfig, filled: AbstractSet[str]) -> list[str]:
    prompt = config.input.key if config.input else None
    return sorted(
        key
        for key in config.required
        if key != prompt
        and key not in COLUMNS
        and key not in filled
        and key not in data
        and not has_panel(key)
    )


def _columns(run: LLMRun) -> dict[str, Any]:
    """Return the known values of a run as columns, in the order of `COLUMNS`."""
    texts = {
        QUERY: short_line(run.shown_question),
        REPLY: short_line(next(map(show_turn, run.shown_answers), "")),
        "tags": ", ".join(run.tags),
        ORDER: "",  # it depends on more than the run
    }
    columns = {name: texts[name] if name in texts else getattr(run, name) for name in COLUMNS}
    return {
        name: value
        for name, value in columns.items()
        # The first task of a project decides the place of these two, even if it has no answer.
        if name in {QUERY, REPLY} or (value is not None and value is not False and value != "")
    }


def _meta(run: LLMRun, config: LabelConfig, form: Form) -> dict[str, Any]:
    """Return the values that Label Studio stores, but does not show as columns."""
    values: dict[str, Any] = {
        "kind": run.kind,
        "parent_run_id": run.parent_run_id,
        "parameters": run.parameters,
        "metadata": {key: value for key, value in run.metadata.items() if key in METADATA_SENT},
        "usage": run.usage,
        "reasoning": [turn.get("reasoning") for turn in run.answers]
        if _any_has("reasoning", run.answers)
        else None,
        "answers": None if config.response and all(map(_only_text, run.answers)) else list(run.answers),
        # The page shows tool calls and names as text. Here the conversation is as LangChain had it.
        "messages": None if _shown_whole(run, config, form) else list(run.prompt),
        "form": run.form,
        "chance": run.chance if run.chance < 1 else None,
        "certain_score": run.certain_score,
        "certain_chance": run.certain_chance if run.certain_chance < 1 else None,
        "log_probability": run.log_probability,
    }
    known = {name: value for name, value in values.items() if value or value == 0}
    return known | {"langchain_label_studio": installed_version()}


@cache
def installed_version() -> str:
    """Return the version of this package, as a task names it."""
    with no_fork():
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 (takes 15 ms to load: not for an import)

    try:
        return version("langchain-label-studio")
    except PackageNotFoundError:  # of a program that was frozen, or a copy on the path
        return "unknown"


def _shown_whole(run: LLMRun, config: LabelConfig, form: Form) -> bool:
    if form.keys or config.input is None:
        return False
    if run.kind == "completion":
        return config.input.type != "HyperText"
    return config.input.type == "Paragraphs" and all(map(is_plain, run.prompt))


def _only_text(turn: Turn) -> bool:
    return turn.keys() <= {"role", "content", "name", "reasoning"}


def _any_has(key: str, turns: tuple[Turn, ...]) -> bool:
    return any(turn.get(key) for turn in turns)


def _predictions(run: LLMRun, config: LabelConfig, model_version: str) -> list[dict[str, Any]]:
    """Return the prediction with all answers. Nothing if there is no answer, or no place for it, and no priority."""
    answer = [text for text in map(show_turn, run.answers) if text]
    if not (answer and config.response and config.input):
        return [{"model_version": model_version, "result": []}] if run.priority else []
    region = {
        "id": run.run_id.replace("-", "")[-10:],
        "from_name": config.response,
        "to_name": config.input.name,
        "type": "textarea",
        "value": {"text": answer},
    }
    return [{"model_version": model_version, "result": [region]}]
