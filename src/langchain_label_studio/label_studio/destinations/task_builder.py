"""`TaskBuilder`: makes the tasks of recorded runs, for the batch that is sent and for the next one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from langchain_label_studio.delivery import DeliveryFailedError, Record
from langchain_label_studio.label_studio.projects import Project
from langchain_label_studio.label_studio.tasks.build import EncodedTask, encode_task, missing_keys
from langchain_label_studio.support.log import ThrottledLog
from langchain_label_studio.types.run_record import decode_run

if TYPE_CHECKING:
    from langchain_label_studio.label_studio.client import LabelStudioClient
    from langchain_label_studio.label_studio.novelty import Novelty

# A breath takes as long as a plain task.
_AT_A_STRETCH = 100e-6
# An answer waits meanwhile. So a form that takes its time to fill tasks must not hold it up.
_SECONDS_AHEAD = 0.5

T = TypeVar("T")


class TaskBuilder:
    """Makes tasks of records. Those of the next batch are made while the server works on a request."""

    def __init__(self, log: ThrottledLog, *, model_version: str, novelty: Novelty | None = None) -> None:
        """Begin without tasks.

        Args:
            log: Takes the warnings.
            model_version: The version of the predictions.
            novelty: Compares tasks with those before them. None does not.
        """
        self._log = log
        self._model_version = model_version
        self._novelty = novelty
        self._ahead: dict[bytes, EncodedTask] = {}
        self._project: Project | None = None

    def read_reviewed(self, client: LabelStudioClient, project: Project) -> None:
        """Read what was reviewed, if tasks are compared with it."""
        if self._novelty:
            self._novelty.read_reviewed(client, project.id)

    def build(self, records: Sequence[Record], project: Project) -> list[EncodedTask]:
        """Return the tasks of some records.

        Raises:
            DeliveryFailedError: One of them could not be made.
        """
        ahead = self._built_ahead(project)
        return [ahead.get(record.body) or self._task(record, project) for record in _in_breaths(records)]

    def build_ahead(self, bodies: Iterable[bytes], project: Project) -> None:
        """Make the tasks of records that are sent next. Keep them until then, and no others.

        Args:
            bodies: The records. A record of which no task can be made is left to `build`.
            project: The project. The tasks are of no use if its label config changes.
        """
        known = self._built_ahead(project)
        ahead: dict[bytes, EncodedTask] = {}
        end = time.monotonic() + _SECONDS_AHEAD
        for body in _in_breaths(bodies):
            if time.monotonic() > end:
                break
            with suppress(Exception):
                ahead[body] = known.get(body) or self._encoded(body, project)
        self._ahead, self._project = ahead, project

    def _built_ahead(self, project: Project) -> dict[bytes, EncodedTask]:
        # A project that was read anew is another object.
        return self._ahead if self._project is project else {}

    def _task(self, record: Record, project: Project) -> EncodedTask:
        try:
            return self._encoded(record.body, project)
        except Exception as error:  # noqa: BLE001 (one record must not hold up the others)
            self._log.warning(
                "no_task",
                "Run %s could not be made into a task.",
                record.key,
                error=error,
                record_id=record.key,
            )
            reason = f"run {record.key} could not be made into a task: {type(error).__name__}"
            raise DeliveryFailedError(reason, status=422) from None

    def _encoded(self, body: bytes, project: Project) -> EncodedTask:
        run = decode_run(body)
        task = encode_task(
            run,
            project.config,
            model_version=self._model_version,
            novelty_of=self._novelty.of if self._novelty else None,
        )
        if missing := missing_keys(run, project.config):
            self._log.warning(
                "missing_data", "data= does not fill %s, which the label config shows: left empty.", missing
            )
        return task


def _in_breaths(items: Iterable[T]) -> Iterator[T]:
    """Yield the items. Another thread, such as one that calls a model, waits no longer than this and one task take."""
    breath = 0.0
    for item in items:
        if time.perf_counter() > breath:
            time.sleep(0)
            breath = time.perf_counter() + _AT_A_STRETCH
        yield item
