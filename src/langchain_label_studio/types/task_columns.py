"""The names of a task's columns, and which of the user's own names are free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.json_safe import jsonable

META_KEY = "feedback"
COMMENT = "_comment"
"""What the column of comments is called after that of the score."""

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

_MAX_KEY = 100
PANELS = ("conversation_html", "conversation_markdown", "answer_markdown")
"""Keys of a task's data that are filled where the label config shows them in a `<Markdown>` tag: see `panels`."""

_UNFILTERABLE = frozenset("\"'.$\\")


def check_feedback_key(key: str) -> None:
    """Check what feedback is called.

    Raises:
        SettingError: It cannot be a column, or is one that has its meaning.
    """
    if key in COLUMNS or key.endswith(COMMENT):
        msg = f"key={key!r} names a column that is filled from the run or with comments. Choose another one."
        raise SettingError(msg)
    if not key or len(key) > _MAX_KEY or not key.isprintable() or _UNFILTERABLE & set(key):
        msg = f"key={key!r} is none that Label Studio can filter by. Use letters, digits and _."
        raise SettingError(msg)


def usable_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the user's own data a task can hold, as a copy: reserved keys are the run's."""
    return {
        str(key): jsonable(value)
        for key, value in data.items()
        if str(key) and str(key) not in {*COLUMNS, *PANELS} and not _UNFILTERABLE & set(str(key))
    }
