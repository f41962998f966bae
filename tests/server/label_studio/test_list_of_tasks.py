"""The list of tasks on a real Label Studio, with each of its databases: its columns, their order, and its tabs."""

from __future__ import annotations

import pytest

from langchain_label_studio.forms.modes import BUILT_IN_MODES
from tests.support.listed_tasks import TABS, make_listed_tasks, question
from tests.support.studio import StudioApi


# A browser looks at the lists of all modes on SQLite.
@pytest.mark.parametrize(
    ("database", "mode"), [("sqlite", "chat"), *(("postgresql", mode) for mode in BUILT_IN_MODES)]
)
def test_the_list_shows_what_people_read_and_each_tab_its_tasks(studio_on: StudioApi, mode: str) -> None:
    listed = make_listed_tasks(studio_on, mode)

    tabs = studio_on.get("/api/dm/views/", project=listed.project_id)
    assert [tab["data"]["title"] for tab in tabs] == list(TABS)
    columns = studio_on.get("/api/dm/columns", project=listed.project_id)["columns"]
    keys = [f"tasks:data.{column['id']}" for column in columns if column.get("parent") == "data"]
    for tab in tabs:
        title, hidden = tab["data"]["title"], tab["data"]["hiddenColumns"]["explore"]
        found = studio_on.get("/api/tasks/", view=tab["id"], project=listed.project_id)["tasks"]
        assert [listed.task_ids.index(task["id"]) for task in found] == TABS[title]
        shown = [key.removeprefix("tasks:data.") for key in keys if key not in hidden]
        if title != "Errors":
            assert shown == ["Query", "Reply", "model", "status", "user_feedback", "user_feedback_comment"]
        of_label_studio = {f"tasks:{column['id']}" for column in columns if not column.get("parent")}
        # A column that a new version of Label Studio brings would be shown.
        assert of_label_studio - set(hidden) - {"tasks:data"} <= {
            *("tasks:id", "tasks:total_annotations", "tasks:completed_at", "tasks:annotators")
        }
    [task, *_] = studio_on.tasks(listed.project_id)
    assert task["data"]["Query"] == question(0)
