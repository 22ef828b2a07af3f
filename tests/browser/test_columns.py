"""Choosing the columns of a list: by mouse, by keys, without a script and on a phone; it stays, and can be undone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import NARROW
from tests.browser.product import PASSWORD

pytestmark = pytest.mark.feature("G051")
LISTS = ["/vms/", "/nodes/", "/clusters/", "/jobs/", "/journal/", "/batches/?q=nothing"]


def headers(page):
    return page.locator("main thead th").all_inner_texts()


def expect_headers(page, wanted):
    """Once the page is there that comes of a choice; its address may be the one that is open already."""
    expect(page.locator("main thead th")).to_have_text(wanted, use_inner_text=True)


def menu(page):
    return page.locator("#choose-columns")


@pytest.fixture
def chooser(demo, request):
    """Somebody whose choices no other test sees."""
    name = request.node.name.replace("_", "-")[:60]
    demo.add_person(name, PASSWORD)
    demo.manage("grant", name, "admin", "--on=demo", "--as=admin")
    return {"name": name, "password": PASSWORD}


def test_columns_are_chosen_stay_and_are_reset(person, demo, chooser):
    page = person(demo, **chooser)
    page.goto("/vms/?cluster=demo&sort=-memory")
    before = headers(page)
    menu(page).locator("summary").click()
    assert check(page, "#choose-columns") == []
    menu(page).get_by_label("UUID").check()
    menu(page).get_by_label("Owner").uncheck()
    menu(page).get_by_label("Rows on a page").select_option("25")
    menu(page).get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/vms/\?cluster=demo&sort=-memory$"))
    *others, actions = [each for each in before if each != "Owner"]
    expect_headers(page, [*others, "UUID", actions])
    expect(page.locator("main tbody tr")).to_have_count(25)
    expect(page.locator("main tbody code").first).to_have_text(re.compile(r"^[0-9a-f-]{36}$"))
    page.goto("/clusters/demo/vms/")
    assert headers(page)[-2:] == ["UUID", actions]
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert "uuid" in lines[0].split(",") and "owner" not in lines[0].split(",")
    assert len(lines) > 30
    menu(page).locator("summary").click()
    menu(page).get_by_role("button", name="Reset to default").click()
    expect_headers(page, [each for each in before if each != "Cluster"])


def test_by_keys_alone(person, demo, chooser):
    page = person(demo, **chooser)
    page.goto("/nodes/")
    menu(page).locator("summary").focus()
    page.keyboard.press("ArrowDown")
    expect(menu(page).get_by_label("Cluster")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(menu(page).locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(menu(page).get_by_label("Cluster")).not_to_be_checked()
    menu(page).get_by_label("Rows on a page").focus()
    page.keyboard.press("ArrowDown")
    expect(menu(page).get_by_label("Rows on a page")).to_have_value("100")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Cluster")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="Role")).to_be_visible()


def test_without_a_script_on_a_phone(person, demo, chooser):
    page = person(demo, java_script_enabled=False, viewport=NARROW, **chooser)
    page.goto("/vms/?cluster=demo")
    menu(page).locator("summary").click()
    menu(page).get_by_label("Hypervisor").check()
    menu(page).get_by_role("button", name="Save").click()
    first = page.locator("main tbody tr").first.locator("td[data-label=Hypervisor]")
    expect(first).to_be_visible()
    expect(first).to_have_text(re.compile("kvm|xen"))


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("width", [320, 768, 1024, 1920])
def test_with_all_columns_the_page_is_no_wider_than_the_screen(person, demo, address, width):
    page = person(demo, viewport={"width": width, "height": 900})
    page.goto(f"{address}{'&' if '?' in address else '?'}columns=all")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for part in ("#filter-help", "#choose-columns"):
        page.locator(f"{part} > summary").click()
        box = page.locator(f"{part} > .menu-panel").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_filter_is_chosen_in_its_help_and_taken_away(person, demo):
    page = person(demo)
    page.goto("/jobs/")
    page.locator("#filter-help > summary").click()
    page.locator("#filter-help").get_by_role("link", name="success", exact=True).click()
    expect(page).to_have_url(re.compile("status=success"))
    page.goto("/nodes/?role=regular&q=nonsense:x")
    expect(page.get_by_text("There is no filter “nonsense:”")).to_be_visible()
    page.get_by_role("link", name="Without role:regular").click()
    expect(page).to_have_url(re.compile(r"/nodes/\?q=nonsense"))
