"""The tabs of a project's list of tasks: `add_missing_tabs` makes them, `tabs_for` says what they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, get_args

from langchain_label_studio.forms.form import Form
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.parse import parse_label_config, parse_xml
from langchain_label_studio.label_studio.task_filters import TaskFilter, is_done, is_waiting, task_filter
from langchain_label_studio.types.control_tag import ControlTag
from langchain_label_studio.types.run import Status
from langchain_label_studio.types.task_columns import (
    COLUMNS,
    COMMENT,
    DEFAULT_KEY,
    ORDER,
    PANELS,
    QUERY,
    REPLY,
)

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo
    from langchain_label_studio.label_studio.client import LabelStudioClient

_LOW = 0.5  # the default of `low_rating()`
_APART = 2
"""The stars between two ratings that disagree."""

_MOST_VALUES = 6
"""The most values of a choice that are compared. The filter has each of them with all others."""

# The columns that Label Studio has for each task. It shows what a tab does not hide.
_OF_LABEL_STUDIO = (
    *("id", "inner_id", "completed_at", "total_annotations", "cancelled_annotations", "total_predictions"),
    *("annotators", "annotations_results", "annotations_ids", "predictions_score", "predictions_results"),
    *("predictions_model_versions", "file_upload", "storage_filename", "created_at", "updated_at"),
    *("updated_by", "avg_lead_time", "draft_exists"),
)
_COMMENTS = f"{DEFAULT_KEY}{COMMENT}"
_SHOWN = frozenset({"id", "total_annotations", QUERY, REPLY, "model", "status"})
_WIDTHS = {
    "id": 70,
    "total_annotations": 70,
    "completed_at": 180,
    "annotators": 110,
    QUERY: 320,
    REPLY: 320,
    "model": 150,
    "status": 100,
    DEFAULT_KEY: 150,
    _COMMENTS: 240,
    "error": 300,
}
_WORD = re.compile(r"\w+")
_NUMBERS = (DEFAULT_KEY, "latency_ms", "total_tokens", "input_tokens", "output_tokens")


def add_missing_tabs(client: LabelStudioClient, info: ProjectInfo, form: Form) -> None:
    """Add the tabs that a project's list of tasks lacks, by their titles. Its other tabs stay as they are.

    Raises:
        LabelStudioError: Label Studio refused a tab, or does not answer. The tabs before it are made.
    """
    titles = client.tab_titles(info.id)
    for tab in tabs_for(info.label_config, form, by_score=info.by_score):
        if tab["title"] not in titles:
            client.add_tab(info.id, tab)


def tabs_for(label_config: str, form: Form, *, by_score: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the tabs of a project's list of tasks as Label Studio's API takes them. The first one is opened first.

    Args:
        label_config: The project's label config (XML).
        form: The form of review. Its keys are hidden: they are for the page.
        by_score: Whether the tasks that wait are in the order of their scores.
    """
    of_the_page = _for_the_page(label_config, takes_answer=form.takes_answer)
    hidden = {*COLUMNS, *PANELS, *form.keys, *form.panels, *of_the_page} - {QUERY, REPLY}

    def tab(
        title: str, *filters: TaskFilter, any_of: bool = False, order: str = "", shown: Iterable[str] = ()
    ) -> dict[str, Any]:
        columns = [*map(_column, _OF_LABEL_STUDIO), *map(_column, sorted(hidden))]
        visible = {*map(_column, _SHOWN), *map(_column, shown)}
        return {
            "title": title,
            "type": "list",
            "target": "tasks",
            "filters": {"conjunction": "or" if any_of else "and", "items": list(filters)},
            "ordering": [order] if order else [],
            "hiddenColumns": {
                "explore": [column for column in columns if column not in visible],
                # Beside an open task, there is room for one column.
                "labeling": [*columns, _column(REPLY), _column(DEFAULT_KEY), _column(_COMMENTS)],
            },
            "columnsWidth": {_column(name): width for name, width in _WIDTHS.items()},
            "columnsDisplayType": dict.fromkeys(map(_column, _NUMBERS), "Number"),
        }

    yield tab("To review", is_waiting(), order=_column(ORDER) if by_score else "")
    disliked = task_filter(f"data.{DEFAULT_KEY}", "less_or_equal", "Number", _LOW)
    yield tab("Disliked by users", disliked, order=_column(DEFAULT_KEY))
    failed = [
        task_filter("data.status", "equal", "Unknown", status)
        for status in get_args(Status)
        if status != "success"
    ]
    yield tab("Errors", *failed, any_of=True, order="-tasks:id", shown=("error",))
    if pattern := _disagreement(read_controls(label_config).controls.values()):
        differs = task_filter("annotations_results", "regex", "String", pattern)
        yield tab("Disagreements", differs, shown=("annotators",))
    yield tab("Done", is_done(), order="-tasks:completed_at", shown=("completed_at", "annotators"))


def _column(name: str) -> str:
    return f"tasks:{name}" if name in _OF_LABEL_STUDIO else f"tasks:data.{name}"


def _for_the_page(label_config: str, *, takes_answer: bool) -> Iterator[str]:
    """Yield the columns of a label config that nobody reads in a list: the whole prompt, and parts of other values."""
    if prompt := parse_label_config(label_config, takes_answer=takes_answer).input:
        yield prompt.key
    for tag in parse_xml(label_config).iterfind(".//*[@name][@value]"):
        if "." in tag.attrib["value"]:
            # Label Studio makes a column of this name, too, which is empty.
            yield tag.attrib["value"].removeprefix("$")


def _disagreement(controls: Iterable[ControlTag]) -> str:
    """Return a pattern for the annotations of a task in which two people judge differently.

    The free edition of Label Studio has no column for that. But it looks for patterns in the text of all annotations of a
    task. On SQLite, that is JSON. On PostgreSQL, it is JSON with a backslash before each quote, and its keys are sorted.
    In both, the value of a control stands before its name, and no brace stands between them but one after the value.
    """
    return "|".join(
        f"{_said(control, [value])}.*{_said(control, others)}"
        for control in controls
        for value, others in _rivals(control)
    )


def _rivals(control: ControlTag) -> Iterator[tuple[str, list[str]]]:
    """Yield each value of a control with the values that disagree with it, as patterns of their words."""
    if control.is_for_regions or not control.name.isidentifier():
        return
    if control.scale:
        stars = range(1, control.scale + 1)
        for star in stars:
            yield str(star), [str(other) for other in stars if abs(star - other) >= _APART]
    elif control.type == "Choices" and 1 < len(control.values) <= _MOST_VALUES:
        words = {r"\W+".join(_WORD.findall(value)) for value in control.values if value.isascii()}
        if len(words - {""}) == len(control.values):
            for one in sorted(words):
                yield one, sorted(words - {one})


def _said(control: ControlTag, values: Iterable[str]) -> str:
    texts = "|".join(values)
    return rf"\W(?:rating|choices)\W+(?:{texts})\W+[^{{}}]*from_name\W+{control.name}\W"
