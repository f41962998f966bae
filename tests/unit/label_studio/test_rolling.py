"""The project of a record follows from the time at which it was made. What a relay notes is short."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from langchain_label_studio.delivery import Record, StillWorkingError
from langchain_label_studio.delivery.retry_policy import GRACE
from langchain_label_studio.errors import ProjectTitleError
from langchain_label_studio.label_studio.destinations.request_note import MAX_NOTE, RequestNote, with_project
from langchain_label_studio.label_studio.destinations.rolling import (
    RollingDestination,
    check_titles,
    title_of,
)
from langchain_label_studio.label_studio.destinations.runs import JOB_GRACE, ProjectDestination
from langchain_label_studio.label_studio.settings import Settings, resolve_settings


@pytest.fixture
def _in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def settings(name: str, **more: object) -> Settings:
    return resolve_settings(api_key="a-key", project_name=name, environ={}, **more)  # type: ignore[arg-type]


def key(made: datetime) -> str:
    return f"{uuid4()}-{int(made.timestamp() * 1e6):014x}0123abcd"


@pytest.mark.usefixtures("_in_tokyo")
def test_the_date_is_that_of_this_computer_when_the_run_was_recorded() -> None:
    last_in_tokyo = datetime(2026, 10, 31, 14, 59, 59, tzinfo=UTC)
    first_in_tokyo = datetime(2026, 10, 31, 15, 0, 0, tzinfo=UTC)

    assert title_of(settings("Support-%Y-%m"), key(last_in_tokyo)) == "Support-2026-10"
    assert title_of(settings("Support-%Y-%m"), key(first_in_tokyo)) == "Support-2026-11"


def test_a_key_without_a_time_stands_for_now() -> None:
    assert title_of(settings("Support-%Y"), "a-key") == f"Support-{datetime.now():%Y}"


def test_the_number_of_a_project_goes_before_its_name() -> None:
    assert title_of(settings("Support-%Y", project_id=7), key(datetime.now(UTC))) == ""


@pytest.mark.parametrize(
    ("name", "at_most", "fits"),
    [
        ("S" * 50, None, True),
        ("S" * 44, 100, True),
        ("S" * 45, 100, False),
        ("S" * 40 + "-%Y-%m-%d", None, False),
        # September is the longest month, and only in September.
        ("S" * 39 + " %B", 100, False),
        ("S" * 41 + " %B", None, False),
        ("S" * 40 + " %B", None, True),
        ("ab", None, False),
    ],
)
def test_a_title_that_will_not_fit_is_an_error_at_the_start(
    name: str, at_most: int | None, *, fits: bool
) -> None:
    if fits:
        check_titles(name, at_most=at_most)
        return
    with pytest.raises(ProjectTitleError):
        check_titles(name, at_most=at_most)


def test_a_note_is_short_and_names_the_project() -> None:
    destination = RollingDestination(settings("S" * 50), at_most=None, before_import=lambda: None)

    note = destination.note([Record(key(datetime.now(UTC)), b"{}")])

    assert note.startswith("S" * 50)
    assert len(note) <= MAX_NOTE


def test_the_grace_is_that_of_the_project_in_the_note() -> None:
    destination = RollingDestination(settings("Support"), at_most=None, before_import=lambda: None)

    assert destination.grace(note=with_project("Support (2)", RequestNote(by_jobs=True).text)) == JOB_GRACE
    assert destination.grace(note=with_project("Support (2)", RequestNote(job=17).text)) == 0
    assert destination.grace(note="") == destination.grace(note=with_project("Support (2)", "")) == GRACE


def test_the_number_of_tasks_does_not_matter_for_a_project_with_a_number() -> None:
    numbered = replace(settings("Support"), project_id=7)
    destination = RollingDestination(numbered, at_most=1, before_import=lambda: None)

    assert destination.note([Record("a-key", b"{}")] * 3) == with_project(7, RequestNote().text)


def test_the_note_about_work_that_goes_on_names_the_project_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def later(*_: object, **__: object) -> None:
        raise StillWorkingError(note=RequestNote(job=17).text, what="job 17")

    monkeypatch.setattr(ProjectDestination, "send", later)
    destination = RollingDestination(settings("Support"), at_most=None, before_import=lambda: None)

    with pytest.raises(StillWorkingError) as raised:
        destination.send([Record("a-key", b"{}")], upcoming=list)

    assert raised.value.note == with_project("Support", RequestNote(job=17).text)
