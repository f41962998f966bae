"""What a handler records, caught where it would go to Label Studio."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_label_studio import LabelStudioCallbackHandler, LLMRun
from langchain_label_studio.delivery import Record
from langchain_label_studio.forms.modes import get_default_label_configs
from langchain_label_studio.label_config.parse import parse_label_config
from langchain_label_studio.label_studio.tasks.build import build_task
from langchain_label_studio.recording.open_runs import RunTable
from langchain_label_studio.types.run_record import decode_run
from tests.support.handlers import KEY

CONFIGS = {mode: parse_label_config(get_default_label_configs(mode)[0]) for mode in ("prompt", "chat")}
_numbers = itertools.count()
_BASE64 = re.compile(r"[A-Za-z0-9+/]{200}")
_SMALL_IMAGE = re.compile(
    r"data:image/(?:png|jpeg|jpg|gif|webp);base64,[A-Za-z0-9+/]{1,200000}(?![A-Za-z0-9+/])"
)


class RecordingDestination:
    """Keeps the runs, as they come out of the outbox.

    Attributes:
        runs: The runs, in the order in which they ended.
    """

    def __init__(self) -> None:
        self.runs: list[LLMRun] = []

    def send(self, records: Sequence[Record]) -> None:
        self.runs += [decode_run(record.body) for record in records]

    def find(self, records: Sequence[Record]) -> frozenset[str]:
        known = {run.run_id for run in self.runs}
        return frozenset(record.key for record in records if record.key in known)

    def reset(self) -> None:
        """Nothing was learned."""


class Recording:
    """A real handler, and what it recorded.

    Attributes:
        handler: The handler.
        lost: What `stats().lost` must be at the end of the test.
    """

    def __init__(self, **options: Any) -> None:
        # An outbox of its own: handlers of one target share their sender.
        outbox_dir = Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"], f"recording-{next(_numbers)}")
        self.handler = LabelStudioCallbackHandler(
            KEY, connect="lazy", flush_interval=3600, outbox_dir=outbox_dir, **options
        )
        self._destination = RecordingDestination()
        self.handler._sender.destination = self._destination
        self.lost: Mapping[str, int] = {}

    @property
    def runs(self) -> list[LLMRun]:
        """All runs recorded so far."""
        assert self.handler.flush(10)
        return list(self._destination.runs)

    @property
    def open_runs(self) -> int:
        """How many runs started and did not end."""
        return len(self.handler._recorder.runs)

    def bound_open_runs(self, max_open: int) -> None:
        """Let fewer runs be open at once."""
        self.handler._recorder.runs = RunTable(max_open=max_open)

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
        assert len({run.run_id for run in runs}) == len(runs), "a run was recorded twice"
        for run in runs:
            for config in CONFIGS.values():
                check_task(build_task(run, config, model_version="langchain"), run)


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
