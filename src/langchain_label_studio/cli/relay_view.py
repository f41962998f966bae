"""Output of the command relay: `RelayView`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from langchain_label_studio.cli.console import err, out, shown
from langchain_label_studio.fleet.relay import TargetProgress
from langchain_label_studio.support.plurals import count_text


class RelayView:
    """Prints what a relay does: a line for each target with each change.

    Attributes:
        rejected: The number of rejected records.
        problems: The number of problems.
    """

    def __init__(self, *, once: bool) -> None:
        """Make a view.

        Args:
            once: Whether the relay ends by itself.
        """
        self.rejected = 0
        self.problems = 0
        self._once = once
        self._last: dict[str, str] = {}
        self._targets: Sequence[TargetProgress] = ()

    def waits(self, holder: str) -> None:
        """Say which relay works."""
        self._line(f"Another relay works there ({shown(holder)}). This one waits for its end.")

    def works(self) -> None:
        """Say that this relay works."""
        if not self._once:
            self._line("This relay works now. Ctrl-C ends it.")

    def problem(self, text: str) -> None:
        """Show a problem."""
        self.problems += 1
        err.print(f"[yellow]![/yellow] {shown(text)}")

    def progress(self, targets: Sequence[TargetProgress]) -> None:
        """Show the targets that have changed."""
        self._targets = targets
        self.rejected = sum(target.rejected for target in targets)
        for target in targets:
            text = ", ".join(_parts(target))
            if text and text != self._last.get(target.name):
                self._last[target.name] = text
                self._line(f"[bold]{shown(target.title)}[/bold]: {text}.")

    def ended(self, *, done: bool) -> None:
        """Say how it ended."""
        if done and not self._last:
            out.print("Nothing waits in the storage.")
        for target in self._targets:
            if not done and target.waiting:
                reason = shown(
                    target.last_error or "Nothing was sent for a while. A longer --timeout waits longer."
                )
                err.print(f"[red]✗[/red] [bold]{shown(target.title)}[/bold]: not all is sent. {reason}")
        if self.rejected:
            out.print(
                "The reasons: `langchain-label-studio outbox rejected --outbox-dir URL`, with the same URL."
            )

    def stopped(self) -> None:
        """Say that the relay has ended."""
        self._line("Stopped. What was not sent waits in the storage.")

    def _line(self, text: str) -> None:
        moment = "" if self._once else f"[dim]{datetime.now():%H:%M:%S}[/dim]  "  # noqa: DTZ005 (a person's own time)
        out.print(moment + text)


def _parts(target: TargetProgress) -> Iterator[str]:
    if target.delivered or target.found_existing:
        yield f"{count_text(target.delivered + target.found_existing, target.what)} sent"
    if target.found_existing:
        yield f"{target.found_existing} of them there already"
    if target.rejected:
        yield f"{target.rejected} rejected"
    for reason, number in target.excluded.items():
        yield f"{number} not chosen ({shown(reason)})"
    if target.repeated:
        yield f"{target.repeated} came twice"
    if target.postponed:
        yield f"{target.postponed} wait for their runs"
