"""What all benchmarks share: how much is measured, a directory, servers, and workers."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from langchain_label_studio.local_server import LocalLabelStudio
from tests.benchmarks.worker import Worker

LEGACY_TOKEN = "0123456789abcdef0123456789abcdef01234567"
"""The old handler's SDK knows no personal access tokens."""

_LEGACY_TOKENS = {
    "LABEL_STUDIO_USER_TOKEN": LEGACY_TOKEN,
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
}


class Lab:
    """One run of the benchmarks.

    Attributes:
        directory: Where everything is, and is gone afterwards.
        quick: Whether it is only to be seen that everything works.
    """

    def __init__(self, directory: Path, *, quick: bool) -> None:
        self.directory = directory
        self.quick = quick
        self._workers = 0
        self._began = time.monotonic()
        self._label_studio: Future[LocalLabelStudio] | None = None
        self._starter = ThreadPoolExecutor(1)

    def scale(self, full: int, quick: int) -> int:
        """Return how many of something there are."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Tell the person who waits."""
        print(f"[{time.monotonic() - self._began:5.0f} s] {text}", file=sys.stderr, flush=True)

    @contextmanager
    def workers(self, names: Iterable[str]) -> Iterator[dict[str, Worker]]:
        """Run a worker for each name."""
        with ExitStack() as exits:
            yield {name: exits.enter_context(self.worker()) for name in names}

    def worker(self, env: Mapping[str, str] | None = None) -> Worker:
        """Start one worker, in a directory of its own, with more environment variables."""
        self._workers += 1
        return Worker(self.directory / f"worker-{self._workers}", env)

    def prepare(self, workers: Mapping[str, Worker], function: Callable[..., Any], **arguments: Any) -> None:
        """Call a function in all workers at once, each with its own name: nothing is measured yet."""
        with ThreadPoolExecutor() as pool:
            calls = [
                pool.submit(worker.call, function, name=name, **arguments) for name, worker in workers.items()
            ]
        for call in calls:
            call.result()

    def start_label_studio(self) -> None:
        """Begin to start a real Label Studio."""
        if self._label_studio is None:
            self._label_studio = self._starter.submit(
                LocalLabelStudio(self.directory / "label-studio", env=_LEGACY_TOKENS).start
            )

    @property
    def label_studio(self) -> LocalLabelStudio:
        """The real Label Studio."""
        self.start_label_studio()
        assert self._label_studio
        if not self._label_studio.done():
            self.say("Starting a real Label Studio")
        return self._label_studio.result()

    def close(self) -> None:
        """Stop what was started."""
        if self._label_studio:
            self._label_studio.result().stop()
        self._starter.shutdown()


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Iterable[float]) -> float:
    """Return the value in the middle."""
    return statistics.median(values)
