"""What is written into the database of `still` behind the back of its pages, and what undoes it."""

# ruff: noqa: S608 - the statements are put together from constants

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.waiting import PATIENCE_MS

SOON_MS = PATIENCE_MS  # a page of `open_live` asks nothing by itself: only the signal brings it
VM, OTHER_VM, NODE = "vm1.example.org", "vm2.example.org", "node1.example.org"
Write = Callable[..., None]
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
STOP, START = CHANGES["stopped"][0][0], CHANGES["stopped"][1][0]


# Twenty seconds are poll_ms of live.js.
WITHOUT_POLLING = """
if (!window.isWithoutPolling) {
  window.isWithoutPolling = true;
  const begin = window.setInterval;
  window.setInterval = (work, ms, ...more) => (ms === 20_000 ? 0 : begin(work, ms, ...more));
}
"""


def open_live(page: Page, path: str) -> None:
    """Open a page and wait until its signal stands."""
    if not page.evaluate("window.isWithoutPolling === true"):  # once added it is for all that the tab will show
        page.add_init_script(WITHOUT_POLLING)
    page.goto(path)
    expect(page.locator("html[data-live=on]")).to_be_attached()


def at_work(page: Page) -> None:
    """Wait until the page shows the machine stopped."""
    expect(page.locator(ROW).or_(page.locator(STATE)).first).to_have_text("stopped", timeout=SOON_MS)
