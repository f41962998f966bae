"""Output of the report command: `print_report_summary` prints the conclusions, and the tables that fit."""

from __future__ import annotations

from rich import box
from rich.table import Table as Grid

from langchain_label_studio.cli.console import out, shown
from langchain_label_studio.report.findings import Findings
from langchain_label_studio.report.rendering.conclusions import conclusions, summary
from langchain_label_studio.report.rendering.entries import Entry, EntryList, Mark
from langchain_label_studio.report.rendering.sections import Heading, Section, sections_of
from langchain_label_studio.report.rendering.tables import Cell, Table

_LEFT_OUT: frozenset[Heading] = frozenset({"Choices", "Over time", "Tags"})
"""The sections that are only in the whole report."""

_MOST_ENTRIES = 3
_MOST_COLUMNS = 7
"""The number of columns from which a table is only in the whole report, if it is not the first one of its section."""

_STYLES: dict[Mark, str] = {"same": "{}", "removed": "[red strike]{}[/]", "added": "[green bold]{}[/]"}

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
    for section in sections_of(findings):
        if section.heading not in _LEFT_OUT:
            _print_section(section)
    out.print(
        "\n[dim]The whole report, with the tasks of each number: --html FILE, --markdown or --json.[/dim]"
    )


def _print_section(section: Section) -> None:
    out.print(f"\n[bold]{section.heading}[/bold]")
    for note in section.notes:
        out.print(f"[yellow]![/yellow] {shown(note)}")
    for table in section.tables:
        if len(table.head) <= _MOST_COLUMNS or table is section.tables[0]:
            if table.caption:
                out.print(shown(table.caption))
            # Not soft-wrapped: a row too wide for the terminal is folded in its cells.
            out.print(_grid(table), soft_wrap=False)
    for entries in section.entries:
        _print_entries(entries)


def _print_entries(entries: EntryList) -> None:
    out.print(shown(entries.caption))
    for entry in entries.entries[:_MOST_ENTRIES]:
        _print_entry(entry)


def _print_entry(entry: Entry) -> None:
    out.print(f"  {shown(entry.task_url)} [dim]{shown(entry.facts)}[/dim]")
    for name, parts in entry.lines:
        text = "".join(_STYLES[mark].format(shown(part)) for mark, part in parts)
        out.print(f"    [dim]{shown(name)}:[/dim] {text}")


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
