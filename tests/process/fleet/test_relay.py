"""The relay, and what it says, before a server that misbehaves. `tests/server/fleet` has the real one."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.cli import app
from langchain_label_studio.errors import AuthenticationError, ObjectStoreError
from langchain_label_studio.fleet.open_relay import open_relay
from langchain_label_studio.fleet.relay import Relay, TargetProgress
from langchain_label_studio.object_store.store import ObjectStore
from tests.support.handlers import KEY, record
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import wait_until
from tests.support.s3 import S3Server

STORED = "Hello"


@pytest.fixture
def storage(tmp_path: Path) -> str:
    return f"file://{tmp_path}/shared"


@pytest.fixture(autouse=True)
def _environment(loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "200")


class Seen:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.targets: Sequence[TargetProgress] = ()

    def waits(self, holder: str) -> None:
        self.said.append("waits")

    def works(self) -> None:
        self.said.append("works")

    def problem(self, text: str) -> None:
        self.said.append(text)

    def progress(self, targets: Sequence[TargetProgress]) -> None:
        self.targets = targets


def relay_of(storage: str, seen: Seen, stop: threading.Event | None = None) -> Relay:
    return open_relay(
        storage,
        url=None,
        project_name=None,
        at_most=None,
        sample=1.0,
        select=None,
        at_most_per_day=None,
        every=1.0,
        observer=seen,
        stop=stop or threading.Event(),
    )


def hand_over(storage: str, title: str = "Support", *, runs: int = 1, mode: str = "prompt") -> None:
    with LabelStudioCallbackHandler(deliver_to=storage, project_name=title, mode=mode) as handler:
        for _ in range(runs):
            record(handler)
        assert handler.flush()


def once(storage: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["relay", storage, "--once", "--timeout", "1", *options])


def left(storage: str) -> list[str]:
    return [each.path for each in ObjectStore(storage).objects("v1") if "/new/" in each.path]


def test_once_brings_what_is_there_and_says_how_much(storage: str, loopback: LoopbackLabelStudio) -> None:
    hand_over(storage, runs=3)
    hand_over(storage, "Sales", runs=2)
    done = once(storage)
    assert done.exit_code == 0, done.output
    assert "Support: 3 runs sent." in done.stdout
    assert "Sales: 2 runs sent." in done.stdout
    assert len(loopback.tasks) == 5
    assert left(storage) == []
    done = once(storage)
    assert (done.exit_code, done.stdout.strip()) == (0, "Nothing waits in the storage.")


def test_one_project_for_all_and_a_share_of_the_runs(storage: str, loopback: LoopbackLabelStudio) -> None:
    hand_over(storage, runs=2)
    done = once(storage, "--project", "All", "--select", "errors()")
    assert "2 not chosen (select=errors())" in done.stdout
    hand_over(storage, runs=2)
    assert once(storage, "--project", "All").exit_code == 0
    assert {project["title"] for project in loopback.projects.values()} == {"All"}
    assert len(loopback.tasks) == 2


def test_a_refused_run_is_counted_and_the_command_says_where_it_is(
    storage: str, loopback: LoopbackLabelStudio
) -> None:
    loopback.refused_text = STORED
    hand_over(storage)
    done = once(storage)
    assert done.exit_code == 3, done.output
    assert "1 rejected" in done.stdout
    assert "outbox rejected --outbox-dir" in done.stdout


def test_signals_are_what_they_were_when_the_command_has_ended(storage: str) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert once(storage).exit_code == 0
    assert once("bucket").exit_code == 2
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_wrong_key_ends_it_at_once(storage: str, loopback: LoopbackLabelStudio) -> None:
    loopback.key_is_good = False
    hand_over(storage)
    done = once(storage)
    assert done.exit_code == 1
    assert KEY not in done.output
    assert len(left(storage)) == 1
    with pytest.raises(AuthenticationError):
        relay_of(storage, Seen())


def test_a_key_that_is_refused_later_keeps_everything(storage: str, loopback: LoopbackLabelStudio) -> None:
    hand_over(storage)
    seen = Seen()
    relay = relay_of(storage, seen)
    loopback.key_is_good = False
    assert not relay.run_once(timeout=30)
    assert [target.state for target in seen.targets] == ["blocked"]
    assert len(left(storage)) == 1


def test_a_server_that_is_down_is_waited_for(storage: str, loopback: LoopbackLabelStudio) -> None:
    hand_over(storage)
    port = loopback.stop()
    done = once(storage)
    assert done.exit_code == 1
    assert "wait in the storage" in done.stderr
    assert "Support: not all is sent" in done.stderr
    loopback.start(port)
    assert once(storage).exit_code == 0
    assert len(loopback.tasks) == 1


def test_a_target_that_cannot_be_read_is_named_and_used_when_it_is_mended(
    storage: str, loopback: LoopbackLabelStudio
) -> None:
    hand_over(storage)
    hand_over(storage, "Sales")
    store = ObjectStore(storage)
    (mine,) = (each.path for each in store.objects("v1") if "sales" in each.path and "target" in each.path)
    content = store.get(mine) or b""
    store.delete([mine])
    done = once(storage)
    assert done.exit_code == 1
    assert "has no target.json" in done.stderr
    assert len(loopback.tasks) == 1
    store.put(mine, content)
    assert once(storage).exit_code == 0
    assert len(loopback.tasks) == 2


def test_a_form_of_your_own_needs_its_module(
    storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(storage)
    store = ObjectStore(storage)
    (mine,) = (each.path for each in store.objects("v1") if "target" in each.path)
    store.put(mine, (store.get(mine) or b"").replace(b'"form": "prompt"', b'"form": "mine"'))
    assert "Pass --import" in once(storage).stderr
    (tmp_path / "my_forms.py").write_text(
        "from dataclasses import replace\n"
        "from langchain_label_studio import register_form\n"
        "from langchain_label_studio.forms.registry import get_form\n"
        "register_form(replace(get_form('prompt'), name='mine'))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    done = once(storage, "--import", "my_forms")
    assert done.exit_code == 0, done.output


def test_a_second_relay_waits_until_the_first_one_ends(storage: str, loopback: LoopbackLabelStudio) -> None:
    stops = [threading.Event(), threading.Event()]
    both = [Seen(), Seen()]
    relays = [relay_of(storage, seen, stop) for seen, stop in zip(both, stops, strict=True)]
    threads = [threading.Thread(target=relay.run) for relay in relays]
    threads[0].start()
    wait_until(lambda: both[0].said == ["works"])
    threads[1].start()
    wait_until(lambda: both[1].said == ["waits"])
    hand_over(storage, "Begun later")
    wait_until(lambda: len(loopback.tasks) == 1)
    stops[0].set()
    threads[0].join(30)
    wait_until(lambda: both[1].said == ["waits", "works"])
    hand_over(storage, "Begun later")
    wait_until(lambda: len(loopback.tasks) == 2 and not left(storage))
    stops[1].set()
    threads[1].join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert both[0].targets[0].delivered == both[1].targets[0].delivered == 1


def test_a_storage_that_refuses_ends_it_and_says_so(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    done = once(s3.url)
    assert done.exit_code == 1
    assert "SignatureDoesNotMatch" in done.stderr
    assert "wrong-secret" not in done.output
    with pytest.raises(ObjectStoreError):
        relay_of(s3.url, Seen()).run()


def test_the_log_says_once_for_each_project_where_its_runs_go(
    storage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Two services with other settings may have the same project."""
    caplog.set_level(logging.INFO, "langchain_label_studio")
    for title, mode in (("Log A", "prompt"), ("Log A", "chat"), ("Log B", "prompt")):
        hand_over(storage, title, mode=mode)
        hand_over(storage, title, mode=mode)
    assert relay_of(storage, Seen()).run_once(timeout=30)

    told = [message.partition(":")[0] for message in caplog.messages if "Runs go to" in message]
    assert sorted(told) == ["Runs go to project 'Log A'", "Runs go to project 'Log B'"]
