"""The differences of two near-equal texts, marked in their HTML: `mark_differences`. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_LEAST_ALIKE = 0.6
"""The share of their words that near-equal texts have in common."""

_MAX_DIFFERENT = 400
_MAX_HTML = 100_000

_WORD = re.compile(
    r"(?P<tag><[^>]*>)"
    r"|(?:&#10;)+(?P<indent>[ \t]+)"
    r"|&#10;|\s"
    # Chinese and Japanese have no spaces: each character is a word.
    r"|(?P<word>&\w+;|[\u2e80-\u9fff]|[^\s!-/:-@\[-^`{-~\u2010-\u206f\u2e80-\u9fff\uff00-\uffef]+|.)"
)


class _Word(NamedTuple):
    said: str
    start: int
    end: int


def mark_differences(left: str, right: str) -> tuple[str, str] | None:
    """Return two texts with a `<span class="lls-differs">` around the words that only one of them has.

    Words, signs, the addresses of links, and the indents of lines are compared. Other spaces and the style are not.

    Args:
        left: Inert HTML of `markdown_html`.
        right: Inert HTML of the other text.

    Returns:
        Both, marked. None if they are not near-equal, or too long to compare.
    """
    if len(left) + len(right) > _MAX_HTML:
        return None
    words, others = _words(left), _words(right)
    most = min(int((len(words) + len(others)) * (1 - _LEAST_ALIKE)), _MAX_DIFFERENT)
    said, said_by_other = [word.said for word in words], [word.said for word in others]
    # In whatever order the words stand, no fewer are different. For most answers, that takes the least time to find.
    counted, counted_other = Counter(said), Counter(said_by_other)
    if ((counted - counted_other) + (counted_other - counted)).total() > most:
        return None
    found = _different(said, said_by_other, most=most)
    if found is None:
        return None
    lefts, rights = found
    return _mark(left, [words[place] for place in lefts]), _mark(right, [others[place] for place in rights])


def _words(html: str) -> list[_Word]:
    """Return the words of HTML. A word of a link is another one if the link's address is another one."""
    words = []
    link = ""
    for found in _WORD.finditer(html):
        kind, text = found.lastgroup, found[0]
        if kind == "tag":
            link = text if text.startswith("<a ") else "" if text == "</a>" else link
        elif kind:
            words.append(_Word(found[kind] + link, *found.span(kind)))
    return words


def _different(left: Sequence[str], right: Sequence[str], *, most: int) -> tuple[list[int], list[int]] | None:
    """Return the places of the words that only one of two texts has. None if these are more than `most`.

    They are as few as can be. This is Myers' algorithm: "An O(ND) Difference Algorithm and Its Variations" (1986).
    It stops at `most`. `difflib` cannot stop, and may take minutes.
    """
    # How far each diagonal of the edit graph is reached in the left text. Negative diagonals count from the end.
    reached = [0] * (2 * most + 3)
    rounds: list[list[int]] = []
    for edits in range(most + 1):
        rounds.append(reached.copy())
        for diagonal in range(-edits, edits + 1, 2):
            x = _step(reached, diagonal, edits)[0]
            y = x - diagonal
            while x < len(left) and y < len(right) and left[x] == right[y]:
                x, y = x + 1, y + 1
            reached[diagonal] = x
            if x >= len(left) and y >= len(right):
                return _walk_back(rounds, x, y)
    return None


def _step(reached: Sequence[int], diagonal: int, edits: int) -> tuple[int, bool]:
    """Return where one more edit leads on a diagonal, and whether the edit is a word of the left text."""
    before, after = reached[diagonal - 1], reached[diagonal + 1]
    is_of_left = diagonal != -edits and (diagonal == edits or before >= after)
    return (before + 1, True) if is_of_left else (after, False)


def _walk_back(rounds: Sequence[Sequence[int]], x: int, y: int) -> tuple[list[int], list[int]]:
    """Return the places of the different words, from the ends of both texts back to their beginnings."""
    lefts: list[int] = []
    rights: list[int] = []
    for edits in range(len(rounds) - 1, 0, -1):
        diagonal = x - y
        x, is_of_left = _step(rounds[edits], diagonal, edits)
        y = x - diagonal
        if is_of_left:
            x -= 1
            lefts.append(x)
        else:
            y -= 1
            rights.append(y)
    return lefts[::-1], rights[::-1]


def _mark(html: str, words: Iterable[_Word]) -> str:
    """Return HTML with marked words. Words that stand side by side share a mark, which never holds a tag."""
    marks: list[tuple[int, int]] = []
    for _, start, end in words:
        if marks and not html[marks[-1][1] : start].replace("&#10;", "").strip():
            start, _ = marks.pop()  # noqa: PLW2901
        marks.append((start, end))
    parts = []
    done = 0
    for start, end in marks:
        parts += [html[done:start], '<span class="lls-differs">', html[start:end], "</span>"]
        done = end
    return "".join(parts) + html[done:]
