"""An open page is true: what anyone changes is on it within five seconds.

The cluster of `still` is read once and then left alone, so that what a test writes into the database stays.
"""

# ruff: noqa: S608 - the statements are put together from constants

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.changes import (
    CHANGES,
    DOCK,
    MAIN,
    NAV,
    OF_CLUSTER,
    OF_NODE,
    OF_VM,
    OTHER_VM,
    ROW,
    SOON_MS,
    START,
    STATE,
    STOP,
    VM,
    VMS,
    Write,
    open_live,
)
from tests.browser.product import PASSWORD, Product
from tests.browser.waiting import PATIENCE_S

pytestmark = pytest.mark.feature("G045")
NEW_PASSWORD = f"{PASSWORD}-changed"
# A page, what is changed, where it shows, and what is read there then.
CASES: list[tuple[str, str, str, str]] = [
    *[(OF_VM + tab, "stopped", STATE, "stopped") for tab in ("", "parameters/", "console/", "jobs/", "journal/")],
    (OF_VM, "busy", STATE, "rebooting"),
    (OF_VM, "busy", "#vm-head #do-shutdown[aria-disabled=true]", "Shut down"),
    (OF_VM, "missing", MAIN, "no longer lists this machine"),
    (OF_VM, "notes", MAIN, "Ask Eve first"),
    (OF_VM, "unreachable", MAIN, "No route to host"),
    (OF_VM, "job of the machine", "#vm-work", "Told by nobody"),
    (f"{OF_VM}jobs/", "job of the machine", MAIN, "Told by nobody"),
    (f"{OF_VM}journal/", "event", MAIN, "dave"),
    ("/vms/", "stopped", ROW, "stopped"),
    ("/vms/?sort=-name&per_page=25&page=2", "stopped", ROW, "stopped"),
    (f"/vms/?q={VM}&status=stopped", "stopped", "#work tbody", VM),
    ("/vms/", "unreachable", MAIN, "No route to host|not reachable|does not answer"),
    ("/clusters/lab/vms/", "stopped", ROW, "stopped"),
    (f"{OF_NODE}primary/", "drained", STATE, "drained"),
    ("/", "busy", ".tally", r"1\s*In progress|In progress\s*1"),
    ("/", "drained", MAIN, "drained"),
    ("/", "job", MAIN, "Told by nobody"),
    ("/", "unreachable", MAIN, "No route to host|not reachable|does not answer"),
    ("/clusters/", "drained", "#work tbody .state", "drained"),
    (OF_CLUSTER, "drained", STATE, "drained"),
    (OF_CLUSTER, "unreachable", MAIN, "No route to host"),
    (f"{OF_CLUSTER}parameters/", "unreachable", STATE, "not reachable|unreachable"),
    (f"{OF_CLUSTER}nodes/", "drained", "#work tbody", "drained"),
    (f"{OF_CLUSTER}jobs/", "job", MAIN, "Told by nobody"),
    ("/nodes/", "drained", "#work tbody", "drained"),
    *[(OF_NODE + tab, "drained", STATE, "drained") for tab in ("", "secondary/", "jobs/")],
    (f"{OF_NODE}jobs/", "job of the node", MAIN, "Told by nobody"),
    ("/jobs/", "job", MAIN, "Told by nobody"),
    ("/jobs/?status=error", "job", MAIN, "Told by nobody"),
    ("/journal/", "event", MAIN, "dave"),
    ("/health/", "unreachable", MAIN, "No route to host"),
    *[(path, "read", "#work time[datetime^='2099']", "") for path in ("/clusters/", "/", OF_CLUSTER, OF_VM, OF_NODE)],
    ("/about/", "job", DOCK, "1 failed in the last hour"),
    ("/about/", "drained", f"{NAV} a[title*=drained]", "lab"),
    ("/about/", "missing", f"{NAV} a[href='/vms/'] .nav-count", "39"),
    ("/clusters/add/", "job", DOCK, "1 failed in the last hour"),
]


