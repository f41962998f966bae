"""The server tier: a real Label Studio, a real model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.studio import StudioApi


@pytest.fixture
def studio(label_studio: LocalLabelStudio) -> Iterator[StudioApi]:
    """The API of the real Label Studio."""
    api = StudioApi(label_studio)
    with api.http:
        yield api
