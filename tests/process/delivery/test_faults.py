"""The handler before a server that fails in every way: nothing lost, nothing twice, the chain unharmed."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path

import pytest

from langchain_label_studio import LabelStudioCallbackHandler, LabelStudioWarning, TaskDataError
from langchain_label_studio.delivery import retry_policy
from tests.support.handlers import KEY, record
from tests.support.loopback_label_studio import Fault, LoopbackLabelStudio
from tests.support.programs import wait_until


def record_many(handler: LabelStudioCallbackHandler, count: int = 1, *, prompt: str = "Hi") -> list[str]:
    return [str(record(handler, prompt)) for _ in range(count)]


def connect(
    server: LoopbackLabelStudio, *, flush_interval: float = 0.01, **options: object
) -> LabelStudioCallbackHandler:
    return LabelStudioCallbackHandler(
        KEY, server.url, project_name="Faults", flush_interval=flush_interval, **options
    )


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset_before"),
        Fault("reset_after"),
        Fault("lose_predictions"),
        Fault("status", 429),
        Fault("status", 500),
        Fault("status", 502),
        Fault("status", 503, {"Retry-After": "0.2"}),
        Fault("status", 504),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_each_run_arrives_once_with_its_answer(
    loopback: LoopbackLabelStudio, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "GRACE", 0.5)
    loopback.faults = [fault, fault]
    handler = connect(loopback)
    run_ids = record_many(handler, 20)

    assert handler.flush(20)
    assert sorted(loopback.run_ids()) == sorted(run_ids)
    assert all(len(task["predictions"]) == 1 for task in loopback.tasks)
    stats = handler.stats()
    assert stats.delivered + stats.found_existing == 20


def test_a_server_that_restarts_gets_everything_in_order(loopback: LoopbackLabelStudio) -> None:
    handler = connect(loopback)
    first = record_many(handler)
    assert handler.flush(10)
    port = loopback.stop()
    later = record_many(handler, 50)
    assert not handler.flush(0.3)
    wait_until(lambda: handler.stats().state == "unreachable")

    loopback.start(port)

    assert handler.flush(20)
    assert loopback.run_ids() == first + later


def test_a_server_that_hangs_does_not_hold_up_flush_or_the_chain(loopback: LoopbackLabelStudio) -> None:
    loopback.faults = [Fault("hang")]
    handler = connect(loopback)
    record_many(handler)

    started = time.monotonic()
    assert not handler.flush(0.3)
    record_many(handler, 100)
    handler.close(0.3)

    assert time.monotonic() - started < 15
    assert handler.stats().pending + handler.stats().in_doubt == 101


def test_a_server_that_is_down_is_one_warning_and_the_runs_wait(loopback: LoopbackLabelStudio) -> None:
    port = loopback.stop()
    with pytest.warns(LabelStudioWarning, match="No answer.*The runs wait") as caught:
        handler = connect(loopback)
    assert len(caught) == 1
    run_ids = record_many(handler, 3)
    assert not handler.flush(0.2)

    loopback.start(port)

    assert handler.flush(20)
    assert loopback.run_ids() == run_ids
    assert handler.project_id == 1


def test_a_lazy_handler_asks_nothing_until_there_is_something_to_send(loopback: LoopbackLabelStudio) -> None:
    handler = connect(loopback, connect="lazy")
    assert loopback.requests == []

    record_many(handler)

    assert handler.flush(10)
    assert len(loopback.tasks) == 1


def test_a_key_that_goes_bad_keeps_everything_and_shows_nothing(
    loopback: LoopbackLabelStudio, caplog: pytest.LogCaptureFixture
) -> None:
    handler = connect(loopback)
    loopback.key_is_good = False
    run_ids = record_many(handler, 5)
    assert not handler.flush(20)
    assert (handler.stats().state, handler.stats().pending) == ("blocked", 5)

    loopback.key_is_good = True

    assert handler.flush(20)
    assert loopback.run_ids() == run_ids
    assert KEY not in caplog.text + str(handler.stats())


def test_what_label_studio_refuses_is_set_aside_and_the_rest_goes_on(loopback: LoopbackLabelStudio) -> None:
    loopback.faults = [Fault("status", 400)] * 2
    handler = connect(loopback, flush_interval=60)  # so that they are one batch
    run_ids = record_many(handler, 2)

    assert handler.flush(20)
    assert handler.stats().rejected == 1
    assert loopback.run_ids() == run_ids[1:]


def test_the_label_config_of_now_decides(loopback: LoopbackLabelStudio) -> None:
    handler = connect(loopback)
    record_many(handler)
    assert handler.flush(10)
    loopback.projects[1]["label_config"] = (
        '<View><Paragraphs name="d" value="$talk" textKey="t" nameKey="n"/><TextArea name="a" toName="d"/></View>'
    )

    record_many(handler)

    assert handler.flush(10)
    assert loopback.tasks[0]["data"]["prompt"] == "Hi"
    assert loopback.tasks[1]["data"]["talk"] == [{"n": "user", "t": "Hi"}]


def test_an_existing_project_keeps_its_config_and_one_warning_says_so(loopback: LoopbackLabelStudio) -> None:
    connect(loopback)
    config = '<View><Text name="t" value="$t"/><TextArea name="mine" toName="t"/></View>'

    with pytest.warns(LabelStudioWarning, match="keeps its own label config") as caught:
        connect(loopback, project_config=config)
    assert len(caught) == 1
    with pytest.warns(LabelStudioWarning, match="chats become text"):
        connect(loopback, mode="chat")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connect(loopback)


def test_data_is_checked_against_the_config_of_the_project_that_is_there(
    loopback: LoopbackLabelStudio,
) -> None:
    connect(loopback)
    loopback.projects[1]["label_config"] = (
        '<View><Text name="q" value="$question"/><Text name="p" value="$prompt"/><TextArea name="a" toName="q"/></View>'
    )

    with pytest.raises(TaskDataError, match="prompt"):
        connect(loopback)
    handler = connect(loopback, data={"prompt": "mine"})
    record_many(handler)

    assert handler.flush(10)
    assert (loopback.tasks[0]["data"]["question"], loopback.tasks[0]["data"]["prompt"]) == ("Hi", "mine")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_version": "gpt-4o"}, "model_version='gpt-4o'"),
        ({"show_collab_predictions": False}, "prelabel"),
    ],
)
def test_a_project_that_will_not_show_the_answers_is_a_warning(
    loopback: LoopbackLabelStudio, change: dict, says: str
) -> None:
    connect(loopback)
    loopback.projects[1] |= change

    with pytest.warns(LabelStudioWarning, match=says):
        connect(loopback)


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_a_bad_run_blocks_nobody_and_is_kept_with_the_reason(
    loopback: LoopbackLabelStudio,
    status: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """P5: a 500 that comes back is taken for one, too."""
    monkeypatch.setattr(retry_policy, "GRACE", 0.5)
    loopback.refused_text, loopback.refused_status = "refuse me", status
    handler = connect(loopback)
    before = record_many(handler, 30)
    (bad,) = record_many(handler, prompt="refuse me")
    after = record_many(handler, 30)

    assert handler.flush(40)

    assert loopback.run_ids() == before + after
    stats = handler.stats()
    assert (stats.delivered, stats.rejected) == (60, 1)
    assert stats.outbox
    (file,) = Path(stats.outbox, "rejected").glob("*.json")
    kept = json.loads(file.read_text())
    assert kept["record"]["run_id"] == bad
    assert kept["record"]["prompt"][0]["content"] == "refuse me"
    assert str(status) in kept["reason"] or "as told" in kept["reason"]
    assert f"run {file.stem} was refused" in caplog.text
    assert "as told" in caplog.text
    assert stats.last_error
    assert "as told" in stats.last_error
    assert "refuse me" not in caplog.text


def test_flush_does_not_wait_for_the_next_attempt_of_its_own_accord(
    loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: an outage may have made the pauses long; whoever flushes wants to know now."""
    handler = connect(loopback)
    port = loopback.stop()
    monkeypatch.setattr(retry_policy, "FIRST_WAIT", 60.0)
    record_many(handler)
    wait_until(lambda: handler.stats().state == "unreachable")
    loopback.start(port)

    assert handler.flush(10)