@pytest.mark.parametrize("path", sorted({path for path, *_ in CASES}))
def test_a_change_by_anyone_is_on_every_open_page(visitor: Page, write: Write, path: str) -> None:
    open_live(visitor, path)
    visitor.evaluate("window.untouched = true")
    for change, where, words in [case for of_path, *case in CASES if of_path == path]:
        do, undo = CHANGES[change]
        shown = visitor.locator(where).filter(has_text=re.compile(words))
        expect(shown, f"before {change}").to_have_count(0)
        visitor.locator("#work").focus()  # as whoever clicks into a page does
        try:
            for statement in do:
                write(statement)
            expect(shown.first, change).to_be_attached(timeout=SOON_MS)
        finally:
            for statement in undo:
                write(statement)
        expect(shown, f"after {change}").to_have_count(0, timeout=SOON_MS)
    assert visitor.evaluate("window.untouched")


def test_what_one_does_the_other_sees(still: Product, person: Any, write: Write, running: None) -> None:
    one, other = person(still), person(still, "carol")
    open_live(one, OF_VM)
    open_live(other, "/vms/")
    other.evaluate("window.untouched = true")
    write(STOP.replace(VM, OTHER_VM))
    expect(other.locator("#work tbody .state")).to_have_text("stopped", timeout=SOON_MS)
    expect(one.locator(STATE)).to_have_text("running")
    write(START.replace(VM, OTHER_VM))
    expect(other.locator("#work tbody .state")).to_have_text("running", timeout=SOON_MS)
    assert other.evaluate("window.untouched")


def test_a_hidden_tab_asks_nothing_and_looks_at_once_when_it_is_shown(
    still: Product, person: Any, visitor: Page, write: Write, running: None
) -> None:
    open_live(visitor, OF_VM)
    other = person(still, "carol")
    open_live(other, "/vms/")
    asked: list[str] = []
    listen = lambda request: asked.append(request.url)  # noqa: E731
    visitor.on("request", listen)
    hide = (
        "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange'))"
    )
    visitor.evaluate(hide % "true")
    write(STOP.replace(VM, OTHER_VM))
    expect(other.locator("#work tbody .state")).to_have_text("stopped", timeout=SOON_MS)
    write(STOP)
    write(START.replace(VM, OTHER_VM))
    expect(other.locator("#work tbody .state")).to_have_text("running", timeout=SOON_MS)  # the signal told all of it
    assert asked == []
    expect(visitor.locator(STATE)).to_have_text("running")
    visitor.evaluate(hide % "false")
    expect(visitor.locator(STATE)).to_have_text("stopped", timeout=SOON_MS)
    visitor.remove_listener("request", listen)


def test_where_no_signal_gets_through_it_asks_now_and_then(
    still: Product, person: Any, write: Write, running: None
) -> None:
    page = person(still)
    page.clock.install()
    page.route_web_socket("**/live/ws", lambda socket: socket.close(code=1011))
    page.goto(OF_VM)
    expect(page.locator(STATE)).to_have_text("running")
    write(STOP)
    for _ in range(3):
        page.clock.run_for(10_000)
    expect(page.locator(STATE)).to_have_text("stopped")


def test_a_page_left_while_its_signal_is_being_opened_complains_of_nothing(still: Product, person: Any) -> None:
    page = person(still, bypass_csp=True)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        silent.settimeout(PATIENCE_S)
        address = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
        page.add_init_script(
            f"window.WebSocket = class extends WebSocket {{ constructor(url, names) {{ super({address!r}, names); }} }}"
        )
        page.goto(OF_VM)
        with silent.accept()[0]:
            page.goto("/about/")
            page.go_back()
            expect(page.locator(STATE)).to_be_attached()
            page.goto("about:blank")


