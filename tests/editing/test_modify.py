"""What is changed of a machine reaches Ganeti, and what breaks a rule is said at its field and not sent."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusters.catalogue import BACKEND, OF_HYPERVISORS, Kind, Parameter
from objectlog.models import Entry, Outcome
from operations.contract import Invalid
from permissions.services import persona_of
from quotas.amounts import Limits
from quotas.models import Claim
from quotas.services import set_quota
from tests.editing.conftest import Desk
from tests.fixtures.databases import some_in_fast
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.modifying import spec_of, version_of
from virtualmachines.rules import Facts
from virtualmachines.rules.changes import judge_change
from virtualmachines.rules.facts import NetworkFacts
from virtualmachines.spec import NicSpec, difference
from virtualmachines.spec.data import as_data, from_data
from virtualmachines.spec.edits import DiskEdit, Edit, NicEdit

pytestmark = pytest.mark.django_db


def refused(desk: Desk, wanted: dict[str, Any], *, root: bool = False, **given: Any) -> dict[str, str]:
    before = desk.scene.submissions()
    with pytest.raises(Invalid) as invalid:
        desk.do("modify", desk.root if root else None, wanted=wanted, **given)
    assert desk.scene.submissions() == before and not Entry.objects.exists()
    return invalid.value.errors


@pytest.mark.feature("F184")
def test_size(desk: Desk) -> None:
    entry = desk.edit(wanted={"beparams": {"vcpus": 3, "maxmem": 2048, "minmem": 1024}})
    assert (entry.outcome, entry.message) == (Outcome.SUCCEEDED, "")
    assert (desk.vm.vcpus, desk.vm.memory_mib, desk.vm.memory_min_mib) == (3, 2048, 1024)
    told = {each["field"]: (each["before"], each["after"]) for each in entry.changes or []}
    assert told["beparams.vcpus"] == (1, 3) and told["beparams.maxmem"][1] == "2.0\xa0GiB"
    desk.edit(wanted={"beparams": {"vcpus": None}})
    assert "vcpus" not in desk.there.beparams, "it follows the cluster again"


@pytest.mark.feature("F185")
def test_system(desk: Desk) -> None:
    assert desk.edit(wanted={"os": "noop"}).outcome == Outcome.SUCCEEDED
    assert desk.vm.os == "noop"
    Entry.objects.all().delete()
    assert set(refused(desk, {"os": "windows"})) == {"os"}
    assert set(refused(desk, {"os": ""})) == {"os"}


@pytest.mark.alike
@pytest.mark.feature("F186")
def test_network_cards(desk: Desk) -> None:
    desk.edit(wanted={"nics_added": [{"link": "br9", "mac": "aa:00:00:aa:bb:01"}]})
    added = desk.there.nics[-1]
    assert (added.mac, added.params["link"]) == ("aa:00:00:aa:bb:01", "br9")
    desk.edit(wanted={"nics": {added.uuid: {"link": "br7", "mac": "aa:00:00:aa:bb:02"}}})
    assert (added.mac, added.params["link"]) == ("aa:00:00:aa:bb:02", "br7")
    number = len(desk.there.nics)
    desk.edit(wanted={"nics": {str(number - 1): {"remove": True}}})
    assert len(desk.there.nics) == number - 1 and added not in desk.there.nics


@pytest.mark.feature("F195")
def test_disks(desk: Desk) -> None:
    desk.stop()
    number = len(desk.there.disks)
    desk.edit(wanted={"disks_added": [{"size_mib": 1024, "name": "data"}]})
    assert [disk.size for disk in desk.there.disks[number:]] == [1024]
    added = desk.there.disks[-1]
    desk.edit(wanted={"disks": {added.uuid: {"name": "logs", "mode": "ro"}}})
    assert (added.name, added.mode) == ("logs", "ro")
    Entry.objects.all().delete()
    gone = {"disks": {added.uuid: {"remove": True}}}
    VirtualMachine.objects.update(is_protected=True)
    assert "protected" in refused(desk, gone, typed_name=desk.vm.name)["typed_name"]
    VirtualMachine.objects.update(is_protected=False)
    assert set(refused(desk, gone)) == {"typed_name"} == set(refused(desk, gone, typed_name="vm2.example.org"))
    desk.edit(wanted=gone, typed_name=desk.vm.name)
    assert added not in desk.there.disks


def test_what_goes_is_the_one_that_was_meant_whatever_its_number_is_by_then(desk: Desk) -> None:
    desk.edit(wanted={"nics_added": [{"name": "second"}, {"name": "third"}]})
    third = desk.there.nics[-1]
    entry = desk.do("modify", wanted={"nics": {third.uuid: {"remove": True}}})
    desk.there.nics.insert(0, desk.there.nics.pop(-2))  # somebody changes the order before Ganeti gets to it
    assert desk.settle(entry).outcome == Outcome.SUCCEEDED
    assert third not in desk.there.nics and "second" in {nic.name for nic in desk.there.nics}


@pytest.mark.alike
@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({}, "wanted"),
        ({"beparams": {"vcpus": 0}}, "beparams.vcpus"),
        ({"beparams": {"vcpus": "2"}}, "beparams.vcpus"),
        ({"beparams": {"vcpus": 9999}}, "beparams.vcpus"),
        ({"beparams": {"maxmem": 1}}, "beparams.maxmem"),
        ({"beparams": {"minmem": 99999999}}, "beparams.minmem"),
        ({"beparams": {"nonsense": 1}}, "beparams.nonsense"),
        ({"hvparams": {"nonsense": 1}}, "hvparams.nonsense"),
        ({"hvparams": {"boot_order": "cdrom"}}, "hvparams.boot_order"),
        ({"hvparams": {"boot_order": "tape"}}, "hvparams.boot_order"),
        ({"nics_added": [{"mac": "01:00:00:00:00:00"}]}, "nics.1.mac"),
        ({"nics_added": [{"mac": "nonsense"}]}, "nics.1.mac"),
        ({"nics_added": [{"ip": "pool"}]}, "nics.1.ip"),
        ({"nics_added": [{"mode": "routed"}]}, "nics.1.ip"),
        ({"nics_added": [{"network": "nowhere"}]}, "nics.1.network"),
        ({"nics_added": [{}] * 9}, "nics"),
        ({"disks_added": [{"size_mib": 0}]}, "disks.1.size_mib"),
        ({"disks_added": [{"size_mib": 1024}] * 16}, "disks"),
        ({"disks_added": [{"size_mib": 1024, "vg": "other"}]}, "disks"),
        ({"disks": {"0": {"remove": True}}}, "disks.0"),
    ],
)
def test_rules(desk: Desk, wanted: dict[str, Any], field: str) -> None:
    assert field in refused(desk, wanted, typed_name=desk.vm.name)


@pytest.mark.alike
@pytest.mark.feature("F189")
@pytest.mark.parametrize(
    ("hvparams", "field"),
    [
        ({"initrd_path": "/boot/initrd", "kernel_path": ""}, "hvparams.initrd_path"),
        ({"kernel_path": "/boot/vmlinuz", "root_path": ""}, "hvparams.root_path"),
        ({"security_model": "user"}, "hvparams.security_domain"),
        ({"security_domain": "kvm"}, "hvparams.security_domain"),
        ({"vnc_x509_verify": True}, "hvparams.vnc_x509_verify"),
        ({"vnc_x509_path": "/etc/x509", "vnc_tls": False}, "hvparams.vnc_x509_path"),
    ],
)
def test_rules_between_parameters(desk: Desk, hvparams: dict[str, Any], field: str) -> None:
    assert field in refused(desk, {"hvparams": hvparams}, root=True)


@pytest.mark.alike
def test_what_a_network_says_of_a_card_is_not_dropped_without_a_word(desk: Desk) -> None:
    facts = replace(Facts.of(desk.vm.cluster), networks={"lan": NetworkFacts("192.0.2.0/24", frozenset({"default"}))})
    before = replace(spec_of(desk.vm), nics=(NicSpec(network="lan", uuid="a"),))
    after = replace(before, nics=(replace(before.nics[0], link="br9"),))
    wanted = difference(before, after, facts.defaults)
    assert "nics.0.link" in judge_change(before, after, wanted, facts, desk.vm, is_admin=True, hotplugs=False)


def test_the_address_of_another_card_is_not_taken(desk: Desk) -> None:
    other = VirtualMachine.objects.exclude(pk=desk.vm.pk).exclude(nics=[]).first()
    assert other is not None
    mac = other.nics[0]["mac"].upper()
    words = refused(desk, {"nics": {"0": {"mac": mac}}})["nics.0.mac"]
    assert words == f"Another machine on this cluster has the MAC address {mac.lower()}."


def values_for(parameter: Parameter) -> Any:
    """A value of its kind, which need not be one that may be."""
    match parameter.kind:
        case Kind.SWITCH:
            return True
        case Kind.INTEGER | Kind.SIZE:
            return parameter.least or 1
        case _:
            return parameter.choices[0].value if parameter.choices else "/x"


@pytest.mark.alike
@pytest.mark.feature("F187", "F188", "F194")
@pytest.mark.parametrize("hypervisor", some_in_fast(sorted(OF_HYPERVISORS, key=lambda each: each != "kvm"), 3))
def test_who_does_not_administer_the_cluster_sets_nothing_of_the_host(desk: Desk, hypervisor: str) -> None:
    """Every parameter of the catalogue: set, and set back by who did not set it."""
    desk.there.hypervisor = hypervisor
    desk.there.hvparams = {}
    desk.simulator.cluster.bump(desk.there)
    desk.read()
    vm = desk.vm
    assert vm.hypervisor == hypervisor
    for table, parameters in (("beparams", BACKEND), ("hvparams", OF_HYPERVISORS[hypervisor])):
        in_force = vm.raw[table]
        for name, parameter in parameters.items():
            if name not in in_force:
                continue
            value = values_for(parameter)
            if value == in_force[name]:
                value = not value if parameter.kind is Kind.SWITCH else value + 1 if isinstance(value, int) else "/y"
            told = desk.faults({table: {name: value}}).get(f"{table}.{name}", "")
            assert ("those who administer the cluster" in told) is parameter.is_for_admins, (name, told)


def test_what_an_administrator_set_stays_and_is_not_in_the_way(desk: Desk) -> None:
    desk.edit(desk.root, wanted={"hvparams": {"kvm_extra": "-snapshot"}})
    assert desk.edit(wanted={"beparams": {"vcpus": 2}}).outcome == Outcome.SUCCEEDED
    Entry.objects.all().delete()
    assert set(refused(desk, {"hvparams": {"kvm_extra": None}})) == {"hvparams.kvm_extra"}
    assert set(refused(desk, {"hvparams": {"kvm_extra": "-S"}})) == {"hvparams.kvm_extra"}
    assert desk.there.hvparams["kvm_extra"] == "-snapshot"


def test_the_second_of_two_people_sends_nothing(desk: Desk) -> None:
    opened = version_of(spec_of(desk.vm))
    assert desk.edit(wanted={"beparams": {"vcpus": 2}}, opened=opened).outcome == Outcome.SUCCEEDED
    Entry.objects.all().delete()
    assert set(refused(desk, {"beparams": {"maxmem": 2048}}, opened=opened)) == {"opened"}
    desk.stop()
    again = version_of(spec_of(desk.vm))
    desk.simulator.outside.start(desk.vm.name)
    desk.read()
    assert again == version_of(spec_of(desk.vm)) != opened, "starting and stopping it is no change of its settings"


def test_growth_is_claimed_and_given_back(desk: Desk) -> None:
    vm = desk.vm
    persona = persona_of(desk.alice.user)
    VirtualMachine.objects.filter(pk=vm.pk).update(owner=persona)
    set_quota(persona, vm.cluster, Limits(memory_mib=vm.memory_mib + 512))
    assert "exceeds the quota" in refused(desk, {"beparams": {"maxmem": vm.memory_mib + 513}})[""]
    entry = desk.do("modify", wanted={"beparams": {"maxmem": vm.memory_mib + 512}})
    assert Claim.objects.get().memory_mib == 512
    desk.settle(entry)
    assert not Claim.objects.exists() and desk.vm.memory_mib == vm.memory_mib + 512


def test_a_refusal_of_ganetis_is_told(desk: Desk) -> None:
    desk.simulator.faults.refuse(400, "No changes submitted", method="PUT", path="/2/instances/.*/modify")
    entry = desk.do("modify", wanted={"beparams": {"vcpus": 2}})
    assert (entry.outcome, entry.message) == (Outcome.REFUSED, "No changes submitted")
    assert not desk.vm.is_busy


words = st.text("abc", min_size=1, max_size=3)
values = st.none() | st.booleans() | st.integers(-5, 5) | words
edits = st.builds(
    Edit,
    os=st.none() | words,
    beparams=st.dictionaries(words, values, max_size=2),
    hvparams=st.dictionaries(words, values, max_size=2),
    nics=st.dictionaries(words, st.builds(NicEdit, link=st.none() | words, remove=st.booleans()), max_size=2),
    disks=st.dictionaries(words, st.builds(DiskEdit, mode=st.sampled_from([None, "rw", "ro"])), max_size=2),
)


@settings(deadline=None)
@given(edit=edits)
def test_an_edit_survives_the_way_through_json(edit: Edit) -> None:
    assert from_data(Edit, as_data(edit)) == edit
