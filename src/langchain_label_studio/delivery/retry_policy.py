"""The meaning of a failed request (`judge`), and the waits after it. Pure."""

from __future__ import annotations

from enum import Enum

from langchain_label_studio.delivery.destination import DeliveryFailedError

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
BLOCKED_WAIT = 300.0

LONGEST_RETRY_AFTER = 300.0
"""The seconds that a destination can ask for at most. It may ask for a thousand years by mistake."""

GRACE = 10.0
"""The seconds for which the destination may still work on a request without an answer.

Before that, the destination may not know yet what it is about to store. So nobody asks it.
"""

LATE = 60.0
"""The seconds after which a request that the destination still carries out is worth a warning."""

GIVEN_UP = 3600.0
"""The seconds after which nobody waits any longer for a request that the destination still carries out."""

_FIRST_LOOK, _LONGEST_LOOK = 0.25, 5.0


class AnswerMeaning(Enum):
    """The meaning of a failed request for its records."""

    UNSENT = "surely not stored: keep, and try again later"
    IN_DOUBT = "perhaps stored: keep, and ask before sending again"
    BLOCKED = "refused until somebody changes something: keep all"
    BAD = "one of the records is at fault, or there are too many: try fewer"


# Too early, too many requests, not available.
_UNSENT = frozenset({425, 429, 503})
# Of 4xx: the time ran out, another request was in the way, the wrong server, a lock, and a proxy whose caller left.
_PASSING = frozenset({408, 409, 421, 423, 499})
TOO_LARGE = frozenset({413, 414, 431})
"""Answers to a request that is too long. A shorter request may pass."""
_BAD = frozenset({400, 422}) | TOO_LARGE


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
    if status >= 500 or status < 300 or status in _PASSING:
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


def wait_before_look(look: int) -> float:
    """Return how many seconds to wait before the next look at a request that the destination still carries out.

    Args:
        look: How many looks there were, at least 1.
    """
    return min(_FIRST_LOOK * 2.0 ** min(look - 1, 30), _LONGEST_LOOK)
