"""The project of the runs: `resolve_project` finds it by id or by title, or creates it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from langchain_label_studio.errors import (
    LabelConfigError,
    LabelStudioError,
    NoResponseControlError,
    ProjectNotFoundError,
    RequestRefusedError,
    SettingError,
)
from langchain_label_studio.forms.modes import BUILT_IN_MODES
from langchain_label_studio.forms.registry import get_form
from langchain_label_studio.label_config.page_tags import without_tags
from langchain_label_studio.label_config.parse import LabelConfig, parse_label_config
from langchain_label_studio.label_studio.project_warnings import project_warnings
from langchain_label_studio.label_studio.settings import MAX_TITLE, Settings
from langchain_label_studio.label_studio.tabs import add_missing_tabs
from langchain_label_studio.support.did_you_mean import did_you_mean
from langchain_label_studio.support.forks import no_fork
from langchain_label_studio.support.host_lock import host_lock
from langchain_label_studio.support.time_limit import seconds_left

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo
    from langchain_label_studio.label_studio.client import LabelStudioClient

_LOCK_TIMEOUT = 60.0
_JUST_NOW = timedelta(minutes=1)
_UNUSED = " (unused)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project of the runs.

    Attributes:
        id: Its number in Label Studio.
        title: Its title.
        config: Its label config.
        created: Whether it was created just now.
        warnings: The warnings for a person who uses it.
    """

    id: int
    title: str
    config: LabelConfig
    created: bool
    warnings: tuple[str, ...] = ()


def resolve_project(client: LabelStudioClient, settings: Settings) -> Project:
    """Find the project by id, else by exact title, else create it.

    Raises:
        ProjectNotFoundError: There is no project with this id.
        NoResponseControlError: The project's label config has no place for the answer.
        LabelConfigError: Label Studio refuses the label config of the new project.
        ServerError: Label Studio refused something else.
        ServerUnavailableError: Label Studio does not answer.
    """
    return find_existing(client, settings) or _create(client, settings)


def find_existing(client: LabelStudioClient, settings: Settings) -> Project | None:
    """Return the project by its id, else by its exact title. None if no project has this title.

    Of several projects with this title, it is the oldest: two handlers that create a project at the same moment have to
    choose the same. A warning names all of them.

    Raises:
        ProjectNotFoundError: There is no project with this id.
        NoResponseControlError: The project's label config has no place for the answer.
    """
    if settings.project_id is not None:
        return read_project(_get_project(client, settings.url, settings.project_id), settings)
    found = client.find_projects(settings.project_title)
    if not found:
        return None
    project = read_project(client.get_project(found[0]), settings)
    if len(found) == 1 or any(_is_just_made(client.get_project(number)) for number in found[1:]):
        # Several may be made at the same moment. The others get another title then: see `_create`.
        return project
    warning = (
        f"There are several projects of this title ({_listed(found)}). Runs go to the oldest, {found[0]}. Pass the number of "
        "the one you mean as project_id=, or rename the others."
    )
    return replace(project, warnings=(*project.warnings, warning))


def _is_just_made(info: ProjectInfo) -> bool:
    return info.created_at is not None and datetime.now(UTC) - info.created_at < _JUST_NOW


def find_project(client: LabelStudioClient, *, url: str, wanted: int | str) -> ProjectInfo:
    """Return an existing project by its number or its exact title.

    Raises:
        ProjectNotFoundError: There is no such project.
        SettingError: Several projects have this title.
    """
    if isinstance(wanted, int):
        return _get_project(client, url, wanted)
    found = client.find_projects(wanted)
    if not found:
        msg = (
            f"There is no project {wanted!r} at {url}, or the key's owner may not see it. The title has to be "
            f"whole; or pass the project's number, which is in its address, /projects/NUMBER."
        )
        with suppress(LabelStudioError):  # a guess must not take the place of the error
            msg += did_you_mean(wanted, client.search_projects("").values())
        raise ProjectNotFoundError(msg)
    if len(found) > 1:
        msg = (
            f"There are {len(found)} projects {wanted!r} at {url}: {_listed(found)}. Pass the number of the one you mean as "
            f"project_id=. Handlers record in the oldest, {found[0]}."
        )
        raise SettingError(msg)
    return client.get_project(found[0])


