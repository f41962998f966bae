"""The relay as a process, with a real Label Studio and a real object storage: whatever ends, each run is there once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from langchain_label_studio.local_server import LocalLabelStudio
from langchain_label_studio.object_store.store import ObjectStore
from tests.support import nginx
from tests.support.label_studio_by_jobs import LabelStudioByJobs
from tests.support.nginx import Nginx
from tests.support.programs import COMMAND, wait_until
from tests.support.s3 import S3Server
from tests.support.studio import StudioApi

WORKER = """
import os, sys, time, uuid
from langchain_core.outputs import Generation, LLMResult
from langchain_label_studio import LabelStudioCallbackHandler

count, pause = int(sys.argv[1]), float(sys.argv[2])
handler = LabelStudioCallbackHandler(flush_interval=0.3)
for _ in range(count):
    run_id = uuid.uuid4()
    handler.on_llm_start({}, ["Hi"], run_id=run_id)
    handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)
    # Said only after the callback returned: from then on the run must not be lost.
    os.write(1, f"{run_id}\\n".encode())
    time.sleep(pause)
if len(sys.argv) > 3:
    handler.feedback(run_id, score=1)
assert handler.flush(60), handler.stats()
"""


class Fleet:
    """Workers and relays of one project and one storage."""

    def __init__(self, storage: str, server: LocalLabelStudio, url: str, directory: Path) -> None:
        self.storage = storage
        self.title = f"Fleet {uuid4().hex[:8]}"
        self._directory = directory
        self._relay_env = {"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": server.api_key}

    def worker(
        self, number: int, *, runs: int, pause: float = 0.0, feedback: bool = False
    ) -> subprocess.Popen[str]:
        """Start a worker. Its outbox is on a disk of its own, as on another host. It has no key."""
        env = {name: value for name, value in os.environ.items() if name != "LABEL_STUDIO_API_KEY"}
        env |= {
            "LABEL_STUDIO_DELIVER_TO": self.storage,
            "LABEL_STUDIO_PROJECT_NAME": self.title,
            "LABEL_STUDIO_OUTBOX_DIR": str(self._directory / f"worker {number}"),
        }
        command = [sys.executable, "-c", WORKER, str(runs), str(pause), *(["feedback"] if feedback else [])]
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @contextmanager
    def relay(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Start a relay, and kill it in the end."""
        with subprocess.Popen(
            [COMMAND, "relay", self.storage, *options],
            env=os.environ | self._relay_env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def finish(self, *options: str) -> str:
        """Bring what is left."""
        with self.relay("--once", *options) as process:
            said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
        return str(said)

    def left(self) -> list[str]:
        """Return what is left in the storage."""
        objects = ObjectStore(self.storage).objects("v1")
        return [each.path for each in objects if not each.path.endswith("/target.json")]


def ids_of(worker: subprocess.Popen[str]) -> list[str]:
    """Return the ids of the runs of a worker that has come to its end."""
    said, errors = worker.communicate(timeout=120)
    assert worker.returncode == 0, errors
    return said.split()


def assert_each_is_there_once(studio: StudioApi, title: str, run_ids: list[str]) -> None:
    (project,) = studio.project_ids(title)
    tasks = list(studio.all_tasks(project))
    assert Counter(task["data"]["run_id"] for task in tasks) == Counter(run_ids)
    assert all(len(task["predictions"]) == 1 for task in tasks)


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with S3Server(tmp_path / "s3") as server:
        yield server.open_with(monkeypatch)


def test_workers_relays_and_the_storage_are_killed(
    s3: S3Server, studio: StudioApi, label_studio: LocalLabelStudio, tmp_path: Path
) -> None:
    chance = random.Random(15)
    fleet = Fleet(s3.url, label_studio, label_studio.url, tmp_path)
    # About as long as the relays below. Workers are killed in tests/process/fleet.
    workers = [fleet.worker(number, runs=1_000, pause=0.02) for number in range(3)]
    for kill in range(6):
        with fleet.relay("--every", "1"):
            # This store does not create only once. So a relay looks again for 2 seconds before it works.
            time.sleep(chance.uniform(3.0, 4.5))
            if kill == 3:
                s3.stop()
                time.sleep(0.5)
                s3.start()
    run_ids = [run_id for worker in workers for run_id in ids_of(worker)]
    (project,) = studio.project_ids(fleet.title)
    assert len(list(studio.all_tasks(project))) > 100, "the relays that were killed have worked, too"
    fleet.finish()
    assert_each_is_there_once(studio, fleet.title, run_ids)
    assert fleet.left() == []


def test_of_two_relays_one_works_and_one_that_was_stopped_doubles_nothing(
    studio: StudioApi, label_studio: LocalLabelStudio, tmp_path: Path
) -> None:
    fleet = Fleet(f"file://{tmp_path}/shared", label_studio, label_studio.url, tmp_path)
    said = ids_of(fleet.worker(0, runs=600))
    with fleet.relay("--every", "1") as first:
        assert first.stdout
        assert "This relay works now" in first.stdout.readline()
        with fleet.relay("--every", "1") as second:
            assert second.stdout
            assert "Another relay works there" in second.stdout.readline()
            said += ids_of(fleet.worker(1, runs=600))
            first.send_signal(signal.SIGSTOP)
            said += ids_of(fleet.worker(2, runs=600))
            assert "This relay works now" in second.stdout.readline()
            wait_until(lambda: not fleet.left(), seconds=60)
            first.send_signal(signal.SIGCONT)
            said += ids_of(fleet.worker(3, runs=100))
            wait_until(lambda: not fleet.left(), seconds=60)
            second.send_signal(signal.SIGTERM)
            assert second.wait(30) == 0
    assert_each_is_there_once(studio, fleet.title, said)


def test_a_run_that_is_refused_is_repaired_in_the_storage_and_sent_again(
    studio: StudioApi, label_studio: LocalLabelStudio, tmp_path: Path
) -> None:
    fleet = Fleet(f"file://{tmp_path}/shared", label_studio, label_studio.url, tmp_path)
    said = ids_of(fleet.worker(0, runs=3))
    store = ObjectStore(fleet.storage)
    (batch,) = (each.path for each in store.objects("v1") if "/new/" in each.path)
    lines = (store.get(batch) or b"").splitlines()
    lines[1] = lines[1].replace(b'"v":1', b'"v":99')
    store.put(batch, b"\n".join(lines) + b"\n")
    with fleet.relay("--once") as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 3, output
    assert "1 rejected" in output
    (refused,) = store.objects(batch.partition("/new/")[0] + "/rejected")
    content = store.get(refused.path) or b""
    store.put(refused.path, content.replace(b'"v": 99', b'"v": 1'))
    retried = studio.run_command("outbox", "retry", "--all", "--outbox-dir", fleet.storage)
    assert retried.returncode == 0, retried.stderr
    fleet.finish()
    assert_each_is_there_once(studio, fleet.title, said)
    assert fleet.left() == []


def test_fifty_workers_and_one_relay_on_postgresql_behind_nginx(
    s3: S3Server, label_studio_on_postgresql: LabelStudioByJobs, tmp_path: Path
) -> None:
    program = nginx.find_nginx()
    if program is None:
        pytest.skip(nginx.MISSING)  # which fails in CI
    with Nginx(program, label_studio_on_postgresql.url) as proxy, ExitStack() as ended:
        fleet = Fleet(s3.url, label_studio_on_postgresql, proxy.url, tmp_path)
        workers = [fleet.worker(number, runs=40, pause=0.02, feedback=number < 5) for number in range(50)]
        ended.callback(lambda: [worker.kill() for worker in workers])
        with fleet.relay("--every", "1"):
            run_ids = [run_id for worker in workers for run_id in ids_of(worker)]
        fleet.finish()
    api = StudioApi(label_studio_on_postgresql)
    with api.http:
        assert_each_is_there_once(api, fleet.title, run_ids)
        (project,) = api.project_ids(fleet.title)
        rated = [task for task in api.all_tasks(project) if task["data"].get("user_feedback") == 1]
    assert len(rated) == 5
    assert fleet.left() == []
