"""Pictures of screens in the browser, on the demo's machines."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.waiting import wait_for

AS_OF = re.compile(r"As of \d\d:\d\d:\d\d")
IS_DRAWN = "(image) => image.complete && image.naturalWidth > 100"


@pytest.mark.feature("G038")
def test_a_machines_page_shows_its_screen_and_leads_to_the_console(page):
    page.goto("/clusters/demo/vms/web1.example.org/")
    card = page.locator("#vm-screen")
    expect(card).to_contain_text(AS_OF)
    picture = card.get_by_role("img", name="Screen of web1.example.org")
    expect(picture).to_be_visible()
    wait_for(page, lambda: picture.evaluate(IS_DRAWN), "the picture is drawn")
    card.get_by_role("button", name="Renew").click()
    expect(card.locator("figure")).to_have_attribute("aria-busy", "false")
    expect(picture).to_be_visible()
    picture.click()
    expect(page).to_have_url(re.compile("/console/$"))


@pytest.mark.feature("G038")
@pytest.mark.parametrize("way", ["pointer", "keyboard"])
def test_a_list_shows_the_screen_beside_the_name(page, way):
    page.goto("/vms/?cluster=demo&q=web")
    name = page.locator("main tbody").get_by_role("link", name="web2.example.org", exact=True)
    peek = page.locator("#screen-peek")
    if way == "pointer":
        name.hover()
    else:
        page.keyboard.press("Tab")  # from here on the focus is the keyboard's
        name.focus()
    expect(peek).to_contain_text(AS_OF)
    expect(peek.get_by_role("img", name="Screen of web2.example.org")).to_be_visible()
    expect(name).to_have_accessible_description(AS_OF)
    page.keyboard.press("Escape")
    expect(peek).not_to_be_visible()
    if way == "pointer":
        page.locator("main tbody").get_by_role("link", name="web3.example.org", exact=True).hover()  # it is stopped
        expect(peek).not_to_be_visible()
