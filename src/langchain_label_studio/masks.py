"""Masks for `mask=`. `defaults` hides e-mail addresses, telephone numbers, payment cards and keys.

Example:
    >>> from langchain_label_studio import masks
    >>> str((masks.emails | masks.cards)("Bill bob@example.com, 4111 1111 1111 1111"))
    'Bill [email], [card]'

A mask finds texts with a fixed form. It cannot find names, streets or other words about a person: for these, use a
library such as Presidio, as in `examples/mask_with_presidio.py`. For every text, the
time of a mask grows in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial, reduce
from typing import Any

from langchain_label_studio.support.redaction import scrub_keys

# Possessive, and only from the beginning of a word. So a megabyte of letters is read once.
_EMAIL = re.compile(r"(?<![\w.+'-])[\w.+'-]++(?:@|%40)[\w-]+(?:\.[\w-]+)+")
# Blanks, a mark with or without blanks around it, or a character that nobody sees.
_GAP = r"(?:\s{1,2}|\s?[-./_\u00b7\u2022\u2010-\u2015\u2212]{1,2}\s?|[\xad\u200b-\u200d\u2060\ufeff])"
# The digits are without gaps, or in groups as people write them. The pattern begins with a digit, because the search for
# it is quick. The condition on the character before it comes second.
_CARD = re.compile(
    rf"""
    \d(?<![^\W_].)
    (?: \d{{12,18}}
    |   \d{{3}} (?:{_GAP}\d{{4}}){{2}} {_GAP} (?: \d{{4}} (?:{_GAP}\d{{1,3}})? | \d{{1,3}} )  # 4 4 4 4, 4 4 4 4 3, 4 4 4 3
    |   \d{{3}} {_GAP} \d{{6}} {_GAP} \d{{4,5}}  # 4 6 5 of American Express, 4 6 4 of Diners Club
    |   \d{{7}} {_GAP} \d{{8}}
    )
    (?![^\W_])
    """,
    re.VERBOSE,
)
_CUT_CARD = re.compile(rf"(\d{{4}}(?:{_GAP}\d{{4}}){{3}}){_GAP}\d{{1,3}}")
# The condition on the character before a number comes after its first character, as in `_CARD`. That character must not
# be a letter, a digit or one of `. + -`. So a part of an id, an address or a decimal is not a number.
_PHONES = (
    # International: +49 (0)30 1234-567, 0044 20 7946 0000
    re.compile(
        r"""
        (?: \+(?<![\w.+].) | 00(?<![\w.+-]..) )  # the prefix
        [\s(]? [1-9]                             # the country code, which begins with no 0
        (?: [\s()./-]{0,3} \d ){6,14}            # 7 to 15 digits with it, in any groups
        (?![\w-])
        """,
        re.VERBOSE,
    ),
    # North American: (555) 010-4477, 555-010-4477, 555.010.4477
    re.compile(
        r"""
        (?: \(\d{3}\)\s? | \d(?<![\w.+-].)\d{2}[-.\s] )  # three digits, in brackets or before a gap
        \d{3} [-.\s] \d{4}                               # three, a gap, four
        (?![\w-])
        """,
        re.VERBOSE,
    ),
    # With a leading 0: 030 1234567, 06 12 34 56 78, 020-7946-0000
    re.compile(
        r"""
        0(?<![\w.+-].)
        (?! \d[./-]\d\d[./-]\d\d )              # not a date, such as 01.02.2026
        \d{1,4} \)?                             # the area
        (?= (?:[\s./-]?\d){6,10} (?![\w-]) )    # then 6 to 10 digits
        (?: [\s./-]\d{2,8} ){1,4}               # in groups, so that no plain number is one
        (?![\w-])
        """,
        re.VERBOSE,
    ),
)


@dataclass(frozen=True, slots=True)
class TextMask:
    """A function from text to masked text. `a | b` applies `a`, then `b`. One of them may be a plain function.

    Attributes:
        name: The name in its `repr`.
        replace: The function.
    """

    name: str
    replace: Callable[[str], str] = field(repr=False)

    def __call__(self, text: str) -> str:
        """Return the masked text."""
        return self.replace(text)

    def __or__(self, other: Any) -> TextMask:
        return all_of(self, other) if callable(other) else NotImplemented

    def __ror__(self, other: Any) -> TextMask:
        return all_of(other, self) if callable(other) else NotImplemented

    def __repr__(self) -> str:
        return self.name


def all_of(*masks: Callable[[str], str]) -> TextMask:
    """Return a mask that applies all of these masks, in this order."""
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
        # The last group may be a different number, such as the card's check number.
        card = next((row for row in _rows(match[0]) if _is_card(row)), "")
        if card:
            kept += [text[done : match.start()], "[card]"]
            done = match.start() + len(card)
        # Digits that are not a card may end with a card.
        start = match.start() + max(len(card), 4)
    return "".join([*kept, text[done:]]) if kept else text


def _rows(row: str) -> tuple[str, ...]:
    shorter = _CUT_CARD.fullmatch(row)
    return (row, shorter[1]) if shorter else (row,)


def _is_card(row: str) -> bool:
    """Return whether digits are a card: the first is 2 to 6, and the last is Luhn's check digit (ISO/IEC 7812-1)."""
    numbers = [int(digit) for digit in reversed(row) if digit.isdigit()]
    doubled = [sum(divmod(2 * number, 10)) for number in numbers[1::2]]
    return 2 <= numbers[-1] <= 6 and (sum(numbers[::2]) + sum(doubled)) % 10 == 0


emails = TextMask("masks.emails", _hide_emails)
"""E-mail addresses become `[email]`."""

phones = TextMask("masks.phones", _hide_phones)
"""Telephone numbers become `[phone]`: international numbers, and national numbers in groups.

A national number without a gap, such as 9876543210, looks like any other number, and stays. The groups of some
countries stay, too. To hide the numbers of your country, combine this mask with a function that uses the library
`phonenumbers`: `masks.phones | hide_numbers_of_india`.

This mask uses patterns, because that library misses more and takes longer. Without a country, it finds no national
number, and no number that begins with 00. It reads a megabyte in 2 to 10 seconds. The patterns take 0.05 to 0.3
seconds. They find the example numbers of all 245 regions of the library, as `+`, code and number.
"""

cards = TextMask("masks.cards", _hide_cards)
"""Numbers of payment cards become `[card]`: 13 to 19 digits with a correct check digit, with or without gaps
(blanks, hyphens and dashes, dots, slashes, underscores)."""

keys = TextMask("masks.keys", partial(scrub_keys, hidden="[key]"))
"""Keys become `[key]`: keys with a known prefix (`sk-`, `gsk_`, `ghp_`, `AKIA`, `xoxb-` ...), tokens (JWT), private keys
(PEM), the value after `Bearer` and `Basic`, and passwords in addresses. A key may be broken by a line end."""

defaults = keys | emails | cards | phones
"""All of these masks: keys, e-mail addresses, cards, then telephone numbers."""

__all__ = ["TextMask", "all_of", "cards", "defaults", "emails", "keys", "phones"]
