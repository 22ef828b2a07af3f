"""What a hostile Ganeti says in any field, before and after a change: on the pages of reconciliation and in their files
it is neither markup nor formula, steers nothing, and is not endless.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster, Node, Schedule
from permissions.services import persona_of
from simulator import Simulator
from simulator.cluster import Cluster as SimulatedCluster
from simulator.population import populate
from tests.factories import make_admin, make_user
from tests.hostile.values import FIELDS
from tests.updates.conftest import track, update
from virtualmachines.models import VirtualMachine
from virtualmachines.reconciling import SHOWN

__all__ = ["track"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("G019", "G046")]
#: By these a record is known again, and a row is another one when they change.
IDENTITIES = {"uuid", "serial_no", "ctime", "mtime", "nic.uuids", "disk.uuids", "nic.networks"}
LIARS = {kind: [field for field in FIELDS[kind] if field not in IDENTITIES] for kind in ("instance", "node")}
_STEERS = '\u202egpj.exe\u2066 \x1b[31m\r\n\x9b\0\ud800/../?a#b",;\t{{ 7 }}&lt;'
_ALL_AT_ONCE = f"cmd|' /C calc'!A0<script>alert(1)</script>{_STEERS}"
#: Each with what of it is to be found on the pages: cleaned, cut, and still what was said.
HOSTILE: dict[str, str] = {
    "plain": "plain",
    f"={_ALL_AT_ONCE}": "A0&lt;script&gt;alert(1)&lt;/script&gt;\ufffdgpj.exe\ufffd \ufffd[31m",
    f"\uff20{_ALL_AT_ONCE}": "{{ 7 }}&amp;lt;",
    "": "",
    "-" * 30_000: "--------",
}
#: What no text may have that people are shown: it would turn or steer what stands around it.
STEERING = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: What of machines and nodes is told to be other than before. Where a machine is follows from the names of nodes.
TOLD = {f"VirtualMachine.{name}" for name in (*VirtualMachine.watched, "beparams", "hvparams")}
TOLD |= {f"Node.{name}" for name in Node.watched}
PAGES = ("/reconciliation/", "/clusters/liar/reconciliation/")


class Liar:
    """A cluster on which record number i of a kind lies in field number i."""

    def __init__(self, simulator: Simulator, row: Cluster) -> None:
        self.simulator, self.row = simulator, row
        there = simulator.cluster
        self.names = {
            "instance": [instance.name for instance in there.sorted_instances()],
            "node": [node.name for node in there.sorted_nodes() if node.name != there.master],
        }

    def say(self, words: str | None) -> None:
        """Have all that is read say this, in the shape that each field has; None: the truth."""
        self.simulator.alterations.clear()
        for kind, fields in LIARS.items() if words is not None else ():
            for field, which in zip(fields, self.names[kind], strict=True):
                self.simulator.alterations.alter(kind, field, shaped(field, words), which=which)
        Schedule.objects.filter(pk=self.row.pk).update(configs_read_at=None, sync_wanted_at=timezone.now())
        assert update(self.row).outcome == "updated"


def shaped(field: str, words: str) -> Any:
    """The words as a field has them."""
    if field == "tags":
        return [words, f"gwm:owner:{words}"]
    if field.startswith(("nic.", "disk.")) or field.endswith("_list"):
        return [words]
    if field.endswith("params"):
        return {words: words, "boot_order": words, "maxmem": words}
    return words


@pytest.fixture
def liar(make_simulator: Callable[..., Simulator], track: Callable[..., Cluster]) -> Liar:
    cluster = SimulatedCluster()
    populate(cluster, nodes=len(LIARS["node"]) + 1, instances=len(LIARS["instance"]))
    simulator = make_simulator(cluster=cluster)
    return Liar(simulator, track(simulator, "liar"))


def judge_page(text: str, what: Any) -> None:
    assert "<script>alert" not in text and not STEERING.search(text), what
    assert len(text) < 2_000_000, what


def judge_file(text: str, what: Any) -> None:
    lines = list(csv.reader(StringIO(text, newline="")))
    assert {len(line) for line in lines} == {len(lines[0])}, what
    for cell in (cell for line in lines for cell in line):
        assert not cell.startswith(FORMULAS) and not STEERING.search(cell), (what, cell)


@pytest.mark.alike
def test_no_difference_is_more_than_words(liar: Liar, client: Client) -> None:
    client.force_login(make_admin())
    other = persona_of(make_user("other"))
    before: str | None = None
    told: set[str] = set()
    for words, shown in HOSTILE.items():
        liar.say(before)
        VirtualMachine.objects.update(drift={}, drift_since=None, owner=None)
        Node.objects.update(drift={}, drift_since=None)
        VirtualMachine.objects.exclude(owner_tag="").update(owner=other)
        liar.say(words)
        for row in (*VirtualMachine.objects.all(), *Node.objects.all()):
            told |= {f"{type(row).__name__}.{path.partition('.')[0]}" for path in row.drift}
        seen = ""
        for part in SHOWN:
            asked = f"?reconcile={part}&columns=all&per_page=200"
            for page in PAGES:
                seen += (answer := client.get(f"{page}{asked}").content.decode())
                judge_page(answer, (words[:50], part))
            judge_file(client.get(f"{PAGES[0]}{asked}&format=csv").getvalue().decode(), (words[:50], part))
        assert shown in seen, words[:50]
        before = words
    assert told >= TOLD
