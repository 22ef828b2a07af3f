"""From nothing to a real Ganeti cluster in the browser, with what goes wrong on the way.

The labs are up before a page is opened: Chromium drops its connections whenever interfaces come or go.
"""

import os
import re
import signal
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from tests.browser.adding import add
from tests.browser.conftest import run_product
from tests.browser.messages import SENT, hear
from tests.browser.screens import canvas, pixels, wait_connected, wait_for_change, wait_until_still
from tests.browser.waiting import reload_until, wait_for
from tests.ganeti.rfb import RfbClient
from tests.up.running import eventually

pytestmark = pytest.mark.ganeti
BLUE = bytes((0, 0, 0xA8))
MANY = 1000
# What noVNC writes when the machine behind it goes away for a moment.
BREAKS = ("Failed when connecting", "Connection closed")


@pytest.fixture(scope="module")
def guest(ganeti):
    """A KVM guest that answers the keyboard."""
    return ganeti.add_guest()


@pytest.fixture(scope="module")
def product(tmp_path_factory, ganeti, ganeti_second, guest):
    """Started without the demo cluster, when the labs are up."""
    yield from run_product(tmp_path_factory.mktemp("real"), "--no-demo")


@pytest.fixture
def page(person, product, ganeti, watch):
    """The administrator's, after the cluster was added through the pages (by the first test that comes)."""
    page = person(product)
    page.goto("/clusters/")
    if not page.locator("main").get_by_role("link", name="real", exact=True).count():
        add(page, ganeti, "real")
        reload_until(page, page.locator(".head .state").first, "healthy")
    return page


def path_of(machine, slug="real"):
    return f"/clusters/{slug}/vms/{machine}/"


def state(page):
    return page.locator("#vm-head .state")


def confirm(page, label, within="#vm-head"):
    page.locator(within).get_by_role("link", name=label, exact=True).click()
    page.locator("dialog#dialog").get_by_role("button", name=label, exact=True).click()


@pytest.mark.feature("F045", "F046", "F051", "F066", "F064", "G005", "F053", "F054", "F056")
def test_a_cluster_added_by_its_fingerprint_shows_what_it_has(page, ganeti, guest):
    page.goto("/clusters/real/")
    expect(page.locator("dl.facts").first).to_contain_text(ganeti.name)
    page.goto("/clusters/real/nodes/")
    expect(page.locator("main tbody tr")).to_have_count(len(ganeti.nodes))
    page.goto("/vms/")
    expect(page.get_by_role("link", name=guest, exact=True)).to_be_visible()


@pytest.mark.feature("F206", "F209", "F134", "F136")
def test_the_console_shows_the_guests_pixels_and_types_into_it(page, ganeti, guest):
    page.goto(path_of(guest) + "console/")
    wait_connected(page)
    wait_for(page, lambda: pixels(page)[-4:-1] == BLUE, "the guest's blue screen")
    before = wait_until_still(page)
    with RfbClient(*ganeti.vnc_address(guest)) as direct:
        seen = direct.wait_until_still()
        assert before[0::4] == seen[2::4]  # red as noVNC drew it, and as QEMU has it
        assert before[2::4] == seen[0::4]
        canvas(page).click()
        page.keyboard.type("k")
        after = wait_for_change(page, before)
        assert 0 < sum(a != b for a, b in zip(before, after, strict=True)) < 9 * 16 * 4 * 2
        assert direct.wait_until_still()[2::4] == wait_until_still(page)[0::4]


@pytest.mark.feature("G006", "F214", "F142", "F231", "F237")
def test_a_reboot_from_the_console_brings_it_back(page, product, ganeti, guest, watch):
    watch.allow(409, *BREAKS)
    page.goto(path_of(guest) + "console/")
    wait_connected(page)
    canvas(page).click()
    page.keyboard.type("typed before")
    typed = wait_until_still(page)
    confirm(page, "Reboot")
    hear(page, SENT)
    panel = page.locator("[data-console]")
    expect(panel).to_have_attribute("data-state", re.compile("waiting|connecting"))
    expect(panel).to_have_attribute("data-state", "on")
    wait_for(page, lambda: pixels(page)[-4:-1] == BLUE, "the guest's blue screen after the reboot")
    assert wait_until_still(page) != typed
    number = product.read("Entry.objects.filter(verb='vm.reboot').latest('pk').job_ids[0]")
    page.goto(f"/clusters/real/jobs/{number}/")
    expect(page.locator("#job-live .state").first).to_have_text("succeeded")
    expect(page.get_by_text("admin", exact=False).first).to_be_visible()


