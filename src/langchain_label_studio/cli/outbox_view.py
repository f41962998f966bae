"""Output of the outbox commands: `OutboxView`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from rich import box
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from langchain_label_studio.cli import outbox_sending
from langchain_label_studio.cli.console import err, is_sure, out, print_payload, shown
from langchain_label_studio.cli.outbox_operations import AnyTarget, TargetStatus
from langchain_label_studio.cli.outbox_places import Place
from langchain_label_studio.cli.outbox_sending import Sent
from langchain_label_studio.delivery.rejected import Rejected
from langchain_label_studio.delivery.rejected_bound import MAX_BYTES, MAX_FILES
from langchain_label_studio.label_studio.project_outboxes import ProjectOutbox
from langchain_label_studio.label_studio.shared_senders import SENDER_NAME
from langchain_label_studio.support.log import logger
from langchain_label_studio.support.plurals import count_text

_IN_GRACE = "waiting some seconds: a program that ended may still have a request on its way"
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SILENT = logging.NullHandler()


class OutboxView:
    """Prints for a person. If it is quiet, it prints warnings only.

    Attributes:
        quiet: Whether a program reads the standard output.
    """

    def __init__(self, *, quiet: bool) -> None:
        """Make a view.

        Args:
            quiet: Whether a program reads the standard output.
        """
        self.quiet = quiet

    def statuses(self, place: Place, statuses: Sequence[tuple[AnyTarget, TargetStatus]]) -> None:
        """Show how many runs wait, server by server: each server has its own key."""
        if self.quiet:
            return
        out.print(f"Outbox: {shown(place.address)}")
        if not statuses:
            out.print("Nothing waits here.")
        for url, rows in groupby(sorted(statuses, key=_url), key=_url):
            out.print(f"\n[bold]{shown(url)}[/bold]")
            # Not soft-wrapped: a row too wide for the terminal is folded in its cells.
            out.print(_table(rows), soft_wrap=False)
        left = sum(status.orphaned for _, status in statuses)
        refused = sum(status.rejected for _, status in statuses)
        newer = sum(status.newer_lanes for _, status in statuses)
        if any(status.waiting for _, status in statuses):
            who = (
                "the relay sends them"
                if place.is_storage
                else "in programs that are running, which send them themselves"
            )
            out.print(f"Waiting: {who}.")
        if left:
            out.print(
                f"Orphaned: {runs_text(left, [each for each, status in statuses if status.orphaned])}. Their programs "
                "ended before they sent them. To send them: `langchain-label-studio outbox send`"
            )
        if refused:
            those = runs_text(refused, [each for each, status in statuses if status.rejected])
            out.print(f"Rejected: {those}. The reasons: `langchain-label-studio outbox rejected`")
        deleted = sum(status.rejected_deleted for _, status in statuses)
        if deleted:
            out.print(
                f"Deleted: the oldest {runs_text(deleted)} that were rejected. There is room for {MAX_FILES:,} of a "
                f"project, or {decimal(MAX_BYTES)}."
            )
        if newer:
            out.print(f"A newer version of this package wrote {newer} more journals. Update it to see them.")

    def rejected(self, rejected: Sequence[tuple[AnyTarget, Rejected]]) -> None:
        """Show rejected runs, without their content."""
        if self.quiet:
            return
        for target, item in rejected:
            out.print(f"[bold]{shown(item.key)}[/bold]  {shown(item.rejected_at)}  {shown(target.title)}")
            out.print(f"  {shown(item.reason)}")
            out.print(f"  [dim]{shown(str(item.path))}[/dim]")
        if rejected:
            out.print(
                "\nTo see one whole: `langchain-label-studio outbox rejected --show RUN_ID`. To send it again, "
                'repair "record" in its file where that is at fault: `langchain-label-studio outbox retry RUN_ID`'
            )
        else:
            out.print("Nothing was rejected.")

    def skipped(self, skipped: Sequence[tuple[ProjectOutbox, Sent]]) -> None:
        """Show the outboxes of other servers."""
        for target, sent in skipped:
            err.print(f"[yellow]![/yellow] {_where(target)}: skipped. {shown(sent.reason or '')}")

    def sent(self, target: ProjectOutbox, sent: Sent) -> None:
        """Show the result of sending the runs of a project."""
        if self.quiet:
            return
        arrived = sent.delivered + sent.found_existing
        if arrived or not (sent.not_sent or sent.rejected):
            already = f", {sent.found_existing} of them there already" if sent.found_existing else ""
            out.print(f"[green]✓[/green] {_where(target)}: {runs_text(arrived, [target])} sent{already}.")
        if sent.rejected:
            out.print(
                f"[yellow]![/yellow] {_where(target)}: {runs_text(sent.rejected, [target])} rejected; "
                "`langchain-label-studio outbox rejected` shows why."
            )
        if sent.not_sent:
            reason = shown(sent.reason or "")
            err.print(
                f"[red]✗[/red] {_where(target)}: {runs_text(sent.not_sent, [target])} not sent. {reason}"
            )

    def nothing_to_send(self) -> None:
        """Say that there are no orphaned runs."""
        if not self.quiet:
            out.print("Nothing to send: there are no orphaned runs.")

    def put_back(self, number: int, *, later: bool) -> None:
        """Show how many rejected runs wait again."""
        if not self.quiet:
            out.print(f"{runs_text(number)} put back{', to be sent later' if later else ''}.")

    def is_sure(self, left: int, refused: int) -> bool:
        """Ask before runs are deleted."""
        if is_sure(f"Delete for good: orphaned {runs_text(left)}, rejected {runs_text(refused)}?"):
            return True
        err.print("Nothing was deleted. Without being asked: --yes.")
        return False

    def purged(self, number: int) -> None:
        """Show how many runs were deleted."""
        if not self.quiet:
            out.print(f"{runs_text(number)} deleted." if number else "Nothing to delete.")

    def problems(self, problems: Sequence[str]) -> None:
        """Show the problems."""
        for problem in problems:
            err.print(f"[red]✗[/red] {shown(problem)}")

    @contextmanager
    def progress(self, target: ProjectOutbox) -> Iterator[Callable[[outbox_sending.Progress], None]]:
        """Show the progress of sending, in a terminal."""
        if not self.quiet and out.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            with Progress(*columns, console=out, transient=True) as bar:
                title = shown(target.title)
                task = bar.add_task(title, total=None)

                def move(progress: outbox_sending.Progress) -> None:
                    text = f"{title}: {_IN_GRACE}" if progress.in_grace else title
                    bar.update(task, description=text, completed=progress.done, total=progress.total)

                yield move
        else:
            yield self._said_once(target)

    def _said_once(self, target: ProjectOutbox) -> Callable[[outbox_sending.Progress], None]:
        said = self.quiet

        def tell(progress: outbox_sending.Progress) -> None:
            nonlocal said
            if progress.in_grace and not said:
                said = True
                out.print(f"{shown(target.title)}: {_IN_GRACE}.")

        return tell

    @contextmanager
    def warnings(self) -> Iterator[None]:
        """Show log lines, except those of the senders: `sent` replaces them."""
        lines = _Lines()
        logger.addHandler(lines)
        try:
            yield
        finally:
            logger.removeHandler(lines)
            # At the end of the process, senders log lines that this command has printed already.
            logger.addHandler(_SILENT)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if not text.startswith(SENDER_NAME) or "\n" in text:
            err.print("[yellow]![/yellow] " + "\n".join(map(shown, text.split("\n"))))


def print_whole(content: bytes) -> None:
    """Print the file of a rejected run."""
    try:
        document = json.loads(content)
    except ValueError:
        document = content.decode(errors="backslashreplace")
    print_payload(document)


def runs_text(number: int, targets: Iterable[AnyTarget] = ()) -> str:
    """Return a number of runs, or of records if the outboxes hold something else."""
    what = "run" if all(target.holds == "runs" for target in targets) else "record"
    return count_text(number, what)


def _where(target: ProjectOutbox) -> str:
    return f"[bold]{shown(target.title)}[/bold] at {shown(target.settings.address)}"


def _url(row: tuple[AnyTarget, TargetStatus]) -> str:
    return row[0].settings.address


def _table(rows: Iterator[tuple[AnyTarget, TargetStatus]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Project", overflow="fold")
    for name in ("Waiting", "Orphaned", "In doubt", "Rejected", "Size", "Oldest"):
        table.add_column(name, justify="right", no_wrap=True)
    for target, status in rows:
        numbers = (status.waiting, status.orphaned, status.in_doubt, status.rejected)
        age = "" if status.oldest_seconds is None else _age_text(status.oldest_seconds)
        table.add_row(shown(target.title), *map(str, numbers), decimal(status.bytes), age)
    return table


def _age_text(seconds: float) -> str:
    size, unit = next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])
    return f"{seconds // size:.0f} {unit}"
