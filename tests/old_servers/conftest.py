"""Label Studio of each version that works, in an environment of its own, and a browser that is signed in there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from langchain_label_studio.local_server import LocalLabelStudio, label_studio
from langchain_label_studio.local_server.environment import ensure_environment
from tests.support.chromium import launch_chromium

# The last one of each line. The lowest version that works is the first one.
VERSIONS = ("1.16.0", "1.20.0", "1.21.0", "1.22.0", "1.23")
_LEGACY_TOKEN = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="session", params=VERSIONS)
def old_label_studio(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalLabelStudio]:
    """A real Label Studio of an earlier version. 1.23 is the version that `up` installs."""
    version: str = request.param
    directory, python, env = tmp_path_factory.mktemp(f"label-studio-{version}"), None, {}
    with pytest.MonkeyPatch.context() as patch:
        if version != "1.23":
            constraints = Path(__file__).parent / "constraints" / f"{version}.txt"
            python = ensure_environment(
                "label-studio", [f"label-studio=={version}", "setuptools"], constraints=constraints
            )
        if version == "1.16.0":  # it has no personal access tokens
            env = {"LABEL_STUDIO_USER_TOKEN": _LEGACY_TOKEN}
            patch.setattr(
                label_studio, "with_working_token", lambda _, account: replace(account, api_key=_LEGACY_TOKEN)
            )
        with LocalLabelStudio(directory, python=python, env=env) as server:
            yield server


@pytest.fixture(scope="session")
def signed_in(old_label_studio: LocalLabelStudio) -> Iterator[BrowserContext]:
    """The browser of a person who signed in."""
    with launch_chromium() as browser:
        context = browser.new_context(base_url=old_label_studio.url, viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto("/user/login/")
        page.locator("input[name=email]").fill(old_label_studio.username)
        page.locator("input[name=password]").fill(old_label_studio.password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(lambda address: "/user/login" not in address)
        page.close()
        yield context
        context.close()
