"""Phones: other languages fit, buttons fill their row, and Back closes a dialog instead of leaving.

What is too wide or too small on any page: see test_every_page.py.
"""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.browser.messages import hear
from tests.browser.phone import OUTSIDE, PHONE, TOO_WIDE
from tests.browser.waiting import wait_for_script

pytestmark = pytest.mark.feature("G026")
# A card shows nothing of what is wider than itself.
CUT = """() => [...document.querySelectorAll("main .card")]
    .filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.innerText.slice(0, 120))"""


@pytest.fixture(scope="module")
def failed_job(demo):
    """A job of which the dock tells that it failed, beside what is in progress."""
    pk = demo.read("Job.objects.filter(cluster__slug='demo', status='success').earliest('ganeti_id').pk")
    change = f"Job.objects.filter(pk={pk}).update"
    assert demo.read(f"{change}(status='error', cleared_at=None, ended_at={datetime.now(UTC).isoformat()!r})") == 1
    yield
    demo.read(f"{change}(status='success')")


@pytest.mark.feature("F009")
@pytest.mark.usefixtures("failed_job")
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
        expect(page.locator(".dock [data-says=dock-failed]")).to_be_visible()
        assert page.evaluate(TOO_WIDE) <= 0, path
        assert page.evaluate(OUTSIDE) == [], path


@pytest.mark.feature("F013")
def test_by_how_much_a_quota_is_exceeded_stays_within_its_card(person, demo):
    demo.manage("operate", "vm.set-owner", "demo/web1.example.org", "--as=admin", "--set=owner=admin")
    demo.manage("operate", "cluster.set-quota", "demo", "--as=admin", "--set=who=admin", "--set=memory_mib=1023 MiB")
    page = person(demo, **PHONE)
    page.goto("/usage/")
    expect(page.locator(".meter-figures.is-bad")).to_contain_text("exceeded by")
    assert page.evaluate(CUT) == []
    demo.manage("operate", "cluster.remove-quota", "demo", "--as=admin", "--set=who=admin")
    demo.manage("operate", "vm.set-owner", "demo/web1.example.org", "--as=admin", "--set=owner=")


@pytest.mark.feature("F277")
def test_a_new_token_and_its_command_are_read_whole(person, demo):
    page = person(demo, **PHONE)
    page.goto("/account/tokens/")
    page.get_by_label("Name").fill("phone")
    page.get_by_label("For the keys of").fill("demo")
    page.get_by_role("button", name="Add token").click()
    expect(page.get_by_role("heading", name="The new token")).to_be_visible()
    assert page.evaluate(CUT) == []


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
