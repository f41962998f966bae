"""What `check` finds, and that it changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from langchain_label_studio import LabelStudioCallbackHandler
from langchain_label_studio.label_studio import connection_check
from langchain_label_studio.label_studio.connection_check import Finding, check_up
from tests.support.handlers import KEY
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.raw_server import raw_server

Look = Callable[..., list[Finding]]


@pytest.fixture
def findings(loopback: LoopbackLabelStudio, monkeypatch: pytest.MonkeyPatch) -> Look:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    monkeypatch.setenv("LABEL_STUDIO_URL", loopback.url)

    def look(**options: str) -> list[Finding]:
        found = list(check_up(url=None, project_id=None, project_name="Checked", **options))
        assert "POST" not in [method for method, _ in loopback.requests]
        assert "very-secret" not in str(found)
        return found

    return look


def test_all_is_well_and_nothing_is_created(findings: Look, loopback: LoopbackLabelStudio) -> None:
    found = findings()

    assert {finding.level for finding in found} == {"good"}
    assert "LABEL_STUDIO_URL" in found[0].text
    assert "1.23.2 (Community), signed in as me@example.com" in found[2].text
    assert "the handler will create it" in found[3].text
    assert loopback.projects == {}


def test_a_server_that_sends_prompts_to_its_maker_is_a_warning(
    findings: Look, loopback: LoopbackLabelStudio
) -> None:
    loopback.collects_analytics = True

    assert any(f.level == "warning" and "COLLECT_ANALYTICS=false" in f.text for f in findings())


def test_two_projects_of_one_title_and_a_version_that_hides_answers_are_warnings(
    findings: Look, loopback: LoopbackLabelStudio
) -> None:
    LabelStudioCallbackHandler("k", loopback.url, project_name="Checked")
    loopback.projects[1]["model_version"] = "gpt-4o"
    loopback.projects[2] = loopback.projects[1] | {"id": 2}
    loopback.requests.clear()

    warnings = [finding.text for finding in findings() if finding.level == "warning"]

    assert any("several projects of this title (1, 2)" in text for text in warnings)
    assert any("model_version='gpt-4o'" in text for text in warnings)


def make_ordered(loopback: LoopbackLabelStudio, **options: Any) -> LabelStudioCallbackHandler:
    return LabelStudioCallbackHandler("k", loopback.url, project_name="Checked", **options)


def test_the_order_of_work_is_told(findings: Look, loopback: LoopbackLabelStudio) -> None:
    make_ordered(loopback, priority="feedback")
    loopback.requests.clear()

    assert findings()[-1] == Finding("good", "Order: by priority, the worst first")


def test_of_another_project_no_order_is_told(findings: Look, loopback: LoopbackLabelStudio) -> None:
    make_ordered(loopback)
    loopback.requests.clear()

    assert not any("Order" in finding.text for finding in findings())


@pytest.mark.parametrize(("release", "edition"), [("1.24.0", "Community"), ("1.23.2", "Enterprise")])
def test_a_server_on_which_nobody_tried_the_order_is_a_warning(
    findings: Look, loopback: LoopbackLabelStudio, release: str, edition: str
) -> None:
    make_ordered(loopback, priority="feedback")
    loopback.release, loopback.edition = release, edition
    loopback.requests.clear()

    [warning] = [finding.text for finding in findings() if finding.level == "warning"]
    assert "Label Tasks As Displayed" in warning


def test_tasks_without_a_place_in_the_order_are_a_warning(
    findings: Look, loopback: LoopbackLabelStudio
) -> None:
    make_ordered(loopback, priority="feedback")
    loopback.store([{"data": {"run_id": "r"}, "predictions": [{"model_version": "langchain"}]}])
    loopback.requests.clear()

    [warning] = [finding.text for finding in findings() if finding.level == "warning"]
    assert warning.startswith("Order: 1 task without a priority")


def test_what_is_wrong_comes_last(findings: Look, loopback: LoopbackLabelStudio) -> None:
    loopback.key_is_good = False

    *good, bad = findings()

    assert {finding.level for finding in good} == {"good"}
    assert (bad.level, "refused the API key" in bad.text) == ("bad", True)


def test_a_server_that_hangs_is_bad_after_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    monkeypatch.setattr(connection_check, "STEP_SECONDS", 0.3)
    with raw_server(lambda _: time.sleep(30)) as url:
        started = time.monotonic()
        *_, last = check_up(url=url, project_id=None, project_name="Checked")

    assert (last.level, "broke off without an answer" in last.text) == ("bad", True)
    assert time.monotonic() - started < 15


def test_a_project_is_looked_at_as_its_mode_needs_it(findings: Look, loopback: LoopbackLabelStudio) -> None:
    LabelStudioCallbackHandler("k", loopback.url, project_name="Checked", mode="preference")
    loopback.requests.clear()

    assert {finding.level for finding in findings(mode="preference")} == {"good"}
    assert findings(mode="rag")[-1].level != "good", "it has no place for documents"
