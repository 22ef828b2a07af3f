"""Adding and removing a cluster as a person does; a cluster is a Simulator or a GanetiCluster."""

import re

from playwright.sync_api import expect


def grouped(fingerprint):
    """As pages show a fingerprint."""
    digits = fingerprint.replace(":", "").upper()
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2))


def give_address(page, simulator):
    page.goto("/clusters/add/")
    page.get_by_label("Address").fill(simulator.host)
    page.get_by_label("Port").fill(str(simulator.port))
    page.get_by_role("button", name="Connect").click()


def add(page, simulator, slug):
    """All three steps."""
    give_address(page, simulator)
    expect(page.locator(".fingerprint")).to_have_text(grouped(simulator.fingerprint))
    page.get_by_label("RAPI user").fill(simulator.username)
    page.get_by_label("Password").fill(simulator.password)
    page.get_by_label("Short name").fill(slug)
    page.get_by_role("button", name="Test and continue").click()
    expect(page.get_by_text("The credentials work and may write.")).to_be_visible()
    page.get_by_role("button", name="Add the cluster").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(slug)


def remove(page, slug):
    """Its page may be renewed in the moment in which it is removed: a 404 is part of it."""
    page.goto(f"/clusters/{slug}/")
    page.locator(".actions details.menu > summary").click()
    page.get_by_role("link", name="Remove", exact=True).click()
    dialog = page.locator("dialog#dialog")
    dialog.get_by_label("Its name").fill(slug)
    dialog.get_by_role("button", name=re.compile("Remove")).click()
    expect(page).to_have_url(re.compile("/clusters/$"))
