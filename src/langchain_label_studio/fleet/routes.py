"""`open_route`: the way of one target's records, from object storage to their project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr

from langchain_label_studio.delivery import DeliveryFailedError, Destination, Sender
from langchain_label_studio.errors import SettingError
from langchain_label_studio.fleet.day_limit import DayLimits
from langchain_label_studio.fleet.lease import Lease
from langchain_label_studio.fleet.selection import FleetSelection
from langchain_label_studio.fleet.store_outbox import StoreOutbox
from langchain_label_studio.fleet.targets import FleetTarget
from langchain_label_studio.forms.registry import find_form
from langchain_label_studio.label_studio.access import Headers
from langchain_label_studio.label_studio.destinations.feedback import FeedbackDestination
from langchain_label_studio.label_studio.destinations.rolling import (
    RollingDestination,
    check_titles,
    title_of,
)
from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.metrics.switch import watch_reasons, watch_sender
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.selectors.selector import Selector
from langchain_label_studio.types.feedback import read_feedback_id
from langchain_label_studio.types.run_record import read_record_id

_BATCH_SIZE = 500
_LAST_REQUEST = 30.0
LEASE_LOST = "this relay does not hold the lease any more: another one may work"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSettings:
    """Where the relay brings all records, and which.

    Attributes:
        url: The address of Label Studio.
        api_key: The key.
        headers: More headers of each request.
        project_name: The title of the project for all runs, with `%Y-%m-%d` for the date. Empty keeps the workers' own.
        at_most: The number of tasks that a project takes. None is no limit.
        sample: The share of traces that is brought.
        select: The selectors. None takes every run.
        at_most_per_day: The number of new tasks of a project in a day. None is no limit.
        every: The seconds between two looks at the storage.
    """

    url: str
    api_key: SecretStr
    headers: Headers
    project_name: str = ""
    at_most: int | None = None
    sample: float = 1.0
    select: Selector | None = None
    at_most_per_day: int | None = None
    every: float = 30.0


class Route:
    """A target, its outbox, and the sender that empties it.

    Attributes:
        target: The target.
        outbox: Its outbox in the storage.
        sender: The sender.
        excluded: The number of records that were not chosen, by the reason.
    """

    def __init__(
        self,
        target: FleetTarget,
        outbox: StoreOutbox,
        sender: Sender[Any],
        excluded: Mapping[str, int],
    ) -> None:
        self.target = target
        self.outbox = outbox
        self.sender = sender
        self.excluded = excluded

    @property
    def is_done(self) -> bool:
        """Whether all records are settled that were there with the first look. Postponed ones are not waited for."""
        return bool(self.outbox.looked) and not len(self.outbox) and not self.sender.unsettled

    def close(self) -> None:
        """Stop, and leave the rest to another relay. A request that is on its way goes on for some seconds at most."""
        self.outbox.close()
        self.sender.retire()
        self.sender.wait_for_end(_LAST_REQUEST)


def open_route(
    target: FleetTarget, store: ObjectStore, lease: Lease, settings: RouteSettings, limits: DayLimits
) -> Route:
    """Begin to bring a target's records to their project.

    Args:
        target: The target.
        store: The object storage.
        lease: The lease of this relay.
        settings: Where the records go, and which.
        limits: The limits of tasks a day.

    Raises:
        SettingError: The records cannot go there.
    """
    project = _project(target.settings, settings)
    if project.project_id is None:
        check_titles(project.project_name, at_most=settings.at_most)
    if find_form(project.form) is None:
        msg = f"{target.place}: its mode {project.form!r} is a form of your own. Pass --import with the module that registers it."
        raise SettingError(msg)
    destination: Destination
    excluded: Mapping[str, int] = {}
    at_most = settings.at_most if project.project_id is None else None
    if target.holds == "runs":
        destination = RollingDestination(project, at_most=at_most, before_import=_still_held(lease))
        limit = limits.of(project, unsettled=lambda: outbox.taken)
        selection = FleetSelection(sample=settings.sample, select=settings.select, day_limit=limit)
        excluded = selection.excluded
        outbox = StoreOutbox(
            store,
            target.folder,
            lease=lease,
            key_of=read_record_id,
            group_of=lambda record: title_of(project, record.key),
            take=selection.take,
            every=settings.every,
            batch_size=min(_BATCH_SIZE, at_most or _BATCH_SIZE),
        )
    else:
        destination = FeedbackDestination(project, numbered=True)
        outbox = StoreOutbox(store, target.folder, lease=lease, key_of=read_feedback_id, every=settings.every)
    sender = Sender(
        outbox,
        destination,
        name=f"langchain-label-studio relay ({target.title})",
        flush_interval=0.0,
        what="Runs" if target.holds == "runs" else "Pieces of feedback",
    )
    watch_sender(sender, project=project.written_project, kind=target.holds)
    watch_reasons(sender, {"excluded": excluded}, project=project.written_project)
    sender.look_for_orphaned()
    return Route(target, outbox, sender, excluded)


def _project(known: Settings, settings: RouteSettings) -> Settings:
    project = replace(
        known, url=settings.url, api_key=settings.api_key, headers=settings.headers, deliver_to=""
    )
    if not settings.project_name:
        return project
    return replace(
        project, project_id=None, project_name=settings.project_name, project_title=settings.project_name
    )


def _still_held(lease: Lease) -> Callable[[], None]:
    def check() -> None:
        if not lease.held:
            raise DeliveryFailedError(LEASE_LOST)

    return check
