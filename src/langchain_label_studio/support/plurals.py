"""`count_text`: a number with its noun."""

from __future__ import annotations


def count_text(number: int, one: str, more: str | None = None) -> str:
    """Return a number with its noun: `1 task`, `1,234 tasks`.

    Args:
        number: The number.
        one: The noun in the singular.
        more: The noun in the plural, if it is not the singular with an "s".
    """
    return f"{number:,} {one if number == 1 else more or one + 's'}"
