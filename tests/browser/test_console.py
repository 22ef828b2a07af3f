"""The console in the browser, on the demo's machines."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.messages import SENT, hear
from tests.browser.screens import canvas, colors, pixels, wait_connected, wait_for_change, wait_until_still
from tests.browser.waiting import wait_for

# The layout shifts so far, and what moved.
SHIFTS = """() => new Promise((done) => {
    let sum = 0;
    const from = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            if (!entry.hadRecentInput) sum += entry.value;
            from.push(...entry.sources.map((each) => each.node?.outerHTML?.slice(0, 80)));
        }
    }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done([sum, from]), 300);
})"""
CLOCK = 16  # rows of pixels at the top of the demo's screens that change every second


def open_console(page, name, cluster="demo"):
    page.goto(f"/clusters/{cluster}/vms/{name}.example.org/console/")


def panel(page):
    return page.locator("[data-console]")


@pytest.mark.feature("F206", "F209", "F211")
def test_pixels_appear_and_a_key_changes_them(page):
    open_console(page, "web1")
    wait_connected(page)
    expect(canvas(page)).to_have_attribute("aria-label", "Screen of web1.example.org")
    before = wait_until_still(page, CLOCK)
    assert len(colors(page, CLOCK)) >= 3
    canvas(page).click()
    page.keyboard.type("whoami")
    after = wait_for_change(page, before, CLOCK)
    page.keyboard.press("Enter")
    wait_for_change(page, after, CLOCK)
    page.get_by_role("button", name="Disconnect").click()
    expect(panel(page)).to_have_attribute("data-state", "off")
    panel(page).locator(".console-bar").get_by_role("button", name="Connect").click()
    wait_connected(page)


@pytest.mark.feature("F206")
def test_the_guests_own_password_is_never_the_browsers(page):
    open_console(page, "ldap")
    wait_connected(page)
    wait_for(page, lambda: len(set(pixels(page, CLOCK))) > 1, "something on the screen")


@pytest.mark.feature("F212")
def test_ctrl_alt_del_asks_first(page):
    open_console(page, "web2")
    wait_connected(page)
    page.get_by_role("button", name="Ctrl-Alt-Del", exact=True).click()
    asked = page.get_by_role("dialog", name="Send Ctrl-Alt-Del?")
    expect(asked).to_be_visible()
    asked.get_by_role("button", name="Cancel").click()
    expect(asked).not_to_be_visible()
    page.get_by_role("button", name="Ctrl-Alt-Del", exact=True).click()
    asked.get_by_role("button", name="Send Ctrl-Alt-Del").click()
    expect(asked).not_to_be_visible()
    wait_connected(page)


@pytest.mark.feature("G006", "F214", "F144")
def test_it_comes_back_after_a_reboot_from_its_own_buttons(page, watch):
    watch.allow(409, "Failed when connecting", "Connection closed")
    open_console(page, "mail")
    wait_connected(page)
    page.evaluate("window.markOfTheTest = true")
    fresh = wait_until_still(page, CLOCK)
    canvas(page).click()
    page.keyboard.type("gone after the reboot")
    wait_for_change(page, fresh, CLOCK)
    before = wait_until_still(page, CLOCK)
    page.locator("#vm-head").get_by_role("link", name="Reboot", exact=True).click()
    page.locator("dialog#dialog").get_by_role("button", name="Reboot", exact=True).click()
    hear(page, SENT)
    expect(panel(page)).to_have_attribute("data-state", re.compile("waiting|connecting"))
    wait_connected(page)
    wait_for_change(page, before, CLOCK)
    assert page.evaluate("window.markOfTheTest")


@pytest.mark.feature("F206")
def test_a_stopped_machine_says_why_there_is_no_screen(page):
    open_console(page, "web3")
    expect(panel(page)).to_contain_text("The machine is not running")
    expect(canvas(page)).to_have_count(0)
    page.goto("/clusters/demo/vms/legacy-erp.example.org/console/")
    expect(panel(page)).to_contain_text("no graphical console")


@pytest.mark.feature("F206", "F142")
def test_a_stopped_machine_is_started_from_the_screens_place(page, watch):
    watch.allow(409, "Failed when connecting", "Connection closed")
    open_console(page, "db2")
    wait_connected(page)
    page.locator("#vm-head").get_by_role("link", name="Shut down", exact=True).click()
    page.locator("dialog#dialog").get_by_role("button", name="Shut down", exact=True).click()
    panel(page).get_by_role("link", name="Start", exact=True).click()
    page.locator("dialog#dialog").get_by_role("button", name="Start", exact=True).click()
    wait_connected(page)


@pytest.mark.feature("G049")
def test_nothing_moves_on_a_phone(person, demo):
    phone = person(demo, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    open_console(phone, "db1")
    wait_connected(phone)
    phone.wait_for_load_state("networkidle")
    moved, what = phone.evaluate(SHIFTS)
    assert moved <= 0.02, what


@pytest.mark.feature("F206")
def test_keys_come_back_to_the_page(page):
    open_console(page, "db1")
    wait_connected(page)
    expect(canvas(page)).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("v")
    expect(page).to_have_url(re.compile("/console/$"))
    page.keyboard.press("Control+Alt+Shift")
    expect(canvas(page)).not_to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("v")
    expect(page).to_have_url(re.compile("/console/$"))


@pytest.mark.feature("F213")
def test_it_moves_into_a_window_of_its_own(page):
    open_console(page, "db2")
    wait_connected(page)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Pop out").click()
    window = opened.value
    wait_connected(window)
    wait_for(window, lambda: len(colors(window, CLOCK)) >= 2, "something on the screen")
    expect(panel(page)).to_have_attribute("data-state", "off")
    expect(panel(page)).to_contain_text("Shown in a window of its own.")
    window.close()
    wait_connected(page)


@pytest.mark.feature("F206")
def test_a_page_without_its_scripts_does_not_connect_for_ever(page, watch):
    watch.allow("net::ERR_FAILED")
    page.route("**/js/console-line*.js", lambda route: route.abort())
    open_console(page, "web1")
    expect(panel(page)).to_contain_text("Connecting …")
    expect(panel(page).locator(".console-first").get_by_text("Not connected")).not_to_be_visible()
    quick = page.context.new_cdp_session(page)
    quick.send("Animation.enable")
    quick.send("Animation.setPlaybackRate", {"playbackRate": 1000})
    expect(panel(page).locator(".console-first").get_by_text("Not connected")).to_be_visible()
    expect(panel(page).locator(".console-first").get_by_text("Connecting …")).not_to_be_visible()
    page.unroute("**/js/console-line*.js")
    panel(page).get_by_role("link", name="Reload").click()
    wait_connected(page)
    expect(panel(page).locator(".console-first").get_by_text("Not connected")).to_have_count(0)


@pytest.mark.feature("F206")
def test_what_is_never_answered_ends_and_says_so(page):
    """Each try may take most of a minute, so that it is not their number alone that ends it."""
    tries = []

    def cut_off(route):
        tries.append(route)
        route.fulfill(status=200, content_type="application/json", body='{"ticket": "')

    page.route("**/console/ticket/", cut_off)
    page.clock.install()
    open_console(page, "web1")
    expect(panel(page)).to_have_attribute("data-state", "waiting")
    page.clock.fast_forward(61_000)
    expect(panel(page)).to_have_attribute("data-state", "failed")
    expect(panel(page)).to_contain_text("Ganeti Web Manager does not answer.")
    assert len(tries) < 5
    page.unroute("**/console/ticket/")
    panel(page).get_by_role("button", name="Connect now").click()
    wait_connected(page)


@pytest.mark.feature("F206")
def test_a_page_that_was_put_aside_connects_anew_when_it_comes_back(page):
    open_console(page, "web1")
    wait_connected(page)
    asked = []
    page.on("request", lambda request: request.url.endswith("/console/ticket/") and asked.append(request))
    for name in ("pagehide", "pageshow"):
        page.evaluate("name => dispatchEvent(new PageTransitionEvent(name, { persisted: true }))", name)
    wait_for(page, lambda: asked, "a new ticket")
    wait_connected(page)
    wait_for(page, lambda: len(set(pixels(page, CLOCK))) > 1, "something on the screen")
