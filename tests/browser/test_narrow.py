"""Phones: nothing off the screen, nothing too small for a finger, and Back closes a dialog instead of leaving."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.addresses import Address, list_pages
from tests.browser.messages import hear
from tests.browser.waiting import wait_for_script

pytestmark = pytest.mark.feature("G026")
PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 320, "height": 640}}
# Links within running text are as high as their line (WCAG 2.5.8 exempts them); what is not shown can't be pressed;
# the target of a radio button is its label.
SMALL = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, textarea")]
    .filter(each => each.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !each.closest(".skip"))
    .filter(each => !(each.matches("a") && getComputedStyle(each).display === "inline"))
    .filter(each => !each.matches("[type=radio], [type=checkbox]") || !each.labels.length)
    .map(each => [each, each.getBoundingClientRect()])
    .filter(([each, box]) => box.width && (box.height < 23.5 || box.width < 23.5))
    .map(([each, box]) => `${each.outerHTML.slice(0, 120)} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
# A phone shows a page that is too wide smaller: its window grows with it, its screen doesn't.
TOO_WIDE = "document.documentElement.scrollWidth - screen.width"
OUTSIDE = """() => [...document.querySelectorAll(
        ".tabs a, .segments a, .dock summary *, .dock-line *, .head .actions > *")]
    .filter(each => each.checkVisibility({visibilityProperty: true}))
    .map(each => [each, each.getBoundingClientRect()])
    .filter(([each, box]) => box.width && (box.right > innerWidth + 1 || box.left < -1))
    .map(([each]) => each.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="session")
def job(demo):
    """The number of a job of the demo's."""
    return demo.read("Job.objects.filter(cluster__slug='demo', status='success').latest('ganeti_id').ganeti_id")


@pytest.mark.parametrize("address", list_pages(), ids=lambda address: address.name)
def test_everything_can_be_reached_and_pressed(person, demo, job, watch, address: Address):
    watch.allow(403, 404, 405)
    page = person.stranger(demo, **PHONE) if address.name == "login" else person(demo, **PHONE)
    page.goto(address.for_job(job))
    expect(page.locator("h1")).to_have_count(1)
    assert page.evaluate(TOO_WIDE) <= 0
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(SMALL) == []


@pytest.mark.feature("F009")
@pytest.mark.parametrize("language", ["el", "es"])
def test_the_longer_words_of_other_languages_fit(person, demo, language):
    page = person(demo, locale=language, **PHONE)
    machine = "clusters/demo/vms/web1.example.org/"
    for path in (
        "",
        "vms/",
        "clusters/demo/",
        "jobs/",
        "journal/",
        "account/",
        "vms/create/",
        machine,
        f"{machine}edit/",
    ):
        page.goto(f"/{path}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert page.evaluate(TOO_WIDE) <= 0, path
        assert page.evaluate(OUTSIDE) == [], path


def test_buttons_fill_their_row_and_say_why_on_the_screen(person, demo):
    page = person(demo, **PHONE)
    page.goto("/clusters/demo/vms/web3.example.org/")
    head, console = page.locator("#vm-head"), page.locator("#vm-head #do-console")
    buttons = head.locator(".actions").get_by_text(re.compile("Start|Console|More")).filter(visible=True)
    boxes = [button.bounding_box() for button in buttons.all()]
    whole = head.bounding_box()
    assert min(box["x"] for box in boxes) == pytest.approx(whole["x"], abs=20)
    assert max(box["x"] + box["width"] for box in boxes) == pytest.approx(whole["x"] + whole["width"], abs=1)
    expect(console).to_have_attribute("aria-disabled", "true")
    console.focus()
    reason = head.locator("#why-console")
    expect(reason).to_be_visible()
    box = reason.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["viewport"]["width"]


def test_back_closes_a_dialog_and_stays_on_the_page(page):
    page.goto("/vms/")
    path = "/clusters/lab/vms/vm117.example.org/"
    page.goto(path)
    for closes in (page.go_back, lambda: page.keyboard.press("Escape")):
        page.locator("#vm-head").get_by_role("link", name="Reboot", exact=True).click()
        dialog = page.locator("dialog#dialog")
        expect(dialog).to_be_visible()
        closes()
        expect(dialog).not_to_be_visible()
        assert page.url.endswith(path)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).not_to_be_visible()
    assert page.url.endswith(path)
    page.go_back()
    expect(page).to_have_url("/vms/")


def test_a_link_pressed_right_after_a_dialog_is_followed_and_back_from_there_returns(page):
    path = "/clusters/lab/vms/vm117.example.org/"
    page.goto("/vms/")
    page.goto(path)
    for _ in range(3):
        page.get_by_role("button", name="Keyboard shortcuts").click()
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        page.evaluate("""() => {
            document.querySelector("dialog[open]").close();
            document.querySelector('[data-go="c"]').click(); }""")
        expect(page).to_have_url("/clusters/")
        page.go_back()
        expect(page.locator("h1")).to_have_text("vm117.example.org")
    page.go_back()
    expect(page).to_have_url("/vms/")


def test_back_after_a_form_in_a_dialog_leads_to_the_page_it_was_on(page):
    page.goto("/vms/")
    path = "/clusters/lab/vms/vm116.example.org/"
    page.goto(path)
    page.locator("#vm-head").get_by_role("link", name="Shut down", exact=True).click()
    page.locator("dialog#dialog").get_by_role("button", name="Shut down", exact=True).click()
    hear(page, "job")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Jobs").click()
    expect(page).to_have_url("/jobs/")
    page.go_back()
    expect(page.locator("h1")).to_have_text("vm116.example.org")
    page.go_back()
    wait_for_script(page, "history.state?.dialog")
    expect(page.locator("h1")).to_have_text("vm116.example.org")
    page.go_back()
    expect(page).to_have_url("/vms/")
