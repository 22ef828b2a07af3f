"""A machine made of an export: who may know of it, what it holds, and what is made."""

from dataclasses import dataclass, replace

import pytest
from django.test import Client

from clusters.models import ExportList, Schedule
from clusters.sync.exports import take_turn
from objectlog.models import Outcome
from operations.contract import Invalid
from permissions.services import grant
from quotas.amounts import Limits
from quotas.services import set_default
from tests.creating.conftest import NEW, Maker
from tests.factories import make_user
from virtualmachines.exports import list_exports
from virtualmachines.models import VirtualMachine
from virtualmachines.spec import DiskSpec, NicSpec, Source, VMSpec

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("F205")]
OLD, NODE = "vm1.example.org", "node2.example.org"
CALLED, PAGE = f"lab/{NODE}/{OLD}", "/vms/create/"
FROM_IT = VMSpec(NEW, source=Source(NODE, OLD), disk_template="file")


@dataclass
class Kept:
    """A cluster on which vm1 has been exported to the second node, and somebody's browser."""

    maker: Maker
    client: Client

    def choose(self, called: str = CALLED) -> str:
        """Choose it on the page; where that leads once Ganeti has answered."""
        answer = self.client.post(PAGE, {"export": called})
        assert answer.status_code == 302, answer.content.decode()
        assert "being read" in self.client.get(answer["Location"]).content.decode()
        self.maker.finish()
        return str(answer["Location"])

    def fields(self, url: str) -> dict[str, str]:
        """What the form holds, as a browser would send it."""
        page = self.client.get(url)
        assert page.status_code == 200 and not page.context["refusal"]
        shown = {each.html_name: each.value() for each in page.context["form"]}
        given = {name: str(value) for name, value in shown.items() if value not in (None, "", False)}
        return given | {"reading": page.context["reading"]}


@pytest.fixture
def kept(maker: Maker, client: Client) -> Kept:
    made = maker.simulator.outside.modify(
        OLD, beparams={"vcpus": 3, "maxmem": 2048, "minmem": 1024}, hvparams={"nic_type": "e1000", "kvm_extra": "-x"}
    )
    made.tags, made.disk_template = ["gwm:owner:bob", "web"], "file"
    made.disks = [replace(made.disks[0], size=10240), replace(made.disks[0], size=512, uuid="another")]
    maker.simulator.outside.submit(
        "BACKUP_EXPORT", instance_name=OLD, target_node=NODE, mode="local", shutdown=True, long_sleep=True
    )
    maker.simulator.run_jobs()
    maker.update()
    maker.update()
    grant(["create_vm", "export"], maker.alice.user, maker.cluster)
    client.force_login(maker.alice.user)
    return Kept(maker, client)


def test_what_it_holds_fills_the_form_and_is_made(kept: Kept) -> None:
    fields = kept.fields(kept.choose())
    assert fields["source.node"] == f"{NODE}/{OLD}" and fields["os"] == kept.maker.simulator.cluster.instances[OLD].os
    assert (fields["beparams.vcpus"], fields["beparams.maxmem"], fields["tags"]) == ("3", "2 GiB", "web")
    assert (fields["disks.0.size_mib"], fields["disks.1.size_mib"]) == ("10 GiB", "512 MiB")
    assert fields["hvparams.nic_type"] == "e1000" and "name" not in fields, "that one is still there"
    answer = kept.client.post(PAGE, fields | {"name": NEW, "beparams.vcpus": "1", "disk_template": "file"})
    assert answer.status_code == 302, answer.content.decode()
    (row,) = kept.maker.rows()
    assert (row.vcpus, row.memory_mib, row.disk_mib) == (1, 2048, 10752)
    kept.maker.finish()
    made, old = (kept.maker.simulator.cluster.instances[name] for name in (NEW, OLD))
    assert kept.maker.simulator.cluster.merged_beparams(made)["vcpus"] == 1, "though it is the cluster's default"
    assert (made.os, made.hvparams) == (old.os, old.hvparams)
    assert sorted(made.tags) == ["gwm:owner:alice", "web"], "it is hers, whosever was exported"
    assert [disk.size for disk in made.disks] == [10240, 512]
    assert {nic.mac for nic in made.nics}.isdisjoint({nic.mac for nic in old.nics})


