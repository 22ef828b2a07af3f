"""The overview and the list of machines: search, filter, sort, page."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW

ROWS = "main tbody tr"


@pytest.mark.feature("F026", "F027", "F028", "F053")
def test_the_overview_tells_how_things_are(page):
    page.goto("/")
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    clusters = page.get_by_role("table", name="Clusters")
    for name, running in (("demo", r"\d+ of 3\d"), ("lab", r"\d+ of 1\d\d")):
        row = clusters.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))
        expect(row).to_contain_text(re.compile(running))
    expect(page.get_by_role("table", name="Machines that need attention")).to_contain_text("crashed")


@pytest.mark.feature("F124", "F125", "F126")
def test_machines_are_searched_filtered_sorted_and_paged(page):
    page.goto("/vms/")
    rows = page.locator(ROWS)
    expect(rows).to_have_count(50)
    box = page.get_by_role("searchbox", name="Name, address, tag")
    box.fill("web cluster:demo")
    box.press("Enter")
    expect(rows).to_have_count(4)
    expect(box).to_have_value("web cluster:demo")
    page.goto("/vms/?cluster=demo&q=web")
    expect(rows).to_have_count(4)
    page.get_by_role("link", name="Without cluster:demo").click()
    expect(page).not_to_have_url(re.compile("cluster"))
    page.get_by_role("navigation", name="By state").get_by_role("link", name="stopped").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("web3.example.org")
    expect(rows).to_contain_text("stopped")

    page.goto("/vms/?cluster=demo")
    page.get_by_role("columnheader", name="Memory").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Memory")).to_have_attribute("aria-sort", "descending")
    page.wait_for_load_state()  # all rows are there
    shown = page.locator("main td[data-label=Memory]").all_inner_texts()
    sizes = [_mebibytes(text) for text in shown]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) > 3

    page.goto("/vms/?cluster=lab")
    first = page.locator(ROWS).first.inner_text()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text(re.compile(r"51.100 of 1\d\d machines"))
    expect(page).to_have_url(re.compile("cluster=lab"))
    assert page.locator(ROWS).first.inner_text() != first


def _mebibytes(text: str) -> float:
    number, unit = text.replace("\xa0", " ").split()
    return float(number.replace(",", "")) * {"MiB": 1, "GiB": 1024, "TiB": 1024**2}[unit]


@pytest.mark.feature("F124")
def test_nothing_found_says_so_and_leads_back(page):
    page.goto("/vms/?q=no-such-machine")
    expect(page.get_by_role("heading", name="No machine matches")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(ROWS).first).to_be_visible()


@pytest.mark.feature("F054", "F056", "F059", "F131", "F132", "F133", "F134", "F135", "F141", "F220", "F221", "F222")
def test_from_a_cluster_to_its_node_to_its_machine(page):
    page.goto("/clusters/")
    page.locator("main").get_by_role("link", name="demo", exact=True).click()
    expect(page.get_by_role("heading", name="demo")).to_be_visible()
    tabs = page.get_by_role("navigation", name="Parts of the cluster")
    tabs.get_by_role("link", name="Nodes").click()
    expect(page.locator(ROWS)).to_have_count(5)
    page.locator("main").get_by_role("link", name="gnt1.example.org", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("gnt1.example.org")
    expect(page.get_by_text("Memory allocated")).to_be_visible()
    page.get_by_role("navigation", name="Parts of the node").get_by_role("link", name="Primary").click()
    # its disk is a file: the demo, in which something goes on, moves it nowhere
    page.locator("main").get_by_role("link", name="ns1.example.org", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ns1.example.org")
    for fact in ("Primary node", "Secondary node", "Operating system"):
        expect(page.locator("dt", has_text=fact)).to_be_visible()
    tabs = page.get_by_role("navigation", name="Parts of the machine")
    tabs.get_by_role("link", name="Parameters").click()
    expect(page.get_by_text("vnc_bind_address")).to_be_visible()
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="demo").click()
    page.get_by_role("navigation", name="Parts of the cluster").get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("table", name="Jobs")).to_be_visible()


@pytest.mark.feature("G026")
def test_on_a_phone_the_navigation_folds_and_tables_stack(person, demo):
    page = person(demo, viewport=NARROW)
    page.goto("/vms/?cluster=demo")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    nav = page.get_by_role("navigation", name="Main")
    expect(nav).not_to_be_in_viewport()
    page.get_by_role("link", name="Navigation").click()
    expect(nav).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(nav).not_to_be_in_viewport()
    first, second = page.locator(ROWS).nth(0), page.locator(ROWS).nth(1)
    assert first.bounding_box()["height"] > 60
    assert second.bounding_box()["y"] >= first.bounding_box()["y"] + first.bounding_box()["height"] - 1


@pytest.mark.feature("G026")
def test_the_theme_stays(person, demo):
    page = person(demo, color_scheme="light")
    page.goto("/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/vms/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.locator("[data-theme-menu] > summary").click()
    page.get_by_role("button", name="As the system").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light
