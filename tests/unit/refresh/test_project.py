"""A project is refreshed task by task, can be stopped anywhere, and can be reviewed wherever it was stopped."""

from __future__ import annotations

import pytest

from langchain_label_studio import get_default_label_configs
from langchain_label_studio.errors import (
    LabelConfigError,
    ProjectNotFoundError,
    RequestRefusedError,
    ServerUnavailableError,
)
from langchain_label_studio.label_studio import patience
from langchain_label_studio.refresh.project import carry_out, plan_refresh
from tests.support.old_pages import OLD_PAGES
from tests.support.refreshable_project import Server

TODAY = get_default_label_configs("agent")[0].strip()


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "MAX_WAIT", 0.0)


def test_tasks_come_before_the_page() -> None:
    server = Server(3)
    pages: list[str] = []
    server.before_write = lambda _: pages.append(server.label_config)

    done = server.refresh()

    assert pages == [OLD_PAGES["agent"]] * 3
    assert (done.changed, server.refreshed, server.label_config) == (3, [1, 2, 3], TODAY)
    assert server.tabs == ["Default", "To review", "Disliked by users", "Errors", "Disagreements", "Done"]
    assert not server.plan().is_needed


def test_what_was_stopped_goes_on() -> None:
    server = Server(60)

    def stop(task_id: int) -> None:
        if task_id == 31:
            raise KeyboardInterrupt

    server.before_write = stop
    with pytest.raises(KeyboardInterrupt):
        server.refresh()
    assert (server.refreshed, server.label_config) == ([*range(1, 31)], OLD_PAGES["agent"])

    written: list[int] = []
    server.before_write = written.append
    assert server.refresh().changed == 30
    assert written == [*range(31, 61)]
    assert server.label_config == TODAY


def test_tasks_that_come_meanwhile_are_refreshed_too() -> None:
    server = Server(2)
    plan = server.plan()
    server.add_task()
    server.before_write = lambda task_id: server.add_task() if task_id == 3 else None

    assert carry_out(server.client, plan, tell=lambda *_: None).changed == 4
    assert server.refreshed == [1, 2, 3, 4]


def test_a_page_that_is_up_to_date_is_read_once_and_the_progress_is_told() -> None:
    server = Server(60)
    server.refresh()
    server.reads.clear()
    told: list[tuple[int, int]] = []

    plan = plan_refresh(server.client, server.info, tell=lambda *progress: told.append(progress))

    assert (plan.is_needed, plan.page_diff()) == (False, [])
    assert told == [(25, 60), (50, 60), (60, 60)]
    assert len(server.reads) == 3


def test_long_tasks_are_read_in_shorter_pages() -> None:
    server = Server(7)
    server.largest_page = 3

    assert server.refresh().changed == 7
    assert set(server.reads) == {3}


def test_a_task_that_is_refused_is_named_and_one_that_is_gone_is_not() -> None:
    server = Server(3)

    def refuse(task_id: int) -> None:
        if task_id == 1:
            raise ProjectNotFoundError("gone", status=404)
        if task_id == 2:
            raise RequestRefusedError("No.", status=400)

    server.before_write = refuse

    done = server.refresh()

    assert (done.changed, done.left, server.refreshed) == (1, {2: "No."}, [3])


def test_an_outage_is_waited_for() -> None:
    server = Server(1)
    failures = [ServerUnavailableError("away"), ServerUnavailableError("away")]

    def fail(_: int) -> None:
        if failures:
            raise failures.pop()

    server.before_write = fail

    assert server.refresh().changed == 1


def test_a_task_of_any_shape_is_left_as_it_is() -> None:
    server = Server(2)
    server.tasks[1] = {
        "id": 1,
        "data": {"run": {"steps": [{"kind": "tool_call", "tool": "f", "result": "text"}]}},
    }

    assert list(server.plan().tasks.left) == [1]
    assert server.refresh().changed == 1
    assert server.refreshed == [2]


def test_a_page_that_somebody_changed_meanwhile_stays() -> None:
    server = Server(1)
    plan = server.plan()
    server.label_config = "<View/>"

    with pytest.raises(LabelConfigError, match="changed the label config"):
        carry_out(server.client, plan, tell=lambda *_: None)
    assert server.label_config == "<View/>"


IN_USE = (
    "Created annotations are incompatible with provided labeling schema, we found: 2 with from_name=verdict, "
    "to_name=dialogue, type=choices 1 with from_name=step_1, to_name=dialogue, type=choices"
)


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (IN_USE, r"verdict \(2 answers\), step_1 \(1 answer\)"),
        (
            'There are 3 annotation(s) created with tag "verdict", you can\'t remove it',
            r"verdict \(3 answers\)",
        ),
    ],
)
def test_a_page_that_label_studio_refuses_is_explained_before_anything_is_written(
    refusal: str, said: str
) -> None:
    server = Server(2)
    server.refusal = refusal

    with pytest.raises(LabelConfigError, match=said):
        server.refresh()
    assert (server.refreshed, server.instructions) == ([], "")


def test_another_refusal_is_said_as_it_is() -> None:
    server = Server(1)
    server.refusal = "Label config has an error."

    with pytest.raises(RequestRefusedError, match="has an error"):
        server.refresh()


def test_pages_that_know_no_markdown_get_none() -> None:
    server = Server(1)
    server.unknown_tags = frozenset({"markdown"})

    server.refresh()

    assert "<Markdown" not in server.label_config
    assert not server.plan().is_needed
