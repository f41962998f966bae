"""The reasons why a review gave no row: `Reason`."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A reason why a review, or one of its answers, gave no row. The values are for people. They stay."""

    # Reviewers and their statements.
    NOT_REVIEWED = "nobody reviewed it"
    TASK_SKIPPED = "the reviewer skipped the task"
    NOT_READABLE = "not all of the review could be read"
    NOT_GROUND_TRUTH = "another review of the task is the ground truth"
    OLDER_OF_PERSON = "the same person reviewed it again later"
    OLDER = "somebody reviewed it later"
    DISAGREEMENT = "the reviewers disagree"
    NOT_UNANIMOUS = "no two people agree"
    TIE = "as many reviewers say one thing as another"
    NOT_COUNTED = "other reviews of the task decided"
    DIFFERENT_SCALES = "the reviewers rated on different scales"

    # Options.
    OTHER_TIME = "reviewed before since or after until"
    OTHER_MODEL = "another model answered"
    OTHER_CHOICES = "not the choices asked for"
    EXCLUDED_CHOICE = "a choice to leave out"
    UNCHANGED = "the answer was not changed"
    NOT_RATED = "not rated"
    RATED_LOW = "rated low"
    DUPLICATE = "the same row is there already"

    # Requirements of a row.
    NO_ANSWER = "no answer"
    ANSWERS_DELETED = "the reviewer deleted the answers"
    NOT_JUDGED = "nobody said whether the answer is good"
    NOTHING_PREFERRED = "no answer was corrected or preferred"
    NOT_ONE_TO_ONE = "it cannot be told which answer became which"
    CALLED_BAD = "a choice calls the answer harmful or bad"
    SAME_ANSWER = "both answers say the same"
    RATED_IN_THE_MIDDLE = "rated in the middle, neither good nor bad"
    SCALE_UNKNOWN = "nobody knows of how many stars its rating is"
    NEITHER_CHOSEN = "none of the choices for good and bad"
    STEPS_NOT_JUDGED = "not the first of its steps was judged"
    BOTH_CHOSEN = "choices for good and for bad"
    ONE_JUDGEMENT = "one judgement of several answers"

    # Limits of the format.
    NO_PROMPT = "no prompt"
    EMPTY_ANSWER = "an empty answer"
    EMPTY_TURN = "an empty turn of the assistant in the conversation"
    UNKNOWN_ROLE = "a turn of a role that the format does not know"
    ENDS_WITH_ANSWER = "the conversation ends with a turn of the assistant"
    NOTE_ONLY = "an image, a file or a cut text, of which only a note was recorded"
    BROKEN_CALL = "a tool call that is not valid"
    CALL_UNANSWERED = "a tool call without a result"
    RESULT_UNASKED = "a result of no known tool call"
    NOT_A_FUNCTION = "a tool that is not a function"
    NAME_REFUSED = "a name that the format refuses"
    NEEDS_CHAT = "a conversation, which plain text cannot hold"
    NEEDS_TOOLS = "tools, which the format cannot hold"
    NOT_ALTERNATING = "turns that do not alternate"
    SEVERAL_TURNS = "answers of several turns, which the format cannot hold"
    TEXT_BESIDE_CALL = "text beside a tool call, which the format cannot hold"


class Unfit(Exception):  # noqa: N818 (not an error: it never leaves this package)
    """There is no row, for this reason.

    Attributes:
        reason: The reason.
        detail: The exact cause, if the reason does not name it.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
