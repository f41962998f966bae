"""`send_orphaned`: send orphaned runs while a person waits. It prints nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from langchain_label_studio.cli.outbox_operations import look_at
from langchain_label_studio.delivery import LANES, DeliveryStats, Sender
from langchain_label_studio.delivery.lane import Lane
from langchain_label_studio.delivery.lane_files import lanes_in
from langchain_label_studio.delivery.settings import DeliverySettings
from langchain_label_studio.delivery.stats import State
from langchain_label_studio.label_studio.access import API_KEY_VARIABLE, resolve_url
from langchain_label_studio.label_studio.destinations.runs import JOB_GRACE
from langchain_label_studio.label_studio.project_outboxes import ProjectOutbox
from langchain_label_studio.label_studio.shared_senders import sender_of_orphaned

_POLL = 0.05
_LOOK_EVERY = 0.5
_LONGEST_DOUBT = 2 * JOB_GRACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of sending.

    Attributes:
        done: The number of settled runs.
        total: The number of all runs.
        in_grace: Whether it waits, because a program that ended may still have a request on its way.
    """

    done: int
    total: int
    in_grace: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The result of sending the orphaned runs of one project.

    Attributes:
        delivered: The number of runs that were stored now.
        found_existing: The number of runs that were found stored. Their programs died between the request and its
            answer.
        rejected: The number of runs that were refused, and set aside.
        not_sent: The number of runs that still wait.
        state: The last state of the sender: see `DeliveryStats`.
        skipped: Whether nothing was tried, because the runs are for another server than the key.
        reason: The reason why runs are not sent, or None.
    """

    delivered: int = 0
    found_existing: int = 0
    rejected: int = 0
    not_sent: int = 0
    state: State = "idle"
    skipped: bool = False
    reason: str | None = None


def skip_other_servers(
    targets: Sequence[ProjectOutbox], url: str | None
) -> tuple[list[tuple[ProjectOutbox, Sent]], list[ProjectOutbox]]:
    """Split the outboxes by their server. Other servers must not see the key. Object storage does not see it.

    Args:
        targets: The outboxes.
        url: The address of the key's server. None takes the environment variable, else the default.

    Returns:
        The results for the outboxes of other servers, and the outboxes of the key's server and of object storage.

    Raises:
        SettingError: The address cannot be right.
    """
    address = resolve_url(url)
    skipped, sendable = [], []
    for target in targets:
        if target.settings.deliver_to or target.settings.url == address:
            sendable.append(target)
        else:
            reason = (
                f"The key is for {address}. To send them: {API_KEY_VARIABLE}=... langchain-label-studio "
                f"outbox send --url {target.settings.url}"
            )
            waits = look_at(target).orphaned
            skipped.append((target, Sent(not_sent=waits, skipped=True, reason=reason)))
    return skipped, sendable


def send_orphaned(
    target: ProjectOutbox,
    delivery: DeliverySettings,
    *,
    api_key: SecretStr | None,
    timeout: float,
    tell: Callable[[Progress], None],
) -> Sent:
    """Send the orphaned runs of a project.

    Args:
        target: The outbox.
        delivery: The settings of delivery.
        api_key: A key of the target's server. None for object storage.
        timeout: The seconds without progress after which it gives up. The other runs stay in the outbox.
        tell: Takes the progress, again and again.
    """
    sender = sender_of_orphaned(target.with_key(api_key), delivery)
    sender.look_for_orphaned()
    try:
        return _watch(sender, target, timeout=timeout, tell=tell)
    finally:
        sender.retire()


def tidy(target: ProjectOutbox) -> None:
    """Delete the empty lanes of programs that ended."""
    with suppress(OSError):
        for path in lanes_in(target.directory / LANES):
            _tidy_lane(path)


def _watch(
    sender: Sender[Any], target: ProjectOutbox, *, timeout: float, tell: Callable[[Progress], None]
) -> Sent:
    """Wait until all runs are sent, or there is no progress."""
    total, in_grace = look_at(target).orphaned, False
    before: tuple[int, int] | None = None
    moved = looked = time.monotonic()
    while True:
        time.sleep(_POLL)
        stats, now = sender.stats(), time.monotonic()
        waiting = stats.pending + stats.in_doubt
        settled = stats.submitted - waiting
        if not waiting and now - looked > _LOOK_EVERY:
            # The sender skips a lane whose request is still in its grace, and a lane that another process looks at.
            looked, status = now, look_at(target)
            if not status.orphaned:
                # The last batch is settled, but may still be on the disk. The caller looks there.
                sender.flush(timeout)
                return _sent(stats)
            in_grace = status.in_doubt > 0
            sender.look_for_orphaned()
        if before != (stats.recovered, settled):
            before, moved = (stats.recovered, settled), now
        in_grace = in_grace and not waiting
        tell(Progress(done=settled, total=max(total, stats.recovered), in_grace=in_grace))
        # A batch in doubt waits for its questions, without any progress.
        in_doubt = in_grace or (stats.in_doubt > 0 and stats.state == "sending")
        patience = max(timeout, _LONGEST_DOUBT) if in_doubt else timeout
        if waiting and waiting == stats.postponed:
            return _given_up(stats, target, timeout)
        if stats.state == "blocked" or now - moved > patience:
            return _given_up(stats, target, timeout)


def _given_up(stats: DeliveryStats, target: ProjectOutbox, timeout: float) -> Sent:
    status = look_at(target)
    return replace(
        _sent(stats),
        not_sent=stats.pending + stats.in_doubt + status.orphaned,
        reason=stats.last_error or " ".join(status.problems) or _why_it_waits(stats, timeout),
    )


def _why_it_waits(stats: DeliveryStats, timeout: float) -> str:
    if stats.postponed:
        return "The runs it is about are not in Label Studio; it is set aside after some days."
    if stats.pending or stats.in_doubt:
        return f"Nothing was sent for {timeout:g} seconds. A longer --timeout waits longer."
    return "Nobody can recover what is left."


def _sent(stats: DeliveryStats) -> Sent:
    return Sent(
        delivered=stats.delivered,
        found_existing=stats.found_existing,
        rejected=stats.rejected,
        state=stats.state,
    )


def _tidy_lane(path: Path) -> None:
    lane = Lane.recover(path)
    if lane and not lane.records:
        for file in lane.files:
            file.path.unlink()
        lane.delete()
    elif lane:
        lane.let_go()
