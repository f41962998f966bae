"""Feedback: what the users of an application say of its runs, and where a task keeps it. Pure.

A task shows it in two columns, `<key>` and `<key>_comment`, and keeps it in its `meta`, which tells feedback from a
column of the user's own:

    {"feedback": {"user_feedback": {"score": 1, "score_at": "2026-11-21T09:30:00.000000Z",
                                    "comment": "Just right.", "comment_at": "2026-11-21T09:30:05.000000Z"}}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from langchain_label_studio.jsonsafe import as_mapping
from langchain_label_studio.labeling import inert
from langchain_label_studio.lines import decode_line, encode_line, read_name

META_KEY = "feedback"
COMMENT = "_comment"
"""What the column of comments is called after that of the score."""

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What the users of an application said of a run, the latest of each.

    Attributes:
        score: A number, such as 1 for a thumb up and 0 for one down.
        comment: What was written.
    """

    score: float | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFeedback:
    """Feedback on its way to a task.

    Attributes:
        id: Its own id, which begins with the run's.
        run_id: The run, or the outermost run of its trace.
        key: What the feedback is of: its column.
        score: A number, or None to leave the score as it is.
        comment: Text, or None to leave the comment as it is.
        given_at: When, as ISO 8601 in UTC, always of the same length.
    """

    id: str
    run_id: str
    key: str
    score: float | None
    comment: str | None
    given_at: str

    @property
    def columns(self) -> tuple[str, str]:
        """The columns of a task that show it."""
        return self.key, f"{self.key}{COMMENT}"


def encode_feedback(given: GivenFeedback) -> bytes:
    """Return feedback as one line of JSON."""
    return encode_line(asdict(given), version=_FORMAT)


def decode_feedback(line: bytes) -> GivenFeedback:
    """Return the feedback that `encode_feedback` wrote.

    Raises:
        LabelStudioError: A newer version of this package wrote it.
        ValueError: It is not such a line.
    """
    record = decode_line(line, version=_FORMAT, what="Feedback")
    try:
        return GivenFeedback(**record)
    except TypeError:
        msg = "a line without feedback"
        raise ValueError(msg) from None


def read_feedback_id(line: bytes) -> str:
    """Return the id of feedback that `encode_feedback` wrote.

    Raises:
        ValueError: It is not such a line.
    """
    return read_name(line, "id", what="feedback")


def own_column(given: GivenFeedback, data: Mapping[str, Any], meta: Mapping[str, Any]) -> str | None:
    """Return a column of the task that has the feedback's name, and is something else; None where there is none."""
    if given.key in as_mapping(meta.get(META_KEY)):
        return None
    return next((name for name in given.columns if data.get(name)), None)


def add_feedback(
    given: Iterable[GivenFeedback], data: Mapping[str, Any], meta: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return a task's data and meta with feedback added: of each score and each comment, the latest stays.

    In whatever order feedback comes, and however often, the outcome is the same.

    Returns:
        Both as they should be; None where they are so already.
    """
    columns, known = dict(data), {key: dict(said) for key, said in as_mapping(meta.get(META_KEY)).items()}
    news = False
    for each in given:
        said = known.setdefault(each.key, {})
        for name, value, column in zip(
            ("score", "comment"), (each.score, each.comment), each.columns, strict=True
        ):
            if value is not None and said.get(f"{name}_at", "") < each.given_at:
                # Whoever wrote it is a stranger: a label config may show it in a <Markdown>.
                columns[column] = inert(value)
                said |= {name: value, f"{name}_at": each.given_at}
                news = True
    return (columns, {**meta, META_KEY: known}) if news else None


def read_feedback(meta: Mapping[str, Any]) -> dict[str, Feedback]:
    """Return the feedback that a task keeps, by its key."""
    return {
        str(key): Feedback(score=said.get("score"), comment=said.get("comment"))
        for key, said in as_mapping(meta.get(META_KEY)).items()
        if isinstance(said, Mapping)
    }


def feedback_columns(meta: Mapping[str, Any]) -> frozenset[str]:
    """Return the columns of a task that show feedback."""
    keys = as_mapping(meta.get(META_KEY))
    return frozenset(column for key in keys for column in (key, f"{key}{COMMENT}"))
