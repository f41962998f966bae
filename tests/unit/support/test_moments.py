from __future__ import annotations

from datetime import UTC, datetime

import pytest

from langchain_label_studio.support.moments import read_time

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-21T12:00:00Z", "2026-11-21T13:00:00+01:00", "2026-11-21T12:00:00"])
def test_a_time_that_a_program_wrote_is_in_utc(text: str) -> None:
    assert read_time(text) == NOON


@pytest.mark.parametrize("text", [None, "", "yesterday", 5])
def test_anything_else_is_no_time(text: object) -> None:
    assert read_time(text) is None
