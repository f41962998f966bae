"""Output of the progress command: `show_progress` for people, `progress_document` for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from rich import box
from rich.table import Table

from langchain_label_studio.cli.console import out, shown
from langchain_label_studio.label_studio.answers import ProjectInfo
from langchain_label_studio.label_studio.progress import DayOfReviewer, ReviewCounts, TaskCounts
from langchain_label_studio.support.plurals import count_text

_K = TypeVar("_K")

_DAYS_SHOWN = 14
_BAR = 40


def progress_document(project: ProjectInfo, tasks: TaskCounts, reviews: ReviewCounts) -> dict[str, Any]:
    """Return the counts as a JSON document."""
    return {
        "project": {"id": project.id, "title": project.title},
        "tasks": {
            "to_review": tasks.to_review,
            "in_review": tasks.in_review,
            "done": tasks.done,
            "skipped": tasks.skipped,
            "total": tasks.total,
        },
        "reviewers": [
            {"reviewer": name, "reviews": reviewed, "skips": skips, "last": last.isoformat()}
            for name, reviewed, skips, last in _by_reviewer(reviews)
        ],
        "days": [
            {"day": day.isoformat(), "reviews": reviewed, "skips": skips}
            for day, reviewed, skips in _by_day(reviews)
        ],
    }


def show_progress(project: ProjectInfo, tasks: TaskCounts, reviews: ReviewCounts) -> None:
    """Show the counts to a person."""
    out.print(f"[bold]{shown(project.title)}[/bold] [dim](project {project.id})[/dim]")
    states = [
        ("done", tasks.done, "green"),
        ("in review", tasks.in_review, "cyan"),
        ("skipped", tasks.skipped, "yellow"),
        ("to review", tasks.to_review, "dim"),
    ]
    counts = ", ".join(f"[{style}]{count:,} {state}[/]" for state, count, style in states)
    out.print(f"{count_text(tasks.total, 'task')}: {counts}")
    if not (reviews.reviews or reviews.skips):
        out.print("Nobody has reviewed anything.")
        return
    people = _table("Reviewer", "Reviews", "Skipped", "Last")
    for name, reviewed, skips, last in _by_reviewer(reviews):
        people.add_row(shown(name), f"{reviewed:,}", f"{skips:,}", last.isoformat())
    _print(people)
    days = _by_day(reviews)
    most = max(reviewed for _, reviewed, _ in days) or 1
    table = _table("Day", "Reviews", "Skipped", "")
    for day, reviewed, skips in days[-_DAYS_SHOWN:]:
        bar = "█" * round(_BAR * reviewed / most)
        table.add_row(day.isoformat(), f"{reviewed:,}", f"{skips:,}", f"[green]{bar}[/]")
    _print(table)
    if len(days) > _DAYS_SHOWN:
        out.print(f"[dim]{count_text(len(days) - _DAYS_SHOWN, 'earlier day')}: --json.[/dim]")


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right" if name in {"Reviews", "Skipped"} else "left")
    return table


def _print(table: Table) -> None:
    # Not soft-wrapped: a row too wide for the terminal is folded in its cells.
    out.print(table, soft_wrap=False)


def _by_reviewer(counts: ReviewCounts) -> list[tuple[str, int, int, date]]:
    """Return each reviewer with reviews, skips and the day of the last one. The one with the most reviews is first."""
    reviews = _sums(counts.reviews, lambda place: place.reviewer)
    skips = _sums(counts.skips, lambda place: place.reviewer)
    last: dict[str, date] = {}
    for name, day in counts.reviews.keys() | counts.skips.keys():
        last[name] = max(day, last.get(name, day))
    rows = [(name, reviews[name], skips[name], day) for name, day in last.items()]
    return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))


def _by_day(counts: ReviewCounts) -> list[tuple[date, int, int]]:
    """Return each day on which somebody reviewed or skipped something, the first one first."""
    reviews = _sums(counts.reviews, lambda place: place.day)
    skips = _sums(counts.skips, lambda place: place.day)
    return [(day, reviews[day], skips[day]) for day in sorted(reviews | skips)]


def _sums(counts: Mapping[DayOfReviewer, int], key: Callable[[DayOfReviewer], _K]) -> Counter[_K]:
    sums: Counter[_K] = Counter()
    for place, count in counts.items():
        sums[key(place)] += count
    return sums
