"""Projects roll by date and by size in a real Label Studio. What is where is found again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from langchain_label_studio.delivery import DeliveryFailedError, NotAllTakenError, Record
from langchain_label_studio.fleet.day_limit import DayLimit
from langchain_label_studio.fleet.selection import FleetSelection
from langchain_label_studio.label_studio.destinations import rolling as rolling_module
from langchain_label_studio.label_studio.destinations.feedback import FeedbackDestination
from langchain_label_studio.label_studio.destinations.rolling import RollingDestination, title_of
from langchain_label_studio.label_studio.numbered_titles import numbered_title
from langchain_label_studio.label_studio.settings import Settings, resolve_settings
from langchain_label_studio.types.feedback import GivenFeedback, encode_feedback
from langchain_label_studio.types.record_id import new_record_id
from langchain_label_studio.types.run_record import encode_run
from tests.support.studio import StudioApi


@pytest.fixture
def title() -> str:
    return f"Fleet {uuid4().hex[:8]}"


def settings_of(studio: StudioApi, name: str) -> Settings:
    server = studio.server
    return resolve_settings(api_key=SecretStr(server.api_key), url=server.url, project_name=name, environ={})


def rolling(
    studio: StudioApi,
    name: str,
    *,
    at_most: int | None = None,
    before_import: Callable[[], None] = lambda: None,
) -> RollingDestination:
    return RollingDestination(settings_of(studio, name), at_most=at_most, before_import=before_import)


def records(count: int, *, made: datetime | None = None) -> list[Record]:
    """Return runs, recorded now or at another time."""
    return [record(made=made) for _ in range(count)]


def record(*, made: datetime | None = None) -> Record:
    run_id = uuid4()
    key = new_record_id(str(run_id))
    if made:
        key = f"{run_id}-{int(made.timestamp() * 1e6):014x}{key[-8:]}"
    run: Any = {
        "run_id": run_id,
        "trace_id": run_id,
        "record_id": key,
        "status": "success",
        "prompt": ({"role": "user", "content": "Hi"},),
        "answers": ({"role": "assistant", "content": "Hello"},),
    }
    return Record(key, encode_run(run))


def send(destination: RollingDestination, some: Sequence[Record]) -> str:
    """Send records as a shipment does. Return the note."""
    note = destination.note(some)
    destination.send(some, upcoming=list)
    assert len(note) <= 200
    return note


def stored(studio: StudioApi, title: str) -> list[str]:
    """Return the keys in the only project of this title."""
    (project,) = studio.project_ids(title)
    tasks = studio.tasks(project)
    assert all(task["predictions"] for task in tasks)
    return [task["data"]["record_id"] for task in tasks]


def keys(some: Sequence[Record]) -> list[str]:
    return [each.key for each in some]


def test_a_full_project_is_followed_by_the_next_one_also_after_a_restart(
    studio: StudioApi, title: str
) -> None:
    batches = [records(count) for count in (4, 4, 4, 2, 3)]
    first = rolling(studio, title, at_most=10)
    for batch in batches[:3]:
        send(first, batch)
    second = rolling(studio, title, at_most=10)
    for batch in batches[3:]:
        send(second, batch)

    # The third batch has no room. The fourth and the fifth have.
    assert stored(studio, title) == keys(batches[0] + batches[1])
    assert stored(studio, f"{title} (2)") == keys(batches[2] + batches[3] + batches[4])
    assert not studio.projects(f"{title} (3)")


def test_a_batch_that_is_larger_than_what_is_left_begins_the_next_project(
    studio: StudioApi, title: str
) -> None:
    destination = rolling(studio, title, at_most=3)
    batches = [records(3), records(3), records(1)]
    for batch in batches:
        send(destination, batch)

    assert [stored(studio, numbered_title(title, number)) for number in (1, 2, 3)] == [
        keys(batch) for batch in batches
    ]


def test_a_title_of_a_person_behind_a_gap_takes_nothing(studio: StudioApi, title: str) -> None:
    for other in (f"{title} (7)", f"{title} (2026)", f"My {title} (2)"):
        studio.post("/api/projects/", {"title": other})
    destination = rolling(studio, title, at_most=1)
    for batch in (batches := [records(1), records(1)]):
        send(destination, batch)

    assert stored(studio, title) == keys(batches[0])
    assert stored(studio, f"{title} (2)") == keys(batches[1])


def test_runs_of_two_months_go_to_two_projects(studio: StudioApi, title: str) -> None:
    name = f"{title}-%Y-%m"
    settings = settings_of(studio, name)
    months = [datetime(2026, month, 15, 12, tzinfo=UTC) for month in (10, 11)]
    mixed = [record(made=month) for month in months * 3]
    titles = {each.key: title_of(settings, each.key) for each in mixed}
    destination = rolling(studio, name, at_most=2)

    for one in sorted(set(titles.values())):
        of_month = [each for each in mixed if titles[each.key] == one]
        send(destination, of_month[:2])
        send(destination, of_month[2:])

    assert sorted(set(titles.values())) == [f"{title}-2026-10", f"{title}-2026-11"]
    for month, first in ((months[0], f"{title}-2026-10"), (months[1], f"{title}-2026-11")):
        expected = [each.key for each in mixed if titles[each.key] == f"{title}-{month:%Y-%m}"]
        assert stored(studio, first) + stored(studio, f"{first} (2)") == expected


def test_a_key_without_a_time_goes_to_the_project_of_today(studio: StudioApi, title: str) -> None:
    settings = settings_of(studio, f"{title}-%Y")

    assert title_of(settings, str(uuid4())) == f"{title}-{datetime.now():%Y}"


def test_after_a_lost_reply_the_runs_are_found_in_their_project(studio: StudioApi, title: str) -> None:
    batches = [records(2) for _ in range(3)]
    sender = rolling(studio, title, at_most=2)
    notes = [send(sender, batch) for batch in batches]

    for note, batch in zip(notes, batches, strict=True):
        new = record()
        found = rolling(studio, title, at_most=2).find([*batch, new], note=note)
        assert found.keys == set(keys(batch))


def test_without_a_note_all_projects_of_the_title_are_asked(studio: StudioApi, title: str) -> None:
    batches = [records(2) for _ in range(3)]
    sender = rolling(studio, title, at_most=2)
    for batch in batches:
        send(sender, batch)
    wanted = [batches[0][0], batches[2][1], batches[1][0], record()]

    for at_most in (2, None):
        found = rolling(studio, title, at_most=at_most).find(wanted, note="")
        assert found.keys == {each.key for each in wanted[:3]}


def test_runs_go_to_the_project_of_their_note_even_if_it_is_full_by_now(
    studio: StudioApi, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling_module, "_BELIEVED", 0.0)
    first, second = rolling(studio, title, at_most=2), rolling(studio, title, at_most=2)
    mine, others = records(2), records(2)
    note = first.note(mine)
    send(second, others)
    first.send(mine, upcoming=list)

    assert stored(studio, title) == keys(others + mine)
    assert rolling(studio, title, at_most=2).find(mine, note=note).keys == set(keys(mine))


def test_runs_are_found_after_the_relay_was_given_another_project(studio: StudioApi, title: str) -> None:
    some, more = records(2), records(2)
    note = send(rolling(studio, title), some)
    (project,) = studio.project_ids(title)
    by_number = replace(settings_of(studio, "Other"), project_id=project)
    number_note = send(RollingDestination(by_number, at_most=None, before_import=lambda: None), more)

    renamed = rolling(studio, f"{title} new")
    assert renamed.find(some, note=note).keys == set(keys(some))
    assert renamed.find(more, note=number_note).keys == set(keys(more))
    by_other_number = replace(by_number, project_id=project + 1)
    other = RollingDestination(by_other_number, at_most=None, before_import=lambda: None)
    assert other.find(some, note=note).keys == set(keys(some))


def test_to_ask_creates_no_project(studio: StudioApi, title: str) -> None:
    destination = rolling(studio, title, at_most=2)
    some = records(1)
    note = destination.note(some)

    assert destination.find(some, note=note).keys == destination.find(some, note="").keys == frozenset()
    assert not studio.projects(title)


def test_a_relay_that_must_not_work_any_more_imports_nothing(studio: StudioApi, title: str) -> None:
    def lost() -> None:
        message = "the lease is lost"
        raise DeliveryFailedError(message)

    with pytest.raises(DeliveryFailedError) as raised:
        send(rolling(studio, title, before_import=lost), records(2))

    assert (raised.value.reason, raised.value.maybe_stored) == ("the lease is lost", False)
    assert stored(studio, title) == []


def test_answers_that_are_not_repaired_any_more_leave_the_batch_in_doubt(
    studio: StudioApi, title: str
) -> None:
    some = records(2)
    send(rolling(studio, title), some)
    (project,) = studio.project_ids(title)
    for task in studio.tasks(project):
        for prediction in task["predictions"]:
            studio.http.delete(f"/api/predictions/{prediction['id']}/").raise_for_status()

    def lost() -> None:
        message = "the lease is lost"
        raise DeliveryFailedError(message)

    with pytest.raises(DeliveryFailedError) as raised:
        rolling(studio, title, before_import=lost).find(some, note="")
    assert raised.value.maybe_stored
    assert rolling(studio, title).find(some, note="").keys == set(keys(some))
    assert stored(studio, title) == keys(some)


@pytest.mark.parametrize("dated", [False, True])
def test_feedback_finds_its_run_in_a_numbered_project(studio: StudioApi, title: str, *, dated: bool) -> None:
    name = f"{title}-%Y" if dated else title
    batches = [records(1) for _ in range(3)]
    sender = rolling(studio, name, at_most=1)
    for batch in batches:
        send(sender, batch)
    given = [feedback_for(batch[0]) for batch in batches]

    settings = settings_of(studio, name)
    with pytest.raises(NotAllTakenError) as raised:
        FeedbackDestination(settings).send(given, upcoming=list)
    assert set(raised.value.later) == {given[1].key, given[2].key}
    FeedbackDestination(settings, numbered=True).send(given, upcoming=list)

    base = title_of(settings, batches[0][0].key)
    for number in (1, 2, 3):
        (project,) = studio.project_ids(numbered_title(base, number))
        (task,) = studio.tasks(project)
        assert task["data"]["user_feedback"] == 1


def feedback_for(run: Record) -> Record:
    run_id = str(json.loads(run.body)["run_id"])
    given = GivenFeedback(
        id=new_record_id(run_id),
        run_id=run_id,
        key="user_feedback",
        score=1,
        comment=None,
        given_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    )
    return Record(given.id, encode_feedback(given))


def test_a_day_has_its_limit_also_after_a_restart(studio: StudioApi, title: str) -> None:
    name = f"{title}-%Y-%m"
    total: list[Record] = []
    for _ in range(3):  # each is a relay of its own
        destination = rolling(studio, name, at_most=3)
        limit = DayLimit(7, count_since=destination.count_since)
        selection = FleetSelection(day_limit=limit)
        old = datetime(2026, 10, 15, 12, tzinfo=UTC)
        if taken := selection.take(records(3, made=old) if not total else records(3)):
            send(destination, taken)
        total += taken

    assert len(total) == 7
    assert selection.excluded == {"at_most_per_day=7": 2}
    assert rolling(studio, name).count_since(datetime(2026, 1, 1, tzinfo=UTC)) == 7
    assert rolling(studio, name).count_since(datetime.now(UTC).replace(year=2999)) == 0
