"""The guide on AWS Lambda: a process that is frozen after each answer, and killed in the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.handed_over import run_ids_in
from tests.support.handlers import KEY
from tests.support.lambda_environment import LambdaEnvironment
from tests.support.loopback_faults import Fault
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.pages import ROOT
from tests.support.programs import changed, wait_until, waiting_files
from tests.support.s3 import S3Server

FOLDER = ROOT / "examples/deployments"


@pytest.fixture(autouse=True)
def _environment(loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, sys.path[1:])))


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[LambdaEnvironment]:
    with LambdaEnvironment(FOLDER, tmp_path / "log") as environment:
        yield environment


def asked(loopback: LoopbackLabelStudio) -> list[str]:
    """Return the questions that are in Label Studio."""
    return [task["data"]["prompt"][-1]["content"] for task in loopback.tasks]


def test_each_run_is_in_label_studio_before_the_freeze(
    loopback: LoopbackLabelStudio, environment: LambdaEnvironment
) -> None:
    for number in range(3):
        answer = environment.invoke(question=f"question {number}")
        assert answer["answer"].startswith("It ")
        assert asked(loopback) == [f"question {each}" for each in range(number + 1)]
        loopback.start(loopback.stop())  # connections do not outlive a long freeze
    environment.kill()

    assert len(loopback.tasks) == 3
    assert waiting_files() == []


def test_a_run_is_sent_also_when_the_function_fails(loopback: LoopbackLabelStudio, tmp_path: Path) -> None:
    function = (FOLDER / "lambda_function.py").read_text()
    fails = changed(
        function, 'return {"answer": model.invoke(event["question"]).text}', "model.invoke('x')[0]"
    )
    (tmp_path / "lambda_function.py").write_text(fails)
    with LambdaEnvironment(tmp_path, tmp_path / "log") as environment:
        answer = environment.invoke(question="x")
    assert answer["errorType"] == "TypeError"
    assert asked(loopback) == ["x"]


def test_without_the_flush_a_run_stays_in_the_frozen_environment(
    loopback: LoopbackLabelStudio, tmp_path: Path
) -> None:
    function = (FOLDER / "lambda_function.py").read_text()
    start = function.index("        recorder.flush")
    (tmp_path / "lambda_function.py").write_text(function[:start] + "        pass\n")
    with LambdaEnvironment(tmp_path, tmp_path / "log") as environment:
        environment.invoke(question="x")
        environment.kill()
    assert loopback.tasks == []
    assert len(waiting_files()) == 1


def test_a_label_studio_that_is_down_costs_the_time_of_the_flush_and_no_run(
    loopback: LoopbackLabelStudio, environment: LambdaEnvironment
) -> None:
    environment.seconds = 2.0  # the flush has one of them
    loopback.every_fault = Fault("status", status=503)
    assert environment.invoke(question="first")["answer"].startswith("It ")
    assert loopback.tasks == []
    loopback.every_fault = None
    environment.seconds = 20.0
    environment.invoke(question="second")

    assert sorted(asked(loopback)) == ["first", "second"]
    assert "Runs that wait and are tried again: 1" in environment.log


def test_after_a_timeout_the_next_process_sends_what_the_killed_one_left_in_tmp(
    loopback: LoopbackLabelStudio, environment: LambdaEnvironment
) -> None:
    loopback.every_fault = Fault("status", status=503)
    environment.send(question="killed")
    imports = ("POST", "/api/projects/1/import")
    # Refused, and so surely not stored.
    wait_until(
        lambda: imports in loopback.requests and [file.suffix for file in waiting_files()] == [".jsonl"]
    )
    environment.kill()
    loopback.every_fault = None
    environment.start()

    def is_sent() -> bool:
        environment.invoke(question="next")
        return "killed" in asked(loopback)

    wait_until(is_sent)
    assert asked(loopback).count("killed") == 1


def test_a_freeze_in_the_middle_of_a_request_doubles_no_run(
    loopback: LoopbackLabelStudio, environment: LambdaEnvironment
) -> None:
    environment.invoke(question="first")
    environment.seconds = 1.5  # the flush has half a second
    loopback.delay = 1.0
    environment.invoke(question="second")
    assert len(loopback.tasks) == 1
    wait_until(lambda: len(loopback.tasks) == 2)  # the process that has to read the answer stands still
    environment.seconds = 20.0
    environment.invoke(question="third")

    assert asked(loopback) == ["first", "second", "third"]


def test_with_object_storage_each_run_is_there_before_the_freeze(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    monkeypatch.delenv("LABEL_STUDIO_URL")
    with S3Server(tmp_path / "s3").open_with(monkeypatch) as s3:
        monkeypatch.setenv("LABEL_STUDIO_DELIVER_TO", s3.url)
        with LambdaEnvironment(FOLDER, tmp_path / "log") as environment:
            for number in range(3):
                environment.invoke(question=f"question {number}")
                assert len(run_ids_in(s3.url)) == number + 1
                s3.stop()
                s3.start()
    assert waiting_files() == []
