"""The meaning of a failed request (`judge`), and the wait after it (`wait_before`). Pure."""

from __future__ import annotations

from enum import Enum

from langchain_label_studio.delivery.destination import DeliveryFailedError

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
BLOCKED_WAIT = 300.0


class AnswerMeaning(Enum):
    """The meaning of a failed request for its records."""

    UNSENT = "surely not stored: keep, and try again later"
    IN_DOUBT = "perhaps stored: keep, and ask before sending again"
    BLOCKED = "refused until somebody changes something: keep all"
    BAD = "one of the records is at fault: find it"


_UNSENT = frozenset({429, 503})
_BAD = frozenset({400, 413, 422})


def judge(failure: DeliveryFailedError) -> AnswerMeaning:
    """Return the meaning of a failed request.

    Args:
        failure: The failure.
    """
    status = failure.status
    if status is None:
        return AnswerMeaning.IN_DOUBT if failure.maybe_stored else AnswerMeaning.UNSENT
    if status in _UNSENT:
        return AnswerMeaning.UNSENT
    if status in _BAD:
        return AnswerMeaning.BAD
    if status >= 500 or status < 300:
        return AnswerMeaning.IN_DOUBT
    return AnswerMeaning.BLOCKED


def wait_before(attempt: int, meaning: AnswerMeaning, *, chance: float) -> float:
    """Return how many seconds to wait before the next attempt.

    Args:
        attempt: How many attempts failed in a row, at least 1.
        meaning: The meaning of the last failure.
        chance: A random number in [0, 1). It spreads the attempts of many senders.
    """
    if meaning is AnswerMeaning.BLOCKED:
        return BLOCKED_WAIT * (1 + chance / 10)
    return min(FIRST_WAIT * 2.0 ** min(attempt - 1, 30), LONGEST_WAIT) * (0.5 + chance / 2)
