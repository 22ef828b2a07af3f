"""An open page is true: what anyone changes is on it within five seconds, and nothing that a person is at is lost.

The cluster of `still` is read once and then left alone, so that what a test writes into the database stays.
"""

# ruff: noqa: S608 - the statements are put together from constants

from __future__ import annotations

import json
import re
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from simulator import Simulator
from tests.browser.conftest import PATIENCE_MS, run_product
from tests.browser.product import PASSWORD, Product

pytestmark = pytest.mark.feature("G045")
SOON_MS = 5_000
VM, OTHER_VM, NODE = "vm1.example.org", "vm2.example.org", "node1.example.org"
Write = Callable[..., None]


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product with a cluster `lab` that nothing reads again, and a person who may see one machine."""
    with Simulator(nodes=3, instances=40) as simulator:
        for product in run_product(tmp_path_factory.mktemp("still"), "--no-demo", GWM_SYNC_INTERVAL_S="3600"):
            product.add_cluster("lab", simulator)
            product.add_person("carol", PASSWORD)
            product.manage("grant", "carol", "power", f"--on=lab/{OTHER_VM}", "--as=admin")
            yield product


@pytest.fixture(scope="module")
def write(still: Product) -> Write:
    """Changes the product's database behind its back, as another process of it would."""

    def run(statement: str, **values: Any) -> None:
        with closing(sqlite3.connect(still.data / "gwm.sqlite3", timeout=20)) as database, database:
            database.execute(statement, values)

    return run


def open_live(page: Page, path: str) -> None:
    """Open a page and wait until its signal stands."""
    page.goto(path)
    expect(page.locator("html[data-live=on]")).to_be_attached()


VMS, NODES, CLUSTERS = "virtualmachines_virtualmachine", "clusters_node", "clusters_cluster"
BUSY = "1" * 32
NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
JOB = f"""
    INSERT INTO clusters_job (id, cluster_id, ganeti_id, status, title, summary, opcodes, opcode_statuses, log, error,
        waiting_for, received_at, ended_at)
    SELECT 990, id, 990, 'error', 'Told by nobody', '[]', '[]', '[]', '[]', 'It broke', '[]', {NOW}, {NOW}
    FROM {CLUSTERS}
"""
TARGET = """
    INSERT INTO clusters_jobtarget (job_id, cluster_id, kind, target_pk, uuid, name)
    SELECT 990, cluster_id, '{kind}', id, uuid, name FROM {table} WHERE name = '{name}'
"""
TEXT = json.dumps(
    {
        "sentence": {"message": "Shut down %(object)s", "values": {"object": VM}},
        **{"changes": [], "words": "", "via": "cli", "job_ids": [], "target_uuid": ""},
    }
)
EVENT = f"""
    INSERT INTO objectlog_event (at, actor_name, persona_name, verb, outcome, target_kind, target_pk, target_name,
        cluster_name, said, text, is_overtaken, previous, seal)
    SELECT {NOW}, 'dave', '', 'shutdown', 'done', 'vm', id, name, 'lab', '', '{TEXT}', 0, '', ''
    FROM {VMS} WHERE name = '{VM}'
"""

