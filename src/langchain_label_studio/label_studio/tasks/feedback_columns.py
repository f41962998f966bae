"""Users' feedback in the data and the meta of a task. Begin with `add_feedback`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_label_studio.label_config.inert_text import inert
from langchain_label_studio.support.json_safe import as_mapping
from langchain_label_studio.types.feedback import Feedback, GivenFeedback
from langchain_label_studio.types.task_columns import COMMENT, META_KEY


def own_column(given: GivenFeedback, data: Mapping[str, Any], meta: Mapping[str, Any]) -> str | None:
    """Return the column that has the feedback's name, but holds no feedback. None if there is no such column."""
    if given.key in as_mapping(meta.get(META_KEY)):
        return None
    return next((name for name in given.columns if data.get(name)), None)


def add_feedback(
    given: Iterable[GivenFeedback], data: Mapping[str, Any], meta: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return a task's data and meta with feedback added. The latest score and the latest comment of a key stay.

    The outcome does not depend on the order of the feedback. Nor does it change if the same feedback comes twice.

    Returns:
        The new data and meta. None if nothing changes.
    """
    columns, known = dict(data), {key: dict(said) for key, said in as_mapping(meta.get(META_KEY)).items()}
    news = False
    for each in given:
        said = known.setdefault(each.key, {})
        for name, value, column in zip(
            ("score", "comment"), (each.score, each.comment), each.columns, strict=True
        ):
            if value is not None and said.get(f"{name}_at", "") < each.given_at:
                # A stranger wrote it, and a label config may show it in a <Markdown>.
                columns[column] = inert(value)
                said |= {name: value, f"{name}_at": each.given_at}
                news = True
    return (columns, {**meta, META_KEY: known}) if news else None


def read_feedback(meta: Mapping[str, Any]) -> dict[str, Feedback]:
    """Return the feedback in a task's meta, by its key."""
    return {
        str(key): Feedback(score=said.get("score"), comment=said.get("comment"))
        for key, said in as_mapping(meta.get(META_KEY)).items()
        if isinstance(said, Mapping)
    }


def feedback_columns(meta: Mapping[str, Any]) -> frozenset[str]:
    """Return the columns of a task that show feedback."""
    keys = as_mapping(meta.get(META_KEY))
    return frozenset(column for key in keys for column in (key, f"{key}{COMMENT}"))
