"""`RequestNote`: what a later process has to know of a request to find its tasks. Pure.

The relay of a fleet sends to many projects. So its notes also name the project: see `with_project`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from langchain_label_studio.label_studio.found_tasks import FoundTask

MAX_NOTE = 200
# A title has no tabs, and neither has JSON.
_BETWEEN = "\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestNote:
    """A note about an import. It stands beside the batch on the disk.

    Attributes:
        since: A task that is older than all tasks of the import. None if none is known.
        by_jobs: Whether this Label Studio is known to import by jobs.
        job: The number of the import's job. None before Label Studio has answered.
    """

    since: FoundTask | None = None
    by_jobs: bool = False
    job: int | None = None

    @property
    def text(self) -> str:
        """The note as one short line."""
        since = [self.since.id, self.since.key] if self.since else None
        return json.dumps({"since": since, "by_jobs": self.by_jobs, "job": self.job})

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the note in a text. Whatever the text does not hold is not known."""
        try:
            entry = json.loads(text)
            since = (
                FoundTask(id=int(entry["since"][0]), key=str(entry["since"][1])) if entry["since"] else None
            )
            job = None if entry["job"] is None else int(entry["job"])
            return cls(since=since, by_jobs=bool(entry["by_jobs"]), job=job)
        except (ValueError, TypeError, LookupError):
            return cls()


def with_project(project: int | str, note: str) -> str:
    """Return a note with the number of a project, or with its title."""
    named = f"{_BETWEEN}{project}{_BETWEEN}" if isinstance(project, int) else f"{project}{_BETWEEN}"
    # The project is worth more: without the rest, Label Studio takes longer to find the tasks.
    return named + note if len(named + note) <= MAX_NOTE else named


def split_note(text: str) -> tuple[int | str | None, str]:
    """Return the project in a note, which is None if there is none, and the rest of the note."""
    named, _, note = text.rpartition(_BETWEEN)
    if named.startswith(_BETWEEN):
        number = named.removeprefix(_BETWEEN)
        return (int(number) if number.isdecimal() else None), note
    return named or None, note
