"""Clock times in the reader's zone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.product import PASSWORD


@pytest.mark.feature("G002")
def test_clock_times_are_the_readers_and_name_their_zone(person, demo):
    page = person(demo, timezone_id="Asia/Tokyo")
    page.goto("/clusters/demo/")
    created = page.locator("dt:text-is('Created') + dd time")
    expect(created).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d GMT\+9$"))
    assert re.search(r"UTC$", created.get_attribute("title"))
    hours = created.evaluate("time => new Date(time.dateTime).getHours()")
    assert f" {hours:02}:" in created.inner_text()


@pytest.mark.feature("G026")
def test_without_a_script_they_are_the_servers_and_name_its_zone(person, demo):
    page = person(demo, timezone_id="Asia/Tokyo", java_script_enabled=False)
    page.goto("/clusters/demo/")
    expect(page.locator("dt:text-is('Created') + dd time")).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d UTC$"))


@pytest.mark.feature("F009")
def test_clock_times_are_told_in_the_zone_and_the_language_that_one_chose(person, demo):
    demo.add_person("kenji", PASSWORD)
    page = person(demo, "kenji", PASSWORD, timezone_id="America/New_York")
    page.goto("/account/")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_label("Language").select_option("es")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Perfil")).to_be_visible()
    began = page.locator("td time[data-clock]").first
    expect(began).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d GMT\+9$"))
    hours = began.evaluate("time => (new Date(time.dateTime).getUTCHours() + 9) % 24")
    assert f" {hours:02}:" in began.inner_text()
    assert began.get_attribute("title").endswith(" JST"), "as the server has it, too"
