"""The level that follows from a handler's numbers, and the words for operators."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

import langchain_label_studio
from langchain_label_studio import DeliveryStats
from langchain_label_studio.label_studio.health import LATE, RECENT, judge_health
from langchain_label_studio.types import Health

pytestmark = pytest.mark.unit

GOOD = DeliveryStats(submitted=100, delivered=100, outbox="/outbox")
AWAY = replace(
    GOOD, submitted=103, pending=3, state="unreachable", oldest_seconds=70.0, last_error="It is down"
)
FULL = {"outbox_full": 12}
NOW = {"outbox_full": 5.0}


def health(stats: DeliveryStats, **options: Any) -> Health:
    return judge_health(
        stats, **{"flush_interval": 1.0, "deliver_to": "", "memory_is_chosen": False} | options
    )


@pytest.mark.parametrize(
    "stats",
    [
        GOOD,
        DeliveryStats(outbox="/outbox"),
        replace(GOOD, submitted=101, pending=1, state="waiting", oldest_seconds=0.5),
        replace(GOOD, submitted=101, in_doubt=1, state="sending", oldest_seconds=LATE),
        replace(GOOD, excluded={"sample_rate=0.1": 900}, repeated={"novel()": 3}, recovered=50),
        replace(GOOD, last_error="Run 1 was refused: no", rejected=1, rejected_seconds=RECENT + 1),
        replace(
            GOOD, lost={"callback_error": 1, "mask": 2}, lost_seconds={"callback_error": 7e4, "mask": 901.0}
        ),
        replace(GOOD, feedback=replace(GOOD, postponed=3, pending=3, submitted=103, oldest_seconds=9e5)),
        replace(GOOD, feedback=replace(GOOD, rejected=3, rejected_seconds=1.0)),
    ],
    ids=[
        "all delivered",
        "nothing yet",
        "a batch is being filled",
        "sending",
        "excluded on purpose",
        "a rejection that is long ago",
        "losses that are long ago",
        "feedback waits for its run",
        "feedback whose run has no task",
    ],
)
def test_all_is_well(stats: DeliveryStats) -> None:
    assert health(stats) == Health(level="ok", reasons=(), stats=stats)


@pytest.mark.parametrize(
    ("stats", "said"),
    [
        (AWAY, "It is down. Waiting: 3 runs. The oldest has waited 70 seconds."),
        (
            replace(GOOD, state="sending", pending=1, oldest_seconds=LATE + 1.1),
            "5 minutes: see whether Label Studio is",
        ),
        (
            replace(GOOD, rejected=2, rejected_seconds=1.0),
            "set aside: 2. For the reasons, see `langchain-label-studio",
        ),
        (replace(GOOD, in_memory=4, pending=4), "make room in /outbox, or make it writable"),
        (replace(GOOD, outbox=None), "set outbox_dir= or LABEL_STUDIO_OUTBOX_DIR"),
        (replace(GOOD, feedback=AWAY), "Waiting: 3 pieces of feedback."),
        (replace(GOOD, lost=FULL, lost_seconds=NOW), "was full: 12. What waited is sent now."),
        (replace(GOOD, lost={"mask": 1}, lost_seconds={"mask": 1.0}), "mask= function fails: see the log"),
    ],
    ids=["away", "slow", "rejected", "full disk", "no disk", "feedback", "was full", "mask"],
)
def test_trouble_that_needs_nobody_at_night(stats: DeliveryStats, said: str) -> None:
    found = health(stats)

    assert found.level == "degraded"
    assert len(found.reasons) == 1
    assert said in found.reasons[0]


@pytest.mark.parametrize(
    ("stats", "said"),
    [
        (
            replace(AWAY, state="blocked", last_error="The key is wrong."),
            "The key is wrong. Waiting: 3 runs.",
        ),
        (replace(GOOD, feedback=replace(AWAY, state="blocked")), "nothing is sent: It is down."),
        (replace(AWAY, lost=FULL, lost_seconds=NOW), "was full: 12. More are lost until it empties"),
        (replace(AWAY, state="blocked", lost=FULL, lost_seconds=NOW), "More are lost until it empties"),
        (replace(GOOD, state="sending", oldest_seconds=9e3, lost=FULL, lost_seconds=NOW), "More are lost"),
        (
            replace(GOOD, feedback=AWAY, lost={"feedback_full": 1}, lost_seconds={"feedback_full": 0.1}),
            "was full: 1.",
        ),
        (replace(GOOD, lost={"callback_error": 1}, lost_seconds={"callback_error": RECENT}), "report it"),
    ],
    ids=[
        "refused",
        "feedback refused",
        "full, away",
        "full, refused",
        "full, slow",
        "full of feedback",
        "callback",
    ],
)
def test_trouble_in_which_runs_are_lost_or_a_person_has_to_act(stats: DeliveryStats, said: str) -> None:
    found = health(stats)

    assert found.level == "failing"
    assert any(said in reason for reason in found.reasons)


def test_the_worst_reason_comes_first() -> None:
    stats = replace(AWAY, rejected=1, rejected_seconds=2.0, lost=FULL, lost_seconds=NOW, outbox=None)

    reasons = health(stats).reasons

    assert len(reasons) == 4
    assert "More are lost" in reasons[0]


def test_a_loss_is_history_after_a_while() -> None:
    stats = replace(GOOD, lost=FULL, lost_seconds={"outbox_full": RECENT + 1})

    assert health(stats).level == "ok"
    assert health(stats).stats.lost == FULL


def test_what_is_late_depends_on_the_interval_in_which_runs_are_sent() -> None:
    stats = replace(GOOD, state="waiting", pending=1, oldest_seconds=LATE + 20.0)

    assert health(stats).level == "degraded"
    assert health(stats, flush_interval=30.0).level == "ok"


@pytest.mark.parametrize(
    ("seconds", "said"), [(1.2, "1 second."), (119, "119 seconds."), (120, "2 minutes."), (9e4, "25 hours.")]
)
def test_an_age_is_said_in_words(seconds: float, said: str) -> None:
    assert health(replace(AWAY, oldest_seconds=seconds)).reasons[0].endswith(f"has waited {said}")


def test_with_object_storage_the_storage_is_named() -> None:
    stats = replace(GOOD, rejected=1, rejected_seconds=1.0)

    assert "that the object storage refused" in health(stats, deliver_to="s3://user:secret@bucket").reasons[0]


def test_memory_is_no_trouble_for_those_who_chose_it() -> None:
    stats = replace(GOOD, outbox=None, in_memory=5, pending=5, state="waiting")

    assert health(stats, memory_is_chosen=True).level == "ok"


def test_every_reason_of_a_loss_is_known() -> None:
    code = "\n".join(path.read_text() for path in Path(langchain_label_studio.__file__).parent.rglob("*.py"))
    reasons = {*re.findall(r'\.lose\(\s*"(\w+)"', code), "outbox_full"}
    assert len(reasons) >= 7

    for reason in reasons:
        stats = replace(GOOD, lost={reason: 1}, lost_seconds={reason: 1.0}, feedback=GOOD)
        assert health(stats).level != "ok", reason


def test_json_takes_it_as_it_is() -> None:
    found = health(replace(AWAY, lost=FULL, lost_seconds=NOW, feedback=GOOD))

    sent = json.loads(json.dumps(asdict(found)))

    assert (sent["level"], sent["reasons"]) == (found.level, [*found.reasons])
    assert (sent["stats"]["pending"], sent["stats"]["feedback"]["delivered"]) == (3, 100)
