"""The senders of this process: one for each target, whoever many handlers it has."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from dataclasses import replace
from functools import partial
from pathlib import Path

from langchain_label_studio.delivery import (
    JournalOutbox,
    MemoryOutbox,
    Outbox,
    Sender,
    SpareOutbox,
    has_lanes,
)
from langchain_label_studio.destination import ProjectDestination
from langchain_label_studio.errors import LabelStudioWarning
from langchain_label_studio.forks import begin_anew_in_children
from langchain_label_studio.runs import read_run_id
from langchain_label_studio.settings import DeliverySettings, Settings
from langchain_label_studio.targets import (
    Target,
    find_targets,
    forget_target,
    prepare_target,
    target_directory,
)

SENDER_NAME = "langchain-label-studio"
"""What the names of all senders begin with, in threads and in what is logged."""

_Key = tuple[Path, DeliverySettings]


class _Senders:
    """The senders that are in use, and the lock for finding or making one."""

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[_Key, Sender[ProjectDestination]] = (
            weakref.WeakValueDictionary()
        )
        self.begin_in_child()
        begin_anew_in_children(self)

    def begin_in_child(self) -> None:
        self._lock = threading.RLock()

    def acquire(self, settings: Settings, delivery: DeliverySettings) -> Sender[ProjectDestination]:
        """Return the sender for a target, with one owner more."""
        directory = target_directory(delivery.outbox_dir, settings)
        with self._lock:
            sender = self._known.get((directory, delivery))
            if sender is not None:
                sender.acquire()
                return sender
            sender = self._known[directory, delivery] = _make(directory, settings, delivery)
            return sender


_senders = _Senders()


def share_sender(settings: Settings, delivery: DeliverySettings) -> Sender[ProjectDestination]:
    """Return this process's sender for a target, with one owner more: `retire` it in the end.

    Args:
        settings: Where runs go.
        delivery: How they get there.

    Warns:
        LabelStudioWarning: What waits cannot be kept on the disk.
    """
    return _senders.acquire(settings, delivery)


def send_leftovers(
    sender: Sender[ProjectDestination], settings: Settings, delivery: DeliverySettings
) -> None:
    """Send what processes that died have left for a target, and under its name on other days.

    Args:
        sender: The target's sender.
        settings: Where its runs go.
        delivery: How they get there.
    """
    if sender.directory is None:
        return
    own = target_directory(delivery.outbox_dir, settings)
    if has_lanes(own):
        sender.look_for_leftovers()
    if "%" not in settings.project_name:
        return
    for target in find_targets(delivery.outbox_dir)[0]:
        other = target.settings
        same_name = (other.url, other.project_name) == (settings.url, settings.project_name)
        if same_name and target.directory != own:
            if has_lanes(target.directory):
                leftovers = share_sender(replace(other, api_key=settings.api_key), delivery)
                leftovers.look_for_leftovers()
                leftovers.retire()
            else:
                forget_target(target.directory)


def sender_of_leftovers(
    target: Target, settings: Settings, delivery: DeliverySettings
) -> Sender[ProjectDestination]:
    """Return a sender that takes over and sends what processes that died have left for a target.

    Args:
        target: The target.
        settings: Those of the target, with a key.
        delivery: How runs get there.
    """
    return _sender(_journal(target.directory, settings, delivery), settings, delivery)


def _make(directory: Path, settings: Settings, delivery: DeliverySettings) -> Sender[ProjectDestination]:
    if delivery.durability == "memory":
        return _sender(_memory(delivery), settings, delivery)
    try:
        prepare_target(directory, settings)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        message = (
            f"Runs cannot be kept on the disk in {directory} ({error.strerror}): those that wait are in memory, "
            "and are lost if the program dies. Make it writable, or set another directory with outbox_dir= or "
            "LABEL_STUDIO_OUTBOX_DIR."
        )
        warnings.warn(message, LabelStudioWarning, stacklevel=5)
        return _sender(_memory(delivery), settings, delivery)
    journal = _journal(directory, settings, delivery)
    return _sender(SpareOutbox(journal, _memory(delivery)), settings, delivery)


def _sender(outbox: Outbox, settings: Settings, delivery: DeliverySettings) -> Sender[ProjectDestination]:
    project = settings.project_title if settings.project_id is None else settings.project_id
    return Sender(
        outbox,
        ProjectDestination(settings),
        name=f"{SENDER_NAME} ({project})",
        flush_interval=delivery.flush_interval,
    )


def _journal(directory: Path, settings: Settings, delivery: DeliverySettings) -> JournalOutbox:
    return JournalOutbox(
        directory,
        key_of=read_run_id,
        prepare=partial(prepare_target, directory, settings),
        power=delivery.durability == "power",
        batch_size=delivery.batch_size,
    )


def _memory(delivery: DeliverySettings) -> MemoryOutbox:
    return MemoryOutbox(key_of=read_run_id, batch_size=delivery.batch_size)
