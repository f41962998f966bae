"""`refreshed_data`: the data of an existing task, with all that today's page shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_label_studio.errors import TaskDataError
from langchain_label_studio.forms.built_in_page import keys_of_page
from langchain_label_studio.forms.modes import LabelStudioMode, carried_name
from langchain_label_studio.forms.registry import find_form
from langchain_label_studio.label_config.controls import Controls
from langchain_label_studio.label_config.parse import LabelConfig
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.reviews.from_task import read_reviews
from langchain_label_studio.support.json_safe import as_mapping, encode
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.task_columns import PANELS, QUERY, REPLY

_MARKS = (b"lls-", b'"hotkey"')
"""Parts of every panel: of the classes in its HTML, or of choices with keys."""


def refreshed_data(
    task: Mapping[str, Any], *, controls: Controls, page: LabelConfig, mode: LabelStudioMode
) -> dict[str, Any] | None:
    """Return a task's data with what the page shows beside the prompt, as a task of the same run has it today.

    Keys are added, and panels are made anew. All else stays as it is.

    Args:
        task: The task as Label Studio lists it, with `data`, `meta` and `predictions`.
        controls: The tags of the label config that the project has now.
        page: The label config that the project will have.
        mode: The mode of that label config.

    Returns:
        The data, or None if there is nothing to change.

    Raises:
        TaskDataError: The task has a form that is not registered here, or a column of somebody's own in the place of a
            panel.
    """
    data, meta = as_mapping(task.get("data")), as_mapping(task.get("meta"))
    if "langchain_label_studio" not in meta:  # it is from elsewhere, or has lost its meta
        meta = {**meta, "form": carried_name(mode.value)}
    run = _run_of({**task, "meta": meta, "annotations": ()}, controls)
    form = find_form(run.form)
    if form is None:
        msg = f"the form {run.form!r} is not registered here"
        raise TaskDataError(msg)
    panels = {*PANELS, *form.panels}
    made = build_task(run, page, model_version="")["data"]
    added = {
        key: made[key] if key in panels else _completed(data.get(key), made[key])
        for key in made.keys() & (keys_of_page(mode) | form.keys | page.required.keys() | {QUERY, REPLY})
        if key in panels or data.get(key) is None or isinstance(data[key], Mapping)
    }
    for key in added:
        if key in panels and _is_own(data.get(key)):
            msg = f"a column {key!r} of somebody's own is in the place of a panel"
            raise TaskDataError(msg)
    refreshed = {**data, **added}
    return None if refreshed == data else refreshed


def _run_of(task: Mapping[str, Any], controls: Controls) -> LLMRun:
    """Return the run of a task as it was recorded, whatever reviewers made of it."""
    (review,) = read_reviews(task, controls, project_id=0, project_url="", reviewers={})
    return review.run


def _completed(found: Any, made: Any) -> Any:
    """Return a value with the keys that it lacks."""
    return {**made, **found} if isinstance(found, Mapping) and isinstance(made, Mapping) else made


def _is_own(value: Any) -> bool:
    """Return whether a value is somebody's own, and no panel."""
    written = encode(value)
    return not _is_empty(value) and not any(mark in written for mark in _MARKS)


def _is_empty(value: Any) -> bool:
    """Return whether there is nothing in a value. The panel of an empty answer is such a value."""
    if isinstance(value, Mapping):
        return all(map(_is_empty, value.values()))
    return all(map(_is_empty, value)) if isinstance(value, list) else value in (None, "")
