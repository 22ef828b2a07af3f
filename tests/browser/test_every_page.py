"""Every page, light and dark, wide, narrow and on a phone: no violation by axe-core, nothing off the screen.

Each is loaded once, in a tab that stays open, and looked at in all ways; what is wrong in any of them is told together.
With `PICTURES=DIR` in the environment each is kept there as a picture, for people to look at.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.addresses import Address, list_pages
from tests.browser.axe import OF_COLOURS, SHOW, check
from tests.browser.conftest import NARROW, WIDE, People
from tests.browser.phone import OUTSIDE, SMALL, TOO_WIDE, as_phone
from tests.browser.watching import Watch

pytestmark = pytest.mark.feature("G026")
LOOKS = [(WIDE, "light", None), (WIDE, "dark", OF_COLOURS), (NARROW, "dark", None)]


@pytest.fixture(scope="module")
def job(demo):
    """The number of a job of the demo's."""
    return demo.read("Job.objects.filter(cluster__slug='demo', status='success').latest('ganeti_id').ganeti_id")


@pytest.fixture(scope="module")
def walk(chromium, demo):
    """The administrator's tab, and what pages complain of in it."""
    watch = Watch()
    watch.allow(403, 404, 405)
    people = People(chromium, watch)
    yield people(demo), people, watch
    people.close()


def look_everywhere(page, name):
    """What is wrong with the page that is shown, by how one looks at it."""
    found = {}
    for size, theme, rules in LOOKS:
        page.set_viewport_size(size)
        page.evaluate(SHOW, theme)
        look = f"{size['width']} {theme}"
        found[look] = check(page, rules=rules)
        overhang = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found[look] += [f"{overhang} px too wide"] if overhang > 0 else []
        if pictures := os.environ.get("PICTURES"):
            page.screenshot(path=Path(pictures) / f"{name} {look}.png".replace(" ", "_"))
    with as_phone(page):
        overhang = page.evaluate(TOO_WIDE)
        found["phone"] = [f"{overhang} px too wide"] if overhang > 0 else []
        found["phone"] += [f"off the screen: {each}" for each in page.evaluate(OUTSIDE)]
        found["phone"] += [f"too small for a finger: {each}" for each in page.evaluate(SMALL)]
    return found


@pytest.mark.parametrize("address", list_pages(), ids=lambda address: address.name)
def test_nothing_keeps_anybody_out(walk, person, demo, job, address: Address):
    page, people, watch = walk
    if address.name == "login":
        page = people.stranger(demo)
    person.pages.append((demo, page))  # so that evidence is kept of it
    watch.troubles.clear()
    page.goto(address.for_job(job))
    expect(page.locator("h1")).to_have_count(1)
    found = {**look_everywhere(page, address.name), "console": watch.unexpected}
    assert {look: what for look, what in found.items() if what} == {}
