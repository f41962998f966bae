"""A real Label Studio that imports by jobs: they take long, fail, break off in the middle, or never end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from uuid import uuid4

import pytest

from langchain_label_studio import LabelStudioCallbackHandler
from tests.support.handlers import record
from tests.support.label_studio_by_jobs import PART, LabelStudioByJobs, jobs_of
from tests.support.studio import StudioApi


class Jobs:
    """A project of its own on the server, and its jobs."""

    def __init__(self, server: LabelStudioByJobs, studio: StudioApi) -> None:
        self.server = server
        self.studio = studio
        # So that only a flush sends: what was recorded before it is one batch.
        self.handler = LabelStudioCallbackHandler(
            server.api_key, server.url, project_name=f"Jobs {uuid4().hex[:8]}", flush_interval=60
        )

    def record(self, count: int, prompt: str = "Hi") -> list[str]:
        return [str(record(self.handler, prompt)) for _ in range(count)]

    @property
    def all(self) -> list[dict]:
        return jobs_of(self.studio, self.handler.project_id or 0)

    def check(self, run_ids: Sequence[str]) -> None:
        tasks = self.studio.tasks(self.handler.project_id or 0)
        assert sorted(task["data"]["run_id"] for task in tasks) == sorted(run_ids)
        assert [len(task["predictions"]) for task in tasks] == [1] * len(tasks)


@pytest.fixture
def jobs(label_studio_by_jobs: LabelStudioByJobs) -> Iterator[Jobs]:
    studio = StudioApi(label_studio_by_jobs)
    with studio.http:
        jobs = Jobs(label_studio_by_jobs, studio)
        yield jobs
        jobs.handler.close(0)


@pytest.mark.parametrize("delay", [0.0, 1.0, 6.0])
def test_a_run_becomes_one_task_however_long_its_job_takes(jobs: Jobs, delay: float) -> None:
    jobs.server.jobs.begin(delay=delay)
    run_ids = jobs.record(20)

    assert jobs.handler.flush(60)

    jobs.check(run_ids)
    assert sum(job["task_count"] for job in jobs.all) == 20
    assert jobs.handler.stats().in_doubt == 0
    assert jobs.handler.task_url(run_ids[0])


def test_a_job_that_breaks_off_doubles_nothing(jobs: Jobs) -> None:
    """It stores its tasks part by part. So it has failed, and yet some of its tasks are there."""
    jobs.server.jobs.begin(fate="break")
    run_ids = jobs.record(2 * PART)

    assert jobs.handler.flush(120)

    jobs.check(run_ids)
    assert {job["status"] for job in jobs.all} == {"failed"}
    assert jobs.handler.stats().rejected == 0


def test_a_run_that_a_job_refuses_is_set_aside_alone(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    """P5."""
    jobs.server.jobs.begin(refused_text="refuse me")
    good = jobs.record(10)
    (bad,) = jobs.record(1, "refuse me")
    good += jobs.record(10)

    assert jobs.handler.flush(120)

    jobs.check(good)
    assert jobs.handler.stats().rejected == 1
    assert bad in caplog.text
    assert "as told" in caplog.text, "the reason of the job is not told"


def test_a_batch_waits_for_its_job_and_is_not_sent_again(jobs: Jobs) -> None:
    """P7: the job hangs, and goes on much later."""
    jobs.server.jobs.begin(fate="hang")
    run_ids = jobs.record(20)

    begun = time.monotonic()
    assert not jobs.handler.flush(3)
    assert time.monotonic() - begun < 15
    assert not jobs.handler.flush(15)
    stats = jobs.handler.stats()
    assert (len(jobs.all), stats.in_doubt + stats.pending, stats.delivered) == (1, 20, 0)

    jobs.server.jobs.begin()

    assert jobs.handler.flush(60)
    jobs.check(run_ids)


def test_the_page_of_a_job_holds_its_tasks_and_may_be_large(jobs: Jobs) -> None:
    """A batch has 4 MiB. Its tasks are larger: a page of a conversation has each mark of HTML written out."""
    handler = LabelStudioCallbackHandler(
        jobs.server.api_key,
        jobs.server.url,
        project_name=f"Jobs {uuid4().hex[:8]}",
        mode="chat",
        flush_interval=30,
    )
    run_ids = [str(record(handler, '<"' * 15_000)) for _ in range(100)]

    assert handler.flush(120), handler.stats()

    tasks = jobs.studio.all_tasks(handler.project_id or 0)
    assert sorted(task["data"]["run_id"] for task in tasks) == sorted(run_ids)


def test_no_answer_of_ours_fails_the_check_of_predictions(jobs: Jobs) -> None:
    """The check knows no `Repeater`: a control named `price_{{idx}}` is none that it knows."""
    handler = LabelStudioCallbackHandler(
        jobs.server.api_key,
        jobs.server.url,
        project_name=f"Jobs {uuid4().hex[:8]}",
        project_config=(
            '<View><Text name="prompt" value="$prompt"/>'
            '<TextArea name="response" toName="prompt" maxSubmissions="1"/>'
            '<Repeater on="$turns" indexFlag="{{idx}}"><Text name="turn_{{idx}}" value="$turns[{{idx}}].content"/>'
            '<Rating name="turn_rating_{{idx}}" toName="turn_{{idx}}"/></Repeater></View>'
        ),
        data={"turns": [{"content": "Hi"}]},
    )
    run_ids = [str(record(handler)) for _ in range(3)]

    assert handler.flush(60)

    tasks = jobs.studio.tasks(handler.project_id or 0)
    assert sorted(task["data"]["run_id"] for task in tasks) == sorted(run_ids)
    assert [len(task["predictions"]) for task in tasks] == [1] * 3