def enter(page: Page, name: str) -> None:
    """In a session that no other test uses."""
    page.goto("/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_attached()


def test_signed_out_elsewhere(still: Product, person: Any) -> None:
    page = person.stranger(still)
    enter(page, "carol")
    other = page.context.new_page()
    open_live(page, f"/clusters/lab/vms/{OTHER_VM}/")
    other.goto("/about/")
    other.evaluate("document.querySelector('form[action*=logout]').submit()")
    expect(page).to_have_url(re.compile(r"/login/\?next=.*vm2"), timeout=2 * SOON_MS)


def test_the_answer_to_a_form_that_begins_a_new_session_is_not_cut_off(still: Product, person: Any) -> None:
    still.add_person("renewed", PASSWORD)
    page = person.stranger(still)
    enter(page, "renewed")
    held: list[tuple[Any, Any]] = []

    def hold(route: Any) -> None:
        """The server has changed the password; the page waits for its answer, and its signal ends meanwhile."""
        if route.request.method == "POST":
            held.append((route, route.fetch(max_redirects=0)))
        else:
            route.continue_()

    page.route("**/account/password/", hold)
    with page.expect_websocket() as opened:
        open_live(page, "/account/password/")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password again").fill(NEW_PASSWORD)
    with opened.value.expect_event("close"):
        page.get_by_role("button", name="Change password").click(no_wait_after=True)
    ((route, answer),) = held
    route.fulfill(response=answer)
    expect(page).to_have_url(re.compile(r":\d+/$"))


def test_a_right_withdrawn_and_a_row_removed_are_told(still: Product, person: Any, write: Write, watch: Any) -> None:
    watch.allow(404)
    page = person(still, "carol")
    open_live(page, f"/clusters/lab/vms/{OTHER_VM}/")
    still.manage("grant", "carol", "power", f"--on=lab/{OTHER_VM}", "--as=admin", "--revoke")
    expect(page.locator(MAIN)).to_contain_text("was removed, or your right to see it was withdrawn", timeout=SOON_MS)
    expect(page.locator("#vm-head .actions")).to_have_attribute("inert", "")
    still.manage("grant", "carol", "power", f"--on=lab/{OTHER_VM}", "--as=admin")


def test_a_renamed_machine_keeps_its_page(visitor: Page, write: Write) -> None:
    open_live(visitor, f"{OF_VM}parameters/?x=1")
    write(f"UPDATE {VMS} SET name = 'renamed.example.org' WHERE name = '{VM}'")
    try:
        expect(visitor.locator("#work h1")).to_have_text("renamed.example.org", timeout=SOON_MS)
        expect(visitor).to_have_url(re.compile("/clusters/lab/vms/renamed.example.org/parameters/\\?x=1$"))
    finally:
        write(f"UPDATE {VMS} SET name = '{VM}' WHERE name = 'renamed.example.org'")


@pytest.mark.feature("G050")
def test_a_question_about_a_busy_machine_can_be_answered_when_it_is_free(visitor: Page, write: Write) -> None:
    (busy,), (free,) = CHANGES["busy"]
    write(busy)
    try:
        open_live(visitor, f"{OF_VM}do/rename/")
        form = visitor.locator("#work #confirm")
        button, name = form.locator("button.is-primary"), form.locator("input[name=new_name]")
        expect(button).to_be_disabled()
        expect(form).to_contain_text("already in progress")
        name.fill("another.example.org")
    finally:
        write(free)
    expect(button).to_be_enabled(timeout=SOON_MS)
    expect(form).not_to_contain_text("already in progress")
    expect(name).to_have_value("another.example.org")
    expect(name).to_be_focused()


def test_the_menu_of_a_row_is_a_dialog_that_stays_true(visitor: Page, write: Write) -> None:
    """By keys alone; what is under way shows in it, and the focus stays."""
    (busy,), (free,) = CHANGES["busy"]
    open_live(visitor, "/vms/")
    menu, dialog = visitor.locator(f"tr:has-text('{VM}') a.row-menu").first, visitor.locator("dialog#dialog[open]")
    menu.focus()
    visitor.keyboard.press("Enter")
    shutdown = dialog.locator("#actions [href$='/do/shutdown/'], #actions [id$=do-shutdown]").first
    expect(shutdown).to_be_visible()
    expect(visitor).to_have_url(re.compile(r"/vms/$"))
    try:
        write(busy)
        expect(dialog).to_contain_text("already in progress", timeout=SOON_MS)
    finally:
        write(free)
    expect(dialog).not_to_contain_text("already in progress", timeout=SOON_MS)
    visitor.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(menu).to_be_focused()


def test_what_is_ticked_stays_ticked_and_counted(visitor: Page, write: Write) -> None:
    """The row is read anew while it is selected."""
    do, undo = CHANGES["stopped"]
    open_live(visitor, "/vms/")
    box = visitor.get_by_role("checkbox", name=VM, exact=True)
    box.check()
    expect(visitor.locator("[data-picked]")).to_have_text("1")
    try:
        for statement in do:
            write(statement)
        expect(visitor.locator(ROW).filter(has_text="stopped")).to_be_attached(timeout=SOON_MS)
        expect(box).to_be_checked()
        expect(visitor.locator("[data-picked]")).to_have_text("1")
    finally:
        for statement in undo:
            write(statement)
