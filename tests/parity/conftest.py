"""A server that both handlers talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.loopback_label_studio import LoopbackLabelStudio


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackLabelStudio]:
    """A Label Studio on loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with LoopbackLabelStudio() as server:
        yield server
