"""`timed_request`: measure the time of a request that stores records."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from langchain_label_studio.metrics.sources import Kind


class _Histogram(Protocol):
    def record(self, amount: float, attributes: Mapping[str, str]) -> None: ...


_histograms: list[_Histogram] = []


def add_histogram(histogram: _Histogram) -> None:
    """Record the time of each request from now on in a histogram, in seconds."""
    _histograms.append(histogram)


@contextmanager
def timed_request(*, project: str, kind: Kind) -> Iterator[None]:
    """Measure the block, which is one request. If it raises, the request has failed.

    Args:
        project: The project's name as the application wrote it, or its number.
        kind: The kind of the records.
    """
    began, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "answered"
    finally:
        for histogram in _histograms:
            attributes = {"project": project, "kind": kind, "outcome": outcome}
            histogram.record(time.monotonic() - began, attributes)
