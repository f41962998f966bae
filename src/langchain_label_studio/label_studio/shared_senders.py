"""The senders of this process: one for each target, however many handlers it has."""

from __future__ import annotations

import os
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from langchain_label_studio.delivery import (
    Destination,
    DiskOutbox,
    FallbackOutbox,
    MemoryOutbox,
    Outbox,
    Sender,
    has_lanes,
)
from langchain_label_studio.delivery.settings import DeliverySettings
from langchain_label_studio.errors import LabelStudioWarning
from langchain_label_studio.label_studio.destinations.feedback import FeedbackDestination
from langchain_label_studio.label_studio.destinations.runs import ProjectDestination
from langchain_label_studio.label_studio.project_outboxes import (
    Holds,
    Target,
    find_targets,
    forget_target,
    prepare_target,
    target_directory,
)
from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.support.forks import ForkSafe
from langchain_label_studio.types.feedback import read_feedback_id
from langchain_label_studio.types.run_record import read_run_id

SENDER_NAME = "langchain-label-studio"
"""What the names of all senders begin with, in threads and in what is logged."""

_Key = tuple[Path, DeliverySettings]
_DestinationT = TypeVar("_DestinationT", bound=Destination)


@dataclass(frozen=True, slots=True)
class _Freight(Generic[_DestinationT]):
    """What a sender sends."""

    holds: Holds
    what: str
    key_of: Callable[[bytes], str]
    destination: Callable[[Settings], _DestinationT]


_RUNS = _Freight("runs", "Runs", read_run_id, ProjectDestination)
_FEEDBACK = _Freight("feedback", "Pieces of feedback", read_feedback_id, FeedbackDestination)


class _Senders(ForkSafe, Generic[_DestinationT]):
    """The senders that are in use, and the lock for finding or making one."""

    def __init__(self, freight: _Freight[_DestinationT]) -> None:
        self._freight = freight
        self._known: weakref.WeakValueDictionary[_Key, Sender[_DestinationT]] = weakref.WeakValueDictionary()
        super().__init__()

    def acquire(self, settings: Settings, delivery: DeliverySettings) -> Sender[_DestinationT]:
        """Return the sender for a target, with one owner more."""
        directory = target_directory(delivery.outbox_dir, settings, holds=self._freight.holds)
        with self._lock:
            sender = self._known.get((directory, delivery))
            if sender is not None:
                sender.acquire()
                return sender
            sender = self._known[directory, delivery] = _make(directory, settings, delivery, self._freight)
            return sender


_senders = _Senders(_RUNS)
_senders_of_feedback = _Senders(_FEEDBACK)


def share_sender(settings: Settings, delivery: DeliverySettings) -> Sender[ProjectDestination]:
    """Return this process's sender for a target, with one owner more: `retire` it in the end.

    Args:
        settings: Where runs go.
        delivery: How they get there.

    Warns:
        LabelStudioWarning: What waits cannot be kept on the disk.
    """
    return _senders.acquire(settings, delivery)


def share_feedback_sender(settings: Settings, delivery: DeliverySettings) -> Sender[FeedbackDestination]:
    """Return this process's sender of feedback for a target, with one owner more: `retire` it in the end.

    Args:
        settings: Where the runs are.
        delivery: How feedback gets there.

    Warns:
        LabelStudioWarning: What waits cannot be kept on the disk.
    """
    return _senders_of_feedback.acquire(settings, delivery)


def send_orphaned_runs(
    sender: Sender[ProjectDestination], settings: Settings, delivery: DeliverySettings
) -> None:
    """Send the orphaned runs of a target, and of its name on other days.

    Args:
        sender: The target's sender.
        settings: Where its runs go.
        delivery: How they get there.
    """
    if sender.directory is None:
        return
    own = target_directory(delivery.outbox_dir, settings)
    if has_lanes(own):
        sender.look_for_orphaned()
    _send_orphaned_of_other_days(settings, delivery, holds="runs")
    own_feedback = target_directory(delivery.outbox_dir, settings, holds="feedback")
    if has_lanes(own_feedback):
        _send_orphaned_of(
            Target(directory=own_feedback, settings=settings, holds="feedback"), settings, delivery
        )
    send_orphaned_feedback(settings, delivery)


