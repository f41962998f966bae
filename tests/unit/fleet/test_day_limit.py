"""The limit of a day is asked of Label Studio, and counted along."""

from __future__ import annotations

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


def test_what_label_studio_has_of_today_counts_and_is_asked_once() -> None:
    asked: list[datetime] = []

    def count(since: datetime) -> int:
        asked.append(since)
        return 7

    limit = DayLimit(10, count_since=count)
    assert limit.left() == 3
    limit.use(2)
    assert limit.left() == 1
    limit.use(2)
    assert limit.left() == 0

    midnight = datetime(2026, 11, 30).astimezone()
    assert asked == [midnight]


def test_a_new_day_and_a_new_beginning_ask_again() -> None:
    answers = [10, 4, 0]
    limit = DayLimit(10, count_since=lambda since: answers.pop(0))
    assert limit.left() == 0

    Clock.at += timedelta(minutes=20)
    assert limit.left() == 6
    limit.forget()
    assert limit.left() == 10
    assert not answers


def test_an_answer_that_does_not_come_is_asked_for_again() -> None:
    answers: list[int | Exception] = [DeliveryFailedError("no answer"), 9]

    def count(_: datetime) -> int:
        if isinstance(answer := answers.pop(0), Exception):
            raise answer
        return answer

    limit = DayLimit(10, count_since=count)
    with pytest.raises(DeliveryFailedError):
        limit.left()

    assert limit.left() == 1
