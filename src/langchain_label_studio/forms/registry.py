"""The forms there are, by name: ours, and those that users add."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from langchain_label_studio.errors import SettingError
from langchain_label_studio.forms.form import Form
from langchain_label_studio.forms.modes import LabelStudioMode

if TYPE_CHECKING:
    from langchain_label_studio.forms.form import Form
    from langchain_label_studio.types.user_functions import GroupBy

_OURS = ("agent", "preference", "rag")
_added: dict[str, Form] = {}


def register_form(form: Form) -> Form:
    """Make a form of your own known, so that `mode=` and `load_reviews` find it by its name.

    Register it in each process that records in this form, and where its reviews are read.

    Args:
        form: The form. One of the same name that was registered before is replaced.

    Returns:
        The form.

    Raises:
        SettingError: The name is that of a built-in mode.
    """
    if not form.name or form.name in {mode.value for mode in LabelStudioMode}:
        msg = f"A form cannot be called {form.name!r}: that is a mode of its own. Choose another name."
        raise SettingError(msg)
    _added[form.name] = form
    return form


def find_form(name: str) -> Form | None:
    """Return a form, or None where there is none of this name."""
    if name in _OURS:
        # Loaded when somebody uses it.
        form: Form = import_module(f"langchain_label_studio.forms.{name}.form").FORM
        return form
    return _added.get(name)


def get_form(name: str) -> Form:
    """Return a form.

    Raises:
        SettingError: There is none of this name.
    """
    form = find_form(name)
    if form is None:
        msg = f"There is no form {name!r} here. Call register_form(...) with it first, in this process, too."
        raise SettingError(msg)
    return form


def resolve_group_by(group_by: GroupBy | None, *, form: str) -> GroupBy | None:
    """Return what runs that are compared have in common.

    Args:
        group_by: A key of their metadata, or a function of the run; None or an empty key for neither.
        form: Name of the form of review.

    Raises:
        SettingError: It is something else, or nothing is compared in this form.
    """
    if group_by is None or group_by == "":
        return None
    if not isinstance(group_by, str) and not callable(group_by):
        msg = f"group_by={group_by!r}: use a key of the runs' metadata, or a function of the finished run."
        raise SettingError(msg)
    if not form:
        msg = "group_by= says which answers are compared: use it with mode='preference'."
        raise SettingError(msg)
    return group_by
