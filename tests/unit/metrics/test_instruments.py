"""The instruments, as OpenTelemetry's own SDK reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from langchain_label_studio.delivery import DeliveryStats
from langchain_label_studio.delivery.stats import State
from langchain_label_studio.metrics.instruments import STATES, make_instruments
from langchain_label_studio.metrics.request_time import timed_request
from langchain_label_studio.metrics.sources import MetricSources, Series
from tests.support.private_parts import request_histograms_restored
from tests.unit.metrics.test_sources import FakeSender, Owner

RUNS = Series("Support", "runs")

_forget_histograms = pytest.fixture(autouse=True)(request_histograms_restored)


class Read:
    """What an exporter gets."""

    def __init__(self) -> None:
        self.sources = MetricSources()
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)
        make_instruments(self.provider.get_meter("test"), self.sources)

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        data = self._reader.get_metrics_data()
        metrics = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == f"langchain_label_studio.{name}"
        ]
        return [
            (dict(point.attributes or {}), point) for metric in metrics for point in metric.data.data_points
        ]

    def values(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        return [(attributes, point.value) for attributes, point in self.points(name)]


@pytest.fixture
def read() -> Iterator[Read]:
    made = Read()
    yield made
    made.provider.shutdown()


def test_the_states_are_those_of_a_sender() -> None:
    assert get_args(State) == STATES


def test_every_number_of_a_sender_is_told(read: Read) -> None:
    numbers = DeliveryStats(
        submitted=21,
        recovered=2,
        delivered=3,
        found_existing=4,
        rejected=5,
        pending=6,
        in_doubt=3,
        postponed=1,
        in_memory=2,
        oldest_seconds=12.5,
        state="unreachable",
    )
    sender = FakeSender(numbers)
    read.sources.add_sender(sender, RUNS)

    about = {"project": "Support", "kind": "runs"}
    names = (
        "submitted",
        "recovered",
        "delivered",
        "found_existing",
        "rejected",
        "pending",
        "in_doubt",
        "postponed",
        "in_memory",
    )
    for name in names:
        assert read.values(name) == [(about, getattr(numbers, name))], name
    assert read.values("oldest_age") == [(about, 12.5)]
    states = {attributes["state"]: value for attributes, value in read.values("state")}
    assert states == dict.fromkeys(STATES, 0) | {"unreachable": 1}


def test_what_is_counted_by_reason_has_the_reason(read: Read) -> None:
    owner = Owner()
    lost = Counter({"mask": 1})
    owner.excluded["sample_rate=0.1"] = 9
    read.sources.add_reasons(owner, {"excluded": owner.excluded, "lost": lost}, RUNS)

    assert read.values("excluded") == [
        ({"project": "Support", "kind": "runs", "reason": "sample_rate=0.1"}, 9)
    ]
    assert ({"project": "Support", "kind": "runs", "reason": "mask"}, 1) in read.values("lost")


def test_two_senders_of_a_project_are_added_up_and_the_older_age_counts(read: Read) -> None:
    senders = [
        FakeSender(DeliveryStats(pending=1, oldest_seconds=2.0, state="waiting")),
        FakeSender(DeliveryStats(pending=2, oldest_seconds=9.0, state="blocked")),
        FakeSender(),
    ]
    for sender in senders:
        read.sources.add_sender(sender, RUNS)

    assert [value for _, value in read.values("pending")] == [3]
    assert [value for _, value in read.values("oldest_age")] == [9.0]
    assert {each["state"] for each, value in read.values("state") if value} == {"waiting", "blocked", "idle"}


def test_requests_are_timed_by_their_outcome(read: Read) -> None:
    with timed_request(project="Support", kind="runs"):
        pass
    with pytest.raises(RuntimeError), timed_request(project="Support", kind="runs"):
        raise RuntimeError

    found = {each["outcome"]: point for each, point in read.points("request.duration")}
    assert {outcome: point.count for outcome, point in found.items()} == {"answered": 1, "failed": 1}
    assert found["answered"].explicit_bounds[0] < 0.1, "in seconds"
    assert found["answered"].sum < 60


def test_nothing_is_told_before_there_is_something(read: Read) -> None:
    assert read.values("submitted") == []
    assert read.values("state") == []
