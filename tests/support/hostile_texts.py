"""Texts that make a bad regular expression slow, made of its own parts: `hostile_texts`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise, product
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_MAX_PARTS = 40
_USUAL = (" ", "\n", "a", "1", "-", "_", "<", "(", '"', "eyJ", "\u00e9")
_ENDS = ("", "\0")
_OF_A_CATEGORY = {
    op.CATEGORY_DIGIT: "1",
    op.CATEGORY_SPACE: " ",
    op.CATEGORY_WORD: "a",
    op.CATEGORY_NOT_DIGIT: "a",
    op.CATEGORY_NOT_SPACE: "a",
    op.CATEGORY_NOT_WORD: "-",
}
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)


def hostile_texts(pattern: re.Pattern[Any]) -> Iterator[Callable[[int], str]]:
    """Yield functions from a length to a text of about this length.

    A text begins as a match does, and goes on with the same part for long.

    Args:
        pattern: The pattern. Its parts are the beginnings, and are what is repeated.
    """
    source = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    parts = list(_parts(_parser.parse(source, pattern.flags & ~re.DEBUG)))[:_MAX_PARTS]
    beginnings = list(dict.fromkeys("".join(parts[:count]) for count in range(len(parts) + 1)))
    pairs = (one + other for one, other in pairwise(parts))
    repeated = dict.fromkeys((*_USUAL, *parts, *pairs, *beginnings[1:]))
    for beginning, part, end in product(beginnings, repeated, _ENDS):
        yield partial(_text, beginning, part, end)


def _text(beginning: str, part: str, end: str, length: int) -> str:
    return beginning + part * (length // len(part) + 1) + end


def _parts(tree: Any) -> Iterator[str]:
    """Yield a text that matches, character by character. Each branch and each condition gives one."""
    for kind, value in tree:
        if kind in _REPEATS:
            least, _, repeated = value
            yield from list(_parts(repeated)) * min(max(least, 1), 20)
        elif kind is op.BRANCH:
            for branch in value[1]:
                yield from _parts(branch)
        elif kind is op.ATOMIC_GROUP:
            yield from _parts(value)
        elif kind is op.SUBPATTERN or (kind is op.ASSERT and value[0] > 0):
            yield from _parts(value[-1])
        elif kind in _CHARACTERS:
            yield _CHARACTERS[kind](value)


def _one_of(items: Any) -> str:
    negated = items[0][0] is op.NEGATE
    written = "".join(map(_character, items[negated:]))
    return next(char for char in "a1 -\n" if char not in written) if negated else written[0]


def _character(item: Any) -> str:
    kind, value = item
    if kind is op.CATEGORY:
        return _OF_A_CATEGORY[value]
    return chr(value[0] if kind is op.RANGE else value)


_CHARACTERS: dict[Any, Callable[[Any], str]] = {
    op.LITERAL: chr,
    op.NOT_LITERAL: lambda value: "a" if value != ord("a") else "b",
    op.ANY: lambda _: "a",
    op.IN: _one_of,
}
