"""The guide on gunicorn: what it does to its workers, and what becomes of their runs."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.handlers import KEY
from tests.support.loopback_faults import Fault
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import wait_until, waiting_files
from tests.support.service_processes import ServiceProcess, gunicorn, uvicorn

ASGI, WSGI = "tests.support.services:asgi", "tests.support.services:wsgi"
EACH_KIND_OF_WORKER = pytest.mark.parametrize(
    "kind", [(ASGI,), (WSGI, "--worker-class", "sync")], ids=["uvicorn", "sync"]
)


@pytest.fixture(autouse=True)
def _environment(loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "service.log"


def asked(loopback: LoopbackLabelStudio) -> Counter[str]:
    """Return how often each question is in Label Studio."""
    return Counter(task["data"]["prompt"][-1]["content"] for task in loopback.tasks)


def numbered(name: str, count: int) -> list[str]:
    return [f"{name} {number}" for number in range(count)]


@EACH_KIND_OF_WORKER
def test_recycled_reloaded_and_ended_workers_have_sent_each_run_once(
    loopback: LoopbackLabelStudio, kind: tuple[str, ...], log: Path
) -> None:
    questions = numbered("recycled", 12)
    command = gunicorn(*kind, "--max-requests", "4", "--max-requests-jitter", "0")
    with ServiceProcess.start(command, log) as service:
        service.ask(*questions)
        begun = len(service.workers(count=3))
        service.process.send_signal(signal.SIGHUP)
        service.find("Hang up|Handling signal: hup")
        service.workers(count=begun + 2)
        more = numbered("reloaded", 3)
        service.ask(*more)
        said = service.stop()

    assert (service.process.returncode, "Traceback" in said, "Runs that" in said) == (0, False, False), said
    assert asked(loopback) == Counter(["preloaded", *questions, *more])
    assert waiting_files() == []


def test_the_runs_of_a_worker_that_is_killed_are_sent_by_the_worker_in_its_place(
    loopback: LoopbackLabelStudio, log: Path
) -> None:
    command = gunicorn(ASGI, "--workers", "1")
    with ServiceProcess.start(command, log) as service:
        [worker] = service.workers()
        service.ask("before")
        wait_until(lambda: asked(loopback)["before"])
        loopback.every_fault = Fault("status", status=503)
        questions = numbered("killed", 3)
        service.ask(*questions)
        os.kill(worker, signal.SIGKILL)
        service.workers(count=2)
        assert not asked(loopback) & Counter(questions)
        loopback.every_fault = None
        service.ask("after")
        wait_until(lambda: len(loopback.tasks) == 6)
        service.stop()

    assert asked(loopback) == Counter(["preloaded", "before", *questions, "after"])
    assert waiting_files() == []


@EACH_KIND_OF_WORKER
def test_the_runs_of_a_worker_that_hangs_are_sent_once(
    loopback: LoopbackLabelStudio, kind: tuple[str, ...], log: Path
) -> None:
    with ServiceProcess.start(gunicorn(*kind, "--timeout", "2"), log) as service:
        service.workers(count=2)

        def hang() -> None:
            with suppress(OSError):  # the connection ends with the worker
                service.get("/hang")

        client = threading.Thread(target=hang)
        client.start()
        service.find(r"WORKER TIMEOUT \(pid:\d+\)")
        service.workers(count=3)
        client.join(30)
        service.ask("after")
        # On a busy computer, it dies in the middle of a request. Then another worker asks for its run some time later.
        wait_until(lambda: len(loopback.tasks) >= 3, seconds=60)
        service.stop()

    assert asked(loopback) == Counter(["preloaded", "hang", "after"])
    assert waiting_files() == []


def test_workers_of_uvicorn_alone_have_sent_each_run_at_their_end(
    loopback: LoopbackLabelStudio, log: Path
) -> None:
    questions = numbered("uvicorn", 10)
    with ServiceProcess.start(uvicorn("examples.deployments.service:app", "--workers", "2"), log) as service:
        service.find("Application startup complete", count=2)
        service.ask(*questions)
        said = service.stop()

    assert "Traceback" not in said
    assert asked(loopback) == Counter(questions)
    assert waiting_files() == []


def test_a_wrong_key_ends_the_start_with_a_word_on_what_to_do(
    loopback: LoopbackLabelStudio, log: Path
) -> None:
    loopback.key_is_good = False
    with ServiceProcess.start(gunicorn("examples.deployments.service:app"), log) as service:
        said = service.wait()

    assert service.process.returncode != 0
    assert "AuthenticationError" in said
    assert "Booting worker" not in said
