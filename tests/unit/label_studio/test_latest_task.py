"""Of several runs with one id, the latest one counts: for the address of a task, and for feedback."""

from __future__ import annotations

import pytest

from langchain_label_studio.label_studio.found_tasks import TaskContent, latest, record_key
from langchain_label_studio.types.record_id import record_time


def record_at(microseconds: int) -> str:
    return f"run-{microseconds:014x}00000000"


def task(number: int, microseconds: int | None = None, **data: str) -> TaskContent:
    own = {} if microseconds is None else {"record_id": record_at(microseconds)}
    return TaskContent(id=number, data={"run_id": "run", **own, **data}, meta={})


EARLY, LATE = 1_700_000_000_000_000, 1_700_000_000_500_000


@pytest.mark.parametrize(
    ("tasks", "chosen"),
    [
        ([], None),
        ([task(1, EARLY), task(2, LATE)], 2),
        ([task(1, LATE), task(2, EARLY)], 1),
        # Of two tasks of one record, the first one counts.
        ([task(2, EARLY), task(1, EARLY)], 1),
        # Tasks of earlier versions have no id of the record.
        ([task(3), task(2, EARLY)], 2),
        ([task(1, started_at="2026-01-01"), task(2, started_at="2026-01-02")], 2),
        ([task(2), task(1)], 1),
    ],
)
def test_the_latest_record_counts(tasks: list[TaskContent], chosen: int | None) -> None:
    found = latest(tasks)

    assert (found.id if found else None) == chosen


@pytest.mark.parametrize(
    ("until", "chosen"), [(EARLY, 1), (EARLY + 1, 1), (LATE, 2), (LATE + 1, 2), (EARLY - 1, 2)]
)
def test_feedback_is_about_the_latest_record_of_its_time(until: int, chosen: int) -> None:
    """With a clock that is behind, all records are later. Then the latest one counts."""
    found = latest([task(1, EARLY), task(2, LATE)], until=record_time(record_at(until)))

    assert found
    assert found.id == chosen


def test_the_key_of_a_task() -> None:
    assert record_key(task(1, EARLY).data) == record_at(EARLY)
    assert record_key(task(1).data) == "run"
