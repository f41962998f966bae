"""The outboxes of projects: `ProjectOutbox` describes one, `find_project_outboxes` finds all.

<outbox_dir>/
localhost-8080-my-project-1f0c9a7e/
target.json     the project and its settings, never a key
lanes/, rejected/
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from langchain_label_studio.delivery import LANES, REJECTED, has_lanes
from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.support.atomic_files import make_directory, write_whole

_FORMAT = 1
_FILE = "target.json"
_UNUSED = 24 * 3600.0
Holds = Literal["runs", "feedback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOutbox:
    """The directory with the records for one project of one server.

    Feedback has an outbox of its own. So feedback that waits for its task delays no run.

    Attributes:
        directory: The directory.
        settings: The server and the project. An outbox that was found on the disk has no key in them.
        holds: The kind of its records: runs, or feedback for runs.
    """

    directory: Path
    settings: Settings
    holds: Holds = "runs"

    @classmethod
    def of(cls, settings: Settings, outbox_dir: Path, *, holds: Holds = "runs") -> Self:
        """Return the outbox of a project. The outbox may not exist yet.

        Args:
            settings: The server and the project.
            outbox_dir: The directory of all outboxes.
            holds: The kind of its records.
        """
        project = settings.project_title if settings.project_id is None else str(settings.project_id)
        kind = "title" if settings.project_id is None else "id"
        identity = f"{settings.url}\n{kind}\n{project}\n{settings.model_version}"
        digest = hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:8]
        address = urlsplit(settings.url)
        readable = re.sub(r"[^a-z0-9]+", "-", f"{address.netloc}{address.path}-{project}".lower()).strip("-")
        suffix = "" if holds == "runs" else f"-{holds}"
        return cls(directory=outbox_dir / f"{readable[:60]}-{digest}{suffix}", settings=settings, holds=holds)

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Return the outbox in a directory.

        Raises:
            LabelStudioError: There is no outbox, or a newer version of this package wrote it.
        """
        try:
            entry = json.loads((directory / _FILE).read_bytes())
            if entry["v"] != _FORMAT:
                msg = f"{directory} was written in format {entry['v']}; this version reads {_FORMAT}. Update the package."
                raise LabelStudioError(msg)
            holds: Holds = "feedback" if entry.get("holds") == "feedback" else "runs"
            return cls(directory=directory, settings=_settings(entry), holds=holds)
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = f"{directory} is not an outbox: its {_FILE} cannot be read ({type(error).__name__})."
            raise LabelStudioError(msg) from error

    def with_access_of(self, settings: Settings) -> Self:
        """Return the same outbox with the key, the headers and the certificates of other settings."""
        return replace(self, settings=self.settings.with_access_of(settings))

    def with_key(self, api_key: SecretStr | None) -> Self:
        """Return the same outbox with a key of its server."""
        return replace(self, settings=replace(self.settings, api_key=api_key))

    @property
    def title(self) -> str:
        """The project's name for people."""
        settings = self.settings
        project = settings.project_title if settings.project_id is None else f"project {settings.project_id}"
        return project if self.holds == "runs" else f"{project} ({self.holds})"

    @property
    def has_lanes(self) -> bool:
        """Whether it has lanes: lanes of living processes, or lanes with orphaned runs."""
        return has_lanes(self.directory)

    def prepare(self) -> None:
        """Make the directory, with a file that names the server and the project of its records.

        Raises:
            OSError: The directory cannot be written.
        """
        make_directory(self.directory)
        file, content = self.directory / _FILE, json.dumps(self._entry(), indent=1).encode()
        with suppress(FileNotFoundError):
            if file.read_bytes() == content:
                file.touch()  # this marks the directory as used: see forget_if_unused
                if not os.access(self.directory, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                return
        write_whole(file, content)

    def forget_if_unused(self) -> None:
        """Delete the directory if it is empty and no process used it for a day."""
        with suppress(OSError):  # a process uses it
            # A time in the future is no sign of use, either: somebody has set the clock back.
            if abs(time.time() - (self.directory / _FILE).stat().st_mtime) < _UNUSED:
                return
            for name in (LANES, REJECTED):
                with suppress(FileNotFoundError):
                    (self.directory / name).rmdir()
            (self.directory / _FILE).unlink()
            self.directory.rmdir()

    def of_other_days(self) -> Iterator[ProjectOutbox]:
        """Yield the outboxes of the same project name with another date filled in."""
        if "%" not in self.settings.project_name:
            return
        for other in find_project_outboxes(self.directory.parent)[0]:
            if other.directory != self.directory and other._name == self._name:  # noqa: SLF001
                yield other

    @property
    def _name(self) -> tuple[str, str, Holds]:
        return self.settings.url, self.settings.project_name, self.holds

    def _entry(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "v": _FORMAT,
            "holds": self.holds,
            "url": settings.url,
            "project_id": settings.project_id,
            "project_title": settings.project_title,
            "project_name": settings.project_name,
            "label_config": settings.label_config,
            "custom_config": settings.custom_config,
            "form": settings.form,
            "takes_answer": settings.takes_answer,
            "model_version": settings.model_version,
            "reviewers_per_task": settings.reviewers_per_task,
            "instructions": settings.instructions,
            "priority": None if settings.priority is None else sorted(settings.priority),
        }


def find_project_outboxes(outbox_dir: Path) -> tuple[list[ProjectOutbox], list[str]]:
    """Return all outboxes of a directory, and the problems with the outboxes that cannot be read."""
    found, problems = [], []
    for directory in sorted(outbox_dir.iterdir()) if outbox_dir.is_dir() else []:
        if not any((directory / name).exists() for name in (_FILE, LANES, REJECTED)):
            continue  # not an outbox
        try:
            found.append(ProjectOutbox.read(directory))
        except LabelStudioError as error:
            problems.append(str(error))
    return found, problems


def _settings(entry: dict[str, Any]) -> Settings:
    return Settings(
        api_key=None,
        url=str(entry["url"]),
        project_id=entry["project_id"],
        project_title=entry["project_title"],
        project_name=entry["project_name"],
        label_config=entry["label_config"],
        custom_config=entry["custom_config"],
        # Older versions wrote the plain modes, "prompt" and "chat", under `mode`. They wrote no `takes_answer`, no
        # `reviewers_per_task`, no `instructions` and no `priority`.
        form=entry.get("form") or entry.get("mode") or LabelStudioMode.PROMPT.value,
        takes_answer=entry.get("takes_answer", True),
        model_version=entry["model_version"],
        reviewers_per_task=entry.get("reviewers_per_task"),
        instructions=entry.get("instructions", ""),
        priority=None if (names := entry.get("priority")) is None else frozenset(names),
    )
