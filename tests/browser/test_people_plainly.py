"""Teams, rights, quotas and requests without a script, and without a mouse."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.keyboard import Keyboard
from tests.browser.product import ADMIN, PASSWORD
from tests.browser.test_real_team import do

pytestmark = pytest.mark.feature("G026")


def test_a_team_is_set_up_asks_for_more_and_gets_it_without_a_script(person, demo):
    demo.add_person("pam", PASSWORD)
    admin, pam = (person(demo, name, java_script_enabled=False) for name in (ADMIN, "pam"))
    admin.goto("/teams/do/create/")
    admin.get_by_label("Name", exact=True).fill("plain")
    admin.get_by_role("button", name="Create team").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("plain")
    admin.get_by_role("link", name="Add member").click()
    admin.get_by_label("Who", exact=True).fill("pam")
    admin.locator("main").get_by_role("button", name="Add member").click()
    expect(admin.locator("main tbody")).to_contain_text("pam")
    do(admin, "/clusters/demo/do/grant/", who="@plain", verbs="create_vm")
    do(admin, "/clusters/demo/do/set-quota/", who="@plain", vcpus="4")

    pam.goto("/acting/")
    pam.locator("main").get_by_role("button", name=re.compile("plain")).click()
    expect(pam.locator(".persona").first).to_contain_text("plain")
    pam.goto("/usage/")
    expect(pam.locator("main")).to_contain_text("0 of 4")
    pam.get_by_role("link", name="Ask for more").first.click()
    pam.get_by_label("vCPUs").fill("8")
    pam.get_by_label("What for").fill("Two more web servers")
    pam.locator("main").get_by_role("button", name="Ask").click()
    expect(pam.get_by_role("button", name="Ask", exact=True)).to_have_count(0)  # it has been asked
    admin.goto("/requests/")
    admin.locator("main tbody").get_by_role("link").first.click()
    expect(admin.locator("main")).to_contain_text("Two more web servers")
    admin.get_by_role("link", name="Approve").click()
    admin.locator("main").get_by_role("button", name=re.compile("Approve")).first.click()
    expect(admin).not_to_have_url(re.compile("/do/"))
    pam.goto("/usage/")
    expect(pam.locator("main")).to_contain_text("0 of 8")
    do(admin, "/clusters/demo/do/remove-quota/", who="@plain")
    admin.goto("/journal/?q=plain")
    expect(admin.locator("main tbody")).to_contain_text("8")


def test_a_right_is_granted_explained_and_revoked_without_a_mouse(page, demo):
    demo.add_person("kim", PASSWORD)
    page.goto("/clusters/demo/rights/")
    keys = Keyboard(page)
    dialog = page.locator("dialog#dialog")
    keys.tab_to(page.locator("main").get_by_role("link", name="Grant rights"), limit=40)
    keys.press("Enter")
    expect(dialog.get_by_label("Who", exact=True)).to_be_focused()
    keys.type("kim")
    keys.tab_to(dialog.get_by_role("checkbox", name=re.compile("migrate")))
    keys.press("Space")
    keys.tab_to(dialog.get_by_role("button", name="Grant rights"))
    keys.press("Enter")
    row = page.locator("main tbody tr", has_text="kim")
    expect(row).to_contain_text("migrate")
    keys.tab_to(row.get_by_role("link", name="Revoke"), limit=60)
    keys.press("Enter")
    expect(dialog).to_be_visible()
    keys.tab_to(dialog.get_by_role("button", name="Revoke rights"))
    keys.press("Enter")
    expect(row).to_have_count(0)
