"""Several programs record while people review, on each of the databases that Label Studio runs on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.reviewers import Reviewer
from tests.support.studio import StudioApi

WRITERS = 4
RUNS = 30

# Small batches, and often: the more requests there are, the more of them meet. An answer names its run, so that
# one which ends up in another run's task is seen.
WRITER = """
import sys, time
from uuid import uuid4
from langchain_core.outputs import Generation, LLMResult
from langchain_label_studio import LabelStudioCallbackHandler

handler = LabelStudioCallbackHandler(project_name=sys.argv[1], flush_interval=0.05, batch_size=20)
for _ in range(int(sys.argv[2])):
    run_id = uuid4()
    handler.on_llm_start({}, ["Hi"], run_id=run_id)
    handler.on_llm_end(LLMResult(generations=[[Generation(text=f"Answer of {run_id}")]]), run_id=run_id)
    print(run_id)
    time.sleep(0.15)
assert handler.flush(120), handler.stats()
"""

# What a Label Studio on SQLite makes the programs say: it loses answers, and where the computer is busy, it may take a
# minute for an import. Both are put right, as the tasks show.
PUT_RIGHT = re.compile(
    r"(Label Studio had lost the answers of \d+ tasks: sent again\."
    r"|[^\n]* broke off without an answer \(ReadTimeout\)\. Runs that wait and are tried again: [^\n]*?\.)"
    r"( \(\d+ more like this since the last line\))?\n"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def server(database: str, request: pytest.FixtureRequest) -> LocalLabelStudio:
    return request.getfixturevalue("label_studio" if database == "sqlite" else "label_studio_on_postgresql")


@pytest.fixture
def studio(server: LocalLabelStudio) -> Iterator[StudioApi]:
    api = StudioApi(server)
    with api.http:
        yield api


@pytest.fixture
def reviewers(studio: StudioApi) -> Iterator[tuple[Reviewer, Reviewer]]:
    with Reviewer(studio) as one, Reviewer(studio) as other:
        yield one, other


@pytest.mark.parametrize("computers", [1, WRITERS], ids=["one_computer", "a_computer_each"])
def test_every_task_keeps_its_answer_and_its_annotations(
    database: str,
    server: LocalLabelStudio,
    studio: StudioApi,
    reviewers: tuple[Reviewer, Reviewer],
    computers: int,
    tmp_path: Path,
) -> None:
    """Each of the programs connects by itself, and they end up in one project."""
    title = f"Writers {uuid4().hex[:8]}"
    states = [tmp_path / f"computer-{number % computers}" for number in range(WRITERS)]
    with writing(server, title, states) as writers:
        project_id = project_of_the_first_task(studio, title)
        with reviewers[0].reviewing(project_id), reviewers[1].reviewing(project_id):
            said = [writer.communicate(timeout=200) for writer in writers]

    assert [writer.returncode for writer in writers] == [0] * WRITERS, said
    complaints = "".join(errors for _, errors in said)
    assert (PUT_RIGHT.sub("", complaints) if database == "sqlite" else complaints) == ""

    # On SQLite, Label Studio itself repeats a request that met a lock. Where the programs cannot take turns, that
    # may leave a second, empty project; everybody's choice is the first. Programs rename one they made themselves;
    # had they deleted it, Label Studio might count no annotations any more.
    assert min(studio.project_ids(title)) == project_id
    assert not any(project["task_number"] for project in studio.projects(f"{title} (unused)"))
    tasks = studio.tasks(project_id)
    recorded = [run_id for output, _ in said for run_id in output.split()]
    assert len(tasks) == len(recorded) == WRITERS * RUNS
    answers = {task["data"]["run_id"]: texts(task["predictions"]) for task in tasks}
    assert answers == {run_id: [f"Answer of {run_id}"] for run_id in recorded}

    # Two who save at the same moment may be counted as one; what is not counted at all is never read.
    for task in tasks:
        assert bool(task["total_annotations"]) == bool(task["annotations"])

    # A set, because of the same repetition.
    saved = {
        (task["id"], annotation["completed_by"], text)
        for task in tasks
        for annotation in task["annotations"]
        for text in texts([annotation])
    }
    assert saved == reviewers[0].submitted | reviewers[1].submitted
    assert min(len(reviewer.submitted) for reviewer in reviewers) >= 5, "they hardly met"


@contextmanager
def writing(
    server: LocalLabelStudio, title: str, states: Sequence[Path]
) -> Iterator[list[subprocess.Popen[str]]]:
    """Run the programs, none of which is left behind.

    Those on one computer share a state directory, with its outbox and the locks that make them take turns.
    """
    settings = {"LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.api_key}
    with ExitStack() as stack:
        writers = []
        for state in states:
            place = {"XDG_STATE_HOME": str(state), "LABEL_STUDIO_OUTBOX_DIR": str(state / "outbox")}
            writer = subprocess.Popen(
                [sys.executable, "-c", WRITER, title, str(RUNS)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, **settings, **place},
            )
            stack.enter_context(writer)
            stack.callback(writer.kill)  # does nothing once it has ended
            writers.append(writer)
        yield writers


def project_of_the_first_task(studio: StudioApi, title: str) -> int:
    """Wait until there is something to review."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for project in studio.projects(title):
            if project["task_number"]:
                return project["id"]
        time.sleep(0.1)
    pytest.fail("no program has sent a run within a minute")


def texts(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the texts of predictions or of annotations."""
    return [text for result in results for region in result["result"] for text in region["value"]["text"]]
