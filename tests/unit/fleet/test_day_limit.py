"""The limit of a day is asked of Label Studio, and counted along."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from langchain_label_studio.delivery import DeliveryFailedError
from langchain_label_studio.fleet import day_limit
from langchain_label_studio.fleet.day_limit import DayLimit, DayLimits
from langchain_label_studio.label_studio.settings import resolve_settings


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


def left(limit: DayLimit, *, wanted: int = 9, use: int = 0) -> int:
    with limit.turn(wanted) as number:
        limit.use(use)
        return number


def test_what_label_studio_has_of_today_counts_and_is_asked_once() -> None:
    asked: list[datetime] = []

    def count(since: datetime) -> int:
        asked.append(since)
        return 7

    limit = DayLimit(10, count_since=count)

    assert [left(limit, use=2), left(limit, use=2), left(limit)] == [3, 1, 0]
    assert asked == [datetime(2026, 11, 30).astimezone()]


def test_a_new_day_asks_again() -> None:
    answers = [10, 4]
    limit = DayLimit(10, count_since=lambda since: answers.pop(0))
    assert left(limit) == 0

    Clock.at += timedelta(minutes=20)
    assert left(limit) == 6
    assert not answers


def test_what_is_on_its_way_counts_until_it_is_settled() -> None:
    # At midnight, two targets have a request on its way. Label Studio has the runs, but nobody knows it yet.
    waiting = [3, 1]
    answers = [4, 6]
    limit = DayLimit(10, count_since=lambda since: answers.pop(0))
    limit.watch(lambda: waiting[0])
    limit.watch(lambda: waiting[1])

    assert left(limit, wanted=2, use=2) == 2
    with pytest.raises(DeliveryFailedError):
        left(limit, wanted=1)
    waiting[:] = 0, 0
    assert left(limit, use=4) == 4
    waiting[:] = 4, 0
    assert left(limit) == 0
    assert not answers


def test_an_answer_that_does_not_come_is_asked_for_again() -> None:
    answers: list[int | Exception] = [DeliveryFailedError("no answer"), 9]

    def count(_: datetime) -> int:
        if isinstance(answer := answers.pop(0), Exception):
            raise answer
        return answer

    limit = DayLimit(10, count_since=count)
    with pytest.raises(DeliveryFailedError):
        left(limit)

    assert left(limit) == 1


def test_targets_of_one_project_share_its_limit() -> None:
    settings = resolve_settings(api_key="a-key", project_name="Support-%Y", environ={})
    limits = DayLimits(5)
    first, same, other = (
        limits.of(each, unsettled=lambda: 0)
        for each in (settings, replace(settings, model_version="2"), replace(settings, project_name="Sales"))
    )

    assert first is same
    assert first is not other
    limits.clear()
    assert limits.of(settings, unsettled=lambda: 0) is not first
    assert DayLimits(None).of(settings, unsettled=lambda: 0) is None
