"""What a handler records, caught where it would go to Label Studio."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from langchain_label_studio import LabelStudioCallbackHandler, LLMRun
from langchain_label_studio.delivery import Found, Record, Sender, Upcoming
from langchain_label_studio.delivery.settings import DeliverySettings, resolve_delivery
from langchain_label_studio.forms.modes import get_default_label_configs
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.destinations.feedback import FeedbackDestination
from langchain_label_studio.label_studio.destinations.runs import ProjectDestination
from langchain_label_studio.label_studio.settings import DEFAULT_PROJECT_NAME, Settings, resolve_settings
from langchain_label_studio.label_studio.shared_senders import share_feedback_sender, share_sender
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.types.feedback import GivenFeedback, decode_feedback
from langchain_label_studio.types.run_record import decode_run
from tests.support.handlers import KEY, open_runs

CONFIGS = {mode: parse_label_config(get_default_label_configs(mode)[0]) for mode in ("prompt", "chat")}
_numbers = itertools.count()
_BASE64 = re.compile(r"[A-Za-z0-9+/]{200}")
_SMALL_IMAGE = re.compile(
    r"data:image/(?:png|jpeg|jpg|gif|webp);base64,[A-Za-z0-9+/]{1,200000}(?![A-Za-z0-9+/])"
)


class RecordingDestination(ProjectDestination):
    """Keeps the runs, as they come out of the outbox.

    Attributes:
        runs: The runs, in the order in which they ended.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.runs: list[LLMRun] = []

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:
        self.runs += [decode_run(record.body) for record in records]

    def find(self, records: Sequence[Record], *, note: str) -> Found:
        stored = {run.record_id for run in self.runs}
        return Found(keys=frozenset(record.key for record in records if record.key in stored))

    def task_id(self, run_id: str, *, record_id: str | None) -> int | None:
        """Return the place of the latest run with this id among the runs, from 1 on. All runs have arrived here."""
        return max((place for place, run in enumerate(self.runs, 1) if run.run_id == run_id), default=None)


class RecordingFeedbackDestination(FeedbackDestination):
    """Keeps the feedback, as it comes out of the outbox.

    Attributes:
        given: The feedback, in the order in which it was given.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.given: list[GivenFeedback] = []

    def send(self, records: Sequence[Record], *, upcoming: Upcoming) -> None:
        self.given += [decode_feedback(record.body) for record in records]


def keep_runs(settings: Settings, delivery: DeliverySettings) -> RecordingDestination:
    """Let the runs of a handler come to a destination in this process. The handler is there already.

    Args:
        settings: The handler's server and project. Handlers of one target share their sender, so we get it, too.
        delivery: The handler's settings of delivery.
    """
    destination = RecordingDestination(settings)
    sender = share_sender(settings, delivery)
    sender.destination = destination
    sender.retire()
    return destination


class Recording:
    """A real handler, and what it recorded.

    Attributes:
        handler: The handler.
        lost: What `stats().lost` must be at the end of the test.
    """

    def __init__(self, *, url: str | None = None, project_name: str | None = None, **options: Any) -> None:
        # A project and an outbox of its own: handlers of one project share the runs that they record, and a sender.
        project_name = project_name or f"{DEFAULT_PROJECT_NAME} {next(_numbers)}"
        delivery = resolve_delivery(
            outbox_dir=Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"], f"recording-{next(_numbers)}"),
            flush_interval=3600,
        )
        self.handler = LabelStudioCallbackHandler(
            KEY,
            url,
            project_name=project_name,
            connect="lazy",
            flush_interval=delivery.flush_interval,
            outbox_dir=delivery.outbox_dir,
            **options,
        )
        settings = resolve_settings(api_key=KEY, url=url, project_name=project_name)
        self._destination = keep_runs(settings, delivery)
        self._given = RecordingFeedbackDestination(settings)
        # The handler asks for this sender with its first feedback. Until then, nobody else keeps it.
        self._feedback_sender: Sender[FeedbackDestination] = share_feedback_sender(settings, delivery)
        self._feedback_sender.destination = self._given
        self._feedback_sender.retire()
        self.lost: Mapping[str, int] = {}

    @property
    def runs(self) -> list[LLMRun]:
        """All runs recorded so far."""
        assert self.handler.flush(10)
        return list(self._destination.runs)

    @property
    def feedback(self) -> list[GivenFeedback]:
        """All feedback given so far."""
        assert self.handler.flush(10)
        return list(self._given.given)

    @property
    def open_runs(self) -> int:
        """How many runs started and did not end."""
        return open_runs(self.handler)

    def record_of(self, known: UUID | str | None) -> str | None:
        """Return the id of the record whose task the id of a run or a message leads to; None is the last run."""
        url = self.handler.task_url(known)
        return None if url is None else self.runs[int(url.rpartition("?task=")[2]) - 1].run_id

    @property
    def run(self) -> LLMRun:
        """The one run recorded."""
        (run,) = self.runs
        return run

    @property
    def answer(self) -> str:
        """The one answer of the one run."""
        (turn,) = self.run.answers
        return turn["content"]

    def task(self, mode: str = "prompt") -> dict[str, Any]:
        """Return the task of the one run, with the label config of the mode."""
        return build_task(self.run, CONFIGS[mode], model_version="langchain")

    def shown(self, mode: str = "prompt") -> list[str]:
        """Return the texts of the one run's prediction."""
        predictions = self.task(mode)["predictions"]
        return [text for prediction in predictions for text in prediction["result"][0]["value"]["text"]]

    def check(self) -> None:
        """See that nothing was lost, and that Label Studio can hold every task."""
        assert self.handler.stats().lost == self.lost
        runs = self.runs
        assert len({run.record_id for run in runs}) == len(runs), "a record has the id of another one"
        for run in runs:
            for config in CONFIGS.values():
                check_task(build_task(run, config, model_version="langchain"), run)


def config(recorded: Recording, **more: Any) -> Any:
    """Return the config of a call that the handler hears."""
    return {"callbacks": [recorded.handler], **more}


def check_task(task: Mapping[str, Any], run: LLMRun) -> None:
    """See that a task is one that Label Studio can hold and a person can read."""
    sent = json.dumps(task, allow_nan=False, ensure_ascii=False).encode().decode()
    assert KEY not in sent
    assert "\\u0000" not in sent
    assert not _BASE64.search(_SMALL_IMAGE.sub("", sent)), (
        "more of somebody's image or file than is shown is in the task"
    )
    assert task["data"]["run_id"] == run.run_id
    assert not [key for key, value in task["data"].items() if value is None]
    assert len(task["predictions"]) <= 1
    for prediction in task["predictions"]:
        (region,) = prediction["result"]
        assert isinstance(region["id"], str)
        assert region["value"]["text"]
        assert all(isinstance(text, str) and text for text in region["value"]["text"])


def recording(**options: Any) -> Iterator[Recording]:
    """Be a fixture: `recorded = pytest.fixture(recording)`."""
    recorded = Recording(**options)
    yield recorded
    recorded.check()
    recorded.handler.close()
