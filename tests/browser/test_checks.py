"""Asking Ganeti beforehand and looking at what would change, with and without a script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.waiting import reload_until

pytestmark = pytest.mark.feature("G053")


@pytest.mark.parametrize("with_script", [True, False])
def test_checked_then_looked_at_and_not_done(person, demo, machine, with_script):
    page = person(demo, java_script_enabled=with_script)
    page.goto(f"/clusters/lab/vms/{machine}/do/reboot/")
    expect(page.get_by_role("button", name="Show changes")).to_have_count(0)
    page.get_by_role("spinbutton").fill("7")
    page.get_by_role("button", name="Check").click()
    answer = page.locator("#check")
    expect(page).to_have_url(re.compile(r"\?check="))
    if with_script:
        expect(answer).to_contain_text("Ganeti would do it")
    else:
        reload_until(page, answer, "Ganeti would do it")
    expect(page.get_by_role("spinbutton")).to_have_value("7")
    if with_script:
        assert check(page) == []
    answer.get_by_role("link", name=re.compile("^job ")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Job "))
    expect(page.locator("main")).to_contain_text("Check: Reboot")


def test_who_may_not_look_any_more_is_told_why_and_asks_no_more(person, demo, lab, machine, watch):
    watch.allow(403, "Error Code 403")  # htmx tells of it, too
    page = person(demo)
    lab.hold_jobs()
    try:
        page.goto(f"/clusters/lab/vms/{machine}/do/reboot/")
        page.get_by_role("button", name="Check").click()
        expect(page.locator("#check")).to_contain_text("being checked")
        why = "<h1>You may not do this</h1>"
        page.route("**/do/reboot/?check=*", lambda route: route.fulfill(status=403, content_type="text/html", body=why))
        expect(page.get_by_role("heading", level=1)).to_have_text("You may not do this")
        expect(page.locator("#check")).to_have_count(0)
    finally:
        lab.release_jobs()
