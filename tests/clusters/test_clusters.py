"""Celery, Dask and Ray: the handler travels to the workers by pickle, and what they record is handed over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel

from langchain_label_studio import LabelStudioCallbackHandler
from tests.support.handed_over import run_ids_in
from tests.support.programs import COMMAND, wait_until

RUNS = 20


def handler_for(storage: str, **options: Any) -> LabelStudioCallbackHandler:
    options = {"flush_interval": 0.2} | options
    return LabelStudioCallbackHandler(deliver_to=storage, project_name="Clusters", mode="chat", **options)


def ask(handler: LabelStudioCallbackHandler, question: str) -> int:
    """Do what a worker does. Return its process."""
    FakeListChatModel(responses=["answer"], callbacks=[handler]).invoke(question)
    return os.getpid()


def hand_over_what_is_left() -> None:
    """Do what a person does after a worker died: or leave it to the next program on this computer."""
    done = subprocess.run(
        [COMMAND, "outbox", "send"], capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr


# --- Dask -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def dask() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_dask_workers_record_with_the_handler_of_the_client(dask: Any, storage: str) -> None:
    handler = handler_for(storage)
    processes = dask.gather(
        dask.map(lambda number: ask(handler, f"question {number}"), range(RUNS), pure=False)
    )
    assert os.getpid() not in processes
    wait_until(lambda: len(run_ids_in(storage)) == RUNS)


def test_a_dask_worker_that_is_killed_loses_nothing(dask: Any, storage: str) -> None:
    handler = handler_for(storage, flush_interval=600.0)
    process = dask.submit(ask, handler, "question", pure=False).result()
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: not alive(process))
    hand_over_what_is_left()
    assert len(run_ids_in(storage)) == 1


# --- Ray ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ray() -> Iterator[Any]:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False)
    yield ray
    ray.shutdown()


def test_ray_workers_record_with_the_handler_of_the_driver(ray: Any, storage: str) -> None:
    remote_ask = ray.remote(ask)
    handler = handler_for(storage)
    processes = ray.get([remote_ask.remote(handler, f"question {number}") for number in range(RUNS)])
    assert os.getpid() not in processes
    wait_until(lambda: len(run_ids_in(storage)) == RUNS)


def test_a_ray_actor_keeps_its_handler_and_loses_nothing_when_it_is_killed(ray: Any, storage: str) -> None:
    class Actor:
        def __init__(self, handler: LabelStudioCallbackHandler) -> None:
            self.handler = handler

        def ask(self, question: str) -> int:
            return ask(self.handler, question)

    actor = ray.remote(Actor).remote(handler_for(storage, flush_interval=600.0))
    (process,) = {*ray.get([actor.ask.remote(f"question {number}") for number in range(5)])}
    ray.kill(actor)
    wait_until(lambda: not alive(process))
    hand_over_what_is_left()
    assert len(run_ids_in(storage)) == 5


# --- Celery ---------------------------------------------------------------------------------------------------------

APP = """
    from celery import Celery
    from tests.clusters.test_clusters import ask

    app = Celery("fleet", broker="filesystem://")
    app.conf.update(
        broker_transport_options={{
            "data_folder_in": {broker!r}, "data_folder_out": {broker!r}, "control_folder": {control!r},
        }},
        task_serializer="pickle", accept_content=["pickle"], worker_prefetch_multiplier=1, task_ignore_result=True,
    )

    @app.task
    def answer(handler, question):
        ask(handler, question)
"""


@contextmanager
def celery(directory: Path) -> Iterator[Any]:
    """Start a Celery worker with two processes, and yield the task."""
    for name in ("broker", "control"):
        (directory / name).mkdir()
    program = textwrap.dedent(
        APP.format(broker=str(directory / "broker"), control=str(directory / "control"))
    )
    (directory / "fleet_app.py").write_text(program)
    command = [sys.executable, "-m", "celery", "-A", "fleet_app", "worker", "--pool", "prefork"]
    root = Path(__file__).parents[2]
    # Celery warns of pickle for root. Here, only the test sends tasks.
    env = os.environ | {"C_FORCE_ROOT": "true"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [*command, "--concurrency", "2", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"],
        cwd=directory,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        try:
            namespace: dict[str, Any] = {"__name__": "fleet_app"}
            exec(compile(program, "fleet_app.py", "exec"), namespace)
            yield namespace["answer"]
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0


def test_celery_workers_record_with_the_handler_of_the_caller(storage: str, tmp_path: Path) -> None:
    handler = handler_for(storage)
    with celery(tmp_path) as task:
        for number in range(RUNS):
            task.delay(handler, f"question {number}")
        wait_until(lambda: len(run_ids_in(storage)) == RUNS, seconds=60)


def test_a_celery_worker_hands_over_when_it_is_told_to_end(storage: str, tmp_path: Path) -> None:
    handler = handler_for(storage, flush_interval=600.0)
    with celery(tmp_path) as task:
        for number in range(RUNS):
            task.delay(handler, f"question {number}")
        wait_until(lambda: not list((tmp_path / "broker").iterdir()), seconds=60)
    assert len(run_ids_in(storage)) == RUNS


def alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    # A killed child that nobody has waited for is a zombie.
    return status.rpartition(")")[2].split()[0] not in "ZX"
