"""Disputes become tasks of a second project, once; verdicts become ground truth of the right task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import orjson
import pytest

from langchain_label_studio import LabelStudioMode, SettingError, get_default_label_configs
from langchain_label_studio.errors import RequestRefusedError
from langchain_label_studio.label_config.controls import read_controls
from langchain_label_studio.label_studio.answers import Imported, ProjectInfo, TaskPage
from langchain_label_studio.label_studio.client import LabelStudioClient
from langchain_label_studio.reviews.adjudication import Adjudicated, page_with_judgements, settle_disputes
from tests.support.annotated_tasks import PROMPT, SAVED, annotation, recorded, region, texts
from tests.support.projects import project_info
from tests.support.reviews import run

LATER = "2026-11-22T09:00:00.123456Z"
ANN, BOB, EVE = 1, 2, 3


class Studio:
    """Projects with tasks, and the requests of a client to them."""

    def __init__(self) -> None:
        self.url = "http://ls.test/"
        self.projects = {7: project_info(PROMPT, id=7, title="Answers", instructions="<p>Be kind.</p>")}
        self.tasks: dict[int, dict[int, dict[str, Any]]] = {7: {}}
        self.imported: list[int] = []
        self.tabs: list[Mapping[str, Any]] = []
        self.takes_tabs = True

    def add(self, *stars: int, length: int = 5) -> int:
        """Add a task, and what Ann, Bob and others gave."""
        number = len(self.tasks[7]) + 1
        said = [
            rated(count, number=10 * number + who, completed_by=who) for who, count in enumerate(stars, 1)
        ]
        the_run = run(f"Question {number}?", "x" * length)
        self.tasks[7][number] = recorded(the_run, *said) | {"id": number}
        self.tasks[7][number]["data"]["record_id"] = f"record {number}"
        return number

    def judge(self, task: int, stars: int, **more: Any) -> dict[str, Any]:
        """Add a verdict on what came from a task."""
        [of_second] = [each for each in self.second.values() if each["meta"]["adjudicates"] == task]
        verdict = rated(stars, **{"number": 500 + task, "completed_by": EVE} | more)
        of_second["annotations"].append(verdict)
        return verdict

    def settle_disputes(self) -> Adjudicated:
        return settle_disputes(cast("LabelStudioClient", self), self.projects[7], stars=2)

    @property
    def second(self) -> dict[int, dict[str, Any]]:
        return self.tasks[8]

    def truths(self, task: int) -> list[dict[str, Any]]:
        return [each for each in self.tasks[7][task]["annotations"] if each.get("ground_truth")]

    # What the client has

    def search_projects(self, part: str) -> dict[int, str]:
        return {number: info.title for number, info in self.projects.items() if part in info.title}

    def get_project(self, project_id: int) -> ProjectInfo:
        return self.projects[project_id]

    def create_project(self, **fields: Any) -> int:
        number = max(self.projects) + 1
        self.projects[number] = project_info(id=number, **fields)
        self.tasks[number] = {}
        return number

    def tab_titles(self, _project_id: int) -> list[str]:
        return []

    def add_tab(self, _project_id: int, tab: Mapping[str, Any]) -> None:
        if not self.takes_tabs:
            raise RequestRefusedError("no tabs", status=400)
        self.tabs.append(tab)

    def users(self) -> dict[int, str]:
        return {ANN: "ann@example.com", BOB: "bob@example.com", EVE: "eve@example.com"}

    def read_tasks(self, project_id: int, *, after: int, size: int, **_: Any) -> TaskPage:
        found = tuple(task for number, task in self.tasks[project_id].items() if number > after)
        return TaskPage(tasks=found[:size], matching=len(found), counted=0, size=1)

    def import_tasks(self, project_id: int, tasks: Sequence[bytes]) -> Imported:
        self.imported.append(len(tasks))
        begin = len(self.tasks[project_id]) + 1
        for number, task in enumerate(map(orjson.loads, tasks), begin):
            self.tasks[project_id][number] = task | {"id": number, "annotations": []}
        return Imported(task_ids=tuple(range(begin, begin + len(tasks))), predictions=len(tasks))

    def add_annotation(self, task_id: int, made: Mapping[str, Any]) -> None:
        dates = {"created_at": SAVED, "updated_at": SAVED}
        self.tasks[7][task_id]["annotations"].append({"id": 900, "completed_by": None} | made | dates)

    def change(self, path: str, values: Mapping[str, Any]) -> None:
        assert path == "api/annotations/900/"
        for task in self.tasks[7].values():
            for each in task["annotations"]:
                if each["id"] == 900:
                    each.update(values | {"updated_at": LATER})


def rated(stars: int, **more: Any) -> dict[str, Any]:
    return annotation(texts("response", "Answer"), region("rating", "rating", rating=stars), **more)


@pytest.fixture
def studio() -> Studio:
    return Studio()


def test_nothing_comes_twice(studio: Studio) -> None:
    disputed, agreed = studio.add(5, 1), studio.add(5, 4)

    first, again = studio.settle_disputes(), studio.settle_disputes()

    assert (first.project_id, first.added, first.open) == (8, (disputed,), (disputed,))
    assert (again.project_id, again.added, again.open) == (8, (), (disputed,))
    assert studio.imported == [1]
    verdict = studio.judge(disputed, 2)
    assert (studio.settle_disputes().settled, studio.settle_disputes().settled) == ((disputed,), ())
    [truth] = studio.truths(disputed)
    assert (truth["result"], truth["completed_by"]) == (verdict["result"], EVE)
    assert not studio.truths(agreed)


def test_a_changed_verdict_is_changed_where_it_was_brought(studio: Studio) -> None:
    disputed = studio.add(5, 1)
    studio.settle_disputes()
    verdict = studio.judge(disputed, 2)
    studio.settle_disputes()
    verdict |= rated(5, number=verdict["id"], completed_by=EVE, updated_at=LATER)

    assert (studio.settle_disputes().settled, studio.settle_disputes().settled) == ((disputed,), ())
    [truth] = studio.truths(disputed)
    assert truth["result"] == verdict["result"]


def test_a_renamed_project_has_the_same_second_one(studio: Studio) -> None:
    studio.add(5, 1)
    studio.settle_disputes()
    studio.projects[7] = replace(studio.projects[7], title="Support")
    studio.projects[8] = replace(studio.projects[8], title="Ours (adjudication of 7)")
    studio.create_project(label_config=PROMPT, title="Of another one (adjudication of 77)")

    assert (studio.settle_disputes().project_id, studio.imported) == (8, [1])


def test_a_task_whose_number_another_one_had_is_another_task(studio: Studio) -> None:
    """On SQLite, Label Studio gives the numbers of deleted tasks again."""
    disputed = studio.add(5, 1)
    studio.settle_disputes()
    studio.judge(disputed, 2)
    del studio.tasks[7][disputed]
    assert studio.add(5, 1) == disputed
    studio.tasks[7][disputed]["data"]["record_id"] = "a later one"

    done = studio.settle_disputes()

    assert (done.added, done.settled, studio.truths(disputed)) == ((disputed,), (), [])


def test_of_a_dispute_that_came_twice_the_verdict_counts(studio: Studio) -> None:
    """Two programs may bring it at the same moment."""
    disputed = studio.add(5, 1)
    studio.settle_disputes()
    studio.judge(disputed, 2)
    studio.second[2] = studio.second[1] | {"id": 2, "annotations": []}

    assert studio.settle_disputes().settled == (disputed,)


def test_the_verdict_of_a_deleted_account_is_brought_too(studio: Studio) -> None:
    """Label Studio refuses an annotation of nobody, unless it is not said whose it is."""
    disputed = studio.add(5, 1)
    studio.settle_disputes()
    studio.judge(disputed, 2, completed_by=None)
    before = len(studio.tasks[7][disputed]["annotations"])

    assert studio.settle_disputes().settled == (disputed,)
    assert len(studio.tasks[7][disputed]["annotations"]) == before + 1


def test_a_skip_is_no_verdict_and_no_side_of_a_dispute(studio: Studio) -> None:
    skipped, disputed = studio.add(5, 1), studio.add(5, 1)
    studio.tasks[7][skipped]["annotations"][0]["was_cancelled"] = True
    assert studio.settle_disputes().added == (disputed,)
    studio.judge(disputed, 2, was_cancelled=True)

    assert (studio.settle_disputes().open, studio.truths(disputed)) == ((disputed,), [])


def test_a_second_project_is_not_adjudicated_itself(studio: Studio) -> None:
    studio.add(5, 1)
    studio.settle_disputes()

    with pytest.raises(SettingError, match="itself the adjudication of another project"):
        settle_disputes(cast("LabelStudioClient", studio), studio.projects[8], stars=2)


def test_requests_are_bounded_by_number_and_by_size(studio: Studio) -> None:
    for _ in range(3):
        studio.add(5, 1, length=1_500_000)
    for _ in range(150):
        studio.add(5, 1)

    studio.settle_disputes()

    assert sum(studio.imported) == 153
    assert studio.imported[0] < 3
    assert max(studio.imported) == 100


@pytest.mark.parametrize("takes_tabs", [True, False])
def test_the_second_project_tells_what_it_is_for(studio: Studio, takes_tabs: bool) -> None:
    studio.add(5, 1)
    studio.takes_tabs = takes_tabs

    studio.settle_disputes()

    second = studio.projects[8]
    assert second.title == "Answers (adjudication of 7)"
    assert second.instructions.startswith("<p>Reviewers disagree")
    assert second.instructions.endswith("<p>Be kind.</p>"), "what the first project says holds, too"
    assert len(studio.imported) == 1
    for tab in studio.tabs:
        assert "tasks:data.judgements_html" in tab["hiddenColumns"]["explore"]
    assert bool(studio.tabs) == takes_tabs


@pytest.mark.parametrize("mode", list(LabelStudioMode))
def test_its_page_asks_the_same_questions(mode: LabelStudioMode) -> None:
    config, _ = get_default_label_configs(mode)

    page = page_with_judgements(config)

    assert page != config
    assert read_controls(page).controls == read_controls(config).controls
    assert read_controls(page).answer_field == read_controls(config).answer_field
