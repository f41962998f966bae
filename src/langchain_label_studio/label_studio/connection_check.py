"""The checks of `langchain-label-studio check`: `check_up`.

They create and change nothing in Label Studio. In object storage, they put one small object.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from langchain_label_studio.errors import LabelStudioError
from langchain_label_studio.forms.modes import LabelStudioMode
from langchain_label_studio.label_studio.access import API_KEY_VARIABLE, HEADERS_VARIABLE, URL_VARIABLE
from langchain_label_studio.label_studio.client import LabelStudioClient
from langchain_label_studio.label_studio.destinations.runs import open_client
from langchain_label_studio.label_studio.progress import count_passing
from langchain_label_studio.label_studio.projects import find_existing
from langchain_label_studio.label_studio.settings import (
    DEFAULT_MODE,
    DELIVER_TO_VARIABLE,
    Settings,
    resolve_deliver_to,
    resolve_settings,
)
from langchain_label_studio.label_studio.task_filters import is_waiting, without_place
from langchain_label_studio.object_store.batch_names import CHECK
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.support.plurals import count_text
from langchain_label_studio.support.time_limit import time_limit

STEP_SECONDS = 10.0
"""Seconds for the requests of one check."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        level: `"good"`, `"warning"` (it works, but a person should look at it) or `"bad"` (it does not work).
        text: The result in words and, if something is wrong, what to do.
    """

    level: Literal["good", "warning", "bad"]
    text: str


def check_up(
    *,
    url: str | None,
    project_id: int | str | None,
    project_name: str,
    mode: str | LabelStudioMode = DEFAULT_MODE,
) -> Iterator[Finding]:
    """Check the settings, the server, the key and the project, in this order. Stop at the first that does not work.

    With object storage on the way, check that first. The rest is the relay's. It is checked if there is a key.

    Args:
        url: The address of Label Studio. None takes it from the environment.
        project_id: The number of the project. None takes it from the environment, or finds the project by its title.
        project_name: The title of the project.
        mode: The mode of the handler that will record there.
    """
    try:
        if storage := resolve_deliver_to():
            ObjectStore(storage).put(CHECK, b"`langchain-label-studio check` was here.\n")
            yield Finding("good", f"Object storage: {storage} takes objects ({DELIVER_TO_VARIABLE})")
            if not os.environ.get(API_KEY_VARIABLE, "").strip():
                yield Finding("good", "Label Studio: not checked, because only the relay needs its key")
                return
        settings = resolve_settings(url=url, project_id=project_id, project_name=project_name, mode=mode)
        source = "given" if url else URL_VARIABLE if os.environ.get(URL_VARIABLE) else "the default"
        yield Finding("good", f"Address: {settings.url} ({source})")
        kind = (
            "personal access token" if settings.key().get_secret_value().count(".") == 2 else "legacy token"
        )
        yield Finding("good", f"API key: a {kind} ({API_KEY_VARIABLE})")
        if headers := settings.all_headers():
            yield Finding("good", f"Headers: {', '.join(name for name, _ in headers)} ({HEADERS_VARIABLE})")
        yield from _look_at_server(settings)
    except LabelStudioError as error:
        yield Finding("bad", str(error))


def _look_at_server(settings: Settings) -> Iterator[Finding]:
    client = open_client(settings)
    try:
        with time_limit(STEP_SECONDS):
            email, version = client.sign_in(), client.version()
        yield Finding("good", f"Label Studio {version}, signed in as {email}")
        yield from _look_at_analytics(client)
        yield from _look_at_project(client, settings)
    finally:
        client.close()


def _look_at_analytics(client: LabelStudioClient) -> Iterator[Finding]:
    with time_limit(STEP_SECONDS):
        collects = client.collects_analytics()
    if collects:
        yield Finding(
            "warning",
            "This Label Studio sends analytics to its maker, prompts and answers among them. To stop that, "
            "start it with COLLECT_ANALYTICS=false and SENTRY_DSN= in its environment.",
        )


def _look_at_project(client: LabelStudioClient, settings: Settings) -> Iterator[Finding]:
    with time_limit(STEP_SECONDS):
        project = find_existing(client, settings)
    if project is None:
        yield Finding("good", f"Project {settings.project_title!r}: none yet, the handler will create it")
        return
    shown, control = project.config.input, project.config.response
    places = [
        *([f'prompts go to <{shown.type} name="{shown.name}">'] if shown else ()),
        *([f'answers to <TextArea name="{control}">'] if control else ()),
    ]
    yield Finding("good", f"Project {project.id} ({project.title!r}): {', '.join(places) or 'found'}")
    for warning in project.warnings:
        yield Finding("warning", warning)
    yield from _look_at_order(client, project.id)


def _look_at_order(client: LabelStudioClient, project_id: int) -> Iterator[Finding]:
    """Yield whether the project gives the worst task first, as `priority=` needs it. No page of Label Studio says so."""
    with time_limit(STEP_SECONDS):
        project = client.get_project(project_id, counted=False)
        if not project.by_score:
            return
        unplaced = count_passing(client, project_id, is_waiting(), without_place())
    yield Finding("good", "Order: by priority, the worst first")
    if not client.gives_by_score:
        yield Finding(
            "warning",
            "Order: tried with the Community edition of Label Studio 1.16 to 1.23, and not with this one. Look whether "
            "Label All Tasks begins with the first task of the tab To review. If it does not, choose Label Tasks As "
            "Displayed there, beside Label All Tasks.",
        )
    if unplaced:
        yield Finding(
            "warning",
            f"Order: {count_text(unplaced, 'task')} without a priority. Label Studio gives them before all others, or "
            "after them. Pass the same priority= to all handlers of the project.",
        )
