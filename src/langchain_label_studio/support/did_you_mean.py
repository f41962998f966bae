"""`did_you_mean`: the known word that a person probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(given: object, known: Iterable[str]) -> str:
    """Return a question for the known word that is most like the given one, with a blank before it.

    Upper and lower case are the same. The question is empty if no word is like it.
    """
    from difflib import get_close_matches  # noqa: PLC0415 (takes a millisecond to load: only for an error)

    by_case = {word.casefold(): word for word in known}
    close = get_close_matches(str(given).casefold(), by_case, n=1)
    return f" Did you mean {by_case[close[0]]!r}?" if close else ""
