"""Ticking machines, planning, confirming and following a batch, with and without a script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import NARROW, WIDE
from tests.browser.waiting import reload_until, wait_for_script

pytestmark = pytest.mark.feature("G050")


@pytest.mark.parametrize("with_script", [True, False])
def test_a_batch_from_the_list_to_its_end(person, demo, with_script):
    page = person(demo, java_script_enabled=with_script)
    page.goto("/vms/?cluster=demo&q=jenkins")
    bar = page.get_by_role("group", name="Selected machines")
    expect(bar).to_be_hidden()
    page.get_by_role("checkbox", name="jenkins.example.org").check()
    expect(bar).to_be_visible()
    if with_script:
        expect(bar).to_contain_text("Selected: 1")
    page.get_by_role("button", name="Reboot").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reboot: 1 machine?")
    plan = page.url
    looks_well(page, with_script)
    page.get_by_role("button", name="Reboot 1 machine").click()
    expect(page).to_have_url(plan)
    expect(page.get_by_role("heading", level=1)).to_have_text("Reboot: 1 machine")
    state = page.locator(".head .state")
    if with_script:
        expect(state).to_have_text(re.compile("ended"))  # the page is true without being loaded again
    else:
        reload_until(page, state, "ended")
    expect(page.locator("main tbody tr")).to_contain_text("succeeded")
    looks_well(page, with_script)
    page.goto("/batches/")
    expect(page.get_by_role("link", name="Reboot: 1 machine").first).to_be_visible()
    looks_well(page, with_script)


def test_nothing_stays_ticked_when_one_comes_back(person, demo):
    page = person(demo)
    page.goto("/vms/?cluster=demo")
    page.locator(".pick").first.check()
    page.get_by_role("button", name="Select this page").click()
    number, ticked = page.locator(".pick").count(), page.locator(".pick:checked")
    expect(ticked).to_have_count(number)
    expect(page.locator("[data-picked]")).to_have_text(str(number))
    head, matching = page.get_by_role("checkbox", name="Select this page"), page.locator("[name=all]")
    expect(head).to_be_checked()
    page.locator(".pick").first.uncheck()
    expect(head).to_be_checked(indeterminate=True)
    press_until(page, "Shift+Tab", head)
    page.keyboard.press("Space")
    expect(ticked).to_have_count(number)
    page.keyboard.press("Space")
    expect(ticked).to_have_count(0)
    head.check()
    matching.check()
    expect(ticked).to_have_count(number)
    page.locator(".pick").nth(1).uncheck()
    expect(matching).not_to_be_checked()  # it would take the row that was left out
    matching.check()
    expect(head).to_be_checked()
    page.get_by_role("button", name="Clear").click()
    expect(ticked).to_have_count(0)
    expect(head).not_to_be_checked()
    head.check()
    page.get_by_role("link", name="Journal").click()
    expect(page).to_have_url(re.compile("/journal/$"))
    page.go_back()
    expect(page.locator(".pick").first).to_be_visible()
    expect(page.locator(".pick:checked")).to_have_count(0)
    expect(page.get_by_role("group", name="Selected machines")).to_be_hidden()


def looks_well(page, with_script):
    """No violation by axe-core, nothing wider than the screen."""
    if not with_script:
        return
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        assert check(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.set_viewport_size(WIDE)


def press_until(page, key, wanted):
    """As somebody without a mouse comes there."""
    for _ in range(120):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {wanted}")


def test_a_batch_by_the_keyboard_alone(person, demo):
    page = person(demo)
    page.goto("/vms/?cluster=demo&q=wiki")
    tick = page.locator(".pick").first
    press_until(page, "Tab", tick)
    page.keyboard.press("Space")
    expect(tick).to_be_checked()
    press_until(page, "Tab", page.get_by_role("group", name="Selected machines").get_by_role("button", name="Reboot"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reboot: 1 machine?")
    page.set_viewport_size({"width": 320, "height": 640})
    wait_for_script(page, "document.documentElement.scrollWidth <= innerWidth")  # once it is laid out anew
    press_until(page, "Tab", page.get_by_role("button", name="Reboot 1 machine"))
    page.keyboard.press("Enter")
    expect(page.locator(".head .state")).to_have_text(re.compile("ended"))
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    row = page.locator("main tbody").get_by_role("link").first
    press_until(page, "Tab", row)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("wiki")


def test_the_command_of_a_plan_follows_what_is_typed(person, demo, watch):
    """By keys alone: who types sees what would be sent, and goes on typing where they were."""
    watch.allow("/vms/console/picture/")  # whoever stays on the name of a machine is shown its screen, if it has one
    page = person(demo)
    page.goto("/vms/?cluster=demo&q=wiki")
    press_until(page, "Tab", page.locator(".pick").first)
    page.keyboard.press("Space")
    bar = page.get_by_role("group", name="Selected machines")
    press_until(page, "Tab", bar.locator("summary"))
    page.keyboard.press("Enter")
    press_until(page, "Tab", bar.get_by_role("button", name="Add tags"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Add tags: 1 machine?")
    page.wait_for_load_state()  # what is typed before its scripts are there is not heard
    field, shown = page.locator("[name=tags]"), page.locator(".show-as")
    expect(field).to_be_focused()
    press_until(page, "Tab", shown.locator("summary"))
    page.keyboard.press("Enter")
    expect(shown).to_have_attribute("open", "")
    expect(shown).not_to_contain_text("gnt-instance")
    press_until(page, "Shift+Tab", field)
    page.keyboard.type("blue")
    expect(shown).to_contain_text(re.compile(r"gnt-instance add-tags wiki\S* blue\b"))
    page.keyboard.type(", green")
    expect(shown).to_contain_text(re.compile(r"gnt-instance add-tags wiki\S* blue green\b"))
    expect(shown).to_contain_text("tag=blue&tag=green")
    expect(field).to_be_focused()
    expect(field).to_have_value("blue, green")
    page.evaluate("""() => new Promise((done) => {
        document.addEventListener("renewed", done, { once: true });
        htmx.trigger(document.body, "jobs-changed");
    })""")  # the page hears of something meanwhile
    expect(shown).to_contain_text("tag=blue&tag=green")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    expect(shown).not_to_contain_text("gnt-instance")
    expect(page.get_by_role("heading", level=1)).to_have_text("Add tags: 1 machine?")  # nothing was confirmed
