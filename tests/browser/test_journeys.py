"""Whole ways through a machine's life: of somebody who never heard of Ganeti, and of an administrator by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import NARROW
from tests.browser.keyboard import Keyboard
from tests.browser.messages import SENT, hear
from tests.browser.newcomer import Newcomer
from tests.browser.phone import OUTSIDE, SMALL, TOO_WIDE
from tests.browser.product import PASSWORD
from tests.browser.waiting import wait_for

CLOCK = 16  # rows of pixels at the top of the demo's screens that change every second
#: Tabs, Enters and shortcuts from any page to the plan of new machines, the texts themselves not counted
MOST_KEYS_OF_A_CREATE = 10


@pytest.fixture
def newcomer(person, demo):
    """Makes an account that may create on a cluster, and opens its browser."""

    def come(name, cluster, **options):
        demo.add_person(name, PASSWORD)
        demo.manage("grant", name, "create_vm", f"--on={cluster}", "--as=admin")
        return person(demo, name, PASSWORD, **options)

    return come


@pytest.mark.feature("F147", "F159", "F160", "F183", "F184", "F191", "F198", "F209", "F142", "G026")
@pytest.mark.parametrize("has_script", [True, False])
def test_somebody_creates_uses_resizes_restarts_and_deletes_a_machine(newcomer, watch, has_script):
    watch.allow(422, 410)  # sent twice; gone back to
    name = f"first{has_script:d}.example.org"
    page = newcomer(f"nora{has_script:d}", "demo", java_script_enabled=has_script)
    nora = Newcomer(page, has_script=has_script)
    nora.create(name, "debootstrap+bookworm", "2", "1 GiB", "10 GiB")
    nora.send_again(name, "debootstrap+bookworm")
    nora.use_console(CLOCK)
    nora.resize("2 GiB", "2.0\N{NO-BREAK SPACE}GiB")
    nora.restart()
    nora.delete(name)
    nora.look_back(name)


def _follow_a_plan(page, keyboard, title):
    """Confirm a batch by the key that is at hand, and see it through."""
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{title}?")
    keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator(".head .state")).to_have_text(re.compile("ended"))
    expect(page.locator("main tbody tr").filter(has_text="succeeded")).to_have_count(2)


def _select_both(page, keyboard):
    keyboard.press("g", "v")
    expect(page.get_by_role("heading", level=1)).to_have_text("Virtual machines")
    keyboard.press("/")
    keyboard.type("keys")
    keyboard.press("Enter")
    expect(page.locator(".pick")).to_have_count(2)
    keyboard.press("n", "x", "n", "x")
    expect(page.locator(".pick:checked")).to_have_count(2)


@pytest.mark.feature("G026", "G050", "F200", "F190", "F198", "F147", "F184")
def test_an_administrator_creates_edits_migrates_and_deletes_without_a_mouse(page):
    keyboard = Keyboard(page)
    page.goto("/")
    keyboard.press("c")
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    keyboard.type("keys{1..2}.example.org")
    keyboard.tab_to(page.get_by_label("Operating system"))
    page.keyboard.type("noop")
    keyboard.tab_to(page.get_by_label("Virtual CPUs"))
    for typed in ("1", "512m", "2g"):
        keyboard.type(typed)
        if typed != "2g":
            keyboard.press("Tab")
    keyboard.press("Enter")
    assert keyboard.pressed <= MOST_KEYS_OF_A_CREATE
    _follow_a_plan(page, keyboard, "Create: 2 machines")

    keyboard.press("/")
    keyboard.type("keys1.example.org")
    keyboard.press("Enter")
    expect(page.locator(".pick")).to_have_count(1)
    keyboard.press("n", "Enter")
    state = page.locator("#vm-head .state")
    expect(state).to_have_text("running")
    keyboard.press("e")
    expect(page.get_by_label("Virtual CPUs")).to_be_focused()
    keyboard.type("2")
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_focused()
    keyboard.press("Enter")
    expect(page.locator("#vm-facts .figures dd").first).to_have_text(re.compile(r"^\s*2\b"))
    expect(state).to_have_text("running")
    can_be_migrated = page.locator("#vm-head a#do-migrate")
    expect(can_be_migrated).to_be_attached()

    node = page.locator("#vm-facts dt", has_text="Primary node").locator("+ dd")
    before = node.inner_text()
    keyboard.press("m")
    keyboard.choose("m", can_be_migrated)
    dialog = page.locator("dialog#dialog")
    expect(dialog).to_contain_text("Migrate keys1.example.org?")
    keyboard.tab_to(dialog.get_by_role("button", name="Migrate", exact=True))
    keyboard.press("Enter")
    expect(node).not_to_have_text(before)
    expect(page.locator("#vm-work .state").first).to_have_text("succeeded")

    _select_both(page, keyboard)
    keyboard.tab_to(page.locator(".bulk-do").get_by_role("button", name="Reboot"))
    keyboard.press("Enter")
    _follow_a_plan(page, keyboard, "Reboot: 2 machines")
    page.go_back()  # to where it was confirmed: nothing is there to be confirmed again
    expect(page.get_by_role("heading", level=1)).to_have_text("Reboot: 2 machines")
    expect(page.get_by_role("button", name="Reboot 2 machines")).to_have_count(0)
    _select_both(page, keyboard)
    keyboard.press("m")
    for _entry in page.locator(".bulk-do .menu-panel button").all():
        keyboard.press("ArrowDown")
        keyboard.see_where()
    keyboard.choose("d", page.locator(".bulk-do").get_by_role("button", name="Delete", exact=True))
    expect(page.get_by_label("How many")).to_be_focused()
    keyboard.type("2")
    _follow_a_plan(page, keyboard, "Delete: 2 machines")


@pytest.mark.feature("F180", "F181", "F147")
def test_a_create_that_was_refused_and_one_that_failed_are_filled_in_again(newcomer, lab, watch):
    """Ganeti's words stand at the field that they are about; what was typed is all there; the next try succeeds."""
    watch.allow(409)
    page = newcomer("rita", "lab")
    name, system = "again.example.org", "debootstrap+default"
    page.goto("/vms/create/")
    typed = {
        "name": name,
        "beparams.vcpus": "2",
        "beparams.maxmem": "256 MiB",
        "disks.0.size_mib": "3 GiB",
        "tags": "again",
        "notes": "kept",
    }
    page.locator("#fold-options > summary").click()
    for path, text in typed.items():
        page.locator(f'[name="{path}"]').fill(text)
    page.get_by_label("Operating system").select_option(system)
    fault = lab.faults.refuse(400, "OS 'noop' not in supported OS list", method="POST", path="/2/instances")

    def see_it_again(words):
        field = page.locator('[data-field="os"]')
        expect(field).to_have_class(re.compile("has-error"))
        expect(field).to_contain_text(words)
        expect(page.locator(".error-summary")).to_be_focused()
        for path, text in typed.items():
            expect(page.locator(f'[name="{path}"]')).to_have_value(text)
        expect(page.get_by_label("Operating system")).to_have_value(system)
        assert check(page) == []

    page.get_by_role("button", name="Create", exact=True).click()
    see_it_again("Ganeti says: OS 'noop' not in supported OS list")
    lab.faults.remove(fault)
    lab.hold_jobs()
    try:
        page.get_by_role("button", name="Create", exact=True).click()
        expect(page.locator("#vm-head .state")).to_have_text("creating")
        with lab.cluster.lock:
            systems, lab.cluster.operating_systems = lab.cluster.operating_systems, []
            lab.advance(4)
            lab.cluster.operating_systems = systems
    finally:
        lab.release_jobs()
    expect(page.get_by_text("It was not created.")).to_be_visible()
    page.get_by_role("link", name="Try again").click()
    see_it_again("Directory for OS debootstrap+default not found in search path")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#vm-head .state")).to_have_text("running")
    expect(page.locator("#vm-head h1")).to_have_text(name)


