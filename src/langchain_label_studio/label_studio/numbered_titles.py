"""Titles of projects that stand beside each other, such as "Support" and "Support (2)": `numbered_title`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

MAX_NUMBER = 999
"""The highest number. A person's own "Support (2026)" is a year, and no number."""

_YEAR = re.compile(r"%[YyGcxDF]")
_NUMBER = re.compile(r" \(([1-9][0-9]{0,2})\)\Z")


def numbered_title(title: str, number: int) -> str:
    """Return the title of the project with a number. The first project has no number in its title."""
    return title if number == 1 else f"{title} ({number})"


def number_of(title: str, *, of: str) -> int | None:
    """Return the number in a title. None if the title is not one of those beside `of`."""
    if title == of:
        return 1
    known = _NUMBER.fullmatch(title, len(of)) if title.startswith(of) else None
    return int(known[1]) if known and known[1] != "1" else None


def numbered_projects(titles: Mapping[int, str], *, of: str) -> dict[int, int]:
    """Return the projects beside a title by their numbers, the highest number first.

    Of several projects with the same title, it is the oldest: handlers record there, too.

    Args:
        titles: The titles of projects, by the projects' ids.
        of: The title without a number.
    """
    found: dict[int, int] = {}
    for project_id in sorted(titles):
        if number := number_of(titles[project_id], of=of):
            found.setdefault(number, project_id)
    return dict(sorted(found.items(), reverse=True))


def current_number(numbers: Iterable[int]) -> int:
    """Return the number of the project that takes the next tasks: the last one of an unbroken row from 1 on.

    A higher number behind a gap may be a title that a person chose. The first project may be deleted.

    Args:
        numbers: The numbers of the projects that exist.
    """
    known = set(numbers)
    number = 1
    while number + 1 in known:
        number += 1
    return number


def projects_of_name(titles: Mapping[int, str], name: str, *, numbered: bool) -> list[tuple[str, int]]:
    """Return the projects of a project name with any date filled in: their titles without a number, and their ids.

    The newest project comes first. Of several projects with the same title, it is the oldest.

    Args:
        titles: The titles of projects, by the projects' ids.
        name: The name, which may have directives for a date.
        numbered: Whether titles with a number count.
    """
    found: dict[str, tuple[str, int]] = {}
    for project_id in sorted(titles):
        title = titles[project_id]
        plain = _NUMBER.sub("", title)
        if _is_one_of(title, name):
            found.setdefault(title, (title, project_id))
        elif numbered and number_of(title, of=plain) and _is_one_of(plain, name):
            found.setdefault(title, (plain, project_id))
    return sorted(found.values(), key=lambda project: project[1], reverse=True)


def known_part(name: str) -> str:
    """Return the longest part of a project name that is the same on every day."""
    return max(re.split(r"%.", name), key=len)


def _is_one_of(title: str, name: str) -> bool:
    """Return whether a title is the name with any date filled in."""
    if title == name:
        return True
    with suppress(ValueError):
        # A day without a year is ambiguous: a leap year has them all.
        year = "" if _YEAR.search(name) else "2000 "
        datetime.strptime(year + title, year.replace("2000", "%Y") + name)  # noqa: DTZ007 (the time itself is not used)
        return True
    return False
