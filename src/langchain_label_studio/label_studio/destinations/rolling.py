"""`RollingDestination`: the projects of a fleet, one after the other by date or size, as the destination of recorded runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from langchain_label_studio.delivery import DeliveryFailedError, Found, Record, StillWorkingError, Upcoming
from langchain_label_studio.errors import ProjectTitleError
from langchain_label_studio.label_studio.destinations.request_note import split_note, with_project
from langchain_label_studio.label_studio.destinations.runs import ProjectDestination, asking, open_client
from langchain_label_studio.label_studio.numbered_titles import (
    MAX_NUMBER,
    current_number,
    known_part,
    numbered_projects,
    numbered_title,
    projects_of_name,
)
from langchain_label_studio.label_studio.settings import MAX_TITLE, Settings, fill_title
from langchain_label_studio.support.bounded_dict import BoundedDict
from langchain_label_studio.types.record_id import record_time

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.client import LabelStudioClient

_AT_ONCE = 8
_MANY = 31
_BELIEVED = 5.0


@dataclass(slots=True)
class _Room:
    """The project that takes the next tasks of a title.

    Attributes:
        number: Its number.
        tasks: The number of its tasks.
        until: `time.monotonic()` until which that is believed. Others may import into the project, too.
        projects: The projects of the title that exist, by their numbers.
    """

    number: int
    tasks: int
    until: float
    projects: Mapping[int, int]


class RollingDestination:
    """Imports runs into the project of their date. When that project is full, it begins the next one.

    The project "Support" is followed by "Support (2)" and "Support (3)". Label Studio is asked which of them is the last
    one and how many tasks it has, and the tasks are counted from then on.

    Titles decide, as they do for a handler. So a project "Support (2)" that a person made takes runs if it is the next
    one. But a title behind a gap, such as "Support (7)" without "Support (3)", takes none.

    Attributes:
        settings: The server, the key and the project. Its name may have directives for the date.
    """

    def __init__(self, settings: Settings, *, at_most: int | None, before_import: Callable[[], None]) -> None:
        """Make a destination. It sends nothing yet.

        Args:
            settings: The server, the key and the project. A project's number goes before a name.
            at_most: The number of tasks that a project takes. No batch may have more records. None never begins a next
                project.
            before_import: Called at the last moment before each request that stores something: see
                `ProjectDestination`.
        """
        self.settings = settings
        self._at_most = None if settings.project_id is not None else at_most
        self._before_import = before_import
        self._client: LabelStudioClient | None = None
        self._inner: BoundedDict[int | str, ProjectDestination] = BoundedDict(_AT_ONCE)
        self._rooms: BoundedDict[str, _Room] = BoundedDict(_AT_ONCE)
        self._noted: tuple[str, int | str] | None = None

    def reset(self) -> None:
        """Forget the clients, and the projects with their numbers of tasks. The next request asks for all of them anew."""
        self._client = None
        self._inner.clear()
        self._rooms.clear()
        self._noted = None

    def grace(self, *, note: str) -> float:
        """Return the seconds for which Label Studio may still work on a request without an answer."""
        _, known = split_note(note)
        projects = list(self._inner.values()) or [ProjectDestination(self.settings)]
        return max(project.grace(note=known) for project in projects)

    def note(self, records: Sequence[Record]) -> str:
        """Return a note about the next request: its project, and that project's own note.

        Raises:
            DeliveryFailedError: Label Studio could not be asked which project takes the records.
        """
        project = self._project_for(records)
        self._noted = records[0].key, project
        return with_project(project, self._destination(project).note(records))

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:
        """Import the runs into the project that takes them. All of them have to have the same title: see `title_of`.

        Raises:
            StillWorkingError: Label Studio imports them later.
            DeliveryFailedError: It is not certain that all tasks are stored with their answers.
        """
        noted, self._noted = self._noted, None
        # The project of the note, whatever Label Studio would say now: a later process asks there.
        project = noted[1] if noted and noted[0] == records[0].key else self._project_for(records)
        title = title_of(self.settings, records[0].key)
        try:
            with _named(project):
                self._destination(project).send(records, upcoming=upcoming)
        except DeliveryFailedError:
            self._rooms.pop(title, None)  # nobody knows how many tasks it has
            raise
        finally:  # also for tasks that Label Studio stores later
            if room := self._rooms.get(title):
                room.tasks += len(records)

    def find(self, records: Sequence[Record], *, note: str) -> Found:
        """Return the keys of the runs that have a task. Add the answer to each task that lost it.

        The project of the note is asked, even if the runs would go to another one now. Without a note, all projects of
        their title are asked, the newest first.

        Raises:
            StillWorkingError: Label Studio still imports them, or their answers.
            DeliveryFailedError: Label Studio could not be asked.
        """
        noted, known = split_note(note)
        title = title_of(self.settings, records[0].key)
        self._rooms.pop(title, None)
        if noted is not None:
            if isinstance(noted, str) and not self._exists(noted):
                return Found(keys=frozenset())  # a person deleted the project: to ask would create it
            with _named(noted):
                return self._destination(noted).find(records, note=known)
        projects: list[int | str] = (
            [numbered_title(title, number) for number in self._projects(title)]
            if self.settings.project_id is None
            else [self.settings.project_id]
        )
        keys: set[str] = set()
        for project in projects:
            if missing := [record for record in records if record.key not in keys]:
                with _named(project):
                    keys |= self._destination(project).find(missing, note=known).keys
        return Found(keys=frozenset(keys))

    def count_since(self, moment: datetime) -> int:
        """Return how many tasks of its projects were created since then, whoever created them.

        The newest projects are asked first. After 31 projects in a row without such a task, no older one is asked.

        Raises:
            DeliveryFailedError: Label Studio could not be asked.
        """
        with asking():
            from langchain_label_studio.label_studio.progress import count_passing  # noqa: PLC0415 (see load_client)
            from langchain_label_studio.label_studio.task_filters import created_since  # noqa: PLC0415

            client, total, without = self._connected_client(), 0, 0
            for project_id in self._all_projects(client):
                count = count_passing(client, project_id, created_since(moment))
                total += count
                without = 0 if count else without + 1
                if without == _MANY:
                    break
            return total

    def _all_projects(self, client: LabelStudioClient) -> list[int]:
        settings = self.settings
        if settings.project_id is not None:
            return [settings.project_id]
        titles = client.search_projects(known_part(settings.project_name))
        return [number for _, number in projects_of_name(titles, settings.project_name, numbered=True)]

    def _project_for(self, records: Sequence[Record]) -> int | str:
        """Return the number of the project that takes the records, or its title."""
        if self.settings.project_id is not None:
            return self.settings.project_id
        title = title_of(self.settings, records[0].key)
        if self._at_most is None:
            return title
        room = self._rooms.get(title)
        if room is None or time.monotonic() >= room.until:
            projects = self._projects(title)
            number = current_number(projects)
            tasks = self._count(projects.get(number))
            room = self._rooms[title] = _Room(number, tasks, time.monotonic() + _BELIEVED, projects)
        while room.tasks and room.tasks + len(records) > self._at_most:
            if room.number == MAX_NUMBER:
                msg = f"Project {numbered_title(title, room.number)!r} is full, and there is no higher number. Choose another --project."
                raise DeliveryFailedError(msg)
            room.number += 1
            room.tasks = self._count(room.projects.get(room.number))
        return numbered_title(title, room.number)

    def _projects(self, title: str) -> dict[int, int]:
        """Return the projects of a title that exist, by their numbers, the highest number first."""
        with asking():
            return numbered_projects(self._connected_client().search_projects(title), of=title)

    def _exists(self, title: str) -> bool:
        with asking():
            return bool(self._connected_client().find_projects(title))

    def _count(self, project_id: int | None) -> int:
        if project_id is None:
            return 0
        with asking():
            from langchain_label_studio.label_studio.progress import count_passing  # noqa: PLC0415 (see load_client)

            return count_passing(self._connected_client(), project_id)

    def _connected_client(self) -> LabelStudioClient:
        if self._client is None:
            self._client = open_client(self.settings)
        return self._client

    def _destination(self, project: int | str) -> ProjectDestination:
        if (known := self._inner.get(project)) is None:
            number, title = (project, "") if isinstance(project, int) else (None, project)
            settings = replace(self.settings, project_id=number, project_title=title)
            known = self._inner[project] = ProjectDestination(settings, before_import=self._before_import)
        self._inner.move_to_end(project)
        return known


def title_of(settings: Settings, key: str) -> str:
    """Return the title of the project for a record, without a number behind it. It is empty if a number names the project.

    Args:
        settings: The project. Its name may have directives for the date.
        key: The record's key. The date is the local time at which the record was made. A key without a time stands for
            now.
    """
    if settings.project_id is not None:
        return ""
    made = record_time(key)
    when = datetime.fromisoformat(made).astimezone().replace(tzinfo=None) if made else None
    return fill_title(settings.project_name, when=when)


def check_titles(project_name: str, *, at_most: int | None) -> None:
    """Check that Label Studio takes the titles of the next year.

    Args:
        project_name: The project's title. It may have directives for the date.
        at_most: The number of tasks that a project takes. With it, a title needs room for a number.

    Raises:
        ProjectTitleError: Label Studio would refuse a title.
    """
    evening = datetime.now().replace(hour=23, minute=59, second=59)  # noqa: DTZ005 (as in `fill_title`)
    for days in range(366):
        title = fill_title(project_name, when=evening + timedelta(days=days))
        room = MAX_TITLE - len(numbered_title("", MAX_NUMBER))
        if at_most is not None and len(title) > room:
            msg = (
                f"The project's title {title!r} has {len(title)} characters. With --at-most it may have {room}, because a "
                f"number comes behind it, as in {numbered_title('Support', 2)!r}. Choose a shorter --project."
            )
            raise ProjectTitleError(msg)


@contextmanager
def _named(project: int | str) -> Iterator[None]:
    """Put the project into the note about work that goes on."""
    try:
        yield
    except StillWorkingError as work:
        raise StillWorkingError(note=with_project(project, work.note), what=work.what) from None