@pytest.mark.feature("F198", "F144", "G026")
def test_a_machine_is_deleted_on_a_phone_with_its_name_typed(person, demo, machine, watch):
    watch.allow(422, 410)
    page = person(demo, viewport=NARROW, has_touch=True, is_mobile=True)
    page.goto(f"/clusters/lab/vms/{machine}/")
    page.locator("#vm-head details.menu > summary").tap()
    page.locator("#vm-head #do-delete").tap()
    dialog = page.locator("dialog#dialog")
    name = dialog.get_by_label("Its name")
    expect(name).to_be_focused()
    name.fill("vm")
    button = dialog.get_by_role("button", name="Delete", exact=True)
    button.tap()
    expect(page.locator(".field-error")).to_contain_text(f"This is not its name. Type {machine} to confirm.")
    for problems in (page.evaluate(OUTSIDE), page.evaluate(SMALL), check(page)):
        assert problems == []
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_label("Its name").fill(machine)
    page.locator("#confirm").get_by_role("button", name="Delete", exact=True).tap()
    hear(page, SENT)
    page.goto(f"/vms/?q={machine}")
    expect(page.get_by_text("No machine matches")).to_be_visible()


def _end_session(page):
    """As when it has become too old."""
    page.context.clear_cookies(name="gwm_session")


