"""The process tier: real sockets on loopback, real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.loopback_label_studio import LoopbackLabelStudio


@pytest.fixture
def loopback() -> Iterator[LoopbackLabelStudio]:
    """A server that does what the real one cannot be made to do."""
    with LoopbackLabelStudio() as server:
        yield server
