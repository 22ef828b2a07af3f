"""An open page becomes true around whoever is at work on it: nothing typed, focused or opened is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.changes import (
    CHANGES,
    MAIN,
    OF_VM,
    SOON_MS,
    START,
    STATE,
    STOP,
    VM,
    Write,
    at_work,
    open_live,
)

pytestmark = pytest.mark.feature("G045")


def test_typed_text_focus_caret_and_scroll_stay(visitor: Page, write: Write, running: None) -> None:
    visitor.set_viewport_size({"width": 1000, "height": 300})
    open_live(visitor, "/vms/?per_page=100")
    box = visitor.get_by_role("searchbox", name=re.compile("Name, address"))
    box.fill("half a word")
    box.press("ArrowLeft")
    search = visitor.get_by_role("searchbox", name="Search machines")
    search.fill("another")
    box.focus()
    visitor.evaluate("document.getElementById('work').scrollTop = 150; window.scrollTo(0, 150)")
    before = visitor.evaluate("[document.getElementById('work').scrollTop, window.scrollY]")
    write(STOP)
    at_work(visitor)
    expect(box).to_be_focused()
    expect(box).to_have_value("half a word")
    expect(search).to_have_value("another")
    assert box.evaluate("each => each.selectionStart") == len("half a word") - 1
    assert visitor.evaluate("[document.getElementById('work').scrollTop, window.scrollY]") == before
    visitor.set_viewport_size({"width": 1440, "height": 900})


def test_focus_stays_in_its_row_and_on_its_button(visitor: Page, write: Write, running: None) -> None:
    open_live(visitor, "/vms/?sort=status")
    link = visitor.get_by_role("link", name=VM, exact=True)
    link.focus()
    write(STOP)  # the row moves
    at_work(visitor)
    expect(link).to_be_focused()
    write(START)
    open_live(visitor, OF_VM)
    visitor.locator("#vm-head #do-shutdown").focus()
    write(CHANGES["busy"][0][0])
    expect(visitor.locator("#vm-head #do-shutdown[aria-disabled=true]")).to_be_focused(timeout=SOON_MS)


def test_an_open_menu_waits_and_then_is_true(visitor: Page, write: Write, running: None) -> None:
    open_live(visitor, OF_VM)
    menu = visitor.locator("#vm-head details.menu")
    menu.locator("summary").click()
    items = menu.locator(".menu-panel")
    shown = items.inner_text()
    items.locator("a, button").first.focus()
    write(STOP)
    at_work(visitor)
    expect(menu).to_have_attribute("open", "")
    assert items.inner_text() == shown
    expect(items.locator("a, button").first).to_be_focused()
    visitor.keyboard.press("Escape")
    expect(visitor.locator("#vm-head").get_by_role("link", name="Start", exact=True)).to_be_visible(timeout=SOON_MS)
    expect(items).not_to_have_text(shown, use_inner_text=True, timeout=SOON_MS)


def test_an_open_dialog_and_a_folded_part_stay(visitor: Page, write: Write, running: None) -> None:
    open_live(visitor, OF_VM)
    visitor.locator("#vm-head #do-reboot").click()
    dialog = visitor.locator("dialog#dialog")
    expect(dialog).to_be_visible()
    focused = visitor.evaluate("document.activeElement.outerHTML")
    write(STOP)
    expect(visitor.locator(STATE)).to_have_text("stopped", timeout=SOON_MS)
    expect(dialog).to_be_visible()
    assert visitor.evaluate("document.activeElement.outerHTML") == focused


def test_a_screen_reader_hears_of_the_state_and_not_of_every_number(visitor: Page, write: Write, running: None) -> None:
    open_live(visitor, OF_VM)
    said = visitor.locator("#live-says")
    expect(said).to_have_attribute("role", "status")
    write(CHANGES["notes"][0][0])
    expect(visitor.locator(MAIN)).to_contain_text("Ask Eve first", timeout=SOON_MS)
    expect(said).to_be_empty()
    write(STOP)
    expect(said).to_have_text(f"{VM}: stopped", timeout=SOON_MS)
    write(CHANGES["notes"][1][0])


def test_fields_filled_in_and_left_stay(visitor: Page, write: Write) -> None:
    open_live(visitor, "/journal/")
    box, verb = visitor.locator("#work [name=q]"), visitor.locator("#work select[name=verb]")
    box.fill("ev")
    verb.select_option(index=2)
    chosen = verb.input_value()
    visitor.locator("#work .filters button").focus()
    write(CHANGES["event"][0][0])
    expect(visitor.locator(MAIN)).to_contain_text("dave", timeout=SOON_MS)
    write(CHANGES["event"][1][0])
    expect(box).to_have_value("ev")
    expect(verb).to_have_value(chosen)
