"""`check` on a worker: it looks at the object storage, and needs no key of Label Studio."""

from __future__ import annotations

from pathlib import Path

import pytest

from langchain_label_studio.label_studio.connection_check import check_up
from langchain_label_studio.label_studio.settings import DEFAULT_PROJECT_NAME


def test_a_worker_needs_the_storage_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    monkeypatch.setenv("LABEL_STUDIO_DELIVER_TO", f"file://{tmp_path}/fleet")
    findings = list(check_up(url=None, project_id=None, project_name=DEFAULT_PROJECT_NAME))
    assert [finding.level for finding in findings] == ["good", "good"]
    assert f"file://{tmp_path}/fleet takes objects" in findings[0].text
    assert (tmp_path / "fleet" / "check").exists()


def test_a_storage_that_takes_nothing_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fleet").write_text("a file")
    monkeypatch.setenv("LABEL_STUDIO_DELIVER_TO", f"file://{tmp_path}/fleet")
    findings = list(check_up(url=None, project_id=None, project_name=DEFAULT_PROJECT_NAME))
    assert [finding.level for finding in findings] == ["bad"]


def test_an_address_that_cannot_be_one_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_DELIVER_TO", "bucket")
    (finding,) = check_up(url=None, project_id=None, project_name=DEFAULT_PROJECT_NAME)
    assert finding.level == "bad"
    assert "LABEL_STUDIO_DELIVER_TO='bucket'" in finding.text
