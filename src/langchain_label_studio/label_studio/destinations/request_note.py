"""`RequestNote`: what a later process has to know of a request to find its tasks. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from langchain_label_studio.label_studio.found_tasks import FoundTask


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
