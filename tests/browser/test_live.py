"""An open page is true: what anyone changes is on it within five seconds, and nothing that a person is at is lost.

The cluster of `still` is read once and then left alone, so that what a test writes into the database stays.
"""

# ruff: noqa: S608 - the statements are put together from constants

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from clusters.simulator import Simulator
from tests.browser.conftest import run_product
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
ENTRY = f"""
    INSERT INTO objectlog_entry (uuid, created_at, actor_name, persona_name, via, verb, target_kind, target_pk,
        target_uuid, target_name, cluster_name, params, outcome, message, job_ids, clean_listings)
    SELECT '00000000000040008000000000000001', {NOW}, 'dave', '', 'cli', 'shutdown', 'vm', id, uuid, name, 'lab',
        '{{}}', 'done', '', '[]', 0
    FROM {VMS} WHERE name = '{VM}'
"""

# By name: what is written, and what undoes it.
CHANGES: dict[str, tuple[list[str], list[str]]] = {
    "stopped": (
        [f"UPDATE {VMS} SET status = 'ADMIN_down' WHERE name = '{VM}'"],
        [f"UPDATE {VMS} SET status = 'running' WHERE name = '{VM}'"],
    ),
    "busy": (
        [f"UPDATE {VMS} SET busy_with = 'reboot', busy_entry = '{BUSY}', busy_since = {NOW} WHERE name = '{VM}'"],
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
        [f"UPDATE {CLUSTERS} SET unreachable_since = {NOW}, failures = 1, last_error = 'No route to host'"],
        [f"UPDATE {CLUSTERS} SET unreachable_since = NULL, failures = 0, last_error = ''"],
    ),
    "read": (
        [f"UPDATE {CLUSTERS} SET synced_at = '2099-01-01 00:00:00', live_at = '2099-01-01 00:00:00'"],
        [f"UPDATE {CLUSTERS} SET synced_at = {NOW}, live_at = {NOW}"],
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
    "entry": ([ENTRY], ["DELETE FROM objectlog_entry WHERE actor_name = 'dave'"]),
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
    (f"{OF_VM}journal/", "entry", MAIN, "dave"),
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
    ("/journal/", "entry", MAIN, "dave"),
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
