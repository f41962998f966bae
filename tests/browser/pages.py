"""What a reviewer does in Label Studio, by what a reviewer sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from string import ascii_lowercase, digits

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

HARMLESS = {
    "/heidi-tips": "tips for the reader, which the server would fetch from GitHub: nothing of ours",
    "/api/dm/actions?id=next_task": "404 is how the server says that no task is left",
}
"""Requests whose failure Label Studio itself expects, each with the reason."""

_STATE = """task => [
    [...task.querySelectorAll('input, textarea')].map(field => [field.value, field.checked]),
    task.querySelectorAll('[role=radio][aria-checked=true]').length,
]"""


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


def sign_up(page: Page, invitation: str, email: str, *, screenshot: Path) -> None:
    page.goto(invitation)
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(token_hex(16))
    page.screenshot(path=screenshot)
    page.get_by_role("button", name="Create Account").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()


class Reviewer:
    """A person who reviews the tasks of a project."""

    def __init__(self, page: Page, *, screenshots: Path, name: str) -> None:
        self.page = page
        self.task = page.locator(".lsf-main-view__annotation")
        self.instructions = page.get_by_text("Labeling Instructions", exact=True)
        self._screenshots = screenshots
        self._name = name
        page.add_locator_handler(self.instructions, self._close_instructions)

    def open_data_manager(self, project_url: str | None, *, columns: Sequence[str] = ()) -> None:
        """Open the list of tasks, and find each of the columns in it."""
        assert project_url
        self.page.goto(project_url)
        for column in ("Query", "status", *columns):
            expect(self.page.get_by_text(column, exact=True)).to_be_attached()
        expect(self.page.get_by_text("success", exact=True).first).to_be_attached()
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

    def open_stream(self, project_url: str | None) -> None:
        """Open the tasks as they come, also of a project that was made in Label Studio itself."""
        assert project_url
        self.page.goto(project_url)
        self.page.get_by_role("button", name="Label All Tasks").click()

    def label_as_displayed(self) -> None:
        """Open the tasks of the list as they come in its open tab."""
        self.page.get_by_role("button", name="Toggle open").click()
        self.photograph("as-displayed")
        self.page.get_by_text("Label Tasks As Displayed", exact=True).click()

    def sees(self, prompt: str) -> None:
        """Wait for the task with this prompt."""
        # A chat is in the page twice, once for the controls to belong to.
        expect(self.task.get_by_text(prompt, exact=True).filter(visible=True)).to_be_visible()
        expect(self._submit_button).to_be_enabled()
        # A task of the list takes no key before that.
        expect(self.page.locator(".lsf-label-view_loading")).to_have_count(0)

    def each_of(self, *prompts: str) -> Iterator[str]:
        """Wait for the tasks with these prompts, as they come: who is second gets them in any order."""
        left = set(prompts)
        while left:
            any_of = re.compile(f"^({'|'.join(map(re.escape, left))})$")
            shown = self.task.get_by_text(any_of).filter(visible=True)
            expect(shown).to_be_visible()
            prompt = shown.inner_text().strip()
            left.remove(prompt)
            yield prompt

    def sees_no_more_tasks(self) -> None:
        expect(self.page.get_by_text("No More Tasks Left in Queue")).to_be_visible()

    @property
    def responses(self) -> Locator:
        """The model's answers: boxes that can be changed; text in a project that opens a box only when it is asked."""
        return self.task.locator("[data-testid=htx-textbox-input], [data-testid=htx-textbox-content]")

    def sees_responses(self, *texts: str) -> None:
        """Wait for the model's answers, in boxes that can be changed."""
        expect(self.responses).to_have_count(len(texts))
        for box, text in zip(self.responses.all(), texts, strict=True):
            expect(box).to_have_value(text)

    @property
    def stars(self) -> Locator:
        return self.task.get_by_role("radio")

    def correct(self, old: str, new: str, *, response: int = 0) -> None:
        """Change some words of a response and leave the rest as it is."""
        box = self._region(response).get_by_test_id("htx-textbox-input")
        self.open_panel_of(box)
        box.fill(box.input_value().replace(old, new))
        self.photograph("correcting")
        box.press("Tab")

    def write(self, text: str, *, control: int = 0) -> None:
        """Write into a text field that is still empty."""
        box = self.task.get_by_test_id("textarea-control").nth(control).locator("textarea, input")
        self.open_panel_of(box)
        box.fill(text)
        box.press("Tab")

    def open_panel(self, title: str | re.Pattern[str]) -> None:
        """Open a closed panel of a built-in page."""
        self.task.get_by_role("button", name=title).click()

    def open_panel_of(self, box: Locator) -> None:
        """Open the panel that a box is in, if it is closed."""
        if box.is_hidden():
            panel = box.locator("xpath=ancestor::*[contains(@class, 'ant-collapse-item')]")
            panel.locator(".ant-collapse-header").click()

    def keys_that_change_something(self) -> str:
        """Press each digit and each letter, and return those that change what the task holds."""
        return "".join(key for key in digits + ascii_lowercase if any(self.changes_with(key)))

    def changes_with(self, key: str, *, times: int = 1) -> list[bool]:
        """Press a key some times, and say of each time whether it changed what the task holds."""
        changes = []
        state = self.task.evaluate(_STATE)
        for _ in range(times):
            self.page.keyboard.press(key)
            before, state = state, self.task.evaluate(_STATE)
            changes.append(state != before)
        return changes

    def rate(self, stars: int) -> None:
        self.stars.nth(stars - 1).click()
        expect(self.stars.nth(stars - 1)).to_be_checked()

    def choose(self, choice: str) -> None:
        self.task.get_by_role("checkbox", name=choice).check()

    def decide(self, choice: str | re.Pattern[str]) -> None:
        """Choose one of several, where only one can be chosen."""
        self.task.get_by_role("radio", name=choice).check()

    def prefer(self, answer: str) -> None:
        """Click the better one of two answers."""
        self.task.get_by_text(answer, exact=True).click()

    def put_into(self, bucket: str, answer: str) -> None:
        """Drag an answer to the end of a ranker's bucket."""
        area = self._bucket(bucket)
        self._drag(answer, area, depth=0.9)
        expect(self._items(area).last).to_contain_text(answer)

    def put_first(self, answer: str) -> None:
        """Drag an answer to the top of a ranker without buckets."""
        area = self.task.locator("[data-rbd-droppable-id]")
        self._drag(answer, self._items(area).first, depth=0.2)
        expect(self._items(area).first).to_contain_text(answer)

    def put_across(self, bucket: str, answer: str) -> None:
        """Drag an answer straight across into a ranker's bucket, however long the list is."""
        area = self._bucket(bucket)
        item = self._items(self.task).filter(has_text=answer)
        item.hover()  # where nothing lies above it
        [start, column] = [box for box in (item.bounding_box(), area.bounding_box()) if box]
        self._drag_to(item, column["x"] + column["width"] / 2, start["y"] + start["height"] / 2)
        expect(self._items(area).filter(has_text=answer)).to_be_visible()

    def shows(self, text: str) -> bool:
        """Say whether the task shows a text."""
        return self.task.get_by_text(text, exact=True).count() > 0

    def submit(self, *, photo: str = "reviewed") -> None:
        self.photograph(photo)
        self._save_with(self._submit_button.click, says="Annotation saved successfully")

    def submit_with_keys(self) -> None:
        self._save_with(
            lambda: self.page.keyboard.press("Control+Enter"), says="Annotation saved successfully"
        )

    def skip(self) -> None:
        self._save_with(
            self.page.get_by_role("button", name="skip-task").click, says="Task skipped successfully"
        )

    def photograph(self, what: str, *, size: int | None = None) -> None:
        """Keep the page as a file to look at; tasks in the dark theme, too."""
        name = f"{what}-{size}" if size else what
        self._screenshot(name)
        if what == "task":
            self._set_theme("dark")
            self._screenshot(f"{name}-dark")
            self._set_theme("light")

    def _close_instructions(self) -> None:
        """Close what stands before the tasks of a new project."""
        self.page.get_by_role("button", name="Close modal").click()

    @property
    def _submit_button(self) -> Locator:
        return self.page.get_by_role("button", name="Submit current annotation")

    def _region(self, response: int) -> Locator:
        return self.task.get_by_test_id("textarea-region").nth(response)

    def _items(self, area: Locator) -> Locator:
        return area.locator(".htx-ranker-item")

    def _save_with(self, act: Callable[[], None], *, says: str) -> None:
        # What is said of the last task may still be there.
        with self.page.expect_response(lambda answer: "/annotations" in answer.url) as saved:
            act()
        assert saved.value.ok
        expect(self.page.get_by_text(says, exact=True).last).to_be_visible()

    def _bucket(self, name: str) -> Locator:
        """The place in a ranker's bucket where answers go."""
        heading = self.page.get_by_role("heading", name=name)
        column = self.task.locator(".htx-ranker-column").filter(has=heading)
        return column.locator("[data-rbd-droppable-id]")

    def _drag(self, answer: str, target: Locator, *, depth: float) -> None:
        """Drag an answer of a ranker with the mouse, to so much of the target's height."""
        item = self._items(self.task).filter(has_text=answer)
        item.hover()  # this waits until a panel that was just opened stands still, and scrolls
        box = target.bounding_box()
        assert box
        self._drag_to(item, box["x"] + box["width"] / 2, box["y"] + box["height"] * depth)

    def _drag_to(self, item: Locator, x: float, y: float) -> None:
        item.hover()
        self.page.mouse.down()
        self.page.mouse.move(x, y, steps=20)
        self.page.mouse.up()
        expect(item).not_to_have_css("position", "fixed")  # it has arrived

    def _screenshot(self, what: str) -> None:
        self.page.screenshot(path=self._screenshots / f"{self._name}.{what}.png", animations="disabled")

    def _set_theme(self, theme: str) -> None:
        self.page.evaluate("theme => document.documentElement.dataset.colorScheme = theme", theme)