# By name: what is written, and what undoes it.
CHANGES: dict[str, tuple[list[str], list[str]]] = {
    "stopped": (
        [f"UPDATE {VMS} SET status = 'ADMIN_down' WHERE name = '{VM}'"],
        [f"UPDATE {VMS} SET status = 'running' WHERE name = '{VM}'"],
    ),
    "busy": (
        [f"UPDATE {VMS} SET busy_with = 'vm.reboot', busy_entry = '{BUSY}', busy_since = {NOW} WHERE name = '{VM}'"],
        [f"UPDATE {VMS} SET busy_with = '', busy_entry = NULL, busy_since = NULL WHERE name = '{VM}'"],
    ),
    "missing": (
        [f"UPDATE {VMS} SET missing_since = {NOW} WHERE name = '{VM}'"],
        [f"UPDATE {VMS} SET missing_since = NULL WHERE name = '{VM}'"],
    ),
    "notes": (
        [f"UPDATE {VMS} SET notes = 'Ask Eve first' WHERE name = '{VM}'"],
        [f"UPDATE {VMS} SET notes = '' WHERE name = '{VM}'"],
    ),
    "drained": (
        [f"UPDATE {NODES} SET drained = 1, role = 'D' WHERE name = '{NODE}'"],
        [f"UPDATE {NODES} SET drained = 0, role = 'R' WHERE name = '{NODE}'"],
    ),
    "unreachable": (
        [f"UPDATE {CLUSTERS} SET unreachable_since = {NOW}, last_error = 'No route to host'"],
        [f"UPDATE {CLUSTERS} SET unreachable_since = NULL, last_error = ''"],
    ),
    "read": (
        ["UPDATE clusters_schedule SET synced_at = '2099-01-01 00:00:00', live_at = '2099-01-01 00:00:00'"],
        [f"UPDATE clusters_schedule SET synced_at = {NOW}, live_at = {NOW}"],
    ),
    "job": ([JOB], ["DELETE FROM clusters_job WHERE id = 990"]),
    "job of the machine": (
        [JOB, TARGET.format(kind="instance", table=VMS, name=VM)],
        ["DELETE FROM clusters_jobtarget WHERE job_id = 990", "DELETE FROM clusters_job WHERE id = 990"],
    ),
    "job of the node": (
        [JOB, TARGET.format(kind="node", table=NODES, name=NODE)],
        ["DELETE FROM clusters_jobtarget WHERE job_id = 990", "DELETE FROM clusters_job WHERE id = 990"],
    ),
    "event": ([EVENT], ["DELETE FROM objectlog_event WHERE actor_name = 'dave'"]),
}
OF_VM, OF_NODE, OF_CLUSTER = f"/clusters/lab/vms/{VM}/", f"/clusters/lab/nodes/{NODE}/", "/clusters/lab/"
STATE, MAIN, NAV, DOCK = "#work .head .state", "#work", "#nav", "#dock"
ROW = f'#work tr:has-text("{VM}") .state'
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


