"""`Table`: a table of a report, for the page, for Markdown and for the terminal. Each row has the tasks behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from langchain_label_studio.report.measures import Estimate
from langchain_label_studio.report.rendering.number_text import NOTHING, number, percent, span

MOST_ROWS = 25
MOST_COLUMNS = 8
ALL_RUNS = "all runs"
"""The name of the row with the runs of all models together."""

Tasks = tuple[tuple[str, tuple[int, ...]], ...]
"""The numbers of tasks, each group with its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A number or a word.

    Attributes:
        text: The main text.
        detail: The small text: the interval, the count.
        shade: The strength of its colour, from 0 to 1. None is no colour.
    """

    text: str
    detail: str = ""
    shade: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row.

    Attributes:
        name: The name of the row.
        cells: Its numbers.
        tasks: The tasks behind its numbers.
    """

    name: str
    cells: tuple[Cell, ...]
    tasks: Tasks = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        head: The names of the columns. The first is the column with the names of the rows.
        rows: Its rows.
        left_out: How many more rows there are, in the JSON only.
        caption: An explanation, if its heading is not enough.
    """

    head: tuple[str, ...]
    rows: tuple[TableRow, ...]
    left_out: int = 0
    caption: str = ""


def bounded(
    head: Sequence[str], rows: Sequence[TableRow], *, caption: str = "", total: bool = False
) -> Table:
    """Return a table of a readable size: the first rows, without empty columns.

    Args:
        head: The names of the columns.
        rows: All rows.
        caption: An explanation.
        total: Whether the last row is all others together. Then it is always shown.
    """
    kept = [*rows[: MOST_ROWS - 1], rows[-1]] if total and len(rows) > MOST_ROWS else rows[:MOST_ROWS]
    used = [place for place in range(len(head) - 1) if any(row.cells[place].text != NOTHING for row in rows)]
    return Table(
        head=(head[0], *(head[place + 1] for place in used)),
        rows=tuple(replace(row, cells=tuple(row.cells[place] for place in used)) for row in kept),
        left_out=len(rows) - len(kept),
        caption=caption,
    )


def figure(estimate: Estimate, *, share: bool = False, shade: float | None = None) -> Cell:
    """Return a number with its interval, or with the reason why it has none."""
    text = percent(estimate.value) if share else number(estimate.value)
    return Cell(text=text, detail=span(estimate, share=share) or estimate.note or "", shade=shade)
