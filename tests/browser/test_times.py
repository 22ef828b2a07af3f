"""Clock times in the reader's zone."""

import re

import pytest
from playwright.sync_api import expect


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
