"""`plan_refresh` and `carry_out`: bring the page, the instructions and the tasks of a project up to date."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import TYPE_CHECKING

from langchain_label_studio.errors import LabelConfigError, RequestRefusedError
from langchain_label_studio.forms.built_in_page import mode_of_page, rating_of_page
from langchain_label_studio.forms.form import Form
from langchain_label_studio.forms.modes import (
    BUILT_IN_MODES,
    LabelStudioMode,
    RatingControl,
    get_default_label_configs,
)
from langchain_label_studio.forms.registry import get_form
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_config.page_tags import without_tags
from langchain_label_studio.label_config.parse import parse_label_config, prepare_label_config
from langchain_label_studio.label_studio.tabs import add_missing_tabs, tabs_for
from langchain_label_studio.refresh.tasks import ProjectTasks, Seen, Tell
from langchain_label_studio.support.plurals import count_text

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.answers import ProjectInfo
    from langchain_label_studio.label_studio.client import LabelStudioClient

# Label Studio's own words, of the annotations and of the drafts that a label config does not fit.
_USED = re.compile(r'\b(\d{1,9}) (?:with from_name=|annotation\(s\) created with tag ")(\w+)')

# Asked whether a label config fits, Label Studio takes chosen choices only if it knows where they come from: a whole column,
# and not an item such as `$steps_html.keys[2]`. When the label config is changed, it takes both.
_CHOICES_OF_AN_ITEM = re.compile(r'(<Choices [^>]*value="\$\w+)[^\w"][^"]*"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """What a refresh changes in a project.

    Attributes:
        project: The project as it is.
        mode: The mode of its page.
        label_config: The label config of today's page.
        instructions: The instructions that it gets. Empty if it has instructions already.
        keeps_instructions: Whether it has other instructions than a new project. They stay.
        tabs: The titles of the tabs that its list of tasks gets.
        tasks: Its tasks.
    """

    project: ProjectInfo
    mode: LabelStudioMode
    label_config: str
    instructions: str
    keeps_instructions: bool
    tabs: tuple[str, ...]
    tasks: Seen

    @property
    def changes_page(self) -> bool:
        """Whether the label config changes."""
        return prepare_label_config(self.project.label_config) != self.label_config

    @property
    def is_needed(self) -> bool:
        """Whether anything changes."""
        return self.changes_page or bool(self.instructions) or bool(self.tabs) or self.tasks.changed > 0

    def page_diff(self) -> list[str]:
        """Return the changes of the label config as a unified diff, line by line."""
        before = prepare_label_config(self.project.label_config).splitlines()
        after = self.label_config.splitlines()
        return list(unified_diff(before, after, "the label config now", "after the refresh", lineterm=""))


def plan_refresh(
    client: LabelStudioClient,
    project: ProjectInfo,
    *,
    mode: LabelStudioMode | None = None,
    rating: RatingControl | None = None,
    tell: Tell,
) -> Refresh:
    """Find out what a refresh changes. It changes nothing yet.

    Args:
        client: A client that has signed in.
        project: The project.
        mode: The mode of its page, for a label config that somebody changed. None takes the mode of the built-in page
            that the project has.
        rating: How reviewers rate. None leaves that as it is.
        tell: Takes the progress.

    Raises:
        LabelConfigError: The label config is somebody's own, does not fit the mode, or has controls that are used and
            that today's page lacks.
    """
    mode = _checked_mode(project, mode)
    xml = get_default_label_configs(mode, rating=rating or rating_of_page(project.label_config))[0]
    form = get_form(mode.value)
    label_config = prepare_label_config(without_tags(xml, client.unknown_tags))
    refresh = Refresh(
        project=project,
        mode=mode,
        label_config=label_config,
        instructions="" if project.instructions else form.instructions,
        keeps_instructions=project.instructions not in ("", form.instructions),
        tabs=_missing_tabs(client, project, label_config, form),
        tasks=Seen(),
    )
    if refresh.changes_page:
        with _refusal_explained(project):
            client.validate_label_config(project.id, _CHOICES_OF_AN_ITEM.sub(r'\1"', label_config))
    seen = _tasks(client, refresh, now=project.label_config).look_at(tell=tell)
    # Label Studio itself looks neither at texts nor at a <Pairwise>.
    lost = read_controls(project.label_config).controls.keys() - read_controls(label_config).controls.keys()
    if used := {name: seen.answered[name] for name in sorted(lost) if name in seen.answered}:
        raise _in_use(project, used)
    return replace(refresh, tasks=seen)


def carry_out(client: LabelStudioClient, refresh: Refresh, *, tell: Tell) -> Seen:
    """Refresh the tasks, then the page, then what is around the page.

    In this order, a project can be reviewed wherever the work stops: the former page shows a task that has more keys, but
    today's page does not show the steps of a task that has no HTML of them. The next refresh does what is left.

    Args:
        client: A client that has signed in.
        refresh: What to change.
        tell: Takes the progress.

    Returns:
        The tasks that were changed, and those that stay as they are.

    Raises:
        LabelConfigError: Somebody changed the label config, or used a control that today's page lacks, meanwhile.
    """
    tasks = _tasks(client, refresh, now=refresh.project.label_config)
    before = refresh.tasks.first - 1 if refresh.tasks.first else refresh.tasks.last
    done = tasks.refresh(after=before, tell=tell)
    if refresh.changes_page:
        _change_page(client, refresh)
        # Tasks that came meanwhile were made for the former page.
        late = _tasks(client, refresh, now=refresh.label_config).refresh(after=done.last, tell=tell)
        done = replace(done, changed=done.changed + late.changed, left={**done.left, **late.left})
    _refresh_surroundings(client, refresh)
    return done


def _change_page(client: LabelStudioClient, refresh: Refresh) -> None:
    project = refresh.project
    if client.get_project(project.id, counted=False).label_config != project.label_config:
        msg = f"Somebody changed the label config of {_named(project)} meanwhile. Look at it, and run the command again."
        raise LabelConfigError(msg)
    with _refusal_explained(project):
        client.update_project(project.id, label_config=refresh.label_config)


def _refresh_surroundings(client: LabelStudioClient, refresh: Refresh) -> None:
    """Bring up to date what a new project has around its page: the instructions, and the tabs of its list of tasks."""
    if refresh.instructions:
        client.update_project(refresh.project.id, instructions=refresh.instructions)
    if refresh.tabs:
        project = replace(refresh.project, label_config=refresh.label_config)
        add_missing_tabs(client, project, get_form(refresh.mode.value))


def _missing_tabs(
    client: LabelStudioClient, project: ProjectInfo, label_config: str, form: Form
) -> tuple[str, ...]:
    there = client.tab_titles(project.id)
    return tuple(tab["title"] for tab in tabs_for(label_config, form) if tab["title"] not in there)


def _tasks(client: LabelStudioClient, refresh: Refresh, *, now: str) -> ProjectTasks:
    page = parse_label_config(refresh.label_config, takes_answer=get_form(refresh.mode.value).takes_answer)
    return ProjectTasks(client, refresh.project.id, label_config=now, page=page, mode=refresh.mode)


def _checked_mode(project: ProjectInfo, wanted: LabelStudioMode | None) -> LabelStudioMode:
    """Return the mode of the project's page.

    Raises:
        LabelConfigError: Its page is not built-in and no mode is wanted, or its tasks are not made for the wanted mode.
    """
    found = mode_of_page(project.label_config)
    if found is not None and wanted in {None, found}:
        return found
    if found is not None:
        msg = f"{_named(project)} has the page of mode={found.value!r}, and tasks that are made for it. Leave mode= out."
        raise LabelConfigError(msg)
    if wanted is None:
        msg = (
            f"{_named(project)} has a label config of somebody's own, so it stays as it is. If it began as the built-in "
            f"one of a mode, and may become that again, pass mode= (one of {', '.join(BUILT_IN_MODES)}). The command "
            "then shows what is lost, and asks."
        )
        raise LabelConfigError(msg)
    if not _fits(project.label_config, wanted):
        msg = (
            f"{_named(project)} stays as it is: its label config is somebody's own, and its tasks do not have what the page "
            f"of mode={wanted.value!r} shows."
        )
        raise LabelConfigError(msg)
    return wanted


def _fits(label_config: str, mode: LabelStudioMode) -> bool:
    """Return whether the tasks of a label config have what the page of a mode shows."""
    form, now = get_form(mode.value), read_controls(label_config)
    shown = parse_label_config(form.label_config, takes_answer=form.takes_answer).input
    return shown in now.inputs.values() and (not form.keys or not form.keys.isdisjoint(now.keys or ()))


@contextmanager
def _refusal_explained(project: ProjectInfo) -> Iterator[None]:
    """Say which controls of the former page are in use, if Label Studio refuses today's page."""
    try:
        yield
    except RequestRefusedError as error:
        used = {match[2]: int(match[1]) for match in _USED.finditer(str(error))}
        raise _in_use(project, used) if used else error from None


def _in_use(project: ProjectInfo, used: Mapping[str, int]) -> LabelConfigError:
    names = ", ".join(f"{name} ({count_text(count, 'answer')})" for name, count in used.items())
    return LabelConfigError(
        f"{_named(project)} stays as it is. Reviewers have used controls that the new page does not have, or has in another "
        f"form: {names}. With the page as it is, their reviews are read as before. For the new page, record in a new "
        "project: choose another project_name for your handler."
    )


def _named(project: ProjectInfo) -> str:
    return f"Project {project.id} ({project.title!r})"
