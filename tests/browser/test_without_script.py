"""The same work with JavaScript switched off."""

import re

import pytest
from playwright.sync_api import expect

from simulator import Simulator
from tests.browser.messages import SENT
from tests.browser.product import ADMIN, PASSWORD
from tests.browser.waiting import reload_until

pytestmark = pytest.mark.feature("G026")


@pytest.fixture
def plain(person, demo):
    """The administrator, without a script."""
    return person(demo, java_script_enabled=False)


def test_sign_in(person, demo):
    page = person.stranger(demo, java_script_enabled=False)
    page.goto("/jobs/")
    page.get_by_label("User name").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()


def test_lists(plain):
    plain.goto("/vms/?cluster=demo")
    box = plain.get_by_role("searchbox", name="Name, address, tag")
    box.fill("db")
    plain.get_by_role("button", name="Filter").click()
    expect(plain.get_by_role("link", name="db1.example.org", exact=True)).to_be_visible()
    plain.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(plain.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", re.compile("ending"))
    expect(plain.get_by_text("Pop out")).to_have_count(0)


def test_power_and_job(plain, lab, machine):
    plain.goto(f"/clusters/lab/vms/{machine}/")
    head = plain.locator("#vm-head")
    head.get_by_role("link", name="Shut down", exact=True).click()
    expect(plain.get_by_role("heading", name=f"Shut down {machine}?").last).to_be_visible()
    plain.locator("#confirm").get_by_role("button", name="Shut down", exact=True).click()
    expect(plain.locator("#toasts")).to_contain_text(re.compile(SENT))
    reload_until(plain, head.locator(".state"), "^stopped$")
    head.get_by_role("link", name="Start", exact=True).click()
    plain.locator("#confirm").get_by_role("button", name="Start", exact=True).click()
    expect(plain.locator("#toasts")).to_contain_text(re.compile(SENT))
    reload_until(plain, head.locator(".state"), "^running$")
    plain.goto(f"/clusters/lab/vms/{machine}/jobs/")
    plain.locator("main tbody a").first.click()
    expect(plain.get_by_role("heading", level=1)).to_have_text(re.compile(r"Job \d+"))
    reload_until(plain, plain.locator("#job-live .state").first, "succeeded")


def test_add_a_cluster(plain):
    with Simulator(nodes=1, instances=2) as simulator:
        plain.goto("/clusters/add/")
        plain.get_by_label("Address").fill(simulator.host)
        plain.get_by_label("Port").fill(str(simulator.port))
        plain.get_by_role("button", name="Connect").click()
        plain.get_by_label("RAPI user").fill(simulator.username)
        plain.get_by_label("Password").fill(simulator.password)
        plain.get_by_label("Short name").fill("plain")
        plain.get_by_role("button", name="Test and continue").click()
        plain.get_by_role("button", name="Add the cluster").click()
        expect(plain).to_have_url(re.compile("/clusters/plain/$"))
        reload_until(plain, plain.locator("main"), r"of 2\b")
        plain.goto("/clusters/plain/do/remove/")
        plain.get_by_label("Its name").fill("plain")
        plain.locator("#confirm").get_by_role("button", name=re.compile("Remove")).click()
        expect(plain).to_have_url(re.compile("/clusters/$"))


def test_the_console_says_that_it_needs_a_script(plain):
    plain.goto("/clusters/demo/vms/web1.example.org/console/")
    expect(plain.get_by_text("can't be shown without JavaScript")).to_be_visible()
