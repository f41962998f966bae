"""`Feedback` and `GivenFeedback`: scores and comments from the users of an application.

A task shows feedback in two columns, `<key>` and `<key>_comment`. Its `meta` has the feedback, too. So these columns
are not taken for columns of the user's own `data=`:

    {"feedback": {"user_feedback": {"score": 1, "score_at": "2026-11-21T09:30:00.000000Z",
                                    "comment": "Just right.", "comment_at": "2026-11-21T09:30:05.000000Z"}}}
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from langchain_label_studio.support.json_lines import decode_line, encode_line, read_name
from langchain_label_studio.types.task_columns import COMMENT

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The latest score and the latest comment for one key of a run.

    Attributes:
        score: A number, such as 1 for a thumb up and 0 for a thumb down.
        comment: The text that was written.
    """

    score: float | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFeedback:
    """Feedback on its way to a task.

    Attributes:
        id: Its own id, which begins with the run's.
        run_id: The id of the run, or of the outermost run of its trace. Of several runs with this id, it is the
            latest one at the time of `given_at`.
        key: The name of its column.
        score: A number. None keeps the earlier score.
        comment: A text. None keeps the earlier comment.
        given_at: The time, as ISO 8601 in UTC, always of the same length.
        record_id: The id of the run's record, if this process recorded it. The feedback waits for its task.
    """

    id: str
    run_id: str
    key: str
    score: float | None
    comment: str | None
    given_at: str
    record_id: str = ""

    @property
    def columns(self) -> tuple[str, str]:
        """The two columns of a task that show it."""
        return self.key, f"{self.key}{COMMENT}"


def encode_feedback(given: GivenFeedback) -> bytes:
    """Return feedback as one line of JSON."""
    return encode_line(asdict(given), version=_FORMAT)


def decode_feedback(line: bytes) -> GivenFeedback:
    """Return the feedback that `encode_feedback` wrote.

    Raises:
        LabelStudioError: A newer version of this package wrote it.
        ValueError: The line is not feedback.
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
        ValueError: The line is not feedback.
    """
    return read_name(line, "id", what="feedback")
