"""The server tier: a real Label Studio, a real model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_label_studio.local_server import LocalLabelStudio
from tests.support import nginx, postgres
from tests.support.label_studio_by_jobs import LabelStudioByJobs
from tests.support.nginx import Nginx
from tests.support.postgres import PostgreSQL
from tests.support.studio import StudioApi


@pytest.fixture
def studio(label_studio: LocalLabelStudio) -> Iterator[StudioApi]:
    """The API of the real Label Studio."""
    api = StudioApi(label_studio)
    with api.http:
        yield api


@pytest.fixture(scope="session")
def label_studio_on_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudioByJobs]:
    """A real Label Studio like the other one, but with PostgreSQL in place of SQLite."""
    binaries = postgres.find_binaries()
    if binaries is None:
        pytest.skip(postgres.MISSING)  # which fails in CI
    with (
        PostgreSQL(binaries) as database,
        LabelStudioByJobs(
            tmp_path_factory.mktemp("label-studio-on-postgresql"), env=database.label_studio_env
        ) as server,
    ):
        yield server


@pytest.fixture
def studio_on(request: pytest.FixtureRequest, database: str) -> Iterator[StudioApi]:
    """The API of a real Label Studio with the database that the test names: `"sqlite"` or `"postgresql"`."""
    name = "label_studio" if database == "sqlite" else "label_studio_on_postgresql"
    api = StudioApi(request.getfixturevalue(name))
    with api.http:
        yield api


@pytest.fixture
def label_studio_by_jobs(label_studio_on_postgresql: LabelStudioByJobs) -> Iterator[LabelStudioByJobs]:
    """The same, while it imports by jobs, as the hosted and paid editions do."""
    label_studio_on_postgresql.jobs.begin()
    yield label_studio_on_postgresql
    label_studio_on_postgresql.jobs.end()


@pytest.fixture(scope="session")
def behind_nginx(label_studio: LocalLabelStudio) -> Iterator[Nginx]:
    """A proxy with its default limits in front of the real Label Studio."""
    program = nginx.find_nginx()
    if program is None:
        pytest.skip(nginx.MISSING)  # which fails in CI
    with Nginx(program, label_studio.url) as proxy:
        yield proxy
