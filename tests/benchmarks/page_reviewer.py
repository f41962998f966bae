"""`PageReviewer`: a person who opens tasks in Chromium and reviews them, with a count of what that takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, expect

from tests.benchmarks.page_runs import PageCase
from tests.browser.pages import Reviewer

_TASK = ".lsf-main-view__annotation"

# When the task was drawn: the frame after the last element came into it.
_WATCH = """
window.drawnAt = 0;
new MutationObserver(records => {
    const task = document.querySelector('TASK');
    if (task && records.some(({target, addedNodes}) =>
            task.contains(target) || [...addedNodes].some(node => node.contains(task))))
        requestAnimationFrame(() => requestAnimationFrame(() => { window.drawnAt = performance.now(); }));
}).observe(document, {childList: true, subtree: true});
""".replace("TASK", _TASK)

_IS_DRAWN = """words => {
    const task = document.querySelector('TASK');
    if (!task || !window.drawnAt || performance.now() - window.drawnAt < 500) return false;
    const text = [task.textContent, ...[...task.querySelectorAll('textarea')].map(box => box.value)].join();
    return words.every(word => text.includes(word));
}""".replace("TASK", _TASK)

_SCROLLING = Path(__file__).with_name("scrolling.js").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrolling:
    """Pixels to scroll from where a task opens, in the page and in its boxes.

    Attributes:
        judge: Until the beginning of the last question, the beginning of the answer, and each control of the
            judgement have been in view, in this order, on the shortest way. It is 0 if all of them are in view together.
        read: Until the end of the answer is in view.
    """

    judge: int
    read: int


class PageReviewer:
    """A person at a browser.

    Attributes:
        presses: The key presses so far. Ctrl+Enter is one.
        clicks: The clicks so far. To drag something is one.
    """

    def __init__(self, context: BrowserContext) -> None:
        """Open a page in the browser of somebody who signed in."""
        self._page = context.new_page()
        self._page.add_init_script(_WATCH)
        self._task = self._page.locator(_TASK)
        self.presses = 0
        self.clicks = 0

    def open(
        self, project: int, shows: Sequence[str], size: tuple[int, int], *, by_link: bool = False
    ) -> float:
        """Open a task in a window of a size, and return the milliseconds until it was drawn.

        Args:
            project: The number of its project.
            shows: Words that are on the page when it is whole.
            size: The width and the height of the window.
            by_link: Whether the link to the project's last task is opened. Else *Label All Tasks* is.
        """
        address = f"/projects/{project}/data?labeling=1"
        if by_link:
            found = self._page.request.get(f"/api/tasks?project={project}").json()
            address = f"/projects/{project}/data?task={max(task['id'] for task in found['tasks'])}"
        self._page.set_viewport_size({"width": size[0], "height": size[1]})
        self._page.goto(address)
        took = self._wait(shows)
        self._page.keyboard.press("Escape")  # closes the instructions, which Label Studio shows once
        expect(self._page.locator(".lsf-modal-ls")).to_have_count(0)
        expect(self._page.locator(".lsf-label-view_loading")).to_have_count(0)  # it takes no click until then
        return took

    def scrolling(self, case: PageCase) -> Scrolling:
        """Return how far a task of this case has to be scrolled."""
        controls = [control.element_handle() for control in self._judgement(case)]
        measured = self._page.evaluate(
            _SCROLLING, {"words": case.text.begins, "end": case.text.ends, "controls": controls}
        )
        return Scrolling(**measured)

    def judge(self, case: PageCase) -> None:
        """Do the job of this case, and go on to the next task.

        A key is pressed where the page shows one. Else the mouse is used.
        """
        match case.mode:
            case "prompt" | "chat":
                self._rate(4)
            case "agent":
                self._judge_parts(range(1, case.parts + 1), "correct", "incorrect")
                self._choose("mixed")
            case "rag":
                self._rate(4)
                self._rate(4, control=1)
                self._judge_parts(range(case.parts), "Relevant", "Not relevant")
            case "preference" if case.parts == 2:
                self._choose("Left")
            case _:
                self._choose_best()
        self._page.evaluate("window.drawnAt = 0")
        with self._page.expect_response(lambda answer: "next_task" in answer.url):
            self._press("Control+Enter")
        self._wait(case.shows)

    def _wait(self, shows: Sequence[str]) -> float:
        self._page.wait_for_function(_IS_DRAWN, arg=list(shows), polling=100, timeout=60_000)
        drawn_at: float = self._page.evaluate("window.drawnAt")
        return drawn_at

    def _judgement(self, case: PageCase) -> list[Locator]:
        """Return the controls that hold the judgement, without those of single steps or documents."""
        match case.mode:
            case "prompt" | "chat":
                return [self._rating(0)]
            case "rag":
                return [self._rating(0), self._rating(1)]
            case "agent":
                return [self._choice("mixed")]
            case "preference" if case.parts == 2:
                return [self._choice("Left")]
            case _:
                best = self._choice("Answer 2")
                return [best if best.count() else self._task.locator(".htx-ranker-column h3").nth(1)]

    def _rating(self, control: int) -> Locator:
        """Return stars, or the numbers that stand for them."""
        return self._task.locator('.ant-rate, .lsf-choices:has(input[name="5"])').nth(control)

    def _choice(self, name: str, place: int = 0) -> Locator:
        return self._task.locator(f'.lsf-choice:has(input[name="{name}"])').nth(place)

    def _rate(self, stars: int, *, control: int = 0) -> None:
        numbers = self._rating(control).locator(".lsf-choice")
        if numbers.count():
            self._act(numbers.nth(stars - 1))
            return
        key = re.findall(r"\(key (\w): one more star\)", self._task.inner_text())[control]
        for _ in range(stars):
            self._press(key.lower())

    def _judge_parts(self, parts: Sequence[int], good: str, bad: str) -> None:
        """Say of steps or documents that only the third one is bad."""
        all_others = self._task.locator('.lsf-choice:has(input[name^="all " i])')
        if all_others.count():
            self._act(all_others.first)
            self._choose(bad, parts[2])
            return
        for part in parts:
            self._choose(bad if part == parts[2] else good, part)

    def _choose_best(self) -> None:
        if self._choice("Answer 2").count():
            self._choose("Answer 2")
            return
        Reviewer(self._page, screenshots=Path(), name="").put_into("Best first", "(1)")
        self.clicks += 1

    def _choose(self, name: str, place: int = 0) -> None:
        self._act(self._choice(name, place))

    def _act(self, choice: Locator) -> None:
        hint = choice.locator(".lsf-hint")
        if hint.count() and hint.is_visible():
            self._press(_for_playwright(hint.inner_text().strip("[]")))
        else:
            choice.locator("label").click()
            self.clicks += 1

    def _press(self, key: str) -> None:
        self._page.keyboard.press(key)
        self.presses += 1


def _for_playwright(key: str) -> str:
    """Return a key of Label Studio, such as `shift+3`, as Playwright calls it."""
    *modifiers, last = key.split("+")
    return "+".join([*(name.capitalize() for name in modifiers), f"Digit{last}" if last.isdigit() else last])
