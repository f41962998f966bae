"""`COLUMNS`: the columns of every task; `usable_data`: the user's own columns beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_label_studio.errors import SettingError
from langchain_label_studio.support.json_safe import jsonable

META_KEY = "feedback"
DEFAULT_KEY = "user_feedback"
COMMENT = "_comment"
"""The end of the name of a column with comments."""

QUERY, REPLY = "Query", "Reply"
"""The columns with the question and the answer, short.

Label Studio lists columns in the order in which it finds their names. On SQLite, that is the order of the first import.
On PostgreSQL, names are sorted by their length, then by their letters, capitals first. With these names, both orders
begin with the question, the answer, the model and the status.
"""

ORDER = "review_order"
"""The column with the place of a task in the order of work, as a text that is in the same order."""

COLUMNS = (
    *(QUERY, REPLY, "model", "status", "error", "tags", "latency_ms", "total_tokens", "started_at"),
    *("thread_id", "run_name", "provider", "input_tokens", "output_tokens", "finish_reason", "cached"),
    *("trace_id", "run_id", "record_id", ORDER),
)
"""The keys of a task's data that this package fills, those first that people read first. People filter and sort by them."""

_MAX_KEY = 100
PANELS = (
    *(
        "conversation_html",
        "conversation_markdown",
        "prompt_markdown",
        "answer_markdown",
        "beside_answer_html",
    ),
)
"""The keys of a task's data that are filled only if the label config shows them in a `<Markdown>` tag."""

UNFILTERABLE = frozenset("\"'.$\\")
"""The characters that Label Studio cannot have in the name of a column that people filter by."""


def check_feedback_key(key: str) -> None:
    """Check the key of feedback.

    Raises:
        SettingError: The key cannot be the name of a column, or another column has this name.
    """
    if key in COLUMNS or key.endswith(COMMENT):
        msg = f"key={key!r} names a column that is filled from the run or with comments. Choose another one."
        raise SettingError(msg)
    if not key or len(key) > _MAX_KEY or not key.isprintable() or UNFILTERABLE & set(key):
        msg = f"key={key!r} is none that Label Studio can filter by. Use letters, digits and _."
        raise SettingError(msg)


def usable_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the user's own data without reserved keys, and without keys that no task can have."""
    usable = {
        str(key): value
        for key, value in data.items()
        if str(key) and str(key) not in {*COLUMNS, *PANELS} and not UNFILTERABLE & set(str(key))
    }
    kept: dict[str, Any] = jsonable(usable)
    return kept
