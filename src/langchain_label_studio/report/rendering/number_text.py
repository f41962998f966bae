"""Numbers as text for people. Begin with `number` and `span`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from langchain_label_studio.report.measures import Estimate, Question, QuestionKind, Spread

NOTHING = "–"  # noqa: RUF001 (a table shows it in place of a missing number)

MODEL_NOT_KNOWN = "model not known"
"""The name for runs that do not name their model."""

_KINDS: dict[QuestionKind, str] = {
    "correction": "corrected or not",
    "preference": "which answer is better",
    "relevance": "documents: relevant or not",
    "step": "steps: correct or not",
}


def name_of(name: str | None) -> str:
    """Return the name of a model."""
    return MODEL_NOT_KNOWN if name is None else name


def question_name(question: Question) -> str:
    """Return the name of a question, such as `rating (1 to 5)`."""
    if question.kind == "rating":
        return (
            f"{question.control} (1 to {question.scale})" if question.scale else f"{question.control} (stars)"
        )
    return question.control or _KINDS.get(question.kind, f"{question.kind} without a name")


def stars_text(question: Question, stars: int | str) -> str:
    """Return stars, such as `rating: 4 of 5`."""
    return f"{question.control}: {stars}" + (f" of {question.scale}" if question.scale else "")


def number(value: float | None) -> str:
    """Return a number with two digits after the point."""
    return NOTHING if value is None else _signed(f"{value:,.2f}")


def percent(value: float | None) -> str:
    """Return a share as a percentage. A small share has a digit after the point."""
    if value is None:
        return NOTHING
    return _signed(f"{value * 100:.1f}" if 0 < abs(value) < 0.1 else f"{value * 100:.0f}") + " %"


def span(estimate: Estimate, *, share: bool = False) -> str:
    """Return an interval: `4.02 to 4.31`. Empty if there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    form = percent if share else number
    low = form(estimate.low)
    return f"{low.removesuffix(' %')} to {form(estimate.high)}"


def duration(seconds: float) -> str:
    """Return a duration."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 or not seconds else "less than 1 ms"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def median(spread: Spread | None) -> str:
    """Return a median as a whole number."""
    return NOTHING if spread is None else f"{spread.median:,.0f}"


def day(moment: datetime) -> str:
    """Return a day, such as `3 Nov 2026`."""
    return f"{moment.day} {moment:%b %Y}"


def in_rows(ids: Sequence[int]) -> str:
    """Return rising numbers of tasks. Numbers in a row become `4-9`."""
    rows = [
        [task_id for _, task_id in row]
        for _, row in groupby(enumerate(ids), key=lambda each: each[1] - each[0])
    ]
    return ", ".join(str(row[0]) if len(row) == 1 else f"{row[0]}-{row[-1]}" for row in rows)


def _signed(digits: str) -> str:
    """Return a number with the minus sign that people write. Zero has no sign."""
    return digits.lstrip("-") if digits.strip("-0.") == "" else digits.replace("-", "\N{MINUS SIGN}")
