"""Object storage for workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.s3 import S3Server


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An S3 server that runs, and the variables that open it."""
    with S3Server(tmp_path / "s3").open_with(monkeypatch) as server:
        yield server
