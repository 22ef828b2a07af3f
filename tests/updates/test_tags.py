"""Tags of machines as rows: always those of the column, written only where one differs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.updates.conftest import update
from virtualmachines.models import MachineTag, VirtualMachine
from virtualmachines.sync.tags import mirror_all_tags

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G054")]
VM1, VM2, NEW = "vm1.example.org", "vm2.example.org", "new.example.org"


def rows() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, tag in MachineTag.objects.order_by("tag").values_list("machine__name", "tag"):
        found.setdefault(name, []).append(tag)
    return found


def columns() -> dict[str, list[str]]:
    return {vm.name: sorted(vm.tags) for vm in VirtualMachine.objects.all() if vm.tags}


def test_rows_follow_what_ganeti_says(simulator, cluster):
    simulator.outside.modify(VM1, tags=["web", "blue"])
    simulator.outside.modify(VM2, tags=["web"])
    simulator.outside.add(NEW)
    simulator.outside.modify(NEW, tags=["fresh"])
    update(cluster)
    assert (
        rows()
        == columns()
        == {VM1: ["blue", "web"], VM2: ["web"], NEW: ["fresh"]}
        | {name: tags for name, tags in columns().items() if name not in (VM1, VM2, NEW)}
    )
    kept = MachineTag.objects.get(machine__name=VM1, tag="web").pk
    simulator.outside.modify(VM1, tags=["web", "Blue"])
    simulator.outside.modify(VM2, tags=[])
    update(cluster)
    assert rows() == columns() and rows()[VM1] == sorted(["Blue", "web"]) and VM2 not in rows()
    assert MachineTag.objects.get(machine__name=VM1, tag="web").pk == kept


def test_nothing_is_asked_where_no_tag_changed(simulator, cluster):
    simulator.outside.modify(VM1, tags=["web"])
    update(cluster)
    simulator.outside.stop(VM1)
    with CaptureQueriesContext(connection) as queries:
        update(cluster)
    assert not [query for query in queries if "machinetag" in query["sql"]]


def test_what_a_release_before_left_different_is_mended(simulator, cluster):
    """It writes the columns alone, and forgets machines without their tags."""
    simulator.outside.modify(VM1, tags=["web"])
    simulator.outside.modify(VM2, tags=["web"])
    update(cluster)
    VirtualMachine.objects.filter(name=VM1).update(tags=["blue", "web"])
    MachineTag.objects.filter(machine__name=VM2).update(tag="red")
    MachineTag.objects.create(machine_id=4711, tag="of nothing")
    assert mirror_all_tags() == 4
    assert rows() == columns() and rows()[VM1] == ["blue", "web"]
    assert mirror_all_tags() == 0
