"""The outboxes of projects: `ProjectOutbox` describes one, `find_project_outboxes` finds all.

<outbox_dir>/
localhost-8080-my-project-1f0c9a7e/
target.json     the project and its settings, never a key
lanes/, rejected/
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from langchain_label_studio.delivery import LANES, REJECTED, has_lanes
from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.label_studio.target_file import (
    TARGET_FILE,
    Holds,
    decode_target,
    encode_target,
    folder_name,
    target_title,
)
from langchain_label_studio.support.atomic_files import make_directory, write_whole

_UNUSED = 24 * 3600.0


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
        address = urlsplit(settings.address)
        readable = f"{address.netloc}{address.path}-{project}"
        if settings.deliver_to:
            # The relay reads the settings in it. So two services with different settings do not share it.
            identity = encode_target(settings, holds)
        else:
            kind = "title" if settings.project_id is None else "id"
            text = f"{settings.url}\n{kind}\n{project}\n{settings.model_version}"
            identity = text.encode(errors="surrogatepass")
        return cls(
            directory=outbox_dir / folder_name(readable, identity, holds), settings=settings, holds=holds
        )

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Return the outbox in a directory.

        Raises:
            LabelStudioError: There is no outbox, or a newer version of this package wrote it.
        """
        try:
            content = (directory / TARGET_FILE).read_bytes()
        except OSError as error:
            msg = f"{directory} is not an outbox: its {TARGET_FILE} cannot be read ({type(error).__name__})."
            raise LabelStudioError(msg) from error
        settings, holds = decode_target(content, place=str(directory))
        return cls(directory=directory, settings=settings, holds=holds)

    def with_access_of(self, settings: Settings) -> Self:
        """Return the same outbox with the key, the headers and the certificates of other settings."""
        return replace(self, settings=self.settings.with_access_of(settings))

    def with_key(self, api_key: SecretStr | None) -> Self:
        """Return the same outbox with a key of its server."""
        return replace(self, settings=replace(self.settings, api_key=api_key))

    @property
    def name(self) -> str:
        """The name of the directory."""
        return self.directory.name

    @property
    def place(self) -> str:
        """The directory, for people."""
        return str(self.directory)

    @property
    def title(self) -> str:
        """The project's name for people."""
        return target_title(self.settings, self.holds)

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
        file, content = self.directory / TARGET_FILE, encode_target(self.settings, self.holds)
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
            if abs(time.time() - (self.directory / TARGET_FILE).stat().st_mtime) < _UNUSED:
                return
            for name in (LANES, REJECTED):
                with suppress(FileNotFoundError):
                    (self.directory / name).rmdir()
            (self.directory / TARGET_FILE).unlink()
            self.directory.rmdir()

    def of_same_name(self) -> Iterator[ProjectOutbox]:
        """Yield the other outboxes of the same project name.

        They are for another date in the name. On the way through object storage, they may also be for other settings.
        """
        if "%" not in self.settings.project_name and not self.settings.deliver_to:
            return
        for other in find_project_outboxes(self.directory.parent)[0]:
            if other.directory != self.directory and other._name == self._name:  # noqa: SLF001
                yield other

    @property
    def _name(self) -> tuple[str, int | None, str, Holds]:
        return self.settings.address, self.settings.project_id, self.settings.project_name, self.holds


def find_project_outboxes(outbox_dir: Path) -> tuple[list[ProjectOutbox], list[str]]:
    """Return all outboxes of a directory, and the problems with the outboxes that cannot be read."""
    found, problems = [], []
    for directory in sorted(outbox_dir.iterdir()) if outbox_dir.is_dir() else []:
        if not any((directory / name).exists() for name in (TARGET_FILE, LANES, REJECTED)):
            continue  # not an outbox
        try:
            found.append(ProjectOutbox.read(directory))
        except LabelStudioError as error:
            problems.append(str(error))
    return found, problems
