"""Output of the export command: `print_export_summary` for people, `print_document` for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich import box
from rich.table import Table

from langchain_label_studio.cli.command_words import in_command_words
from langchain_label_studio.cli.console import out, print_json, print_problem, shown
from langchain_label_studio.datasets.files import Written
from langchain_label_studio.datasets.rows import Row, Skipped
from langchain_label_studio.support.plurals import count_text
from langchain_label_studio.types.review import Review

_TASKS_SHOWN = 5


class ExportCounts:
    """Counts reviews and skipped tasks. It keeps no rows.

    Attributes:
        reviews: The number of reviews read.
        skipped: The tasks that gave no row, by the reason. A task is listed once for each skipped row.
    """

    def __init__(self) -> None:
        self.reviews = 0
        self.skipped: dict[str, list[int]] = {}

    def counted(self, reviews: Iterable[Review]) -> Iterator[Review]:
        """Yield the reviews, and count them."""
        for review in reviews:
            self.reviews += 1
            yield review

    def rows(self, items: Iterable[Row | Skipped]) -> Iterator[Row]:
        """Yield the rows, and note what was skipped."""
        for item in items:
            if isinstance(item, Row):
                yield item
            else:
                self.skipped.setdefault(item.reason, []).append(item.source.task_id)


def print_document(tally: ExportCounts, written: Written, problem: str | None) -> None:
    """Print the result as JSON."""
    print_json(
        {
            "reviews": tally.reviews,
            "rows": written.rows if written.files else 0,
            "validation_rows": written.validation_rows if written.files else 0,
            "files": [str(file) for file in written.files],
            "skipped": {
                reason: {"count": len(tasks), "tasks": list(dict.fromkeys(tasks))}
                for reason, tasks in tally.skipped.items()
            },
        }
        | ({"problem": problem} if problem else {})
    )


def print_export_summary(tally: ExportCounts, written: Written, problem: str | None) -> None:
    """Print the result for a person."""
    if tally.skipped:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("Skipped", justify="right")
        table.add_column("because", overflow="fold")
        table.add_column("in tasks", overflow="fold")
        for reason, tasks in sorted(tally.skipped.items(), key=lambda entry: -len(entry[1])):
            table.add_row(str(len(tasks)), shown(reason), _numbers(tasks))
        out.print(table, soft_wrap=False)
    if written.files:
        rows = written.rows + written.validation_rows
        out.print(f"[green]✓[/green] {count_text(rows, 'row')} of {count_text(tally.reviews, 'review')}:")
        for file in written.files:
            out.print(f"  {shown(str(file))}")
    if problem:
        print_problem(problem)


def nothing_written(tally: ExportCounts, written: Written, *, needs: str) -> str:
    """Return why nothing was written, and what to do.

    Args:
        tally: The counts.
        written: The files, of which there are none.
        needs: What a row is made of.
    """
    if written.validation_rows:
        return (
            f"Nothing was written: the validation file would get all {count_text(written.validation_rows, 'row')}. "
            "Use a smaller --validation, change --seed, or leave out --validation."
        )
    if not tally.reviews:
        return "Nothing was written: there is no review."
    return (
        f"Nothing was written: {count_text(tally.reviews, 'review')}, but no row. {in_command_words(needs)}"
    )


def _numbers(tasks: list[int]) -> str:
    different = list(dict.fromkeys(tasks))
    more = len(different) - _TASKS_SHOWN
    shown_ones = ", ".join(map(str, different[:_TASKS_SHOWN]))
    return f"{shown_ones} and {more} more" if more > 0 else shown_ones
