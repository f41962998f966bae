"""What users of an application say, in a real Label Studio: beside reviews, as columns, as filters, in exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from langchain_label_studio import LabelStudioCallbackHandler, load_reviews, send_feedback
from langchain_label_studio.selectors import low_rating, sampled
from langchain_label_studio.types.feedback import Feedback
from tests.support.handlers import record
from tests.support.programs import wait_until
from tests.support.studio import StudioApi


@pytest.fixture(autouse=True)
def _settings(studio: StudioApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", studio.server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", studio.server.api_key)


def by_run(studio: StudioApi, handler: LabelStudioCallbackHandler) -> dict[str, dict[str, Any]]:
    return {task["data"]["run_id"]: task for task in studio.tasks(handler.project_id or 0)}


def found(
    studio: StudioApi, project_id: int | None, column: str, operator: str, kind: str, value: Any
) -> set[str]:
    """The runs that Label Studio's data manager shows with a filter."""
    item = {"filter": f"filter:tasks:data.{column}", "operator": operator, "type": kind, "value": value}
    query = json.dumps({"filters": {"conjunction": "and", "items": [item]}})
    listed = studio.get("/api/tasks/", project=project_id, query=query, fields="all")
    return {task["data"]["run_id"] for task in listed["tasks"]}


def test_it_comes_beside_what_is_there_and_takes_nothing_away(studio: StudioApi) -> None:
    handler = LabelStudioCallbackHandler(project_name=f"Feedback {uuid4()}"[:50], data={"team": "a"})
    run_id = record(handler)
    assert handler.flush()
    [before] = studio.tasks(handler.project_id or 0)
    region = {"from_name": "rating", "to_name": "prompt", "type": "rating", "value": {"rating": 4}}
    studio.post(f"/api/tasks/{before['id']}/annotations/", {"result": [region], "lead_time": 3})
    [before] = studio.tasks(handler.project_id or 0)

    handler.feedback(run_id, score=1, comment="Just right")
    assert handler.flush()

    [after] = studio.tasks(handler.project_id or 0)
    assert after["data"] == before["data"] | {"user_feedback": 1, "user_feedback_comment": "Just right"}
    assert {key: value for key, value in after["meta"].items() if key != "feedback"} == before["meta"]
    changing = {"data", "meta", "updated_at"}
    same = before.keys() - changing
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert (after["total_annotations"], after["total_predictions"], after["is_labeled"]) == (1, 1, True)
    [review] = load_reviews(project_id=handler.project_id)
    assert review.feedback == {"user_feedback": Feedback(score=1, comment="Just right")}
    assert review.run.data == {"team": "a"}
    assert review.is_reviewed


def test_it_is_a_column_and_a_filter_and_labels_answers_for_kto(studio: StudioApi, tmp_path: Path) -> None:
    title = f"Thumbs {uuid4()}"[:50]
    handler = LabelStudioCallbackHandler(project_name=title)
    said: dict[str, float | None] = {}
    for number, score in enumerate((1, 0, 0.5, -1, None)):
        run_id = record(handler, f"Question {number}", f"Answer {number}")
        said[str(run_id)] = score
        if score is not None:
            handler.feedback(run_id, score=score)
    some = next(iter(said))
    assert handler.flush()
    # From a process without a handler; later than the run
    send_feedback(some, comment="Thank you!", project_name=title)
    wait_until(lambda: "user_feedback_comment" in by_run(studio, handler)[some]["data"])

    columns = studio.get("/api/dm/columns/", project=handler.project_id)["columns"]
    in_the_list = {column["id"] for column in columns if column.get("parent") == "data"}
    assert {"user_feedback", "user_feedback_comment"} <= in_the_list
    project = handler.project_id

    def those(wanted: set[float | None]) -> set[str]:
        return {run_id for run_id, score in said.items() if score in wanted}

    assert found(studio, project, "user_feedback", "less", "Number", 0.5) == those({0, -1})
    assert found(studio, project, "user_feedback", "equal", "Number", 1) == those({1})
    assert found(studio, project, "user_feedback", "greater_or_equal", "Number", 0) == those({0, 0.5, 1})
    assert found(studio, project, "user_feedback_comment", "contains", "String", "Thank") == those({1})

    file = tmp_path / "kto.jsonl"
    arguments = ("export", "kto", "-o", str(file), "--project", title, "--format", "plain", "--json")
    done = studio.run_command(*arguments, "--feedback", "user_feedback=0.5")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(row["completion"], row["label"]) for row in rows] == [
        ("Answer 0", True),
        ("Answer 1", False),
        ("Answer 2", True),
        ("Answer 3", False),
    ]
    for wrong in ("user_feedback", "user_feedback=up"):
        assert studio.run_command(*arguments, "--feedback", wrong).returncode == 2


def test_a_thumb_down_brings_a_run_to_review_that_was_excluded(studio: StudioApi) -> None:
    handler = LabelStudioCallbackHandler(
        project_name=f"Recalled {uuid4()}"[:50], select=sampled(0) | low_rating(), mask=lambda text: text
    )
    liked, disliked, _ = (record(handler, answer=answer) for answer in ("a", "b", "c"))
    assert handler.flush()
    assert studio.tasks(handler.project_id or 0) == []

    handler.feedback(liked, score=1)
    handler.feedback(disliked, score=0, comment="Wrong")
    assert handler.flush()

    [task] = studio.tasks(handler.project_id or 0)
    assert task["data"]["run_id"] == str(disliked)
    assert (task["data"]["user_feedback"], task["data"]["user_feedback_comment"]) == (0, "Wrong")
    stats = handler.stats()
    assert (stats.delivered, sum(stats.excluded.values())) == (1, 2)
    assert stats.feedback
    assert (stats.feedback.delivered, stats.feedback.postponed) == (1, 1)

    # What waited for the task comes with it.
    handler.feedback(liked, score=0, key="second_thought")
    assert handler.flush()
    second = by_run(studio, handler)[str(liked)]["data"]
    assert (second["user_feedback"], second["second_thought"]) == (1, 0)
    stats = handler.stats()
    assert stats.feedback
    assert (stats.feedback.delivered, stats.feedback.postponed) == (3, 0)


def test_many_at_once_all_arrive(studio: StudioApi) -> None:
    handler = LabelStudioCallbackHandler(project_name=f"Many {uuid4()}"[:50])
    run_ids = [record(handler, answer=str(number)) for number in range(60)]
    for number, run_id in enumerate(run_ids):
        handler.feedback(run_id, score=number)
        handler.feedback(run_id, score=number % 5, key="stars")
    assert handler.flush(90)

    tasks = by_run(studio, handler)
    expected = {str(run_id): (number, number % 5) for number, run_id in enumerate(run_ids)}
    shown = {run_id: (task["data"]["user_feedback"], task["data"]["stars"]) for run_id, task in tasks.items()}
    assert shown == expected
    assert all(len(task["predictions"]) == 1 for task in tasks.values())
