"""The order in which a real Label Studio gives tasks to people, with each of its databases: the worst first."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from langchain_label_studio import LabelStudioCallbackHandler, LLMRun
from langchain_label_studio.label_studio.connection_check import check_up
from tests.support.handlers import record
from tests.support.programs import run, wait_until
from tests.support.reviewers import Reviewer
from tests.support.studio import StudioApi

DOUBTS = {"dull": 0.1, "odd": 0.9, "odd as well": 0.9, "fails": 0.6, "middling": 0.5, "late": 0.2}
"""The prompts in the order of their runs, and how much each is worth a look. Two are worth the same."""

BY_DOUBT = ["odd", "odd as well", "fails", "middling", "late", "dull"]

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def doubt(run: LLMRun) -> float:
    return DOUBTS[run.prompt[-1]["content"]]


def record_all(studio: StudioApi, priority: object) -> tuple[LabelStudioCallbackHandler, dict[str, UUID]]:
    """Record a run for each prompt, of which one has no answer, and return the runs by their prompts."""
    server, title = studio.server, f"Order {uuid4().hex[:8]}"
    handler = LabelStudioCallbackHandler(
        server.api_key, server.url, project_name=title, include_errors=True, priority=priority
    )
    runs = {}
    for prompt in DOUBTS:
        if prompt == "fails":
            runs[prompt] = uuid4()
            handler.on_llm_start({}, [prompt], run_id=runs[prompt])
            handler.on_llm_error(TimeoutError("no answer"), run_id=runs[prompt])
        else:
            runs[prompt] = record(handler, prompt)
    assert handler.flush(30)
    return handler, runs


def review(person: Reviewer, project_id: int | None, *, most: int = 100) -> list[str]:
    """Review what a person is given, until nothing is left, and return the prompts."""
    assert project_id
    given = []
    while len(given) < most and (task := person.next_task(project_id)):
        given.append(task["data"]["prompt"])
        person.submit(task["id"])
    return given


def listed(studio: StudioApi, project_id: int | None, *, page_size: int = 100) -> list[str]:
    """Return the prompts as the first tab of the list of tasks has them on its pages."""
    tab, found, page = studio.get("/api/dm/views/", project=project_id)[0], [], 0
    total = 1
    while len(found) < total:
        page += 1
        answer = studio.get("/api/tasks/", view=tab["id"], project=project_id, page=page, page_size=page_size)
        found += [task["data"]["prompt"] for task in answer["tasks"]]
        total = answer["total"]
    return found


def test_a_project_without_a_task_shows_an_empty_list_and_can_be_checked(
    studio_on: StudioApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Label Studio cannot order no tasks by their scores: a person who opens the list before the first run saw an error."""
    server = studio_on.server
    handler = LabelStudioCallbackHandler(
        server.api_key, server.url, project_name=f"Order {uuid4().hex[:8]}", priority="feedback"
    )
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
    found = check_up(url=server.url, project_id=handler.project_id, project_name="")
    tabs = studio_on.get("/api/dm/views/", project=handler.project_id)
    lists = [studio_on.get("/api/tasks/", view=tab["id"], project=handler.project_id) for tab in tabs]

    assert [(answer["total"], answer["tasks"]) for answer in lists] == [(0, [])] * 5
    assert {finding.level for finding in found} == {"good"}


def test_the_worst_comes_first_and_each_task_once(studio_on: StudioApi) -> None:
    handler, _ = record_all(studio_on, doubt)

    assert listed(studio_on, handler.project_id) == BY_DOUBT
    with Reviewer(studio_on) as person:
        assert review(person, handler.project_id) == BY_DOUBT


def test_equal_ones_come_as_they_arrived_and_each_is_on_one_page(studio_on: StudioApi) -> None:
    """PostgreSQL has no order for equal scores: a list would show some tasks twice, and others never."""
    server = studio_on.server
    handler = LabelStudioCallbackHandler(
        server.api_key,
        server.url,
        project_name=f"Order {uuid4().hex[:8]}",
        include_errors=True,
        priority="errors",
    )
    prompts = [f"Question {number}" for number in range(300)]
    for prompt in prompts:
        record(handler, prompt)
    assert handler.flush(30)

    assert listed(studio_on, handler.project_id, page_size=30) == prompts
    with Reviewer(studio_on) as person:
        assert review(person, handler.project_id, most=5) == prompts[:5]


def test_two_people_get_the_two_worst_at_one_moment(studio_on: StudioApi) -> None:
    handler, _ = record_all(studio_on, doubt)
    assert handler.project_id

    with Reviewer(studio_on) as ann, Reviewer(studio_on) as bob:
        given = [person.next_task(handler.project_id) for person in (ann, bob)]

    assert [task and task["data"]["prompt"] for task in given] == BY_DOUBT[:2]


def test_a_bad_thumb_moves_a_task_that_waits_to_the_front(studio_on: StudioApi) -> None:
    handler, runs = record_all(studio_on, {"feedback": 3, "errors": 2, doubt: 1})
    assert handler.project_id

    with Reviewer(studio_on) as person:
        assert review(person, handler.project_id, most=1) == ["fails"]

        handler.feedback(runs["dull"], score=0)
        handler.feedback(runs["middling"], score=1)
        assert handler.flush(30)
        assert listed(studio_on, handler.project_id)[0] == "dull"
        assert review(person, handler.project_id, most=2) == ["dull", "odd"]

        said_by_another_process = run(
            f"""
            from langchain_label_studio import send_feedback
            send_feedback(
                {str(runs["late"])!r}, score=0, project_name={handler.project_name!r},
                url=sys.argv[1], api_key=sys.argv[2],
            )
            """,
            studio_on.server.url,
            studio_on.server.api_key,
        )
        assert said_by_another_process.returncode == 0, said_by_another_process.stderr
        wait_until(lambda: listed(studio_on, handler.project_id)[0] == "late")
        assert review(person, handler.project_id) == ["late", "odd as well", "middling"]


def test_feedback_that_comes_before_the_task_counts(studio_on: StudioApi) -> None:
    server = studio_on.server
    handler = LabelStudioCallbackHandler(
        server.api_key,
        server.url,
        project_name=f"Order {uuid4().hex[:8]}",
        priority="feedback",
        flush_interval=60,
    )
    runs = [record(handler, prompt) for prompt in ("fine", "disliked", "liked")]
    handler.feedback(runs[1], score=0)
    handler.feedback(runs[2], score=1)
    assert handler.flush(30)

    with Reviewer(studio_on) as person:
        assert review(person, handler.project_id) == ["disliked", "fine", "liked"]


def test_who_has_a_task_open_keeps_it_when_another_becomes_worse(studio_on: StudioApi) -> None:
    handler, runs = record_all(studio_on, {"feedback": 2, doubt: 1})
    assert handler.project_id

    with Reviewer(studio_on) as ann, Reviewer(studio_on) as bob:
        opened = ann.next_task(handler.project_id)
        handler.feedback(runs["dull"], score=0)
        assert handler.flush(30)
        assert ann.next_task(handler.project_id)["id"] == opened["id"]
        assert bob.next_task(handler.project_id)["data"]["prompt"] == "dull"
