"""Kills, server faults and disk faults together. `tests/benchmarks/run chaos` is the long form of it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.chaos import Plan, run_chaos
from tests.support.label_studio_by_jobs import LabelStudioByJobs

PLAN = Plan(kills=12, lifetime=2.0, seconds_between_crashes=6.0, disk_is_full=0.02, short=True)


def test_chaos_loses_nothing_and_doubles_nothing(
    label_studio_by_jobs: LabelStudioByJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P1, P3, P4, P10, P12: with all forms and feedback."""
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio_by_jobs.api_key)

    outcome = run_chaos(label_studio_by_jobs, f"Chaos {uuid4().hex[:6]}", PLAN)

    assert outcome.is_clean, f"{outcome}\n{outcome.said}"
    assert outcome.runs > 50, outcome
    assert outcome.done["crashes of the server"], outcome
