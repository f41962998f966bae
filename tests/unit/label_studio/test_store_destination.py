from __future__ import annotations

from pathlib import Path

import pytest

from langchain_label_studio.delivery import DeliveryFailedError, Record
from langchain_label_studio.delivery.retry_policy import AnswerMeaning, judge
from langchain_label_studio.errors import MissingExtraError, ObjectStoreError, SettingError, Trouble
from langchain_label_studio.label_studio.destinations.store import (
    AFTER_ITS_END,
    LONGEST_REQUEST,
    StoreDestination,
)
from langchain_label_studio.label_studio.settings import resolve_settings
from langchain_label_studio.object_store.batch_names import again, batch_name
from langchain_label_studio.object_store.courier import Courier
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.types.record_id import new_record_id, record_time

pytestmark = pytest.mark.unit

KEYS = [new_record_id("a"), new_record_id("b")]
RECORDS = [Record(key, b'{"record_id":"%s"}' % key.encode()) for key in KEYS]
CONTENT = b"".join(record.body + b"\n" for record in RECORDS)
NAME = batch_name(CONTENT, recorded_at=record_time(KEYS[0]))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return (tmp_path / "shared").as_uri()


def destination(url: str) -> StoreDestination:
    return StoreDestination(resolve_settings(project_name="Fleet", deliver_to=url, environ={}))


def objects(url: str) -> dict[str, bytes | None]:
    store = ObjectStore(url)
    return {each.path.split("/", 2)[2]: store.get(each.path) for each in store.objects("v1")}


def send(to: StoreDestination) -> None:
    to.send(RECORDS, upcoming=lambda: ())


def fail_with(monkeypatch: pytest.MonkeyPatch, trouble: Trouble, *, part: str) -> None:
    """Let all puts fail whose path has a part in it."""
    true_put = Courier.put

    def put(courier: Courier, path: str, content: bytes) -> None:
        if part in path:
            raise ObjectStoreError("the reason", trouble=trouble)
        true_put(courier, path, content)

    monkeypatch.setattr(Courier, "put", put)


def test_a_batch_is_one_object_beside_the_settings_of_its_project(url: str) -> None:
    send(destination(url))

    found = objects(url)
    assert found.keys() == {"target.json", f"new/{NAME}"}
    assert found[f"new/{NAME}"] == CONTENT


def test_the_same_batch_put_twice_is_one_object(url: str) -> None:
    to = destination(url)
    send(to)
    send(to)
    send(destination(url))  # another process

    assert objects(url).keys() == {"target.json", f"new/{NAME}"}


def test_a_batch_in_doubt_is_put_under_its_other_name_and_counts_as_found(url: str) -> None:
    found = destination(url).find(RECORDS, note="")

    assert (found.keys, found.ended) == (frozenset(KEYS), True)
    assert objects(url).keys() == {"target.json", f"new/{again(NAME)}"}


@pytest.mark.parametrize(
    ("trouble", "meaning"),
    [
        ("refused", AnswerMeaning.BLOCKED),
        ("missing", AnswerMeaning.BLOCKED),
        ("later", AnswerMeaning.UNSENT),
        ("no answer", AnswerMeaning.IN_DOUBT),
    ],
)
def test_what_trouble_means_for_a_batch(
    monkeypatch: pytest.MonkeyPatch, url: str, trouble: Trouble, meaning: AnswerMeaning
) -> None:
    fail_with(monkeypatch, trouble, part="/new/")
    with pytest.raises(DeliveryFailedError, match="the reason") as caught:
        send(destination(url))

    assert judge(caught.value) is meaning


def test_a_batch_is_not_in_doubt_if_only_its_target_had_no_answer(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    fail_with(monkeypatch, "no answer", part="target.json")
    with pytest.raises(DeliveryFailedError) as caught:
        send(destination(url))

    assert judge(caught.value) is AnswerMeaning.UNSENT


def test_a_storage_that_cannot_be_opened_has_stored_nothing(tmp_path: Path) -> None:
    (tmp_path / "shared").touch()  # a file stands where the directory should be
    with pytest.raises(DeliveryFailedError) as caught:
        send(destination((tmp_path / "shared").as_uri()))

    assert judge(caught.value) is not AnswerMeaning.IN_DOUBT


def test_a_missing_library_blocks_and_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    def put(*_: object) -> None:
        raise MissingExtraError("install it")

    monkeypatch.setattr(Courier, "put", put)
    with pytest.raises(DeliveryFailedError, match="install it") as caught:
        send(destination(url))

    assert judge(caught.value) is AnswerMeaning.BLOCKED


def test_the_request_of_a_dead_process_gets_more_time_than_one_that_ended_here(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    to = destination(url)
    note = to.note(RECORDS)
    before = to.grace(note=note)
    fail_with(monkeypatch, "no answer", part="/new/")
    with pytest.raises(DeliveryFailedError):
        send(to)

    assert before == to.grace(note="") == to.grace(note="another batch") == LONGEST_REQUEST + AFTER_ITS_END
    assert to.grace(note=note) == AFTER_ITS_END
    assert len(note) <= 200


def test_it_says_that_only_the_relay_knows_the_project(url: str) -> None:
    to = destination(url)

    assert (to.project, to.task_id("a", record_id=None), to.count_tasks()) == (None, None, None)
    with pytest.raises(SettingError, match="relay"):
        to.connect()
