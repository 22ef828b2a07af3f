"""Somebody who has never heard of Ganeti, in a browser with or without a script: what they press, and what they see."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.axe import SHOW, check
from tests.browser.messages import SENT, hear
from tests.browser.screens import canvas, wait_connected, wait_for_change, wait_until_still
from tests.browser.waiting import reload_until, wait_for

#: the narrowest phone and a wide screen
LOOKS = ((320, 640, "dark"), (1920, 1080, "light"))


class Newcomer:
    """One person and the one machine that they have."""

    def __init__(self, page: Page, *, has_script: bool = True) -> None:
        self.page, self.has_script = page, has_script

    @property
    def head(self) -> Any:
        """Name, state and buttons of the machine."""
        return self.page.locator("#vm-head")

    def look(self) -> None:
        """Nothing on the page keeps anybody out, and nothing is wider than the screen."""
        before = self.page.viewport_size
        for width, height, theme in LOOKS if self.has_script else ():
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.evaluate(SHOW, theme)
            assert check(self.page) == [], f"{self.page.url} {width} {theme}"
            assert self.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, self.page.url
        if before:
            self.page.set_viewport_size(before)

    def see(self, place: Any, pattern: str) -> None:
        """A text at a place of the page: it comes by itself, or when the page is loaded anew."""
        if self.has_script:
            expect(place).to_have_text(re.compile(pattern))
        else:
            reload_until(self.page, place, pattern)

    def see_state(self, word: str) -> None:
        """The machine's."""
        self.see(self.head.locator(".state"), f"^{word}$")

    def create(self, name: str, system: str, vcpus: str, memory: str, disk: str) -> None:
        """Five fields, and a button."""
        page = self.page
        page.goto("/vms/")
        expect(page.get_by_text("You have no machine yet")).to_be_visible()
        self.look()
        page.get_by_role("link", name="Create a machine").first.click()
        field = page.get_by_role("textbox", name="Name", exact=True)
        expect(field).to_be_focused()
        field.fill(name)
        page.get_by_label("Operating system").select_option(system)
        page.get_by_label("Virtual CPUs").fill(vcpus)
        page.get_by_label("Memory", exact=True).fill(memory)
        page.get_by_label("Disk", exact=True).fill(disk)
        if self.has_script:
            expect(page.locator("#holds-machine")).to_have_text(name)
        self.look()
        page.get_by_role("button", name="Create", exact=True).click()
        expect(self.head.locator("h1")).to_have_text(name)
        expect(page.locator("#vm-work")).to_contain_text(f"Create {name}")
        self.see_state("running")
        self.look()

    def send_again(self, name: str, system: str) -> None:
        """Go back to the form, and press its button once more: it is made once, and the page leads to it."""
        page = self.page
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Create a machine")
        page.get_by_role("textbox", name="Name", exact=True).fill(name)
        page.get_by_label("Operating system").select_option(system)
        page.get_by_label("Disk", exact=True).fill("1 GiB")
        page.get_by_role("button", name="Create", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text(f"There is a machine called {name}")
        page.get_by_role("link", name="Open that machine").click()
        expect(self.head.locator("h1")).to_have_text(name)

    def use_console(self, rows: int = 0) -> None:
        """Type into the machine, and see it answer; `rows` of pixels at the top change by themselves."""
        page = self.page
        self.head.get_by_role("link", name="Console", exact=True).click()
        if not self.has_script:
            expect(page.get_by_text("can't be shown without JavaScript")).to_be_visible()
        else:
            wait_connected(page)
            before = wait_until_still(page, rows)
            canvas(page).click()
            page.keyboard.type("k")
            wait_for_change(page, before, rows)
            self.look()
        page.get_by_role("navigation", name="Parts of the machine").get_by_role("link", name="Overview").click()

    def resize(self, memory: str, shown: str) -> None:
        """Give it other memory, and restart it so that it has it."""
        page = self.page
        self.head.get_by_role("link", name="Edit", exact=True).click()
        self.look()
        page.get_by_label("Memory", exact=True).fill(memory)
        page.get_by_label("Minimum memory").fill(memory)
        page.get_by_role("button", name="Review changes").last.click()
        expect(page.locator("#confirm")).to_contain_text(shown)
        self.look()
        page.get_by_role("button", name="Save and restart").click()
        self.see(page.locator(".head .state"), "ended")
        page.locator("main tbody").get_by_role("link").first.click()
        self.see(page.locator("#vm-facts .figures"), re.escape(shown))
        self.see_state("running")

    def confirm(self, label: str, *, typed: str = "") -> None:
        """Press a button of the machine's, in its menu if it is there, and answer the question."""
        page, link = self.page, self.head.get_by_role("link", name=label, exact=True)
        if not link.is_visible():
            self.head.locator("details.menu > summary").click()
        link.click()
        asked = page.locator("dialog#dialog" if self.has_script else "main")
        expect(asked.locator("#confirm")).to_be_visible()
        self.look()
        if typed:
            asked.get_by_label("Its name").fill(typed)
        asked.get_by_role("button", name=label, exact=True).click()
        if self.has_script:
            hear(page, SENT)
        else:
            expect(page.locator("#toasts")).to_contain_text(re.compile(SENT))

    def restart(self) -> None:
        """Reboot it, and wait until it is back."""
        self.confirm("Reboot")
        self.see(self.page.locator("#vm-work .state").first, "succeeded")
        self.see_state("running")

    def delete(self, name: str) -> None:
        """For good, with its name typed; nothing of it is left in the list."""
        self.confirm("Delete", typed=name)
        page = self.page

        def is_gone() -> bool:
            page.goto(f"/vms/?q={name}")
            return page.get_by_role("link", name=name, exact=True).count() == 0

        wait_for(page, is_gone, f"{name} is gone", every_ms=1000)

    def look_back(self, name: str) -> None:
        """At where it was deleted: that it was is said, and nothing can be pressed once more."""
        self.page.go_back()
        expect(self.page.locator("main")).to_contain_text(f"{name} was deleted by")
        if self.has_script:  # what goes on around it is heard, and the page is not loaded anew for that
            with self.page.expect_response(lambda answer: "/dock/" in answer.url):
                self.page.evaluate("document.body.dispatchEvent(new Event('jobs-changed'))")
