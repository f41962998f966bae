"""The command `relay` chooses for all workers, and its projects roll: the whole way to a real Label Studio."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from langchain_core.outputs import Generation, LLMResult

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.selectors.sampling import in_sample
from tests.support.handlers import record
from tests.support.studio import StudioApi


@pytest.fixture
def title() -> str:
    return f"Choice {uuid4().hex[:8]}"


@pytest.fixture
def storage(tmp_path: Path) -> str:
    (tmp_path / "bucket").mkdir()
    return f"file://{tmp_path}/bucket"


def worker(storage: str, title: str, **options: object) -> LabelStudioCallbackHandler:
    return LabelStudioCallbackHandler(project_name=title, deliver_to=storage, **options)  # type: ignore[arg-type]


def hand_over(storage: str, title: str, *, runs: int, **options: object) -> list[UUID]:
    """Record some runs as a worker, and return their ids."""
    handler = worker(storage, title, **options)
    made = [record(handler) for _ in range(runs)]
    assert handler.flush(30)
    handler.close()
    return made


def relay(studio: StudioApi, storage: str, *options: str) -> subprocess.CompletedProcess[str]:
    ended = studio.run_command("relay", storage, "--once", *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


def count(studio: StudioApi, title: str) -> int:
    return sum(len(studio.tasks(project)) for project in studio.project_ids(title))


def test_a_limit_of_a_day_holds_for_all_services_and_after_a_restart(
    studio: StudioApi, storage: str, title: str
) -> None:
    for _ in range(2):
        for service in ("a", "b"):
            hand_over(storage, f"{title} {service}", runs=4, mode="prompt" if service == "a" else "chat")
        relay(studio, storage, "--project", title, "--at-most-per-day", "6")

    assert count(studio, title) == 6


def test_services_of_one_project_fill_it_one_after_the_other(
    studio: StudioApi, storage: str, title: str
) -> None:
    hand_over(storage, f"{title}-%Y", runs=5)
    relay(studio, storage, "--at-most", "2")
    hand_over(storage, f"{title}-%Y", runs=2)
    relay(studio, storage, "--at-most", "2")

    base = f"{title}-{datetime.now():%Y}"
    numbered = (base, f"{base} (2)", f"{base} (3)", f"{base} (4)")
    assert [count(studio, each) for each in numbered] == [2, 2, 1, 2]


def test_what_is_drawn_in_a_worker_and_in_the_relay_is_drawn_once(
    studio: StudioApi, storage: str, title: str
) -> None:
    made = hand_over(storage, title, runs=60, sample_rate=0.8)
    relay(studio, storage, "--sample", "0.5")

    (project,) = studio.project_ids(title)
    tasks = studio.tasks(project)
    assert {task["data"]["run_id"] for task in tasks} == {str(run) for run in made if in_sample(run, 0.5)}
    assert {task["meta"]["chance"] for task in tasks} == {0.5}


def test_selectors_choose_failed_runs_of_all_workers(studio: StudioApi, storage: str, title: str) -> None:
    handler = worker(storage, title, include_errors=True)
    record(handler)
    failed = uuid4()
    handler.on_llm_start({}, ["Hi"], run_id=failed)
    handler.on_llm_error(ValueError("no"), run_id=failed)
    tagged = uuid4()
    handler.on_llm_start({}, ["Hi"], run_id=tagged, tags=["vip"])
    handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=tagged)
    assert handler.flush(30)
    handler.close()

    ended = relay(studio, storage, "--select", "errors() | by_tag('vip')")

    (project,) = studio.project_ids(title)
    assert {task["data"]["run_id"] for task in studio.tasks(project)} == {str(failed), str(tagged)}
    assert "errors() | by_tag('vip')" in ended.stdout + ended.stderr
    # What was not chosen is gone.
    assert not list(Path(storage.removeprefix("file://")).rglob("*.jsonl"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--select", "slwo(10)"), "Did you mean 'slow'?"),
        (("--select", "low_rating()"), "in the workers"),
        (("--project", "S" * 45, "--at-most", "5"), "may have 44"),
    ],
)
def test_an_option_that_cannot_be_right_is_an_error_at_the_start(
    studio: StudioApi, storage: str, options: tuple[str, ...], says: str
) -> None:
    ended = studio.run_command("relay", storage, "--once", *options)

    assert ended.returncode in {1, 2}
    assert says in " ".join((ended.stdout + ended.stderr).split())