@pytest.fixture(scope="module")
def visitor(still: Product, chromium: Any) -> Iterator[Page]:
    """One browser for all cases."""
    context = chromium.new_context(base_url=still.address, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_attached()
    yield page
    context.close()


@pytest.mark.parametrize(("path", "change", "where", "words"), CASES)
def test_a_change_by_anyone_is_on_every_open_page(
    visitor: Page, write: Write, path: str, change: str, where: str, words: str
) -> None:
    do, undo = CHANGES[change]
    shown = visitor.locator(where).filter(has_text=re.compile(words))
    open_live(visitor, path)
    expect(shown).to_have_count(0)
    visitor.evaluate("window.untouched = true")
    try:
        for statement in do:
            write(statement)
        began = time.monotonic()
        expect(shown.first).to_be_attached(timeout=SOON_MS)
        assert time.monotonic() - began < SOON_MS / 1000
    finally:
        for statement in undo:
            write(statement)
    assert visitor.evaluate("window.untouched")


STOP, START = CHANGES["stopped"][0][0], CHANGES["stopped"][1][0]


@pytest.fixture
def running(write: Write) -> Iterator[None]:
    """The machine runs again afterwards, and nothing is done to it."""
    yield
    write(START)
    write(CHANGES["busy"][1][0])


def at_work(page: Page) -> None:
    """Wait until the page shows the machine stopped."""
    expect(page.locator(ROW).or_(page.locator(STATE)).first).to_have_text("stopped", timeout=SOON_MS)


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


def test_typed_text_focus_caret_and_scroll_stay(visitor: Page, write: Write, running: None) -> None:
    visitor.set_viewport_size({"width": 1000, "height": 300})
    open_live(visitor, "/vms/?per_page=100")
    box = visitor.get_by_role("searchbox", name=re.compile("Name, address"))
    box.fill("half a word")
    box.press("ArrowLeft")
    search = visitor.get_by_role("searchbox", name="Search machines")
    search.fill("another")
    box.focus()
    visitor.evaluate("document.getElementById('work').scrollTop = 150; window.scrollTo(0, 150)")
    before = visitor.evaluate("[document.getElementById('work').scrollTop, window.scrollY]")
    write(STOP)
    at_work(visitor)
    expect(box).to_be_focused()
    expect(box).to_have_value("half a word")
    expect(search).to_have_value("another")
    assert box.evaluate("each => each.selectionStart") == len("half a word") - 1
    assert visitor.evaluate("[document.getElementById('work').scrollTop, window.scrollY]") == before
    visitor.set_viewport_size({"width": 1440, "height": 900})


def test_focus_stays_in_its_row_and_on_its_button(visitor: Page, write: Write, running: None) -> None:
    open_live(visitor, "/vms/?sort=status")
    link = visitor.get_by_role("link", name=VM)
    link.focus()
    write(STOP)  # the row moves
    at_work(visitor)
    expect(link).to_be_focused()
    write(START)
    open_live(visitor, OF_VM)
    visitor.locator("#vm-head #do-shutdown").focus()
    write(CHANGES["busy"][0][0])
    expect(visitor.locator("#vm-head #do-shutdown[aria-disabled=true]")).to_be_focused(timeout=SOON_MS)


def test_an_open_menu_waits_and_then_is_true(visitor: Page, write: Write, running: None) -> None:
    open_live(visitor, OF_VM)
    menu = visitor.locator("#vm-head details.menu")
    menu.locator("summary").click()
    items = menu.locator(".menu-panel")
    shown = items.inner_text()
    items.locator("a, button").first.focus()
    write(STOP)
    at_work(visitor)
    expect(menu).to_have_attribute("open", "")
    assert items.inner_text() == shown
    expect(items.locator("a, button").first).to_be_focused()
    visitor.keyboard.press("Escape")
    expect(visitor.locator("#vm-head").get_by_role("link", name="Start", exact=True)).to_be_visible(timeout=SOON_MS)
    expect(items).not_to_have_text(shown, use_inner_text=True, timeout=SOON_MS)


def test_an_open_dialog_and_a_folded_part_stay(visitor: Page, write: Write, running: None) -> None:
    open_live(visitor, OF_VM)
    visitor.locator("#vm-head #do-reboot").click()
    dialog = visitor.locator("dialog#dialog")
    expect(dialog).to_be_visible()
    focused = visitor.evaluate("document.activeElement.outerHTML")
    write(STOP)
    expect(visitor.locator(STATE)).to_have_text("stopped", timeout=SOON_MS)
    expect(dialog).to_be_visible()
    assert visitor.evaluate("document.activeElement.outerHTML") == focused


def test_a_screen_reader_hears_of_the_state_and_not_of_every_number(visitor: Page, write: Write, running: None) -> None:
    open_live(visitor, OF_VM)
    said = visitor.locator("#live-says")
    expect(said).to_have_attribute("role", "status")
    write(CHANGES["notes"][0][0])
    expect(visitor.locator(MAIN)).to_contain_text("Ask Eve first", timeout=SOON_MS)
    expect(said).to_be_empty()
    write(STOP)
    expect(said).to_have_text(f"{VM}: stopped", timeout=SOON_MS)
    write(CHANGES["notes"][1][0])


def test_a_hidden_tab_asks_nothing_and_looks_at_once_when_it_is_shown(
    visitor: Page, write: Write, running: None
) -> None:
    open_live(visitor, OF_VM)
    asked: list[str] = []
    listen = lambda request: asked.append(request.url)  # noqa: E731
    visitor.on("request", listen)
    hide = (
        "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange'))"
    )
    visitor.evaluate(hide % "true")
    write(STOP)
    visitor.wait_for_timeout(4_000)
    assert asked == []
    expect(visitor.locator(STATE)).to_have_text("running")
    visitor.evaluate(hide % "false")
    expect(visitor.locator(STATE)).to_have_text("stopped", timeout=2_000)
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
        silent.settimeout(PATIENCE_MS / 1000)
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


def test_signed_out_elsewhere(still: Product, person: Any) -> None:
    page = person.stranger(still)
    page.goto("/login/")
    page.get_by_label("User name").fill("carol")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_attached()
    other = page.context.new_page()
    open_live(page, f"/clusters/lab/vms/{OTHER_VM}/")
    other.goto("/about/")
    other.evaluate("document.querySelector('form[action*=logout]').submit()")
    expect(page).to_have_url(re.compile(r"/login/\?next=.*vm2"), timeout=2 * SOON_MS)


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


def test_fields_filled_in_and_left_stay(visitor: Page, write: Write) -> None:
    open_live(visitor, "/journal/")
    person, verb = visitor.locator("#work [name=who]"), visitor.locator("#work select[name=verb]")
    person.fill("ev")
    verb.select_option(index=2)
    chosen = verb.input_value()
    visitor.locator("#work [name=what]").focus()
    write(CHANGES["event"][0][0])
    expect(visitor.locator(MAIN)).to_contain_text("dave", timeout=SOON_MS)
    write(CHANGES["event"][1][0])
    expect(person).to_have_value("ev")
    expect(verb).to_have_value(chosen)
