"""Senders that handlers share: `share_sender` returns the one sender that this process has for a project."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from langchain_label_studio.delivery import (
    Destination,
    DiskOutbox,
    FallbackOutbox,
    MemoryOutbox,
    Outbox,
    Sender,
)
from langchain_label_studio.delivery.settings import DeliverySettings
from langchain_label_studio.label_studio.destinations.runs import ProjectDestination, load_client
from langchain_label_studio.label_studio.project_outboxes import ProjectOutbox
from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.label_studio.target_file import Holds
from langchain_label_studio.label_studio.where_runs_go import log_of
from langchain_label_studio.metrics.switch import watch_sender
from langchain_label_studio.support.forks import ForkSafe, no_fork
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.types.run_record import read_record_id

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.destinations.feedback import FeedbackDestination
    from langchain_label_studio.label_studio.destinations.store import StoreDestination
    from langchain_label_studio.label_studio.projects import Project

SENDER_NAME = "langchain-label-studio"
"""The beginning of the names of all senders, in threads and in the log."""

RunsDestination: TypeAlias = "ProjectDestination | StoreDestination"
AnyFeedbackDestination: TypeAlias = "FeedbackDestination | StoreDestination"

_Key = tuple[Path, DeliverySettings]
_DestinationT = TypeVar("_DestinationT", bound=Destination)


class _SharedSenders(ForkSafe, Generic[_DestinationT]):
    """The senders in use for one kind of records. Its lock guards the search for a sender and the making of one."""

    def __init__(
        self,
        holds: Holds,
        *,
        what: str,
        key_of: Callable[[bytes], str],
        destination: Callable[[Settings], _DestinationT],
    ) -> None:
        self._holds = holds
        self._what = what
        self._key_of = key_of
        self._destination = destination
        self._known: weakref.WeakValueDictionary[_Key, Sender[_DestinationT]] = weakref.WeakValueDictionary()
        super().__init__()

    def outbox_of(self, settings: Settings, delivery: DeliverySettings) -> ProjectOutbox:
        return ProjectOutbox.of(settings, delivery.outbox_dir, holds=self._holds)

    def acquire(self, outbox: ProjectOutbox, delivery: DeliverySettings) -> Sender[_DestinationT]:
        """Return the sender of an outbox, with one more owner."""
        with self._lock:
            sender = self._known.get((outbox.directory, delivery))
            if sender is not None:
                sender.acquire()
                return sender
            own_log = self._log(outbox, delivery)
            storage = self._storage(outbox, delivery, own_log)
            sender = self._known[outbox.directory, delivery] = self._sender(
                outbox, delivery, storage, own_log
            )
            return sender

    def known(self) -> list[Sender[_DestinationT]]:
        """Return all senders in use."""
        with self._lock:
            return list(self._known.values())

    def make_for_disk(self, outbox: ProjectOutbox, delivery: DeliverySettings) -> Sender[_DestinationT]:
        """Return a new sender that nobody shares, and that never stores records in memory."""
        own_log = self._log(outbox, delivery)
        return self._sender(outbox, delivery, self._disk(outbox, delivery, own_log), own_log)

    def send_orphaned(self, outbox: ProjectOutbox, delivery: DeliverySettings) -> None:
        """Let the sender of an outbox recover the orphaned records there."""
        if outbox.has_lanes:
            sender = self.acquire(outbox, delivery)
            sender.look_for_orphaned()
            sender.retire()

    def send_orphaned_of_same_name(self, outbox: ProjectOutbox, delivery: DeliverySettings) -> None:
        """Do the same for the other outboxes of the same project name: see `ProjectOutbox.of_same_name`."""
        for other in outbox.of_same_name():
            self.send_orphaned(other.with_access_of(outbox.settings), delivery)
            other.forget_if_unused()

    def _sender(
        self, outbox: ProjectOutbox, delivery: DeliverySettings, storage: Outbox, own_log: ThrottledLog
    ) -> Sender[_DestinationT]:
        settings = outbox.settings
        suffix = "" if self._holds == "runs" else f", {self._holds}"
        sender = Sender(
            storage,
            self._destination(settings),
            name=f"{SENDER_NAME} ({settings.named_project}{suffix})",
            flush_interval=delivery.flush_interval,
            what=self._what,
            log=own_log,
        )
        watch_sender(sender, project=settings.written_project, kind=self._holds)
        return sender

    def _log(self, outbox: ProjectOutbox, delivery: DeliverySettings) -> ThrottledLog:
        directory = None if delivery.durability == "memory" else str(outbox.directory)
        return log_of(outbox.settings, self._holds, outbox=directory)

    def _storage(self, outbox: ProjectOutbox, delivery: DeliverySettings, own_log: ThrottledLog) -> Outbox:
        memory = MemoryOutbox(key_of=self._key_of, batch_size=delivery.batch_size)
        if delivery.durability == "memory":
            return memory
        try:
            outbox.prepare()
        except OSError as error:
            own_log.warn(
                "no_outbox",
                f"{self._holds.capitalize()} cannot be kept on the disk in {outbox.directory} ({error.strerror}): those that "
                "wait are in memory, and are lost if the program dies. Make it writable, or set another directory with "
                "outbox_dir= or LABEL_STUDIO_OUTBOX_DIR.",
                reason=error.strerror,
            )
            return memory
        return FallbackOutbox(self._disk(outbox, delivery, own_log), memory)

    def _disk(self, outbox: ProjectOutbox, delivery: DeliverySettings, own_log: ThrottledLog) -> DiskOutbox:
        return DiskOutbox(
            outbox.directory,
            key_of=self._key_of,
            prepare=outbox.prepare,
            power=delivery.durability == "power",
            batch_size=delivery.batch_size,
            log=own_log,
        )


def _runs_destination(settings: Settings) -> RunsDestination:
    return _store_destination(settings, "runs") if settings.deliver_to else ProjectDestination(settings)


def _feedback_destination(settings: Settings) -> AnyFeedbackDestination:
    if settings.deliver_to:
        return _store_destination(settings, "feedback")
    with no_fork():  # loaded with the first feedback: most programs have none
        from langchain_label_studio.label_studio.destinations.feedback import FeedbackDestination  # noqa: PLC0415
    return FeedbackDestination(settings)


def _store_destination(settings: Settings, holds: Holds) -> StoreDestination:
    with no_fork():  # most programs send to Label Studio
        from langchain_label_studio.label_studio.destinations.store import StoreDestination  # noqa: PLC0415
    return StoreDestination(settings, holds)


def _feedback_id(line: bytes) -> str:
    from langchain_label_studio.types.feedback import read_feedback_id  # noqa: PLC0415 (loaded with its destination)

    return read_feedback_id(line)


_runs = _SharedSenders("runs", what="Runs", key_of=read_record_id, destination=_runs_destination)
_feedback = _SharedSenders(
    "feedback", what="Pieces of feedback", key_of=_feedback_id, destination=_feedback_destination
)


def share_sender(settings: Settings, delivery: DeliverySettings) -> Sender[RunsDestination]:
    """Return this process's sender for the runs of a project, with one more owner. The owner has to `retire` it.

    Args:
        settings: The server and the project.
        delivery: The settings of delivery.

    Warns:
        LabelStudioWarning: Pending runs cannot be stored on the disk.
    """
    sender = _runs.acquire(_runs.outbox_of(settings, delivery), delivery)
    known = sender.destination
    if known.project is None and settings.has_other_access_than(known.settings):
        # The other key has never worked, or does not work any more.
        sender.redirect(_runs_destination(settings))
    return sender


def destination_to_try(sender: Sender[RunsDestination], settings: Settings) -> ProjectDestination:
    """Return a destination to connect with: the sender's, or a new one that may replace it.

    A new destination is tried before it replaces one that works. And the project may not fit these settings. The sender's
    thread may be connecting, for much longer than another thread should wait.

    Args:
        sender: The sender.
        settings: The server and the project.
    """
    load_client()  # before anybody counts the time
    known = sender.destination
    if (
        not isinstance(known, ProjectDestination)
        or known.settings != settings
        or (known.project is None and sender.unsettled)
    ):
        return ProjectDestination(settings)
    return known


def share_feedback_sender(settings: Settings, delivery: DeliverySettings) -> Sender[AnyFeedbackDestination]:
    """Return this process's sender for the feedback of a project, with one more owner. The owner has to `retire` it.

    Args:
        settings: The server and the project.
        delivery: The settings of delivery.

    Warns:
        LabelStudioWarning: Pending feedback cannot be stored on the disk.
    """
    return _feedback.acquire(_feedback.outbox_of(settings, delivery), delivery)


def feedback_senders(settings: Settings, project: Project | None) -> list[Sender[AnyFeedbackDestination]]:
    """Return this process's senders of feedback for a project, whoever gave the feedback.

    Feedback may name the project in another way than the handler of its runs.

    Args:
        settings: The server and the project.
        project: The same project, as Label Studio knows it. None before Label Studio has answered.
    """
    ids = {settings.project_id, project.id if project else None} - {None}
    titles = {settings.project_title, project.title if project else ""} - {""}
    return [
        sender
        for sender in _feedback.known()
        if (other := sender.destination.settings).address == settings.address
        and (
            other.project_id in ids
            or other.project_title in titles
            # Of any day.
            or (other.project_name and other.project_name == settings.project_name)
        )
    ]


def send_orphaned_runs(
    sender: Sender[RunsDestination], settings: Settings, delivery: DeliverySettings
) -> None:
    """Send the orphaned runs and feedback of a project, and of the same project name on other days.

    Args:
        sender: The project's sender.
        settings: The server and the project.
        delivery: The settings of delivery.
    """
    if sender.directory is None:
        return
    outbox = _runs.outbox_of(settings, delivery)
    if outbox.has_lanes:
        sender.look_for_orphaned()
    _runs.send_orphaned_of_same_name(outbox, delivery)
    _feedback.send_orphaned(_feedback.outbox_of(settings, delivery), delivery)
    send_orphaned_feedback(settings, delivery)


def send_orphaned_feedback(settings: Settings, delivery: DeliverySettings) -> None:
    """Send the orphaned feedback of a project's name on other days.

    Args:
        settings: The server and the project.
        delivery: The settings of delivery.
    """
    if delivery.durability != "memory":
        _feedback.send_orphaned_of_same_name(_feedback.outbox_of(settings, delivery), delivery)


def sender_of_orphaned(outbox: ProjectOutbox, delivery: DeliverySettings) -> Sender[Any]:
    """Return a new sender that recovers and sends the orphaned records of an outbox.

    Args:
        outbox: The outbox, with a key in its settings.
        delivery: The settings of delivery.
    """
    senders: _SharedSenders[Any] = _runs if outbox.holds == "runs" else _feedback
    return senders.make_for_disk(outbox, delivery)
