"""`open_relay`: a relay, made of what a person says."""

from __future__ import annotations

import threading

from langchain_label_studio.errors import ServerUnavailableError
from langchain_label_studio.fleet.relay import Observer, Relay
from langchain_label_studio.fleet.routes import RouteSettings
from langchain_label_studio.fleet.selector_expression import parse_selectors
from langchain_label_studio.label_studio.access import resolve_api_key, resolve_headers, resolve_url
from langchain_label_studio.label_studio.destinations.rolling import check_titles
from langchain_label_studio.label_studio.destinations.runs import load_client
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.object_store.url import check_store_url
from langchain_label_studio.selectors.sampling import check_share


def open_relay(
    storage: str,
    *,
    url: str | None,
    project_name: str | None,
    at_most: int | None,
    sample: float,
    select: str | None,
    at_most_per_day: int | None,
    every: float,
    observer: Observer,
    stop: threading.Event,
) -> Relay:
    """Check all settings, sign in at Label Studio, and return a relay.

    Args:
        storage: The address of the object storage.
        url: The address of Label Studio. None takes the environment variable, else the default.
        project_name: The title of the project for all runs. None keeps what each worker says.
        at_most: The number of tasks that a project takes. None is no limit.
        sample: The share of traces that is brought.
        select: Selectors, as a text. None takes all runs.
        at_most_per_day: The number of new tasks of a project in a day. None is no limit.
        every: The seconds between two looks at the storage.
        observer: It is told what happens.
        stop: The relay ends soon after this is set.

    Raises:
        SettingError: A setting is missing or wrong.
        ServerError: Label Studio refuses the key.
    """
    store = ObjectStore(check_store_url(storage, setting="URL"))
    settings = RouteSettings(
        url=resolve_url(url),
        api_key=resolve_api_key(),
        headers=resolve_headers(),
        project_name=project_name or "",
        at_most=at_most,
        sample=check_share("--sample", sample),
        select=parse_selectors(select) if select else None,
        at_most_per_day=at_most_per_day,
        every=every,
    )
    if project_name:
        check_titles(project_name, at_most=at_most)
    try:
        load_client()(url=settings.url, api_key=settings.api_key, headers=settings.headers).sign_in()
    except ServerUnavailableError as error:
        observer.problem(f"{error} The runs wait in the storage, and are sent when it answers.")
    return Relay(store, settings, observer, stop=stop)