@pytest.mark.feature("F232", "F076", "G001", "G006", "F221", "F131")
def test_a_migration_is_followed_live_and_the_console_moves_with_it(page, person, product, ganeti, guest, watch):
    watch.allow(409, *BREAKS)
    target = ganeti.other_node(guest)
    screen = person(product)
    screen.goto(path_of(guest) + "console/")
    wait_connected(screen)
    with ganeti.held_job() as holder:
        job = ganeti.gnt("instance", "migrate", "-f", "--submit", "--print-jobid", "-n", target, guest).split()[-1]
        page.goto(path_of(guest))
        work = page.locator("#vm-work")
        reload_until(page, work, f"job {job}")
        expect(work).to_contain_text(f"job {holder}")
        page.evaluate("window.markOfTheTest = true")
    expect(work).to_contain_text("memory transfer")
    expect(work.locator(".state").first).to_have_text("succeeded")
    expect(page.locator("#vm-facts")).to_contain_text(target)
    assert page.evaluate("window.markOfTheTest")
    expect(screen.locator("[data-console]")).to_have_attribute("data-state", "on")
    wait_for(screen, lambda: pixels(screen)[-4:-1] == BLUE, "the guest's screen on its new node")


@pytest.mark.feature("G004", "G002", "F079", "F231")
def test_worker_killed_and_cluster_cut_off_in_mid_job(page, product, ganeti, watch):
    watch.allow(404)  # the machine is new: the page is there with the next update
    name = ganeti.add_fake_instance()
    page.goto(path_of(name))
    reload_until(page, state(page), "^running$")
    banner = page.locator(".banner", has_text="has not been reachable since")
    with ExitStack() as held:
        held.enter_context(ganeti.locks_held())
        confirm(page, "Shut down")
        hear(page, SENT)
        worker = product.child(" worker ")
        os.kill(worker, signal.SIGKILL)
        with ganeti.cut_off():
            held.close()  # the job goes on, and nobody sees it
            reload_until(page, banner, timeout_s=60)
            expect(state(page)).to_have_text("shutting down")
            eventually(lambda: product.child(" worker ") not in (0, worker), what="another worker")
    reload_until(page, banner, gone=True, timeout_s=90)
    expect(state(page)).to_have_text("stopped")
    assert ganeti.instance(name, "status") == ["ADMIN_down"]
    page.goto(path_of(name) + "journal/")
    row = page.locator("main tbody tr:not(.part)")  # without the heading of the day
    expect(row).to_have_count(1)
    expect(row).to_contain_text("succeeded")
    page.goto(path_of(name) + "jobs/")
    shut = page.locator("main tbody tr").filter(has_text=re.compile("shut ?down", re.IGNORECASE))
    expect(shut).to_have_count(1)
    ganeti.remove(name)


@pytest.mark.feature("F062", "F074", "F080", "F124")
def test_two_clusters_with_the_same_names(page, product, ganeti, ganeti_second, guest):
    name = ganeti.add_fake_instance("twin.example.org")
    ganeti_second.add_fake_instance(name)
    add(page, ganeti_second, "other")
    page.goto(f"/vms/?q={name}")
    rows = page.locator("main tbody tr")
    reload_until(page, rows.nth(1))
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="other")).to_have_count(1)
    page.goto(path_of(name, "other"))
    confirm(page, "Shut down")
    expect(state(page)).to_have_text("stopped")
    assert ganeti.instance(name, "status") == ["running"]
    assert ganeti_second.instance(name, "status") == ["ADMIN_down"]
    page.goto(path_of(name))
    expect(state(page)).to_have_text("running")
    page.goto("/nodes/")
    expect(page.get_by_role("link", name=ganeti.nodes[0])).to_have_count(2)
    ganeti.remove(name)
    ganeti_second.remove(name)


@pytest.mark.feature("F074", "F075", "F067", "F072")
def test_what_gnt_commands_do_shows_within_one_update(page, ganeti, watch):
    watch.allow(404)
    name = ganeti.add_fake_instance()
    page.goto(path_of(name))
    reload_until(page, state(page), "^running$")
    ganeti.modify(name, "-B", "memory=96M")
    reload_until(page, page.locator("#vm-facts"), r"96\sMiB")
    ganeti.crash(name)
    reload_until(page, state(page), "^crashed$")
    ganeti.stop(name)
    reload_until(page, state(page), "^stopped$")
    renamed = ganeti.rename(name)
    page.goto(path_of(renamed))
    reload_until(page, page.get_by_role("heading", level=1), re.escape(renamed.partition(".")[0]))
    ganeti.start(renamed)
    reload_until(page, state(page), "^running$")
    ganeti.remove(renamed)
    reload_until(page, page.get_by_text("Ganeti no longer lists this machine"))


@pytest.mark.feature("F124", "F126", "F051", "F074")
def test_a_thousand_machines_in_the_list(page, ganeti):
    page.goto("/vms/?cluster=real&per_page=100")
    ganeti.grow(MANY)
    try:
        pages = page.get_by_role("navigation", name="Pages")
        reload_until(page, pages, r"of 1,?0\d\d machines", timeout_s=90)
        expect(page.locator("main tbody tr")).to_have_count(100)
        page.get_by_role("searchbox", name="Name, address, tag").fill("load00999")
        page.keyboard.press("Enter")
        expect(page.locator("main tbody tr")).to_have_count(1)
        expect(page.locator("main tbody tr")).to_contain_text("running")
    finally:
        ganeti.grow(0)