def send_orphaned_feedback(settings: Settings, delivery: DeliverySettings) -> None:
    """Send the orphaned feedback of a target's name on other days.

    Args:
        settings: Where the runs are.
        delivery: How feedback gets there.
    """
    if delivery.durability != "memory":
        _send_orphaned_of_other_days(settings, delivery, holds="feedback")


def _send_orphaned_of_other_days(settings: Settings, delivery: DeliverySettings, *, holds: Holds) -> None:
    if "%" not in settings.project_name:
        return
    own = target_directory(delivery.outbox_dir, settings, holds=holds)
    for target in find_targets(delivery.outbox_dir)[0]:
        other = target.settings
        same_name = (other.url, other.project_name) == (settings.url, settings.project_name)
        if same_name and target.holds == holds and target.directory != own:
            if has_lanes(target.directory):
                _send_orphaned_of(target, settings, delivery)
            else:
                forget_target(target.directory)


def _send_orphaned_of(target: Target, settings: Settings, delivery: DeliverySettings) -> None:
    senders: _Senders[Any] = _senders if target.holds == "runs" else _senders_of_feedback
    sender = senders.acquire(replace(target.settings, api_key=settings.api_key), delivery)
    sender.look_for_orphaned()
    sender.retire()


def sender_of_orphaned(target: Target, settings: Settings, delivery: DeliverySettings) -> Sender[Any]:
    """Return a sender that recovers and sends the orphaned runs of a target.

    Args:
        target: The target.
        settings: Those of the target, with a key.
        delivery: How runs get there.
    """
    freight: _Freight[Any] = _RUNS if target.holds == "runs" else _FEEDBACK
    return _sender(_journal(target.directory, settings, delivery, freight), settings, delivery, freight)


def _make(
    directory: Path, settings: Settings, delivery: DeliverySettings, freight: _Freight[_DestinationT]
) -> Sender[_DestinationT]:
    if delivery.durability == "memory":
        return _sender(_memory(delivery, freight), settings, delivery, freight)
    try:
        prepare_target(directory, settings, holds=freight.holds)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        message = (
            f"{freight.holds.capitalize()} cannot be kept on the disk in {directory} ({error.strerror}): those that "
            "wait are in memory, and are lost if the program dies. Make it writable, or set another directory with "
            "outbox_dir= or LABEL_STUDIO_OUTBOX_DIR."
        )
        warnings.warn(message, LabelStudioWarning, stacklevel=5)
        return _sender(_memory(delivery, freight), settings, delivery, freight)
    journal = _journal(directory, settings, delivery, freight)
    return _sender(FallbackOutbox(journal, _memory(delivery, freight)), settings, delivery, freight)


def _sender(
    outbox: Outbox, settings: Settings, delivery: DeliverySettings, freight: _Freight[_DestinationT]
) -> Sender[_DestinationT]:
    project = settings.project_title if settings.project_id is None else settings.project_id
    name = f"{SENDER_NAME} ({project})" if freight is _RUNS else f"{SENDER_NAME} ({project}, {freight.holds})"
    return Sender(
        outbox,
        freight.destination(settings),
        name=name,
        flush_interval=delivery.flush_interval,
        what=freight.what,
    )


def _journal(
    directory: Path, settings: Settings, delivery: DeliverySettings, freight: _Freight[Any]
) -> DiskOutbox:
    return DiskOutbox(
        directory,
        key_of=freight.key_of,
        prepare=partial(prepare_target, directory, settings, holds=freight.holds),
        power=delivery.durability == "power",
        batch_size=delivery.batch_size,
    )


def _memory(delivery: DeliverySettings, freight: _Freight[Any]) -> MemoryOutbox:
    return MemoryOutbox(key_of=freight.key_of, batch_size=delivery.batch_size)
