"""The line of the log that says where runs go: `tell_project` and `tell_storage` write it once for each project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.label_studio.target_file import Holds
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.support.log import ThrottledLog, log_info, takes_info

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.projects import Project

_REMEMBERED = 1000


def log_of(settings: Settings, holds: Holds = "runs", *, outbox: str | None = None) -> ThrottledLog:
    """Return a log whose lines name the project and its server.

    Args:
        settings: The project and its server.
        holds: The kind of the records.
        outbox: The folder of the outbox.
    """
    return ThrottledLog(project=settings.named_project, server=settings.address, kind=holds, outbox=outbox)


def tell_project(settings: Settings, project: Project) -> None:
    """Say to which project runs go, if it is not the one that was told last."""
    if takes_info() and _told.is_new(settings.named_project, settings.address, project.id):
        url = f"{settings.url}projects/{project.id}/data"
        log_info(
            "connected",
            "Runs go to project %r: %s",
            project.title,
            url,
            project=settings.named_project,
            project_id=project.id,
            url=url,
            server=settings.address,
            kind="runs",
        )


def tell_storage(settings: Settings) -> None:
    """Say to which storage runs are handed over, if that was not told."""
    name = settings.named_project
    if takes_info() and _told.is_new(name, settings.address, None):
        log_info(
            "connected",
            "Runs for project %r are handed over to %s, where a relay takes them.",
            name,
            settings.address,
            project=name,
            server=settings.address,
            kind="runs",
        )


class _Told(ForkSafe):
    """The projects that were told. A forked process inherits them, and does not tell them again."""

    def __init__(self) -> None:
        self._projects: BoundedDict[tuple[str, str], int | None] = BoundedDict(_REMEMBERED)
        super().__init__()

    def is_new(self, name: str, address: str, project_id: int | None) -> bool:
        with self._lock:
            is_new = self._projects.get((name, address), 0) != project_id
            self._projects[name, address] = project_id
            return is_new


_told = _Told()
