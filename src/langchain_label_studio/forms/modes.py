"""`LabelStudioMode`: the built-in forms, and the label config of each."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Literal, get_args

from langchain_label_studio.errors import SettingError
from langchain_label_studio.forms.ten_by_ten import expand_groups
from langchain_label_studio.support.did_you_mean import did_you_mean


class LabelStudioMode(Enum):
    """A built-in form of review. It has the label config of a new project."""

    PROMPT = "prompt"
    CHAT = "chat"
    PREFERENCE = "preference"
    RAG = "rag"
    AGENT = "agent"


BUILT_IN_MODES = tuple(mode.value for mode in LabelStudioMode)
"""The names of the built-in forms."""

PLAIN_MODES = frozenset({LabelStudioMode.PROMPT.value, LabelStudioMode.CHAT.value})
"""The forms that show a run as it is, in any label config. Their runs and tasks have no name of a form."""


_STYLE = "/* page.css */\n"
"""What stands for the style of all pages in a label config."""


def carried_name(form: str) -> str:
    """Return the name of a form for a run or a task. It is empty for the plain forms."""
    return "" if form in PLAIN_MODES else form


RatingControl = Literal["stars", "keys"]
"""How reviewers rate: with `stars`, of which a key adds one, or with `keys`, one for each number of stars."""


def get_default_label_configs(
    mode: str | LabelStudioMode, *, rating: Literal["stars", "keys"] = "stars"
) -> tuple[str, LabelStudioMode]:
    """Return the built-in label config of a mode.

    Args:
        mode: The mode, as a name such as `"prompt"` or as a `LabelStudioMode`.
        rating: How reviewers rate. `"stars"`: with stars, and a key that adds one. `"keys"`: with choices from 1 to 5,
            and a key for each. Both are read back as the same rating.

    Returns:
        The label config as XML, and the mode as a `LabelStudioMode`.

    Raises:
        SettingError: No built-in mode has this name, or `rating` is neither of the two.
    """
    check_rating(rating)
    try:
        mode = LabelStudioMode(mode)
    except ValueError:
        known = ", ".join(map(repr, BUILT_IN_MODES))
        msg = (
            f"Unknown mode {mode!r}: use one of {known}, or pass your own project_config=. "
            "(A form of your own has to be registered first, with register_form.)"
            f"{did_you_mean(mode, BUILT_IN_MODES)}"
        )
        raise SettingError(msg) from None
    # Not importlib.resources, which takes 4 ms to load.
    rooms = Path(__file__).parent
    style = (rooms / "page.css").read_text(encoding="utf-8")
    xml = (rooms / mode.value / f"{mode.value}.xml").read_text(encoding="utf-8")
    xml = expand_groups(xml.replace(_STYLE, style))
    if rating == "keys":
        from langchain_label_studio.forms.rating_keys import with_rating_keys  # noqa: PLC0415 (most projects have stars)

        xml = with_rating_keys(xml)
    return xml, mode


def check_rating(rating: str) -> None:
    """Check how reviewers rate.

    Raises:
        SettingError: There is no such way.
    """
    if rating not in get_args(RatingControl):
        msg = f"rating={rating!r}: use 'stars' or 'keys'."
        raise SettingError(msg)
