"""What the metrics are read from: sums that never fall, whatever ends."""

from __future__ import annotations

import gc
from collections import Counter
from dataclasses import dataclass, field
from typing import get_args

import pytest

from langchain_label_studio.delivery import DeliveryStats
from langchain_label_studio.metrics.sources import MetricSources, Series
from langchain_label_studio.support.log_fields import LossEvent
from tests.support.private_parts import watched_counts

RUNS = Series("Support", "runs")


@dataclass(eq=False)
class FakeSender:
    numbers: DeliveryStats = field(default_factory=DeliveryStats)

    def stats(self) -> DeliveryStats:
        return self.numbers


class Owner:
    def __init__(self) -> None:
        self.excluded = Counter[str]()


@pytest.fixture
def sources() -> MetricSources:
    return MetricSources()


def test_senders_of_one_project_are_one_sum(sources: MetricSources) -> None:
    senders = [FakeSender(DeliveryStats(submitted=3, delivered=2)), FakeSender(DeliveryStats(submitted=4))]
    for sender in senders:
        sources.add_sender(sender, RUNS)
    other = FakeSender(DeliveryStats(submitted=1))
    sources.add_sender(other, Series("Support", "feedback"))

    assert sources.counts("submitted") == [(RUNS, 7), (Series("Support", "feedback"), 1)]
    assert sources.counts("delivered") == [(RUNS, 2), (Series("Support", "feedback"), 0)]


def test_what_a_sender_did_stays_when_it_ends(sources: MetricSources) -> None:
    sender = FakeSender()
    sources.add_sender(sender, RUNS)
    sender.numbers = DeliveryStats(submitted=5)
    sources.look_at(sender)

    del sender
    gc.collect()

    assert sources.counts("submitted") == [(RUNS, 5)]
    assert list(sources.numbers()) == []
    following = FakeSender(DeliveryStats(submitted=2))
    sources.add_sender(following, RUNS)
    assert sources.counts("submitted") == [(RUNS, 7)]


def test_the_last_counts_by_reason_stay_although_nobody_read_them(sources: MetricSources) -> None:
    owner = Owner()
    sources.add_reasons(owner, {"excluded": owner.excluded}, RUNS)
    owner.excluded.update({"sample_rate=0.1": 9, "select=errors()": 2})

    del owner
    gc.collect()

    assert dict(sources.counts("excluded")) == {
        RUNS._replace(reason="sample_rate=0.1"): 9,
        RUNS._replace(reason="select=errors()"): 2,
    }


def test_a_sum_does_not_fall_when_a_low_rating_brings_a_run_back(sources: MetricSources) -> None:
    owner = Owner()
    sources.add_reasons(owner, {"excluded": owner.excluded}, RUNS)
    seen = []
    for count in (3, 2, 4):
        owner.excluded["sample_rate=0.1"] = count
        seen += [value for _, value in sources.counts("excluded")]

    assert seen == [3, 3, 4]


def test_a_forked_process_counts_what_it_does_itself(sources: MetricSources) -> None:
    ended, living, sender = Owner(), Owner(), FakeSender(DeliveryStats(submitted=5))
    for owner in (ended, living):
        sources.add_reasons(owner, {"excluded": owner.excluded}, RUNS)
        owner.excluded["sample_rate=0.1"] = 10
    sources.add_sender(sender, RUNS)
    sources.counts("excluded")
    del ended, owner
    gc.collect()

    sender.numbers = DeliveryStats()  # as a sender begins in a child
    sources.begin_in_child()
    living.excluded["sample_rate=0.1"] += 1
    sender.numbers = DeliveryStats(submitted=1)

    assert sources.counts("excluded") == [(RUNS._replace(reason="sample_rate=0.1"), 1)]
    assert sources.counts("submitted") == [(RUNS, 1)]


def test_a_child_asks_no_sender_before_that_has_begun_anew(sources: MetricSources) -> None:
    # Its lock may be held by a thread that the child does not have.
    class Locked(FakeSender):
        def stats(self) -> DeliveryStats:
            raise AssertionError

    sender = Locked()
    sources.add_sender(sender, RUNS)

    sources.begin_in_child()


def test_many_owners_leave_nothing_behind_but_their_sums(sources: MetricSources) -> None:
    for _ in range(100):
        owner = Owner()
        sources.add_reasons(owner, {"excluded": owner.excluded}, RUNS)
        owner.excluded["sample_rate=0.1"] += 1
    del owner
    gc.collect()

    assert sources.counts("excluded") == [(RUNS._replace(reason="sample_rate=0.1"), 100)]
    assert watched_counts(sources) == 0


def test_the_reasons_of_losses_are_told_before_the_first_loss(sources: MetricSources) -> None:
    owner, lost = Owner(), Counter[str]()
    sources.add_reasons(owner, {"lost": lost, "excluded": owner.excluded}, RUNS)

    assert {series.reason: count for series, count in sources.counts("lost")} == dict.fromkeys(
        get_args(LossEvent), 0
    )
    assert sources.counts("excluded") == []

    lost["mask"] += 1
    assert (RUNS._replace(reason="mask"), 1) in sources.counts("lost")
