"""What others do to machines of a real Ganeti, as the page of reconciliation tells it; and what is done about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from clusters.models import Cluster
from operations.lanes import work_lane
from operations.models import Batch, BatchState
from operations.planning import begin_batch
from permissions.services import make_team
from tests.factories import make_admin, make_user
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.test_sync import machine, track
from tests.reconciling.test_reconciliation import names_on, plan_of
from tests.updates.conftest import update
from tools.lab.system import wait_until
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.ganeti, pytest.mark.django_db]
OF_ALICE, OF_BOB, OF_TEAM = "gwm:owner:alice", "gwm:owner:bob", "gwm:owner:@web+20team"


@pytest.fixture
def cluster(ganeti: GanetiCluster, db: None) -> Iterator[Cluster]:
    yield track(ganeti, "real")
    ganeti.remove_instances()


def carry_out(batch: Batch, **params: str) -> None:
    """It is confirmed, and done up to the end of its jobs."""
    assert begin_batch(batch, params)
    (lane,) = set(batch.items.values_list("lane", flat=True))

    def has_ended() -> bool:
        work_lane(lane)
        follow_cluster(Cluster.objects.get())
        batch.refresh_from_db()
        return batch.state == BatchState.DONE

    wait_until(has_ended, what=f"the end of {batch}", timeout_s=60)
    failed = batch.items.filter(state="failed")
    assert not failed, list(failed.values_list("target_name", "reason"))


def told(ganeti: GanetiCluster, name: str) -> list[str]:
    tags: list[str] = ganeti.lab.rapi.ask("GET", f"/2/instances/{name}/tags")
    return sorted(tags)


@pytest.mark.feature("F084", "F085", "F086", "F087", "F088", "F090", "F091", "G018", "G019")
def test_what_is_done_elsewhere_is_told_and_settled(ganeti: GanetiCluster, cluster: Cluster) -> None:
    for person in ("alice", "bob"):
        make_user(person)
    make_team("web team")
    client = Client()
    client.force_login(make_admin())
    others = list(VirtualMachine.objects.values_list("name", flat=True))  # of tests before
    ours = VirtualMachine.objects.exclude(name__in=others).order_by("pk")

    def on_page(part: str) -> set[str]:
        return {name.removeprefix("real/") for name in names_on(client, part)} - set(others)

    # Made elsewhere: nobody's, whatever a tag says.
    hers, of_team = ganeti.add_fake_instance(), ganeti.add_fake_instance()
    nobodys = ganeti.add_fake_instance(started=False)
    ganeti.add_tags(hers, OF_ALICE)
    ganeti.add_tags(of_team, OF_TEAM)
    update(cluster)
    assert on_page("unowned") == {hers, of_team, nobodys} and on_page("changed") == set()
    assert [machine(cluster, name).owner_tag for name in (hers, of_team, nobodys)] == ["alice", "@web team", ""]

    # Changed elsewhere: told with what was before.
    before = machine(cluster, hers).primary_node
    ganeti.migrate(hers)
    ganeti.modify(of_team, "-B", "memory=48M")
    renamed = ganeti.rename(nobodys)
    update(cluster)
    assert on_page("changed") == {hers, of_team, renamed}
    assert [on_page(part) for part in ("moved", "resized", "renamed")] == [{hers}, {of_team}, {renamed}]
    drifts = {vm.name: vm.drift for vm in ours.all()}
    assert before is not None and drifts[hers] == {"primary_node": before.name}
    assert drifts[renamed] == {"name": nobodys} and drifts[of_team]["memory_mib"] == 16

    # Taken by what tags say, in bulk; and what was changed is accepted.
    vms = list(ours.all())
    adopted = plan_of(client, "adopt", *vms)
    assert dict(adopted.items.values_list("target_name", "verdict"))[renamed] == "skipped", "its tags name nobody"
    carry_out(adopted)
    carry_out(plan_of(client, "accept", *vms))
    owners = {vm.name: vm.owner and vm.owner.name for vm in ours.select_related("owner")}
    assert owners == {hers: "alice", of_team: "web team", renamed: None}
    assert on_page("changed") == set() and on_page("unowned") == {renamed}

    # Two owners, ours and that of the tag: either can win, and Ganeti has what won.
    for name, old in ((hers, OF_ALICE), (of_team, OF_TEAM)):
        ganeti.remove_tags(name, old)
        ganeti.add_tags(name, OF_BOB)
    update(cluster)
    assert on_page("owner-tag") == {hers, of_team}
    carry_out(plan_of(client, "write-owner-tag", machine(cluster, of_team)))
    carry_out(plan_of(client, "adopt", machine(cluster, hers)))
    update(cluster)
    assert (told(ganeti, of_team), told(ganeti, hers)) == ([OF_TEAM], [OF_BOB])
    assert on_page("owner-tag") == set() and machine(cluster, hers).owner_tag == "bob"

    # Removed elsewhere: missing until somebody forgets them.
    for name in (hers, of_team):
        ganeti.remove(name)
    update(cluster)
    assert on_page("missing") == {hers, of_team} and on_page("changed") == set()
    carry_out(plan_of(client, "forget", *ours.all()))
    assert list(ours.values_list("name", flat=True)) == [renamed]
