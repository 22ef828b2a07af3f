"""Clusters: added by their fingerprint, edited, removed, refreshed; one that goes away and comes back."""

import re
import socket
from contextlib import closing

import pytest
from playwright.sync_api import expect

from simulator import Simulator
from tests.browser.adding import add, give_address, grouped, remove
from tests.browser.messages import hear


@pytest.fixture
def other():
    """A cluster that is there for one test, with a job clock."""
    with Simulator(nodes=2, instances=12, speed=1.0) as simulator:
        yield simulator


@pytest.fixture
def deaf():
    """A port on which nothing listens, and nothing will: it is taken."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.feature("G005", "F045", "F046", "F050", "F051", "F066", "F074")
def test_add_by_fingerprint_after_a_wrong_password(page, other, watch):
    watch.allow(422, 404)
    give_address(page, other)
    expect(page.locator(".fingerprint")).to_have_text(grouped(other.fingerprint))
    page.get_by_label("RAPI user").fill(other.username)
    page.get_by_label("Password").fill("wrong")
    page.get_by_label("Short name").fill("added")
    page.get_by_label("Description").fill("From the browser")
    page.get_by_role("button", name="Test and continue").click()
    expect(page.get_by_role("alert").first).to_contain_text("Check user and password")
    expect(page.get_by_label("RAPI user")).to_have_value(other.username)
    expect(page.get_by_label("Short name")).to_have_value("added")
    expect(page.get_by_label("Description")).to_have_value("From the browser")
    expect(page.get_by_label("Password")).to_have_value("")
    page.get_by_label("Password").fill(other.password)
    page.get_by_role("button", name="Test and continue").click()
    facts = page.locator("dl.facts")
    expect(facts).to_contain_text("Machines12")
    expect(facts).to_contain_text("Nodes2")
    page.get_by_role("button", name="Add the cluster").click()
    hear(page, "Cluster added added")
    expect(page.get_by_text("of 12").first).to_be_visible()
    remove(page, "added")


@pytest.mark.feature("F052", "F049", "F060", "F047")
def test_edit_refresh_and_remove(page, other, watch):
    watch.allow(422, 404)
    add(page, other, "edited")
    page.get_by_role("button", name="Update now").click()
    hear(page, "edited")
    page.goto("/clusters/edited/edit/")
    page.get_by_label("Description").fill("Changed")
    page.get_by_label("Read only").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This cluster is read only here")).to_be_visible()
    expect(page.locator("dd", has_text="Changed")).to_be_visible()

    page.locator(".actions details.menu > summary").click()
    page.get_by_role("link", name="Remove", exact=True).click()
    dialog = page.locator("dialog#dialog")
    dialog.get_by_label("Its name").fill("something else")
    dialog.get_by_role("button", name=re.compile("Remove")).click()
    expect(page.get_by_text("Type edited to confirm").first).to_be_visible()
    remove(page, "edited")
    page.goto("/clusters/")
    expect(page.locator("main").get_by_role("link", name="edited")).to_have_count(0)


@pytest.mark.feature("F051", "F050")
def test_a_cluster_that_does_not_answer_is_added_all_the_same(page, watch, deaf):
    watch.allow(422, 404)
    page.goto("/clusters/add/")
    page.get_by_label("Address").fill("127.0.0.1")
    page.get_by_label("Port").fill(str(deaf))
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("alert").first).to_contain_text("Check address and port")
    page.get_by_role("button", name="Add anyway").click()
    page.get_by_label("RAPI user").fill("gwm")
    page.get_by_label("Password").fill("secret")
    page.get_by_label("SHA-256 fingerprint").fill("AB" * 32)
    page.get_by_label("Short name").fill("offline")
    page.get_by_role("button", name="Test and continue").click()
    page.get_by_role("button", name="Add anyway").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("offline")
    page.goto("/")
    row = page.get_by_role("table", name="Clusters").get_by_role("row").filter(has_text="offline")
    expect(row).to_be_visible()
    remove(page, "offline")


@pytest.mark.feature("G002", "F079", "F080", "F083")
def test_a_cluster_goes_away_and_comes_back(page, other, watch):
    watch.allow(409, 404)
    add(page, other, "away")
    expect(page.get_by_text("of 12").first).to_be_visible()
    other.stop_listening()
    banner = page.locator(".banner", has_text="has not been reachable since")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("Showing data from")
    page.goto("/clusters/away/vms/vm1.example.org/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("vm1")
    expect(banner).to_be_visible()
    button = page.locator("#vm-head").get_by_role("button", name="Shut down")
    expect(button).to_have_attribute("aria-disabled", "true")
    page.goto("/clusters/lab/vms/vm120.example.org/")
    expect(page.locator("#vm-head").get_by_role("link", name="Shut down", exact=True)).to_be_visible()
    expect(banner).to_have_count(0)
    other.listen_again()
    page.goto("/clusters/away/")
    page.get_by_role("button", name="Update now").click()
    hear(page, "away")
    expect(banner).to_have_count(0)
    expect(page.locator(".head .state").first).to_have_text("healthy")
    remove(page, "away")
