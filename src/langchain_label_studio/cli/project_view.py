"""Output of the command `project`: `ProjectView`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from langchain_label_studio.cli.console import err, is_sure, out, shown
from langchain_label_studio.support.plurals import count_text

if TYPE_CHECKING:
    from langchain_label_studio.refresh.project import Refresh
    from langchain_label_studio.refresh.tasks import Seen

_NAMED = 20
_STYLES = {"+": "green", "-": "red", "@": "cyan"}


class ProjectView:
    """Prints for a person."""

    def plan(self, plan: Refresh) -> None:
        """Show what a refresh changes."""
        out.print(
            f"Project {plan.project.id} ({shown(repr(plan.project.title))}), the page of mode {plan.mode.value!r}"
        )
        if plan.changes_page:
            out.print()
            for line in plan.page_diff():
                style = _STYLES.get(line[:1])
                out.print(f"[{style}]{shown(line)}[/{style}]" if style else shown(line))
            out.print(
                "\nThe page: a new label config, see above. Words and styles that somebody changed are lost."
            )
        else:
            out.print("The page: up to date")
        if plan.instructions:
            out.print("Instructions: filled, and shown to reviewers before the first task")
        else:
            out.print(f"Instructions: {'your own ones stay' if plan.keeps_instructions else 'up to date'}")
        out.print(
            f"Tabs of the list: {shown(', '.join(plan.tabs))} added" if plan.tabs else "Tabs: up to date"
        )
        tasks = plan.tasks.changed
        out.print(f"Tasks: {count_text(tasks, 'task')} to render anew" if tasks else "Tasks: up to date")
        self._left(plan.tasks.left)
        if not plan.is_needed:
            out.print("[green]✓[/green] Nothing to do.")

    def is_sure(self) -> bool:
        """Ask before anything is changed."""
        if is_sure("Change the project?"):
            return True
        err.print("Nothing was changed. Without being asked: --yes.")
        return False

    def done(self, plan: Refresh, done: Seen) -> None:
        """Show what was changed."""
        self._left({task: reason for task, reason in done.left.items() if task not in plan.tasks.left})
        out.print(
            f"[green]✓[/green] The project is up to date. {count_text(done.changed, 'task')} rendered anew."
        )

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Show the progress in one line, in a terminal."""
        if not out.is_terminal:
            yield lambda _done, _total: None
            return
        with out.status(what) as status:
            yield lambda done, total: status.update(f"{what}: {done:,} of {total:,}")

    def _left(self, left: Mapping[int, str]) -> None:
        """Name the tasks that stay as they are."""
        tasks: dict[str, list[int]] = defaultdict(list)
        for task, reason in left.items():
            tasks[reason].append(task)
        for reason, numbers in tasks.items():
            named = ", ".join(map(str, numbers[:_NAMED])) + (", …" if len(numbers) > _NAMED else "")
            which = f"task {named}" if len(numbers) == 1 else f"{len(numbers):,} tasks: {named}"
            err.print(f"[yellow]![/yellow] Left as it is: {shown(reason)} ({which})")
