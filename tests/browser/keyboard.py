"""An administrator without a mouse: what they press is counted, and where they are must be seen at each stop."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

# What has the focus: whether it is marked, whether it is on the screen and not behind something else, and what it is.
STOP = """() => {
    const at = document.activeElement;
    const around = [at, ...(at.labels ?? []), at.closest(".choice, .field")].filter(Boolean);
    const isMarked = around.some((each) => {
        const style = getComputedStyle(each);
        return (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none";
    });
    const box = at.getBoundingClientRect();
    const under = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
    const isSeen = Boolean(under) && (around.some((each) => each.contains(under)) || under.contains(at));
    return [isMarked, isSeen, at.outerHTML.slice(0, 160)];
}"""


class Keyboard:
    """The keys of one page."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    def press(self, *keys: str) -> None:
        """One after the other, each on a page whose scripts are there: before that it would not be heard."""
        for key in keys:
            self.page.wait_for_load_state()
            self.page.keyboard.press(key)
            self.pressed += 1

    def type(self, text: str) -> None:
        """Into what has the focus, in place of what is there; not counted: it takes as many keys anywhere."""
        self.page.wait_for_load_state()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def see_where(self) -> None:
        """What has the focus is marked, on the screen, and not behind something else."""
        is_marked, is_seen, what = self.page.evaluate(STOP)
        assert is_marked and is_seen, f"marked: {is_marked}, seen: {is_seen}: {what}"

    def tab_to(self, place: Any, *, limit: int = 12, key: str = "Tab") -> None:
        """Within few presses, each of which leads to something that is seen to have the focus."""
        for _count in range(limit):
            self.press(key)
            self.see_where()
            if place.evaluate("each => each === document.activeElement"):
                return
        raise AssertionError(f"{place} is not reached by {limit} times {key}")

    def choose(self, letter: str, place: Any) -> None:
        """An entry of an open menu, by the letter with which it begins; `Enter` presses it."""
        for _count in range(6):
            self.press(letter)
            self.see_where()
            if place.evaluate("each => each === document.activeElement"):
                self.press("Enter")
                return
        raise AssertionError(f"{place} is not reached by {letter}")
