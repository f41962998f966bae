"""The server tier: a real Label Studio, a real model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_label_studio.local_server import LocalLabelStudio
from tests.support.postgres import MISSING, PostgreSQL, find_binaries
from tests.support.studio import StudioApi


@pytest.fixture
def studio(label_studio: LocalLabelStudio) -> Iterator[StudioApi]:
    """The API of the real Label Studio."""
    api = StudioApi(label_studio)
    with api.http:
        yield api


@pytest.fixture(scope="session")
def label_studio_on_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLabelStudio]:
    """A real Label Studio like the other one, but with PostgreSQL in place of SQLite."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip(MISSING)  # which fails in CI
    with (
        PostgreSQL(binaries) as database,
        LocalLabelStudio(
            tmp_path_factory.mktemp("label-studio-on-postgresql"), env=database.label_studio_env
        ) as server,
    ):
        yield server
