"""One sender for each target of a process, however many handlers it has."""

from __future__ import annotations

import gc
import json
import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_label_studio import LabelStudioCallbackHandler, SettingError
from langchain_label_studio.label_studio.destinations.runs import ProjectDestination
from langchain_label_studio.label_studio.project_outboxes import find_project_outboxes
from tests.support.handlers import record
from tests.support.programs import lanes, wait_until

NAME = "Of one target"


@pytest.fixture(autouse=True)
def _everything_is_taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(ProjectDestination, "send", lambda self, records, upcoming: None)
    yield
    wait_until_quiet()


def make(**options: object) -> LabelStudioCallbackHandler:
    options = {"project_name": NAME, "flush_interval": 3600} | options
    return LabelStudioCallbackHandler("a-key", connect="lazy", **options)


def threads() -> list[threading.Thread]:
    # Other tests may have left threads that go on trying to reach a server that is gone.
    return [thread for thread in threading.enumerate() if thread.name == f"langchain-label-studio ({NAME})"]


def wait_until_quiet() -> None:
    gc.collect()
    wait_until(lambda: not threads() and not lanes())


def test_a_handler_per_request_leaks_neither_threads_nor_lanes() -> None:
    for _ in range(1000):
        record(make())
        assert len(threads()) <= 1
        assert len(lanes()) <= 1

    wait_until_quiet()


def test_flush_of_one_handler_covers_the_others_of_its_target() -> None:
    one, other, stranger = make(), make(), make(project_name="Another")
    for handler in (one, other, stranger):
        record(handler)

    assert one.flush(5)

    assert one.stats().delivered == other.stats().delivered == 2
    assert (stranger.stats().delivered, stranger.stats().pending) == (0, 1)
    assert len(lanes()) == 2


def test_closing_one_handler_leaves_the_others_their_thread() -> None:
    one, other = make(), make()
    record(one)
    one.close()
    one.close()

    record(other)

    assert len(threads()) == 1
    assert other.stats().pending == 1
    other.close()
    wait_until_quiet()


def test_a_handler_that_was_never_used_starts_nothing() -> None:
    make()

    assert threads() == []
    assert lanes() == []


def test_threads_are_named_daemons() -> None:
    handler = make()
    record(handler)

    (thread,) = threads()
    assert thread.daemon


def test_an_outbox_says_where_its_runs_go_but_not_with_which_key(tmp_path: Path) -> None:
    handler = make(
        outbox_dir=tmp_path / "here",
        url="https://labels.example.com/base",
        mode="chat",
        reviewers_per_task=2,
        priority=["feedback", "waiting"],
    )
    record(handler)

    (target,), problems = find_project_outboxes(tmp_path / "here")

    assert problems == []
    assert target.directory.name.startswith("labels-example-com-base-of-one-target-")
    assert target.settings.url == "https://labels.example.com/base/"
    assert (target.title, target.settings.form, target.settings.api_key) == (
        NAME,
        "chat",
        None,
    )
    assert target.settings.reviewers_per_task == 2
    assert target.settings.priority == {"feedback", "waiting"}
    assert "a-key" not in (target.directory / "target.json").read_text()


@pytest.mark.parametrize(
    ("older", "form"),
    [
        ({"mode": "chat", "form": ""}, "chat"),
        ({"mode": None, "form": ""}, "prompt"),
        ({"mode": None, "form": "rag"}, "rag"),
        ({"mode": "prompt"}, "prompt"),
    ],
)
def test_the_file_of_an_older_version_says_which_form_it_was(
    tmp_path: Path, older: dict[str, object], form: str
) -> None:
    make(outbox_dir=tmp_path).close()
    [file] = tmp_path.glob("*/target.json")
    entry = json.loads(file.read_text())
    del entry["form"]
    file.write_text(json.dumps(entry | older))

    (target,), problems = find_project_outboxes(tmp_path)

    assert (target.settings.form, problems) == (form, [])


def test_an_outbox_of_a_version_that_knew_fewer_settings_can_be_read(tmp_path: Path) -> None:
    record(make(outbox_dir=tmp_path))
    [file] = tmp_path.glob("*/target.json")
    entry = json.loads(file.read_text())
    del entry["reviewers_per_task"], entry["priority"]
    file.write_text(json.dumps(entry))

    (target,), problems = find_project_outboxes(tmp_path)

    assert (problems, target.settings.reviewers_per_task, target.settings.priority) == ([], None, None)


def test_a_handler_travels_with_its_settings(tmp_path: Path) -> None:
    def settings() -> int | None:
        (target,), _ = find_project_outboxes(tmp_path)
        return target.settings.reviewers_per_task

    handler = make(outbox_dir=tmp_path, reviewers_per_task=2)
    travelling = pickle.dumps(handler)
    assert settings() == 2
    del handler
    gc.collect()
    [file] = tmp_path.glob("*/target.json")
    file.unlink()

    twin = pickle.loads(travelling)

    assert settings() == 2, "the twin wrote it down"
    twin.close()


@pytest.mark.parametrize(
    "options", [{"durability": "disk"}, {"batch_size": 0}, {"flush_interval": -1}], ids=str
)
def test_a_setting_that_cannot_be_right_is_an_error(options: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        make(**options)


def test_flush_waits_no_longer_than_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """P7: also while a request hangs, and then it covers what was recorded before it, not what came later."""
    gate = threading.Event()
    monkeypatch.setattr(ProjectDestination, "send", lambda self, records, upcoming: gate.wait(10) and None)
    handler = make()
    record(handler)
    started = time.monotonic()
    assert not handler.flush(0.2)
    assert time.monotonic() - started < 5
    answers: list[bool] = []
    flushing = threading.Thread(target=lambda: answers.append(handler.flush(10)))
    flushing.start()
    time.sleep(0.1)
    record(handler)

    gate.set()
    flushing.join(10)

    assert answers == [True]
