"""Chromium as the tests start it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_PROGRAM = Path("/usr/bin/chromium")
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@contextmanager
def launch_chromium() -> Iterator[Browser]:
    """Start Chromium. While it runs, playwright's event loop is in the way of async tests."""
    if not _PROGRAM.exists():
        msg = f"{_PROGRAM} is missing. Install it: apt-get install chromium"
        raise RuntimeError(msg)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_PROGRAM, args=_ARGUMENTS)
        yield browser
        browser.close()