def test_one_that_is_gone_is_made_again(kept: Kept) -> None:
    macs = [nic.mac for nic in kept.maker.simulator.cluster.instances[OLD].nics]
    kept.maker.simulator.outside.remove(OLD)
    kept.maker.update()
    fields = kept.fields(kept.choose())
    assert fields["name"] == OLD
    assert kept.client.post(PAGE, fields).status_code == 302
    kept.maker.finish()
    assert [nic.mac for nic in kept.maker.simulator.cluster.instances[OLD].nics] == macs


@pytest.mark.alike
def test_no_disk_of_it_is_left_behind(kept: Kept) -> None:
    fields = kept.fields(kept.choose()) | {"name": NEW}
    few = {name: text for name, text in fields.items() if not name.startswith("disks.1.")}
    answer = kept.client.post(PAGE, few)
    assert answer.status_code == 422 and "keep them all" in answer.content.decode()
    answer = kept.client.post(PAGE, fields | {"disks.1.size_mib": "256 MiB"})
    assert answer.status_code == 422 and "needs 512" in answer.content.decode()
    none = {name: text for name, text in few.items() if not name.startswith("disks.")}
    assert kept.client.post(PAGE, none).status_code == 302, "as in the export"


@pytest.mark.parametrize("rights", [("create_vm",), ("export",), ()])
def test_nobody_else_learns_of_exports(kept: Kept, client: Client, rights: tuple[str, ...]) -> None:
    bob = make_user("bob")
    grant(rights, bob, kept.maker.cluster)
    vm = VirtualMachine.objects.get(name=OLD)
    grant(["admin"], bob, vm)
    assert list_exports(bob) == []
    client.force_login(bob)
    assert client.get(PAGE).content.decode().count('name="export"') == 0
    there, nowhere = (client.post(PAGE, {"export": f"lab/{NODE}/{name}"}) for name in (OLD, "none.example.org"))
    assert there.status_code == nowhere.status_code == (409 if "create_vm" in rights else 403)
    assert there.content.decode().replace(OLD, "X").count("There is no export") == (1 if "create_vm" in rights else 0)
    assert kept.maker.simulator.count("POST") == 0


def test_the_reading_of_another_is_not_shown(kept: Kept, client: Client) -> None:
    url = kept.choose()
    bob = make_user("bob")
    grant(["create_vm"], bob, kept.maker.cluster)
    client.force_login(bob)
    page = client.get(url)
    assert "vm1" not in str(page.context["form"].data) and page.context["reading"] == ""


@pytest.mark.alike
def test_what_is_not_there_any_more(kept: Kept) -> None:
    kept.maker.simulator.cluster.nodes[NODE].exports.clear()
    page = kept.client.get(kept.choose())
    assert "No export or invalid export found" in page.context["refusal"]
    assert page.context["form"].data["source.node"] == f"{NODE}/{OLD}"


def test_a_quota_takes_sizes(kept: Kept) -> None:
    set_default(kept.maker.cluster, Limits(4096, 20480, 4, 2))
    with pytest.raises(Invalid) as refused:
        kept.maker.create(FROM_IT)
    assert set(refused.value.errors) == {"beparams.vcpus", "beparams.maxmem", "disks"}
    said = replace(
        FROM_IT, beparams={"vcpus": 2, "maxmem": 1024, "minmem": 512}, disks=(DiskSpec(10240), DiskSpec(512))
    )
    assert kept.maker.create(replace(said, nics=(NicSpec(),))).outcome == Outcome.SUBMITTED


def test_the_list_follows_exports(kept: Kept) -> None:
    assert [str(each) for each in list_exports(kept.maker.alice.user)] == [CALLED]
    kept.maker.simulator.cluster.nodes["node1.example.org"].exports |= {"a b": {}, "x" * 300: {}, "ok.example.org": {}}
    kept.maker.update()
    assert len(list_exports(kept.maker.alice.user)) == 1, "it is not due"
    Schedule.objects.update(exports_at=None)
    kept.maker.simulator.outside.kill_node(NODE)
    kept.maker.update()
    kept.maker.update()
    found = [str(each) for each in list_exports(kept.maker.alice.user)]
    assert found == ["lab/node1.example.org/ok.example.org", CALLED], "a node that does not answer keeps what it kept"


@pytest.mark.alike
def test_a_list_that_cannot_be_read_stays_as_it_was(kept: Kept) -> None:
    Schedule.objects.update(exports_at=None)
    kept.maker.simulator.faults.add("refuse", path="/2/query/export", times=1)
    kept.maker.update()
    row = ExportList.objects.get()
    kept.maker.cluster.refresh_from_db()
    assert row.error and row.exports == [[NODE, OLD]]
    assert not take_turn(kept.maker.cluster), "it is asked again in an hour"
