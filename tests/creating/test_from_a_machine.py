"""A machine made with the settings of another."""

from dataclasses import replace

import pytest
from django.test import Client

from permissions.services import grant
from tests.creating.conftest import NEW, Maker
from tests.factories import make_cluster, make_user
from virtualmachines.models import VirtualMachine
from virtualmachines.selectors import settings_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("G011")]


def test_the_settings_without_what_is_its_own(maker: Maker) -> None:
    made = maker.simulator.outside.modify(
        "vm1.example.org", beparams={"vcpus": 3, "maxmem": 2048}, hvparams={"nic_type": "e1000", "kvm_extra": "-secret"}
    )
    made.nics[0].ip = "192.0.2.9"
    maker.update()
    original = VirtualMachine.objects.get(name="vm1.example.org")
    found = settings_of(maker.alice.user, original)
    assert found is not None
    spec, left_out = found
    assert left_out == ["kvm_extra"]
    assert (spec.name, spec.placement.primary, spec.hvparams) == ("", "", {"nic_type": "e1000"})
    assert [(nic.mac, nic.ip, nic.uuid) for nic in spec.nics] == [("auto", "", "")] * len(made.nics)
    maker.create(replace(spec, name=NEW, disk_template="file"))
    maker.finish()
    copy = maker.simulator.cluster.instances[NEW]
    assert copy.beparams["vcpus"] == 3 and copy.hvparams == {"nic_type": "e1000"}
    assert [disk.size for disk in copy.disks] == [disk.size for disk in made.disks]
    assert {nic.mac for nic in copy.nics}.isdisjoint({nic.mac for nic in made.nics})


def test_it_is_one_click_away_for_who_may_create_there(maker: Maker) -> None:
    vm, client = VirtualMachine.objects.get(name="vm1.example.org"), Client()
    bob, url = make_user("bob"), "/vms/create/?like=lab%2Fvm1.example.org"
    grant(["create_vm"], bob, make_cluster("other"))
    for person in (maker.alice.user, bob):
        grant(["admin"], person, vm)
        client.force_login(person)
        page = client.get("/clusters/lab/vms/vm1.example.org/").content.decode()
        assert (url in page) == (person != bob)
        filled = client.get(url).content.decode()
        assert "Filled in with the settings of" in filled and 'name="name" value="vm1' not in filled


def test_who_administers_the_cluster_copies_all_of_them(maker: Maker) -> None:
    maker.simulator.outside.modify("vm1.example.org", hvparams={"kvm_extra": "-x"})
    maker.update()
    grant(["admin"], maker.alice.user, maker.cluster)
    found = settings_of(maker.alice.user, VirtualMachine.objects.get(name="vm1.example.org"))
    assert found is not None
    spec, left_out = found
    assert (spec.hvparams, left_out) == ({"kvm_extra": "-x"}, [])
