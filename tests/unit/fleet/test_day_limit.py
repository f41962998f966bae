"""The limit of a day is asked of Label Studio, and counted along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from langchain_label_studio.delivery import DeliveryFailedError
from langchain_label_studio.fleet import day_limit
from langchain_label_studio.fleet.day_limit import DayLimit


class Clock(datetime):
    """A clock that a test sets."""

    at = datetime(2026, 11, 30, 23, 50)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return cls.at


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_limit, "datetime", Clock)
    monkeypatch.setattr(Clock, "at", Clock.at)


def limit_of(count: int, answers: list[int], *, unsettled: Callable[[], int] = lambda: 0) -> DayLimit:
    return DayLimit(count, count_since=lambda since: answers.pop(0), unsettled=unsettled)


def test_what_label_studio_has_of_today_counts_and_is_asked_once() -> None:
    asked: list[datetime] = []

    def count(since: datetime) -> int:
        asked.append(since)
        return 7

    limit = DayLimit(10, count_since=count, unsettled=lambda: 0)
    assert limit.left(9) == 3
    limit.use(2)
    assert limit.left(9) == 1
    limit.use(2)
    assert limit.left(9) == 0

    midnight = datetime(2026, 11, 30).astimezone()
    assert asked == [midnight]


def test_a_new_day_asks_again() -> None:
    answers = [10, 4]
    limit = limit_of(10, answers)
    assert limit.left(9) == 0

    Clock.at += timedelta(minutes=20)
    assert limit.left(9) == 6
    assert not answers


def test_what_is_on_its_way_counts_until_it_is_settled() -> None:
    waiting = [4]
    # An earlier relay ended in the middle of a request. Label Studio has the four, but nobody knows it yet.
    answers = [4, 4]
    limit = limit_of(10, answers, unsettled=lambda: waiting[0])
    assert limit.left(2) == 2
    with pytest.raises(DeliveryFailedError):
        limit.left(3)
    limit.use(2)

    waiting[0] = 0
    answers[0] += 2
    assert limit.left(9) == 4
    limit.use(4)
    waiting[0] = 4
    assert limit.left(9) == 0
    assert not answers


def test_an_answer_that_does_not_come_is_asked_for_again() -> None:
    answers: list[int | Exception] = [DeliveryFailedError("no answer"), 9]

    def count(_: datetime) -> int:
        if isinstance(answer := answers.pop(0), Exception):
            raise answer
        return answer

    limit = DayLimit(10, count_since=count, unsettled=lambda: 0)
    with pytest.raises(DeliveryFailedError):
        limit.left(9)

    assert limit.left(9) == 1