def read_project(info: ProjectInfo, settings: Settings, *, created: bool = False) -> Project:
    """Return a project with its label config parsed, and with warnings if it does not fit the settings.

    Raises:
        NoResponseControlError: The label config cannot be read, or has no place for the answer.
    """
    try:
        config = parse_label_config(info.label_config, takes_answer=settings.takes_answer)
    except LabelConfigError as error:
        msg = f"Project {info.id} ({info.title!r}) cannot take answers. {error}"
        raise NoResponseControlError(msg) from None
    warnings = tuple(project_warnings(info, config, settings, created=created))
    return Project(id=info.id, title=info.title, config=config, created=created, warnings=warnings)


def _listed(projects: Sequence[int]) -> str:
    return ", ".join(map(str, projects))


def _get_project(client: LabelStudioClient, url: str, project_id: int) -> ProjectInfo:
    try:
        return client.get_project(project_id)
    except ProjectNotFoundError as error:
        msg = (
            f"There is no project {project_id} at {url}, or the key's owner may not see it. Its number "
            "is in its address, /projects/NUMBER; or pass the project's title as project_name=."
        )
        raise ProjectNotFoundError(msg, status=error.status) from None


def _create(client: LabelStudioClient, settings: Settings) -> Project:
    """Create the project. Many threads and processes may call this at the same time: all get the same project.

    Titles are not unique in Label Studio, and on SQLite it may create a project twice in one request. On one host, a
    lock makes the others wait. Between hosts, everybody chooses the project with the lowest id.

    The others are renamed, not deleted. While Label Studio deletes a project, it counts nobody's annotations.
    After two deletions at the same moment, it counts no annotations until it is started again
    (`temporary_disconnect_all_signals`, seen in 1.23.2).
    """
    title = settings.project_title
    with host_lock("create", settings.url, timeout=min(_LOCK_TIMEOUT, seconds_left())):
        if existing := find_existing(client, settings):
            return existing
        mine = _request_creation(client, settings)
        # Label Studio may not find a title that an older version of this package took, such as one of blanks.
        chosen, *others = client.find_projects(title) or [mine]
        for other in others:
            client.rename_empty_project(
                other,
                title=title[: MAX_TITLE - len(_UNUSED)] + _UNUSED,
                description=f"Made at the same moment as project {chosen}, which is the one in use. Can be deleted.",
            )
        info = client.get_project(chosen)
        project = read_project(info, settings, created=mine == chosen)
        return _with_tabs(client, project, info, settings) if project.created else project


def _with_tabs(client: LabelStudioClient, project: Project, info: ProjectInfo, settings: Settings) -> Project:
    """Return the project after its list of tasks was given its tabs. If that fails, a warning says so."""
    with no_fork():
        from langchain_label_studio.label_studio.patience import patient  # noqa: PLC0415 (only for a new project)

    # On SQLite, Label Studio answers 500 while somebody else writes.
    add = patient(add_missing_tabs, tries=3, max_wait=0.5)
    try:
        add(client, info, get_form(settings.form))
    except LabelStudioError as error:
        warning = (
            f"The list of tasks of project {info.id} ({info.title!r}) does not have all its tabs. Everything else "
            f"works. {error}"
        )
        return replace(project, warnings=(*project.warnings, warning))
    return project


def _request_creation(client: LabelStudioClient, settings: Settings) -> int:
    label_config = settings.label_config
    if settings.form in BUILT_IN_MODES and not settings.custom_config:
        label_config = without_tags(label_config, client.unknown_tags)
    try:
        return client.create_project(
            title=settings.project_title,
            label_config=label_config,
            model_version=settings.model_version,
            reviewers_per_task=settings.reviewers_per_task,
            instructions=settings.instructions,
            by_score=settings.priority is not None,
        )
    except RequestRefusedError as error:
        if "label_config" in str(error):
            msg = f"Label Studio refuses the label config: {error} Correct project_config= and try again."
            raise LabelConfigError(msg) from None
        raise
