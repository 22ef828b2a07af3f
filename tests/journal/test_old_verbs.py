"""Entries of a release that called operations by names for all kinds, "reboot", call them by keys, and back again."""

import pytest

from clusters.operations.settle import adopt_job, settle_entry
from objectlog.models import Entry, Outcome, Via
from tests.factories import make_cluster, make_job, make_node, make_vm
from tests.fixtures.migrating import migrate, migrate_all
from virtualmachines.models import VirtualMachine

BEFORE = [
    ("objectlog", "0003_keys_of_targets"),
    ("virtualmachines", "0008_fill_tags"),
    ("clusters", "0010_grants_tell_their_story"),
]
OLD_NAMES = {
    "vm.reboot": "reboot",
    "vm.forget": "forget",
    "vm.grant": "grant",
    "node.forget": "forget-node",
    "cluster.add": "add-cluster",
    "cluster.edit": "edit-cluster",
    "cluster.remove": "remove-cluster",
    "cluster.grant": "grant",
    "job.cancel": "cancel",
}


def names() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("verb", flat=True))


@pytest.mark.long
@pytest.mark.feature("G048")
@pytest.mark.django_db(transaction=True)
def test_old_verbs_become_keys_and_what_is_open_settles() -> None:
    cluster = make_cluster("lab")
    vm = make_vm(cluster, "web1")
    make_node(cluster, "node1")
    for key in OLD_NAMES:
        kind = key.partition(".")[0]
        outcome = Outcome.SUBMITTING if key == "vm.reboot" else Outcome.SUCCEEDED
        Entry.objects.create(
            via=Via.WEB, verb=key, target_kind=kind, target_pk=vm.pk, target_name="web1", cluster_name="lab",
            cluster_pk=cluster.pk, outcome=outcome,
        )  # fmt: skip
    reboot = Entry.objects.get(verb="vm.reboot")
    VirtualMachine.objects.update(busy_with=reboot.verb, busy_entry=reboot.uuid, busy_since=reboot.created_at)
    migrate(BEFORE)
    assert names() == list(OLD_NAMES.values())
    assert list(VirtualMachine.objects.values_list("busy_with", flat=True)) == ["reboot"]
    migrate_all()
    assert names() == list(OLD_NAMES)
    vm.refresh_from_db()
    assert vm.busy_with == "vm.reboot"
    reboot.refresh_from_db()
    adopt_job(make_job(cluster, ("instance", "web1"), status="success"), reboot)
    assert settle_entry(reboot)
    vm.refresh_from_db()
    assert (Entry.objects.get(verb="vm.reboot").outcome, vm.is_busy) == (Outcome.SUCCEEDED, False)
