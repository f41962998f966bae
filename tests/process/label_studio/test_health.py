"""The health of a handler in real trouble, and after it."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import asdict
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.delivery import retry_policy
from langchain_label_studio.types import Health
from tests.support.handlers import KEY, record
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import run, wait_until
from tests.support.stalling_disk import IN_PROGRAM, StallingDisk


def make(loopback: LoopbackLabelStudio, key: str = KEY, **options: object) -> LabelStudioCallbackHandler:
    options = {"project_name": "Health", "flush_interval": 0.01, "connect": "lazy"} | options
    return LabelStudioCallbackHandler(key, loopback.url, **options)


def test_an_outage_is_seen_until_the_server_answers_also_during_each_new_attempt(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "LONGEST_WAIT", 0.01)
    handler = make(loopback)
    record(handler)
    assert handler.flush(10)
    assert handler.health().level == "ok"
    port = loopback.stop()
    assert handler.health().level == "ok", "nothing waits, so nobody knows"
    record(handler, "a secret prompt")
    wait_until(lambda: handler.stats().state == "unreachable")

    seen = {handler.health().level for _ in range(1000)}
    reasons = handler.health().reasons

    assert seen == {"degraded"}
    assert len(reasons) == 1
    assert "Waiting: 1 run." in reasons[0]
    assert loopback.url in reasons[0]
    assert "secret" not in repr(handler.health())
    loopback.start(port)
    assert handler.flush(20)
    assert handler.health().level == "ok"
    assert handler.health().reasons == ()
    handler.close()


def test_a_wrong_key_is_seen_until_there_is_a_right_one(loopback: LoopbackLabelStudio) -> None:
    loopback.good_key = "the-right-key"
    handler = make(loopback, "a-wrong-key")
    record(handler)
    assert not handler.flush(10)

    failing = handler.health()
    make(loopback, "the-right-key").flush(10)

    assert failing.level == "failing"
    assert "Waiting: 1 run." in failing.reasons[0]
    assert "a-wrong-key" not in repr(failing)
    assert handler.health().level == "ok"
    handler.close()


def test_health_of_a_closed_a_pickled_and_a_copied_handler(loopback: LoopbackLabelStudio) -> None:
    handler = make(loopback, durability="memory")
    record(handler)
    handler.close()

    copied = pickle.loads(pickle.dumps(handler))

    assert handler.health().level == "ok"
    assert copied.health().level == "ok"
    copied.close()


def test_feedback_that_cannot_be_sent_is_seen(loopback: LoopbackLabelStudio) -> None:
    handler = make(loopback)
    run_id = record(handler)
    assert handler.flush(10)
    port = loopback.stop()
    assert handler.feedback(run_id, score=1)
    wait_until(lambda: (feedback := handler.stats().feedback) and feedback.state == "unreachable")

    degraded = handler.health()
    loopback.start(port)

    assert degraded.level == "degraded"
    assert "Waiting: 1 piece of feedback." in degraded.reasons[0]
    wait_until(lambda: handler.flush(1))
    assert handler.health().level == "ok"
    handler.close()


@pytest.mark.parametrize(
    "program",
    [
        """
        import resource
        handler = make(flush_interval=60)
        assert handler.health().level == "ok"
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        record(handler)
        assert handler.health().level == "degraded"
        assert "make room" in handler.health().reasons[0], handler.health()
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert handler.flush(20)
        assert handler.health().level == "ok"
        """,
        """
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            handler = make(outbox_dir="/sys/outbox")
        assert handler.health().level == "degraded"
        assert "LABEL_STUDIO_OUTBOX_DIR" in handler.health().reasons[0]
        """,
        """
        from langchain_label_studio.delivery import DiskOutbox
        DiskOutbox.__init__.__kwdefaults__["max_records"] = 5
        handler = make("a-wrong-key")
        record(handler, 7)
        handler.flush(20)
        assert handler.health().level == "failing", handler.health()
        assert any("outbox was full: 2. More are lost" in reason for reason in handler.health().reasons), handler.health()
        other = make()
        assert other.flush(20), other.stats()
        assert handler.health().level == "degraded"
        assert handler.health().reasons == ("Runs that were lost because the outbox was full: 2. What waited is sent now.",)
        """,
        """
        handler = make(flush_interval=60)
        record(handler, 3)
        pid = os.fork()
        if pid == 0:
            os._exit(0 if handler.health().level == "ok" and not handler.health().stats.submitted else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert handler.health().stats.pending == 3
        assert handler.flush(20)
        """,
    ],
    ids=["full disk", "no disk", "full outbox", "fork"],
)
def test_health_says(loopback: LoopbackLabelStudio, program: str) -> None:
    loopback.good_key = KEY
    done = run(program, loopback.url)

    assert done.returncode == 0, done.stderr


def test_the_handler_of_the_environment_has_it(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGCHAIN_LABEL_STUDIO", "true")
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    done = run(
        """
        from langchain_core.language_models import FakeListLLM
        from langchain_label_studio import current_handler
        FakeListLLM(responses=["Hello"]).invoke("Hi")
        handler = current_handler()
        assert handler.flush(20)
        assert (handler.health().level, handler.health().stats.delivered) == ("ok", 1)
        """,
        loopback.url,
    )

    assert done.returncode == 0, done.stderr


def test_fastapi_answers_with_it(loopback: LoopbackLabelStudio) -> None:
    handler = make(loopback)
    record(handler)
    assert handler.flush(10)
    app = FastAPI()

    @app.get("/health/review")
    def health() -> Health:
        return handler.health()

    answer = TestClient(app).get("/health/review").json()

    assert (answer["level"], answer["reasons"], answer["stats"]["delivered"]) == ("ok", [], 1)
    assert answer == json.loads(json.dumps(asdict(handler.health())))
    handler.close()


def test_a_stalled_disk_does_not_hold_it_up(
    loopback: LoopbackLabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    StallingDisk(Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]), tmp_path / "stalling_disk.so", monkeypatch)
    done = run(
        IN_PROGRAM
        + """
handler = make(flush_interval=60)
first = stall(handler)
in_thread(handler, 3).join()
health = handler.health()
assert first.is_alive()
assert (health.level, health.stats.in_memory) == ("degraded", 3), health
answer()
first.join()
assert handler.flush(20)
assert handler.health().level == "ok"
""",
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
