"""`mode_of_page`: the built-in mode whose page a project has, as this version or an earlier one made it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from langchain_label_studio.forms.modes import LabelStudioMode, RatingControl, get_default_label_configs
from langchain_label_studio.forms.registry import get_form
from langchain_label_studio.label_config.controls import Controls, read_controls
from langchain_label_studio.label_config.parse import InputTag
from langchain_label_studio.types.control_tag import RATING_CLASS, ControlTag
from langchain_label_studio.types.task_columns import PANELS

_EARLIER: Mapping[LabelStudioMode, tuple[str, ...]] = MappingProxyType(
    {
        LabelStudioMode.PROMPT: ("response rating prompt",),
        LabelStudioMode.CHAT: ("response rating dialogue",),
        LabelStudioMode.PREFERENCE: (
            "better rank tie verdict reason dialogue answer1 answer2 answers answer",
            "comparison rank tie verdict reason dialogue answer1 answer2 answers answer",
        ),
        LabelStudioMode.RAG: ("response faithfulness answer_relevancy comment relevance_{{idx}} question",),
        LabelStudioMode.AGENT: (
            "note_{{idx}} step_{{idx}} response verdict failure_modes critique dialogue",
        ),
    }
)
"""The names of the tags of earlier versions. Change a name in a built-in label config, and add the former names here."""

_FORMER_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"step_{{idx}}": ("correct", "partial", "incorrect"), "relevance_{{idx}}": ("Relevant", "Not relevant")}
)
"""The choices of controls whose choices come from the task today."""


def mode_of_page(label_config: str) -> LabelStudioMode | None:
    """Return the mode whose built-in label config this is. None if it is somebody's own.

    It is somebody's own if it has other controls than any version, if one of them offers something else, or if it shows
    a column that the built-in one does not show. Its words and its style may be any.

    Args:
        label_config: The label config of a project.
    """
    found = read_controls(label_config)
    return next((mode for mode in LabelStudioMode if _is_of(mode, found)), None)


def rating_of_page(label_config: str) -> RatingControl:
    """Return how reviewers rate on a page."""
    return "keys" if RATING_CLASS in label_config else "stars"


def keys_of_page(mode: LabelStudioMode) -> frozenset[str]:
    """Return the keys of a task's data that are filled for the page of a mode, beside the prompt."""
    form = get_form(mode.value)
    return form.keys | form.panels.keys() | frozenset(PANELS)


def _is_of(mode: LabelStudioMode, found: Controls) -> bool:
    today = read_controls(get_default_label_configs(mode)[0])
    names = [_names(today), *(frozenset(version.split()) for version in _EARLIER[mode])]
    return (
        _names(found) in names
        and found.inputs.items() <= {**_former_inputs(), **today.inputs}.items()
        and all(
            _offers_the_same(control, today.controls[name])
            for name, control in found.controls.items()
            if name in today.controls
        )
        and (found.keys or frozenset()) <= keys_of_page(mode) | {"prompt"}
    )


def _former_inputs() -> Mapping[str, InputTag]:
    """Return the tags of earlier versions that show a column, and that are not there any more."""
    shown = {"answer1": "answer1", "answer2": "answer2", "answer": "answer1"}
    tags = "".join(f'<Text name="{name}" value="${key}"/>' for name, key in shown.items())
    return read_controls(f"<View>{tags}</View>").inputs


def _names(page: Controls) -> frozenset[str]:
    return frozenset((*page.controls, *page.inputs))


def _offers_the_same(control: ControlTag, today: ControlTag) -> bool:
    """Return whether reviewers can say the same with two controls of one name."""
    former = tuple(control.values) == _FORMER_CHOICES.get(control.name)
    return (
        (control.type, control.scale) == (today.type, today.scale)
        and dict(control.buckets) == dict(today.buckets)
        and (former or dict(control.values) == dict(today.values))
    )
