"""Ready-made masks for `mask=`: e-mail addresses, telephone numbers, payment cards and keys, by their looks.

Example:
    >>> from langchain_label_studio import masks
    >>> str((masks.emails | masks.cards)("Bill bob@example.com, 4111 1111 1111 1111"))
    'Bill [email], [card]'

They know forms, not people: a name or a street stays. For these take a library made for it, such as Presidio, as in
`examples/mask_with_presidio.py`. Each takes time in proportion to the text, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial, reduce
from typing import Any

from langchain_label_studio.support.redaction import scrub_keys

# Possessive, and only from where a word begins: a megabyte of letters is read once.
_EMAIL = re.compile(r"(?<![\w.+'-])[\w.+'-]++(?:@|%40)[\w-]+(?:\.[\w-]+)+")
# Unbroken, or in groups as they are printed on a card. What a pattern begins with is quick to look for: the
# condition on what stands before it comes second.
_CARD = re.compile(
    r"\d(?<![^\W_].)(?:\d{12,18}|\d{3}(?:[\s.\u2013-]{1,2}\d{4}){3}(?:[\s.\u2013-]{1,2}\d{3})?|\d{3}[\s.\u2013-]{1,2}\d{6}[\s.\u2013-]{1,2}\d{4,5})(?![^\W_])"
)
_CUT_CARD = re.compile(r"(\d{4}(?:[\s.\u2013-]{1,2}\d{4}){3})[\s.\u2013-]{1,2}\d{3}")
_PHONES = (
    # +49 (0)30 1234-567, 0044 20 7946 0000
    re.compile(r"(?:\+(?<![\w.+].)|00(?<![\w.+-]..))[\s(]?[1-9](?:[\s()./-]{0,3}\d){6,14}(?![\w-])"),
    # (555) 010-4477, 555-010-4477, 555.010.4477
    re.compile(r"(?:\(\d{3}\)\s?|\d(?<![\w.+-].)\d{2}[-.\s])\d{3}[-.\s]\d{4}(?![\w-])"),
    # 030 1234567, 06 12 34 56 78, 020-7946-0000; no date
    re.compile(
        r"0(?<![\w.+-].)(?!\d[./-]\d\d[./-]\d\d)\d{1,4}\)?(?=(?:[\s./-]?\d){6,10}(?![\w-]))(?:[\s./-]\d{2,8}){1,4}(?![\w-])"
    ),
)


@dataclass(frozen=True, slots=True)
class TextMask:
    """Replaces what must not be seen. `a | b` does what both do, first `a`; either may be any function.

    Attributes:
        name: As it is shown.
        replace: Takes a text, and returns it masked.
    """

    name: str
    replace: Callable[[str], str] = field(repr=False)

    def __call__(self, text: str) -> str:
        """Return the text, masked."""
        return self.replace(text)

    def __or__(self, other: Any) -> TextMask:
        return all_of(self, other) if callable(other) else NotImplemented

    def __ror__(self, other: Any) -> TextMask:
        return all_of(other, self) if callable(other) else NotImplemented

    def __repr__(self) -> str:
        return self.name


def all_of(*masks: Callable[[str], str]) -> TextMask:
    """Return a mask that does what all of them do, in this order."""
    names = [
        repr(mask) if isinstance(mask, TextMask) else getattr(mask, "__name__", repr(mask)) for mask in masks
    ]
    return TextMask(" | ".join(names), partial(_one_after_the_other, masks))


def _one_after_the_other(masks: tuple[Callable[[str], str], ...], text: str) -> str:
    return reduce(lambda masked, mask: mask(masked), masks, text)


def _hide_emails(text: str) -> str:
    if "@" not in text and "%40" not in text:
        return text
    return _EMAIL.sub("[email]", text)


def _hide_phones(text: str) -> str:
    for pattern in _PHONES:
        text = pattern.sub("[phone]", text)
    return text


def _hide_cards(text: str) -> str:
    kept, done, start = [], 0, 0
    while match := _CARD.search(text, start):
        # The last group may be something else, such as a check number.
        card = next((row for row in _rows(match[0]) if _is_card(row)), "")
        if card:
            kept += [text[done : match.start()], "[card]"]
            done = match.start() + len(card)
        # A row of digits that is no card may end in one.
        start = match.start() + max(len(card), 4)
    return "".join([*kept, text[done:]]) if kept else text


def _rows(row: str) -> tuple[str, ...]:
    shorter = _CUT_CARD.fullmatch(row)
    return (row, shorter[1]) if shorter else (row,)


def _is_card(row: str) -> bool:
    """Say whether digits are a card's: issuers begin with 2 to 6, and the last digit is Luhn's (ISO/IEC 7812-1)."""
    numbers = [int(digit) for digit in reversed(row) if digit.isdigit()]
    doubled = [sum(divmod(2 * number, 10)) for number in numbers[1::2]]
    return 2 <= numbers[-1] <= 6 and (sum(numbers[::2]) + sum(doubled)) % 10 == 0


emails = TextMask("masks.emails", _hide_emails)
"""E-mail addresses become `[email]`."""

phones = TextMask("masks.phones", _hide_phones)
"""Telephone numbers become `[phone]`: international ones, and national ones whose parts stand apart."""

cards = TextMask("masks.cards", _hide_cards)
"""Numbers of payment cards become `[card]`: 13 to 19 digits, with or without gaps, whose check digit is right."""

keys = TextMask("masks.keys", partial(scrub_keys, hidden="[key]"))
"""Keys become `[key]`: those with a known prefix (`sk-`, `ghp_`, `AKIA`, `xoxb-` ...), tokens (JWT), private keys
(PEM), what follows `Bearer`, and passwords in addresses."""

defaults = keys | emails | cards | phones
"""All of them."""

__all__ = ["TextMask", "all_of", "cards", "defaults", "emails", "keys", "phones"]
