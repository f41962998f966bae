"""`register_form` and `get_form`: the forms by their names, built-in forms and forms of users."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from langchain_label_studio.errors import SettingError
from langchain_label_studio.forms.form import Form
from langchain_label_studio.forms.modes import BUILT_IN_MODES, LabelStudioMode
from langchain_label_studio.support.did_you_mean import did_you_mean
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.types.run import LLMRun
from langchain_label_studio.types.user_functions import GroupBy

_PLAIN = LabelStudioMode.PROMPT.value
_PANELS = {
    "steps_html": LabelStudioMode.AGENT.value,
    **dict.fromkeys(
        ("question_html", "documents_html", "documents_keys", "documents_shifted_keys"),
        LabelStudioMode.RAG.value,
    ),
    "answers_html": LabelStudioMode.PREFERENCE.value,
}
"""The built-in forms that have a panel, by its key. A test compares them with the forms, which are loaded when they are used."""

_added: dict[str, Form] = {}


def register_form(form: Form) -> Form:
    """Register a form of your own. Then `mode=` and `load_reviews` find it by its name.

    Register it in each process that records runs in this form, sends them or reads their reviews.

    Args:
        form: The form. It replaces a form of the same name that was registered before.

    Returns:
        The form.

    Raises:
        SettingError: The name is that of a built-in mode, or the form compares runs and has no `gather`.
    """
    if not form.name or form.name in BUILT_IN_MODES:
        msg = f"A form cannot be called {form.name!r}: that is a mode of its own. Choose another name."
        raise SettingError(msg)
    if form.compares and form.gather is None:
        msg = f"The form {form.name!r} has compares=True, so it needs gather=, which is given group_by=."
        raise SettingError(msg)
    _added[form.name] = form
    return form


def find_form(name: str) -> Form | None:
    """Return a form. None if this process knows no form with this name.

    Args:
        name: The name, from `mode=` or from a run. A run of `"prompt"` or `"chat"` has an empty name.
    """
    name = _PLAIN if name == "" else name
    if name in BUILT_IN_MODES:
        form: Form = _module_of(name).FORM
        return form
    return _added.get(name)


@cache
def _module_of(name: str) -> ModuleType:
    # Loaded when somebody uses it: that may be the first run of a thread.
    with no_fork():
        return import_module(f"langchain_label_studio.forms.{name}.form")


def get_form(name: str) -> Form:
    """Return a form, as `find_form` does.

    Raises:
        SettingError: This process knows no form with this name.
    """
    form = find_form(name)
    if form is None:
        known = ", ".join(map(repr, BUILT_IN_MODES))
        msg = (
            f"There is no form {name!r} here. Use {known} (in Python, a form of your own works, too: call register_form "
            f"first, in this process).{did_you_mean(name, [*BUILT_IN_MODES, *_added])}"
        )
        raise SettingError(msg)
    return form


def has_panel(key: str) -> bool:
    """Return whether a built-in form has a panel with this key."""
    return key in _PANELS


def find_panel(key: str) -> Callable[[LLMRun], Any] | None:
    """Return the function that makes a panel of a built-in form, from any run. None if no form has this panel."""
    return get_form(_PANELS[key]).panels[key] if key in _PANELS else None


def form_for_reading(name: str) -> Form:
    """Return the form of a task. If this process does not know the form, return `"prompt"`.

    The review of such a task has the values that can be read without its form.
    """
    return find_form(name) or get_form(_PLAIN)


def resolve_group_by(group_by: GroupBy | None, *, form: Form) -> GroupBy | None:
    """Check the value of `group_by=`, and return it.

    Args:
        group_by: A key of the runs' metadata, or a function of the run. None and an empty key make no groups.
        form: The form of review.

    Raises:
        SettingError: The value is something else, or the form compares nothing.
    """
    if group_by is None or group_by == "":
        return None
    if not isinstance(group_by, str) and not callable(group_by):
        msg = f"group_by={group_by!r}: use a key of the runs' metadata, or a function of the finished run."
        raise SettingError(msg)
    if not form.compares:
        msg = (
            f"group_by= says which runs are compared, but mode={form.name!r} compares none. Use it with "
            "mode='preference' or with a form of your own that has compares=True; or leave it out."
        )
        raise SettingError(msg)
    return group_by
