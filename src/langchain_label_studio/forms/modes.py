"""The mode shortcuts and the label configs behind them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from langchain_label_studio.errors import SettingError


class LabelStudioMode(Enum):
    """In which form runs are reviewed, and so which built-in label config a new project gets."""

    PROMPT = "prompt"
    CHAT = "chat"
    PREFERENCE = "preference"
    RAG = "rag"
    AGENT = "agent"


def get_default_label_configs(mode: str | LabelStudioMode) -> tuple[str, LabelStudioMode]:
    """Return the built-in label config of a mode.

    Args:
        mode: Such as `"prompt"`, or the enum's member.

    Returns:
        The label config as XML, and the mode as the enum's member.

    Raises:
        SettingError: There is no such mode.
    """
    try:
        mode = LabelStudioMode(mode)
    except ValueError:
        known = ", ".join(repr(member.value) for member in LabelStudioMode)
        msg = (
            f"Unknown mode {mode!r}: use one of {known}, or pass your own project_config=. "
            "(A form of your own has to be registered first, with register_form.)"
        )
        raise SettingError(msg) from None
    # Not importlib.resources, which takes 4 ms to load.
    xml = (Path(__file__).parent / mode.value / f"{mode.value}.xml").read_text(encoding="utf-8")
    return xml, mode
