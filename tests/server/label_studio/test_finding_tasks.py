"""Questions for tasks that exist, and the project as it is at the moment of an import."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import orjson
import pytest
from pydantic import SecretStr

from langchain_label_studio import LabelStudioCallbackHandler, get_default_label_configs
from langchain_label_studio.label_studio.client import LabelStudioClient
from langchain_label_studio.label_studio.found_tasks import FoundTask
from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.handlers import record
from tests.support.programs import wait_until
from tests.support.studio import StudioApi

EDITED = """
<View>
  <Text name="prompt" value="$prompt"/>
  <TextArea name="better" toName="prompt"/>
</View>
"""


@pytest.fixture
def client(label_studio: LocalLabelStudio) -> Iterator[LabelStudioClient]:
    """A client of the real server."""
    client = LabelStudioClient(url=f"{label_studio.url}/", api_key=SecretStr(label_studio.api_key))
    yield client
    client.close()


@pytest.fixture
def project_id(client: LabelStudioClient) -> int:
    """A project of its own."""
    config = get_default_label_configs("prompt")[0]
    return client.create_project(title=f"Find {uuid4().hex[:8]}", label_config=config, model_version="v")


def store(client: LabelStudioClient, project_id: int, run_ids: list[str]) -> list[int]:
    tasks = [{"data": {"prompt": "Hi", "run_id": run_id}, "predictions": []} for run_id in run_ids]
    return list(client.import_tasks(project_id, list(map(orjson.dumps, tasks))).task_ids)


def test_a_thousand_tasks_are_found_in_parts(client: LabelStudioClient, project_id: int) -> None:
    run_ids = [str(uuid4()) for _ in range(1000)]
    task_ids = store(client, project_id, run_ids)
    absent = [str(uuid4()) for _ in range(50)]

    found = client.find_tasks(project_id, [*run_ids, *absent])

    assert [(task.id, task.key) for task in found] == list(zip(task_ids, run_ids, strict=True))


def test_all_copies_of_a_run_are_found(client: LabelStudioClient, project_id: int) -> None:
    task_ids = store(client, project_id, ["same"] * 1200)

    assert [task.id for task in client.find_tasks(project_id, ["same"])] == task_ids


def test_only_younger_tasks_are_looked_through(client: LabelStudioClient, project_id: int) -> None:
    (last,) = store(client, project_id, ["last"])
    store(client, project_id, ["a", "b"])
    since = FoundTask(id=last, key="last")

    assert [task.key for task in client.find_tasks(project_id, ["a", "b", "c"], since=since)] == ["a", "b"]
    assert [task.key for task in client.find_tasks(project_id, ["last"], since=since)] == ["last"]


def test_a_deleted_task_hides_no_task_with_a_lower_number(
    client: LabelStudioClient, project_id: int, studio: StudioApi
) -> None:
    """On SQLite, Label Studio gives the numbers of deleted tasks again: `last` had a higher number than `a` gets."""
    numbers = store(client, project_id, ["x", "y", "z", "last"])
    since = FoundTask(id=numbers[-1], key="last")
    for number in numbers:
        studio.http.delete(f"/api/tasks/{number}/").raise_for_status()
    task_ids = store(client, project_id, ["a", "b", "c", "d", "e"])
    assert task_ids[0] < since.id, "the server does not give numbers again: the test shows nothing"

    found = client.find_tasks(project_id, ["a", "b", "c", "d", "e"], since=since)

    assert [task.key for task in found] == ["a", "b", "c", "d", "e"]


def test_the_next_batch_goes_to_the_labeling_interface_of_now(
    label_studio: LocalLabelStudio, studio: StudioApi
) -> None:
    handler = LabelStudioCallbackHandler(
        label_studio.api_key, label_studio.url, project_name=f"Edited {uuid4().hex[:8]}", flush_interval=0.05
    )
    record(handler)
    assert handler.flush(30)
    assert handler.project_id
    studio.patch(f"/api/projects/{handler.project_id}/", {"label_config": EDITED})

    record(handler)

    assert handler.flush(30)
    before, after = studio.tasks(handler.project_id)
    assert before["predictions"][0]["result"][0]["from_name"] == "response"
    assert after["predictions"][0]["result"][0]["from_name"] == "better"


def test_a_labeling_interface_without_a_place_for_the_answer_is_said_and_nothing_is_lost(
    label_studio: LocalLabelStudio, studio: StudioApi, caplog: pytest.LogCaptureFixture
) -> None:
    handler = LabelStudioCallbackHandler(
        label_studio.api_key, label_studio.url, project_name=f"Edited {uuid4().hex[:8]}", flush_interval=0.05
    )
    project_id = handler.project_id
    assert project_id
    without = '<View><Text name="prompt" value="$prompt"/><Rating name="rating" toName="prompt"/></View>'
    studio.patch(f"/api/projects/{project_id}/", {"label_config": without})

    record(handler)

    assert not handler.flush(30)
    assert handler.stats().state == "blocked"
    assert "TextArea" in str(handler.stats().last_error)
    wait_until(lambda: "TextArea" in caplog.text)
    studio.patch(f"/api/projects/{project_id}/", {"label_config": EDITED})
    assert handler.flush(30)
    assert len(studio.tasks(project_id)) == 1
