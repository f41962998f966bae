"""What a reviewer does in Label Studio, by what a reviewer sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

HARMLESS = {
    "/heidi-tips": "tips for the reader, which the server would fetch from GitHub: nothing of ours",
    "/api/dm/actions?id=next_task": "404 is how the server says that no task is left",
}
"""Requests whose failure Label Studio itself expects, each with the reason."""


class Console:
    """Collects what goes wrong in a page."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        address = message.location["url"]
        failed_request = message.text.startswith("Failed to load resource")
        if message.type != "error" or (failed_request and any(known in address for known in HARMLESS)):
            return
        self.errors.append(f"{message.text} ({address})")

    @contextmanager
    def stays_clean(self) -> Iterator[None]:
        yield
        assert self.errors == [], "the browser's console shows errors"


def sign_in(page: Page, username: str, password: str, *, screenshot: Path) -> None:
    page.goto("/user/login/")
    page.locator("input[name=email]").fill(username)
    page.locator("input[name=password]").fill(password)
    page.screenshot(path=screenshot)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()


class Reviewer:
    """A person who reviews the tasks of a project."""

    def __init__(self, page: Page, *, screenshots: Path, name: str) -> None:
        self.page = page
        self.task = page.locator(".lsf-main-view__annotation")
        self._screenshots = screenshots
        self._name = name

    def open_data_manager(self, project_url: str | None, *, columns: Sequence[str] = ()) -> None:
        """Open the list of tasks, and find each of the columns in it."""
        assert project_url
        self.page.goto(project_url)
        for column in ("run_id", "status", *columns):
            expect(self.page.get_by_text(column, exact=True)).to_be_attached()
        expect(self.page.get_by_text("success", exact=True)).to_be_attached()
        self.photograph("data-manager")

    def label_all_tasks(self) -> None:
        """Open the first task that nobody has reviewed."""
        self.page.get_by_role("button", name="Label All Tasks").click()
        expect(self._submit_button).to_be_visible()
        expect(self.stars.first).to_be_visible()
        self.photograph("task")

    def open_task(self, project_url: str | None) -> None:
        self.open_data_manager(project_url)
        self.label_all_tasks()

    @property
    def responses(self) -> Locator:
        """The model's answers, as they are shown."""
        return self.task.get_by_test_id("htx-textbox-content")

    @property
    def stars(self) -> Locator:
        return self.task.get_by_role("radio")

    def correct(self, old: str, new: str, *, response: int = 0) -> None:
        """Change some words of a response and leave the rest as it is."""
        region = self.task.get_by_test_id("textarea-region").nth(response)
        region.get_by_role("button", name="Edit").click()
        field = region.get_by_role("textbox")
        field.fill(field.input_value().replace(old, new))
        self.photograph("correcting")
        region.get_by_role("button", name="Save").click()
        expect(self.responses.nth(response)).to_contain_text(new)

    def write(self, text: str, *, control: int = 0) -> None:
        """Write into a text field that is still empty."""
        field = self.task.get_by_test_id("textarea-control").nth(control).get_by_role("textbox")
        field.fill(text)
        field.press("Shift+Enter")
        expect(self.responses.filter(has_text=text)).to_be_visible()

    def rate(self, stars: int) -> None:
        self.stars.nth(stars - 1).click()
        expect(self.stars.nth(stars - 1)).to_be_checked()

    def submit(self) -> None:
        self.photograph("reviewed")
        self._submit_button.click()
        expect(self.page.get_by_text("Annotation saved successfully", exact=True)).to_be_visible()

    def photograph(self, what: str) -> None:
        """Keep the page as a file to look at; tasks in the dark theme, too."""
        self._screenshot(what)
        if what == "task":
            self._set_theme("dark")
            self._screenshot(f"{what}-dark")
            self._set_theme("light")

    @property
    def _submit_button(self) -> Locator:
        return self.page.get_by_role("button", name="Submit current annotation")

    def _screenshot(self, what: str) -> None:
        self.page.screenshot(path=self._screenshots / f"{self._name}.{what}.png", animations="disabled")

    def _set_theme(self, theme: str) -> None:
        self.page.evaluate("theme => document.documentElement.dataset.colorScheme = theme", theme)
