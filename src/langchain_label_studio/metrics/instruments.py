"""`make_instruments`: our instruments in an application's `Meter`.

The application's exporter reads them when it needs them. So they cost a run nothing. Their names and units follow
https://opentelemetry.io/docs/specs/semconv/general/naming/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from langchain_label_studio.metrics.request_time import add_histogram
from langchain_label_studio.metrics.sources import MetricSources, ReasonCount, SenderCount, Series

METER = "langchain_label_studio"
PREFIX = "langchain_label_studio."
STATES = ("idle", "waiting", "sending", "unreachable", "blocked")

_Level = Literal["pending", "in_doubt", "postponed", "in_memory"]

_COUNTERS: dict[SenderCount | ReasonCount, str] = {
    "submitted": "Records that this process put into its outbox: its own, and those it recovered.",
    "recovered": "How many of the submitted records are orphaned records of other processes.",
    "delivered": "Records that are stored, as their destination confirmed.",
    "found_existing": "Records without a confirmation that were found stored later.",
    "rejected": "Records that were refused for good. They are set aside.",
    "lost": "Records that could not be recorded as they should, by reason.",
    "excluded": "Runs that a setting left out on purpose, by reason.",
}
_LEVELS: dict[_Level, str] = {
    "pending": "Records that are not sent yet.",
    "in_doubt": "Records that were sent. Nobody knows yet whether they are stored.",
    "postponed": "How many of the pending records wait for a later time.",
    "in_memory": "How many of the pending records and of those in doubt are lost if the process ends now.",
}
# From a request of a few runs on a fast server to one of 4 MiB on a busy SQLite.
_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

_Callback = Callable[[CallbackOptions], Iterator[Observation]]


def make_instruments(meter: Meter, sources: MetricSources) -> None:
    """Make all instruments.

    Args:
        meter: The meter of the application.
        sources: What they are read from.
    """
    for name, description in _COUNTERS.items():
        callback: _Callback = partial(_counts, sources, name)
        meter.create_observable_counter(PREFIX + name, [callback], unit="{record}", description=description)
    for level, description in _LEVELS.items():
        callback = partial(_levels, sources, level)
        meter.create_observable_up_down_counter(
            PREFIX + level, [callback], unit="{record}", description=description
        )
    meter.create_observable_gauge(
        PREFIX + "oldest_age",
        [partial(_oldest_age, sources)],
        unit="s",
        description="For how long the oldest pending record has waited. 0 if none is pending.",
    )
    meter.create_observable_gauge(
        PREFIX + "state",
        [partial(_states, sources)],
        description="1 for the state in which the delivery is, 0 for the other states.",
    )
    add_histogram(
        meter.create_histogram(
            PREFIX + "request.duration",
            unit="s",
            description="The time of one request that stores records.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
    )


def _attributes(series: Series) -> dict[str, str]:
    return {name: value for name, value in series._asdict().items() if value}


def _counts(
    sources: MetricSources, name: SenderCount | ReasonCount, _: CallbackOptions
) -> Iterator[Observation]:
    for series, count in sources.counts(name):
        yield Observation(count, _attributes(series))


def _levels(sources: MetricSources, level: _Level, _: CallbackOptions) -> Iterator[Observation]:
    sums: Counter[Series] = Counter()
    for series, numbers in sources.numbers():
        sums[series] += getattr(numbers, level)
    for series, sum_of_all in sums.items():
        yield Observation(sum_of_all, _attributes(series))


def _oldest_age(sources: MetricSources, _: CallbackOptions) -> Iterator[Observation]:
    ages: dict[Series, float] = {}
    for series, numbers in sources.numbers():
        ages[series] = max(ages.get(series, 0.0), numbers.oldest_seconds or 0.0)
    for series, age in ages.items():
        yield Observation(age, _attributes(series))


def _states(sources: MetricSources, _: CallbackOptions) -> Iterator[Observation]:
    present: dict[Series, set[str]] = {}
    for series, numbers in sources.numbers():
        present.setdefault(series, set()).add(numbers.state)
    for series, states in present.items():
        for state in STATES:
            yield Observation(int(state in states), _attributes(series) | {"state": state})
