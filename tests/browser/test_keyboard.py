"""Everything by keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.feature("G026")


def tab_until(page, place, limit=60):
    """Press Tab until an element has the focus; how often it took."""
    for count in range(1, limit):
        page.keyboard.press("Tab")
        if place.evaluate("element => element === document.activeElement"):
            return count
    raise AssertionError(f"not reached by {limit} presses of Tab")


def test_search_help_and_go_to(page):
    page.goto("/about/")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search machines")).to_be_focused()
    page.keyboard.type("db1 cluster:demo")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/vms/"))
    page.wait_for_load_state()  # what is pressed before its scripts are there is not heard
    page.keyboard.press("n")
    expect(page.get_by_role("link", name="db1.example.org", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("db1.example.org")
    page.wait_for_load_state()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).not_to_be_visible()
    for letter, path in (("v", "/vms/"), ("c", "/clusters/"), ("n", "/nodes/"), ("j", "/jobs/"), ("o", "/")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page).to_have_url(re.compile(re.escape(path) + "$"))
        page.wait_for_load_state()


def test_a_page_that_is_a_form_begins_in_its_first_field(page, watch):
    watch.allow(422)
    page.goto("/templates/demo/small/")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/vms/create/"))
    expect(page.locator("main [name=name]")).to_be_focused()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("main [data-takes-focus]")).to_be_focused()  # without a name: what is wrong comes first
    for url, name in (
        ("/vms/create/?cluster=demo", "name"),
        ("/people/add/", "username"),
        ("/templates/create/", "name"),
        ("/teams/do/create/", "name"),
        ("/requests/machine/", "cluster"),
        ("/clusters/add/", "host"),
        ("/clusters/lab/vms/vm118.example.org/do/grant/", "who"),
    ):
        page.goto(url)
        expect(page.locator(f"main [name={name}]")).to_be_focused()


def test_the_first_stop_skips_to_the_page(page):
    page.goto("/clusters/lab/vms/vm119.example.org/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    assert tab_until(page, page.locator("#vm-head").get_by_role("link", name="Shut down", exact=True)) <= 6


def test_a_dialog_is_answered_and_left_by_keys(page, lab):
    page.goto("/clusters/lab/vms/vm118.example.org/")
    opener = page.locator("#vm-head").get_by_role("link", name="Reboot", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog#dialog")
    expect(dialog).to_be_visible()
    assert page.evaluate("document.querySelector('dialog#dialog').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(opener).to_be_focused()


def test_a_menu_opens_and_walks_by_arrows(page):
    page.goto("/clusters/lab/vms/vm118.example.org/")
    summary = page.locator("#vm-head details.menu > summary")
    summary.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#vm-head details.menu .menu-panel :is(a, button)").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(summary).to_be_focused()


def test_a_dialog_opened_from_a_menu_gives_the_focus_back_to_the_menu(page):
    page.goto("/clusters/lab/vms/vm118.example.org/")
    summary = page.locator("#vm-head details.menu > summary")
    summary.focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#vm-head details.menu .menu-panel :is(a, button)").last).to_be_focused()
    page.locator("#vm-head #do-shutdown-now").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog#dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(summary).to_be_focused()


def test_a_tag_that_does_not_fit_is_shown_while_it_has_the_focus(page):
    page.goto("/vms/?cluster=demo")
    fits = """tag => {
        const [name, box] = [tag.parentElement.getBoundingClientRect(), tag.getBoundingClientRect()];
        return box.bottom <= name.bottom + 1 && box.right <= name.right + 1; }"""
    tags = page.locator("main td.name .chip").all()
    tag = next(each for each in tags if not each.evaluate(fits))
    tag.locator("xpath=../a[1]").focus()
    tab_until(page, tag, limit=4)
    assert tag.evaluate(fits)


@pytest.fixture
def held(lab):
    """Jobs that do not go on, so that they can be looked at."""
    lab.hold_jobs()
    yield
    lab.release_jobs()


def test_the_jobs_open_and_close_by_keys_and_keep_the_focus(page, held):
    page.goto("/clusters/lab/vms/vm115.example.org/")
    page.locator("#vm-head #do-reboot").click()
    page.locator("dialog#dialog").get_by_role("button", name="Reboot", exact=True).click()
    expect(page.locator("dialog#dialog")).not_to_be_visible()  # it gives the focus back when it closes
    summary, jobs = page.locator("#dock summary"), page.locator("#dock details")
    expect(summary).to_be_visible()
    page.keyboard.press("j")
    expect(summary).to_be_focused()
    expect(jobs).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    expect(page.locator("#dock .dock-panel a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(jobs).not_to_have_attribute("open", "")
    expect(summary).to_be_focused()
