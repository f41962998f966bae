"""What a person clicks in a project that was made of a template: `Annotator`."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.pages import Reviewer

_PLACE_OF_TEXT = """text => {
    const task = document.querySelector('.lsf-main-view__annotation');
    const texts = document.createTreeWalker(task, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
        const start = node.data.indexOf(text);
        if (start < 0 || !node.parentElement.offsetParent) continue;
        const range = document.createRange();
        range.setStart(node, start);
        range.setEnd(node, start + text.length);
        const {x, y, width, height} = range.getBoundingClientRect();
        return {x, y, width, height};
    }
}"""


class Annotator(Reviewer):
    """A person who annotates tasks that this package did not make."""

    def open_next(self, project_url: str) -> None:
        """Open the next task, as "Label All Tasks" does."""
        self.page.goto(f"{project_url}?labeling=1")
        expect(self._submit_button).to_be_enabled()

    def type_into(self, control: int, text: str) -> None:
        """Type into the box of a text field, and leave it as it is."""
        box = self._box(control)
        box.fill(text)
        expect(box).to_have_value(text)

    def add(self, text: str = "", *, control: int = 0) -> None:
        """Type into the box of a text field, and add the text to the field. Without a text: what the box begins with."""
        box = self._box(control)
        if text:
            box.fill(text)
        box.press("Shift+Enter")
        expect(self.task.get_by_test_id("textarea-region").filter(has_text=text)).not_to_have_count(0)

    def edit(self, old: str, new: str) -> None:
        """Change some words of the text that a field has, with its pencil."""
        region = self.task.get_by_test_id("textarea-region").first
        region.get_by_role("button", name="Edit").click()
        box = region.get_by_role("textbox")
        box.fill(box.input_value().replace(old, new))
        region.get_by_role("button", name="Save").click()
        expect(region).to_contain_text(new)

    def delete(self) -> None:
        """Delete the text that a field has."""
        regions = self.task.get_by_test_id("textarea-region")
        left = regions.count() - 1
        regions.first.get_by_role("button", name="Delete").click()
        expect(regions).to_have_count(left)

    def give_stars(self, stars: int, *, control: int = 0) -> None:
        star = self.task.locator(".ant-rate").nth(control).get_by_role("radio").nth(stars - 1)
        star.click()
        expect(star).to_be_checked()

    def tick(self, choice: str, *, control: int = 0) -> None:
        """Choose a value, in the control of this number among those that have it."""
        name = re.compile(rf"^{re.escape(choice)}(\[.\])?$")  # its key may stand behind it
        either = self.task.get_by_role("radio", name=name).or_(self.task.get_by_role("checkbox", name=name))
        either.nth(control).check()

    def click_text(self, text: str) -> None:
        self.task.get_by_text(text).filter(visible=True).first.click()

    def label_span(self, label: str, words: str) -> None:
        """Label words of a text, and click on them, so that the controls for the span appear."""
        self.task.get_by_text(label, exact=True).first.click()
        place = self.page.evaluate(_PLACE_OF_TEXT, words)
        middle = place["y"] + place["height"] / 2
        self.page.mouse.move(place["x"] + 1, middle)
        self.page.mouse.down()
        self.page.mouse.move(place["x"] + place["width"] - 1, middle, steps=10)
        self.page.mouse.up()
        self.page.mouse.click(place["x"] + place["width"] / 2, middle)

    def choose_in_tree(self, *path: str) -> None:
        """Tick a value of a taxonomy, and open the values above it."""
        self.task.locator(".ant-select-selection-placeholder").click(force=True)
        *above, value = path
        for name in above:
            self._tree_node(name).locator(".ant-select-tree-switcher").click()
        self._tree_node(value).locator(".ant-select-tree-checkbox").click()
        self.page.keyboard.press("Escape")
        expect(self.task.locator(".ant-select-selection-item").filter(has_text=value)).to_be_visible()

    def drag_into(self, bucket: str, item: str) -> None:
        """Drag an item of a ranker to the end of a bucket."""
        heading = self.page.get_by_role("heading", name=bucket, exact=True)
        area = self.task.locator(".htx-ranker-column").filter(has=heading).locator("[data-rbd-droppable-id]")
        self._drag(item, area, depth=0.9)
        expect(self._items(area).last).to_contain_text(item)

    def drag_first(self, item: Locator) -> None:
        """Drag an item of a ranker without buckets to the top."""
        first = self.task.locator(".htx-ranker-item").first
        box = first.bounding_box()
        assert box
        self._drag_to(item, box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2)

    def _box(self, control: int) -> Locator:
        """The box for a new text. The boxes of texts that the field has come before it."""
        return self.task.get_by_test_id("textarea-control").nth(control).get_by_role("textbox").last

    def _tree_node(self, name: str) -> Locator:
        exact = self.page.get_by_text(name, exact=True)
        return self.page.locator(".ant-select-tree-treenode").filter(has=exact)
