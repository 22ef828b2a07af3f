"""Every page, light and dark, wide and narrow: no violation by axe-core, nothing wider than the screen.

With `PICTURES=DIR` in the environment each is kept there as a picture, for people to look at.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.addresses import Address, list_pages
from tests.browser.axe import OF_COLOURS, SHOW, check
from tests.browser.conftest import NARROW, WIDE

pytestmark = pytest.mark.feature("G026")
LOOKS = [(WIDE, "light", None), (WIDE, "dark", OF_COLOURS), (NARROW, "dark", None)]


@pytest.fixture(scope="session")
def job(demo):
    """The number of a job of the demo's."""
    return demo.read("Job.objects.filter(cluster__slug='demo', status='success').latest('ganeti_id').ganeti_id")


@pytest.mark.parametrize("address", list_pages(), ids=lambda address: address.name)
def test_nothing_keeps_anybody_out(person, demo, job, watch, address: Address):
    watch.allow(403, 404, 405)
    page = person.stranger(demo) if address.name == "login" else person(demo)
    page.goto(address.for_job(job))
    expect(page.locator("h1")).to_have_count(1)
    found = {}
    for size, theme, rules in LOOKS:
        page.set_viewport_size(size)
        page.evaluate(SHOW, theme)
        look = f"{size['width']} {theme}"
        found[look] = check(page, rules=rules)
        overhang = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found[look] += [f"{overhang} px too wide"] if overhang > 0 else []
        if pictures := os.environ.get("PICTURES"):
            page.screenshot(path=Path(pictures) / f"{address.name} {look}.png".replace(" ", "_"))
    assert {look: what for look, what in found.items() if what} == {}
