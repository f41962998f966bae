"""What all tiers share: a clean environment, one real Label Studio, one real small model."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import hypothesis
import pytest
from packaging.requirements import Requirement

from langchain_label_studio import handler
from langchain_label_studio.local_server import LocalLabelStudio, LocalModel
from tests.support.private_parts import forms_restored

TIERS = (
    "unit",
    "parity",
    "process",
    "server",
    "browser",
    "old_servers",
    "clusters",
    "conformance",
    "training",
)


def pytest_configure(config: pytest.Config) -> None:
    """Make tests depend neither on how they were started nor on how busy the computer is."""
    # A shell starts what it runs in the background with SIGINT ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A busy computer is no failure.
    hypothesis.settings.register_profile("tests", deadline=None)
    # For tiers that run once more, with other versions.
    hypothesis.settings.register_profile("fewer", deadline=None, max_examples=25)
    hypothesis.settings.load_profile(config.getoption("--hypothesis-profile") or "tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its tier, which is its folder; leave out what older libraries cannot do."""
    for item in items:
        tier = item.path.relative_to(Path(__file__).parent).parts[0]
        if tier in TIERS:
            item.add_marker(tier)
    if beyond := [item for item in items if not _has_what_it_needs(item)]:
        config.hook.pytest_deselected(items=beyond)
        items[:] = [item for item in items if item not in beyond]


def _has_what_it_needs(item: pytest.Item) -> bool:
    needed = [Requirement(need) for marker in item.iter_markers("needs") for need in marker.args]
    return all(need.specifier.contains(version(need.name)) for need in needed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In CI, a skipped test has not passed."""
    if os.environ.get("CI") and terminalreporter.stats.get("skipped"):
        terminalreporter.section("Skipped tests fail in CI", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run in CI where a test was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if (
        os.environ.get("CI")
        and reporter
        and reporter.stats.get("skipped")
        and session.exitstatus == pytest.ExitCode.OK
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The constructor gives up after 5 seconds. A busy computer may need them for one answer."""
    monkeypatch.setattr(handler, "CONNECT_SECONDS", 60.0)


_forms = pytest.fixture(autouse=True)(forms_restored)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("LABEL_STUDIO_", "LANGCHAIN_", "LANGSMITH_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LABEL_STUDIO_OUTBOX_DIR", str(tmp_path / "outbox"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLabelStudio]:
    """A real Label Studio on a free port of 127.0.0.1, with an account and a personal access token."""
    with LocalLabelStudio(tmp_path_factory.mktemp("label-studio")) as server:
        yield server


@pytest.fixture(scope="session")
def local_model() -> Iterator[LocalModel]:
    """A real small language model behind an OpenAI-compatible address."""
    with LocalModel() as model:
        yield model
