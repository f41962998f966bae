"""Output of the report command: `print_report_summary` prints the conclusions, and the tables that fit."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.table import Table as Grid

from langchain_label_studio.cli.console import out, shown
from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.rendering.comparison_tables import alphas_table, leaderboard
from langchain_label_studio.report.rendering.conclusions import conclusions, summary
from langchain_label_studio.report.rendering.tables import (
    Cell,
    Table,
    models_table,
    retrieval_table,
    reviewers_table,
)

_TOO_WIDE = frozenset({"Skipped", "Changed by", "Tokens"})
"""The columns that are left out, because a terminal of 80 characters has no room for them."""


def print_report_summary(findings: Findings) -> None:
    """Print the conclusions of a report, and its tables."""
    out.print(f"[bold]{shown(findings.title)}[/bold]")
    out.print(f"[dim]{shown(summary(findings))}[/dim]")
    for conclusion in conclusions(findings):
        out.print(f"\n{conclusion.question} [bold]{shown(conclusion.answer)}[/bold]")
        for reason in conclusion.reasons:
            out.print(f"  {shown(reason)}")
    for note in findings.notes:
        out.print(f"\n[yellow]![/yellow] {shown(note)}")
    for table in _tables(findings):
        out.print()
        # Not soft-wrapped: a row too wide for the terminal is folded in its cells.
        out.print(_grid(table), soft_wrap=False)
    out.print(
        "\n[dim]The whole report, with the tasks of each number: --html FILE, --markdown or --json.[/dim]"
    )


def _tables(findings: Findings) -> Iterator[Table]:
    if findings.models:
        yield models_table(findings)
    if findings.preferences and findings.preferences.contenders:
        yield leaderboard(findings.preferences)
    if findings.retrieval:
        yield retrieval_table(findings.retrieval)
    if findings.agreement.alphas:
        yield alphas_table(findings)
    if findings.reviewers:
        yield reviewers_table(findings)


def _grid(table: Table) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    first, *others = table.head
    fitting = [place for place, name in enumerate(others) if name not in _TOO_WIDE]
    grid.add_column(shown(first), overflow="fold")
    for place in fitting:
        grid.add_column(shown(others[place]), justify="right", overflow="fold")
    for row in table.rows:
        grid.add_row(shown(row.name), *(_text(row.cells[place]) for place in fitting))
    return grid


def _text(cell: Cell) -> str:
    return shown(cell.text) + (f"\n[dim]{shown(cell.detail)}[/dim]" if cell.detail else "")
