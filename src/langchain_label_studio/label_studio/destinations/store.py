"""`StoreDestination`: object storage as the destination of a worker's records. A relay brings them to Label Studio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from langchain_label_studio.delivery import DeliveryFailedError, Found, Record, Upcoming
from langchain_label_studio.errors import LabelStudioError, ObjectStoreError, SettingError, Trouble
from langchain_label_studio.label_studio.destinations.runs import ONLY_THE_RELAY
from langchain_label_studio.label_studio.settings import Settings
from langchain_label_studio.label_studio.target_file import TARGET_FILE, Holds, encode_target, target_folder
from langchain_label_studio.metrics.request_time import timed_request
from langchain_label_studio.object_store.batch_names import LAYOUT, NEW, again, batch_name
from langchain_label_studio.object_store.courier import LONGEST_PUT, Courier
from langchain_label_studio.types.feedback import decode_feedback
from langchain_label_studio.types.record_id import record_time

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.progress import TaskCounts
    from langchain_label_studio.label_studio.projects import Project

LONGEST_REQUEST = 2 * LONGEST_PUT
"""Seconds for `target.json` and a batch."""

AFTER_ITS_END = 10.0
"""Seconds for which the store may still carry out a request after its client has given it up."""

_STATUS: dict[Trouble, int | None] = {"refused": 403, "missing": 404, "later": None, "no answer": None}


class StoreDestination:
    """Puts each batch as one object into object storage.

    Attributes:
        settings: The storage, and the project of the records. The relay finds or creates that project.
    """

    def __init__(self, settings: Settings, holds: Holds = "runs") -> None:
        """Make a destination. It sends nothing yet, and does not open the storage.

        Args:
            settings: The storage, and the project of the records.
            holds: The kind of the records.
        """
        self.settings = settings
        # The storage may move, and another network may have another address for it.
        self._target = encode_target(replace(settings, deliver_to=""), holds)
        self._folder = f"{LAYOUT}/{target_folder(self._target)}"
        self._courier = Courier(settings.deliver_to)
        self._holds = holds
        self._has_target = False
        self._begun = ""

    def connect(self) -> NoReturn:
        """Raise an error: only the relay speaks with Label Studio.

        Raises:
            SettingError: Always.
        """
        raise SettingError(ONLY_THE_RELAY.format(self.settings.deliver_to))

    @property
    def project(self) -> Project | None:
        """None: only the relay knows the project."""
        return None

    def task_id(self, run_id: str, *, record_id: str | None) -> int | None:  # noqa: ARG002 (see below)
        """Return None: only the relay knows the tasks."""
        return None

    def count_tasks(self) -> TaskCounts | None:
        """Return None: only the relay knows the tasks."""
        return None

    def reset(self) -> None:
        """Forget the storage. The next request opens it anew, with the credentials of that moment."""
        self._courier.reset()
        self._has_target = False

    def grace(self, *, note: str) -> float:
        """Return the seconds for which the storage may still store a batch.

        They count from the end of a request of this process. After the death of another process, they count from the
        beginning of its request.
        """
        return AFTER_ITS_END + (0.0 if note and note == self._begun else LONGEST_REQUEST)

    def note(self, records: Sequence[Record]) -> str:
        """Return the name of the batch."""
        return self._batch(records)[0]

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:  # noqa: ARG002 (they are ready)
        """Put the batch into the storage.

        Raises:
            DeliveryFailedError: It is not certain that the storage has it.
        """
        name, content = self._batch(records)
        self._put_target()
        self._begun = name
        self._put(name, content)

    def find(self, records: Sequence[Record], *, note: str) -> Found:  # noqa: ARG002 (the name follows from the records)
        """Put the batch once more, under a name that tells the relay to ask Label Studio for its records.

        Returns:
            The keys of all records.

        Raises:
            DeliveryFailedError: It is not certain that the storage has it.
        """
        name, content = self._batch(records)
        self._put_target()
        self._put(again(name), content)
        return Found(keys=frozenset(record.key for record in records), ended=True)

    def _put(self, name: str, content: bytes) -> None:
        with _as_failure(), timed_request(project=self.settings.written_project, kind=self._holds):
            self._courier.put(f"{self._folder}/{NEW}/{name}", content)

    def _put_target(self) -> None:
        """Put `target.json`, once in this process."""
        if not self._has_target:
            with _as_failure(has_records=False):
                self._courier.put(f"{self._folder}/{TARGET_FILE}", self._target)
            self._has_target = True

    def _batch(self, records: Sequence[Record]) -> tuple[str, bytes]:
        """Return the name and the content of a batch."""
        content = b"".join(record.body + b"\n" for record in records)
        return batch_name(content, recorded_at=self._time_of(records[0])), content

    def _time_of(self, record: Record) -> str:
        if self._holds == "runs":
            return record_time(record.key)
        with suppress(LabelStudioError, ValueError):  # the relay says so
            return decode_feedback(record.body).given_at
        return ""


@contextmanager
def _as_failure(*, has_records: bool = True) -> Iterator[None]:
    """Turn errors into the error for the sender.

    Args:
        has_records: Whether the request has records in it.
    """
    try:
        yield
    except ObjectStoreError as error:
        maybe_stored = has_records and error.trouble == "no answer"
        raise DeliveryFailedError(
            str(error), status=_STATUS[error.trouble], maybe_stored=maybe_stored
        ) from None
    except LabelStudioError as error:  # the library is not installed here
        raise DeliveryFailedError(str(error), status=_STATUS["missing"]) from None