def _sign_in_again(page, name):
    expect(page.get_by_label("User name")).to_be_visible()
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.feature("F147", "F181")
def test_nothing_typed_is_lost_when_the_session_ends_meanwhile(newcomer):
    """While one types, which the page notices by itself, and when a button is pressed: of a machine and of a change."""
    name = "lasting.example.org"
    page = newcomer("lena", "lab")
    page.goto("/vms/create/")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_label("Operating system").select_option("debootstrap+default")
    page.locator("#fold-disks > summary").click()
    page.get_by_role("button", name="Add a disk").click()
    page.locator('[name="disks.1.size_mib"]').fill("2 GiB")
    page.locator("#fold-osparams > summary").click()
    page.get_by_label("Secret OS parameters").fill("token=hidden")
    _end_session(page)
    page.get_by_label("Virtual CPUs").fill("2")
    _sign_in_again(page, "lena")
    expect(page.locator('[name="disks.1.size_mib"]')).to_have_value("2 GiB")
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value(name)
    expect(page.get_by_label("Virtual CPUs")).to_have_value("2")
    expect(page.get_by_label("Secret OS parameters")).to_have_value("")
    assert page.evaluate("sessionStorage.getItem('gwm-typed')") is None
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#vm-head .state")).to_have_text("running")
    # Told of nothing from here on: the button is to notice, and not a page that has just heard of the end of a job.
    page.route_web_socket("**/live/ws", lambda socket: None)
    page.locator("#vm-head").get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Virtual CPUs").fill("3")
    _end_session(page)
    page.get_by_role("button", name="Review changes").last.click()
    _sign_in_again(page, "lena")
    expect(page.get_by_label("Virtual CPUs")).to_have_value("3")
    page.get_by_role("button", name="Review changes").last.click()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_focused()
    page.goto("/vms/create/")
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("")


@pytest.mark.feature("F147", "F181", "F190")
def test_going_back_to_a_form_finds_what_was_typed_also_after_an_error(newcomer, watch):
    """Before and after it was refused, without the browser's question whether to send it again; and of a change."""
    watch.allow(422)
    page, system = newcomer("bea", "lab"), "debootstrap+default"
    page.goto("/vms/create/")
    page.locator("#fold-disks > summary").click()
    typed = {"name": "back.example.org", "beparams.vcpus": "2", "disks.1.size_mib": "2 GiB"}
    held = []

    def hold(route):
        held.append(route)

    page.route("**/vms/create/", hold)
    page.get_by_role("button", name="Add a disk").click()
    wait_for(page, lambda: held, "the form is sent to be drawn anew")
    page.locator('[name="name"]').fill(typed["name"])  # while the form is being drawn with one more disk
    held.pop().continue_()
    page.unroute("**/vms/create/")
    for path, text in typed.items():
        if path != "name":
            page.locator(f'[name="{path}"]').fill(text)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator(".error-summary")).to_be_focused()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Jobs").click()
    expect(page).to_have_url("/jobs/")
    for _ in ("as it was refused", "as it was sent"):
        page.go_back()
        expect(page.locator(".error-summary")).to_have_count(0)
        for path, text in typed.items():
            expect(page.locator(f'[name="{path}"]')).to_have_value(text)
    page.get_by_label("Operating system").select_option(system)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#vm-head .state")).to_have_text("running")
    page.locator("#vm-head").get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Virtual CPUs").fill("3")
    page.get_by_role("button", name="Review changes").last.click()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_focused()
    page.go_back()
    expect(page.get_by_label("Virtual CPUs")).to_have_value("3")
    page.locator("details.persona > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('gwm-typed')") is None
