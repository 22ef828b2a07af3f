"""Every page, light and dark, wide and narrow: no violation by axe-core, nothing wider than the screen."""

import pytest
from playwright.sync_api import expect

from tests.browser.addresses import Address, list_pages
from tests.browser.axe import check
from tests.browser.conftest import NARROW, WIDE

pytestmark = pytest.mark.feature("G026")


@pytest.fixture(scope="session")
def job(demo):
    """The number of a job of the demo's."""
    return demo.read("Job.objects.filter(cluster__slug='demo', status='success').latest('ganeti_id').ganeti_id")


def show_theme(page, theme):
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)


@pytest.mark.parametrize("address", list_pages(), ids=lambda address: address.name)
def test_nothing_keeps_anybody_out(person, demo, job, watch, address: Address):
    watch.allow(403, 404, 405)
    page = person.stranger(demo) if address.name == "login" else person(demo)
    page.goto(address.for_job(job))
    expect(page.locator("h1")).to_have_count(1)
    found = {}
    for width, themes in ((WIDE, ("light", "dark")), (NARROW, ("dark", "light"))):
        page.set_viewport_size(width)
        for theme in themes:
            show_theme(page, theme)
            found[f"{width['width']} {theme}"] = check(page)
        overhang = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found[f"{width['width']} too wide"] = [f"{overhang} px"] if overhang > 0 else []
    assert {where: what for where, what in found.items() if what} == {}
