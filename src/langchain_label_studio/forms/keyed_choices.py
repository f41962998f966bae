"""Choices that have a number as their key: `keyed_choices`.

A label config cannot do that itself: with `hotkey="{{idx}}"` in a `<Repeater>`, the key 1 is the key of 10 to 19, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_LAST_KEY = 9
NO_KEY = "ctrl+shift+f9"
"""A key that nobody presses. Without a key, Label Studio chooses one itself, and does not show it."""

Choice = dict[str, str]
"""An item of the list that `<Choices value="$key">` shows."""


def has_key(number: int) -> bool:
    """Return whether a number is a key."""
    return 1 <= number <= _LAST_KEY


def number_key(number: int, *, held: str = "") -> str:
    """Return the `hotkey` of a number, with the keys that are held meanwhile, such as `shift+`."""
    return f"{held}{number}" if has_key(number) else NO_KEY


def keyed_choices(number: int, held: Mapping[str, str]) -> list[Choice]:
    """Return choices about what has a number. Each is chosen with the number, and with the keys that are held."""
    return [{"value": value, "hotkey": number_key(number, held=keys)} for value, keys in held.items()]


def numbered_choices(values: Sequence[str]) -> list[Choice]:
    """Return choices that have the numbers from 1 as their keys."""
    return [{"value": value, "hotkey": number_key(number)} for number, value in enumerate(values, start=1)]
