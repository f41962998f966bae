"""The clusters tier: real clusters of two local workers, which get the handler by pickle."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """The address of a directory that all workers share."""
    return f"file://{tmp_path}/shared"
